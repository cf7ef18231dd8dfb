//! Events: somebody else does something, and the caller hears of it, as others do.

use std::time::Duration;

use driver::api::{Conference, PictureRequest};
use infinity::Event;
use serde_json::{Value, json};

use super::participant::{ack, start_call};
use crate::caller::Caller;
use crate::listening::Listening;
use crate::media_leg::{Leg, Sends};
use crate::row::{Stop, Told, rows};
use crate::scene::Scene;
use crate::witness::Witness;

rows! { "events":
    participant_sync_begin.needs(&["events", "event/participant_sync_begin"]).fixtures(&["event/participant_sync_begin"]);
    participant_sync_end.needs(&["event/participant_sync_end"]).fixtures(&["event/participant_sync_end"]);
    participant_create.needs(&["event/participant_create"]).fixtures(&["event/participant_create"]);
    participant_update.needs(&["event/participant_update"]).fixtures(&["event/participant_update"]);
    participant_delete.needs(&["event/participant_delete"]).fixtures(&["event/participant_delete"]);
    conference_update.needs(&["event/conference_update"]).fixtures(&["event/conference_update"]);
    message.needs(&["event/message_received"]).fixtures(&["event/message_received", "event/message"]);
    stage.needs(&["event/stage"]).fixtures(&["event/stage"]).media();
    presentation_start.needs(&["event/presentation_start"]).fixtures(&["event/presentation_start"]).unknown_to_v10().wire();
    presentation_stop.needs(&["event/presentation_stop"]).fixtures(&["event/presentation_stop"]).unknown_to_v10().wire();
    presentation_frame.needs(&["event/presentation_frame"]).fixtures(&["event/presentation_frame"]).unknown_to_v10().wire();
    call_disconnected.needs(&["event/call_disconnected"]).fixtures(&["event/call_disconnected"]).fault("call-disconnected").media();
    disconnect.needs(&["event/disconnect"]).fixtures(&["event/disconnect"]);
    peer_disconnect.needs(&["event/peer_disconnect"]).fixtures(&["event/peer_disconnect"]).fault("peer-disconnect").unknown_to_v10().media();
    refer.needs(&["event/refer"]).fixtures(&["event/refer"]).conferences(&["meet,pin=1234,guest_pin=none", "other"]).unknown_to_v10();
    hello.needs(&["event/hello"]).fixtures(&["event/hello"]).unknown_to_v10();
    ping.needs(&["event/ping"]).fixtures(&["event/ping"]);
    refresh_token.needs(&["event/refresh_token"]).fixtures(&["event/refresh_token"]).unknown_to_v10();
}

/// The caller, a guest, listens; so does another one, a host, who does something.
async fn listening(scene: &Scene) -> Result<(Caller, Listening, Witness), Stop> {
    let other = scene.other_host("Other").await?;
    let caller = scene.guest().await?;
    let mut ears = caller.listens().await?;
    // Its own row is in every first burst; what comes later is news.
    let me = caller.uuid.as_str();
    if !scene.is_without("event/participant_create") {
        ears.hears(
            scene.patience(),
            "participant_create",
            |event| matches!(event, Event::ParticipantCreate(_)),
            |row| row["uuid"] == me,
        )
        .await?;
    }
    let mut other = other;
    other.forget();
    Ok((caller, ears, other))
}

/// The roster stands between both, whole: whoever was there and the caller itself.
async fn sync(scene: &Scene, is_end_looked_for: bool) -> Told {
    let other = scene.other_host("Other").await?;
    let caller = scene.guest().await?;
    let mut ears = caller.listens().await?;
    let patience = scene.patience();
    if !is_end_looked_for {
        let begin = |event: &Event| matches!(event, Event::ParticipantSyncBegin);
        ears.hears(patience, "participant_sync_begin", begin, |_| true)
            .await?;
    }
    let mut wanted = [other.uuid.as_str(), caller.uuid.as_str()];
    for uuid in &mut wanted {
        let create = |event: &Event| matches!(event, Event::ParticipantCreate(_));
        ears.hears(patience, "participant_create", create, |row| {
            row["uuid"] == *uuid
        })
        .await?;
    }
    let end = |event: &Event| matches!(event, Event::ParticipantSyncEnd);
    ears.hears(patience, "participant_sync_end", end, |_| true)
        .await?;
    other.has_others(1).await
}

async fn participant_sync_begin(scene: &mut Scene) -> Told {
    sync(scene, false).await
}

async fn participant_sync_end(scene: &mut Scene) -> Told {
    sync(scene, true).await
}

async fn participant_create(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;

    let newcomer = scene.other("Newcomer").await?;

    let is_newcomer = |row: &Value| row["uuid"] == newcomer.uuid.as_str();
    let typed = |event: &Event| matches!(event, Event::ParticipantCreate(_));
    ears.hears(scene.patience(), "participant_create", typed, is_newcomer)
        .await?;
    other.sees("participant_create", is_newcomer).await?;
    Ok(())
}

async fn participant_update(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;

    other.post_own("mute", &Value::Null).await?;

    let is_muted = |row: &Value| row["uuid"] == other.uuid.as_str() && row["is_muted"] == "YES";
    let typed = |event: &Event| matches!(event, Event::ParticipantUpdate(row) if row.is_muted);
    ears.hears(scene.patience(), "participant_update", typed, is_muted)
        .await?;
    other.sees("participant_update", is_muted).await?;
    Ok(())
}

async fn participant_delete(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;
    let guest = scene.other("Guest").await?;

    guest.post_own("disconnect", &Value::Null).await?;

    let is_guest = |gone: &Value| gone["uuid"] == guest.uuid.as_str();
    let typed = |event: &Event| matches!(event, Event::ParticipantDelete(_));
    ears.hears(scene.patience(), "participant_delete", typed, is_guest)
        .await?;
    other.sees("participant_delete", is_guest).await?;
    Ok(())
}

async fn conference_update(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;

    other.post("lock", &Value::Null).await?;

    let is_locked = |status: &Value| status["locked"] == true;
    let typed = |event: &Event| matches!(event, Event::ConferenceUpdate(it) if it.locked);
    ears.hears(scene.patience(), "conference_update", typed, is_locked)
        .await?;
    other.sees("conference_update", is_locked).await?;
    Ok(())
}

/// `message` of version 10 and `message_received` are one event to the library.
async fn message(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;
    let body = json!({ "type": "text/plain", "payload": "Grüße" });

    other.post("message", &body).await?;

    let is_it = |message: &Value| message["payload"] == "Grüße";
    let typed =
        |event: &Event| matches!(event, Event::MessageReceived(it) if it.payload == "Grüße");
    let name = scene.message_event();
    ears.hears(scene.patience(), name, typed, is_it).await?;
    other.sees(name, is_it).await?;
    Ok(())
}

/// Whoever speaks comes first.
async fn stage(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;
    let mut speaker = scene.other("Speaker").await?;

    speaker.calls(Sends::tone(1_000)).await?;

    let is_first = |stage: &Value| {
        stage[0]["participant_uuid"] == speaker.uuid.as_str() && stage[0]["vad"] == 100
    };
    let typed = |event: &Event| matches!(event, Event::Stage(stage) if !stage.is_empty());
    ears.hears(scene.patience(), "stage", typed, is_first)
        .await?;
    other.sees("stage", is_first).await?;
    Ok(())
}

async fn presentation_start(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;
    let presenter = scene.other("Presenter").await?;

    presenter.post_own("take_floor", &Value::Null).await?;

    let is_it = |start: &Value| start["presenter_uuid"] == presenter.uuid.as_str();
    let typed = |event: &Event| matches!(event, Event::PresentationStart(_));
    ears.hears(scene.patience(), "presentation_start", typed, is_it)
        .await?;
    other.sees("presentation_start", is_it).await?;
    Ok(())
}

async fn presentation_stop(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;
    let presenter = scene.other("Presenter").await?;
    presenter.post_own("take_floor", &Value::Null).await?;

    presenter.post_own("release_floor", &Value::Null).await?;

    let typed = |event: &Event| matches!(event, Event::PresentationStop);
    ears.hears(scene.patience(), "presentation_stop", typed, |_| true)
        .await?;
    other.sees("presentation_stop", |_| true).await?;
    Ok(())
}

/// The node hangs up the caller's call and says why; the others see that it has no media.
async fn call_disconnected(scene: &mut Scene) -> Told {
    let (caller, mut ears, other) = listening(scene).await?;
    let leg = Leg::offer(Sends::tone(1_000)).await;
    let (call, answer) = start_call(scene, &caller, &leg.offer).await?;
    leg.take_answer(&answer).await?;
    ack(&caller, &call).await?;

    let is_it = |gone: &Value| gone["call_uuid"] == call.as_str();
    let typed = |event: &Event| matches!(event, Event::CallDisconnected(_));
    ears.hears(scene.patience(), "call_disconnected", typed, is_it)
        .await?;
    other.sees_row(&caller.uuid, "protocol", "api").await
}

async fn disconnect(scene: &mut Scene) -> Told {
    let (caller, mut ears, other) = listening(scene).await?;

    let path = format!("participants/{}/disconnect", caller.uuid);
    other.post(&path, &Value::Null).await?;

    let typed = |event: &Event| matches!(event, Event::Disconnect(_));
    ears.hears(scene.patience(), "disconnect", typed, |why| {
        why["reason"].as_str().is_some_and(|why| !why.is_empty())
    })
    .await?;
    other
        .sees("participant_delete", |gone| {
            gone["uuid"] == caller.uuid.as_str()
        })
        .await?;
    Ok(())
}

async fn peer_disconnect(scene: &mut Scene) -> Told {
    let (caller, mut ears, other) = listening(scene).await?;
    let leg = Leg::offer(Sends::tone(1_000)).await;
    let (call, answer) = start_call(scene, &caller, &leg.offer).await?;
    leg.take_answer(&answer).await?;
    ack(&caller, &call).await?;

    let typed = |event: &Event| matches!(event, Event::PeerDisconnect);
    ears.hears(scene.patience(), "peer_disconnect", typed, |_| true)
        .await?;
    other.has_others(1).await
}

/// The caller hears where to go; the token itself `standin api` hides.
async fn refer(scene: &mut Scene) -> Told {
    let (caller, mut ears, other) = listening(scene).await?;
    let path = format!("participants/{}/transfer", caller.uuid);
    let body = json!({ "role": "guest", "conference_alias": "other" });

    other.post(&path, &body).await?;

    let typed = |event: &Event| matches!(event, Event::Refer(it) if it.token.is_some());
    ears.hears(scene.patience(), "refer", typed, |refer| {
        refer["alias"] == "other"
    })
    .await?;
    other.has_others(1).await
}

/// The node has whose role was changed refresh.
async fn refresh_token(scene: &mut Scene) -> Told {
    let (caller, mut ears, other) = listening(scene).await?;
    let path = format!("participants/{}/role", caller.uuid);

    other.post(&path, &json!({ "role": "chair" })).await?;

    let typed = |event: &Event| matches!(event, Event::RefreshToken);
    ears.hears(scene.patience(), "refresh_token", typed, |_| true)
        .await?;
    other.sees_row(&caller.uuid, "role", "chair").await
}

/// Somebody presents: there is a picture, and the caller can fetch it.
async fn presentation_frame(scene: &mut Scene) -> Told {
    let (caller, mut ears, other) = listening(scene).await?;

    other.post_own("take_floor", &Value::Null).await?;

    let typed = |event: &Event| matches!(event, Event::PresentationFrame);
    ears.hears(scene.patience(), "presentation_frame", typed, |_| true)
        .await?;
    let file = scene.file("slide.jpeg", "");
    caller
        .asks(
            async |it: &Conference| {
                let picture = PictureRequest::default();
                it.presentation_jpeg(&picture).await.map(drop)
            },
            &["presentation.jpeg", "--output", &file],
        )
        .await?;
    other.has_others(1).await
}

/// The very first of an event stream.
async fn hello(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let caller = scene.guest().await?;
    let mut ears = caller.listens().await?;

    let typed = |event: &Event| matches!(event, Event::Hello);
    ears.hears(scene.patience(), "hello", typed, |data| data.is_null())
        .await?;
    other.has_others(1).await
}

/// Nothing happens, and the stream is seen to be alive.
async fn ping(scene: &mut Scene) -> Told {
    let (_caller, mut ears, other) = listening(scene).await?;
    // One comes every ten seconds, however short the patience of a telling without it.
    let patience = scene.patience().max(Duration::from_secs(12));

    let typed = |event: &Event| matches!(event, Event::Ping);
    ears.hears(patience, "ping", typed, |data| data.is_null())
        .await?;
    other.has_others(1).await
}
