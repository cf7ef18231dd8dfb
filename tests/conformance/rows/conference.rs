//! Requests about a conference.

use driver::api::{ApiError, Conference};
use infinity::{Dial, DialRole, MessageText, Protocol};
use serde_json::Value;

use crate::caller::{Caller, text};
use crate::media_leg::Sends;
use crate::row::{Stop, Told, rows};
use crate::scene::Scene;

rows! { "conference":
    conference_status.needs(&["conference_status", "lock"]).fixtures(&["response/conference_status"]);
    dial_sip.needs(&["dial", "event/participant_create", "event/participant_update"]).fixtures(&["request/dial", "response/dial"]);
    dial_h323.needs(&["dial"]).fixtures(&["request/dial", "response/dial"]);
    dial_mssip.needs(&["dial"]).fixtures(&["request/dial", "response/dial"]);
    dial_rtmp.needs(&["dial"]).fixtures(&["request/dial", "response/dial"]).wire();
    dial_forked.needs(&["dial", "event/participant_delete"]).fixtures(&["response/dial"]);
    dial_rejected.needs(&["dial", "event/participant_delete"]).fixtures(&["response/dial"]);
    dial_rings_for_30_s.needs(&["dial"]).fixtures(&["response/dial"]).by_participants_alone();
    lock.needs(&["lock", "event/conference_update"]).fixtures(&["response/done", "event/conference_update"]).media();
    unlock.needs(&["unlock"]).fixtures(&["response/done", "event/conference_update"]).media();
    muteguests.needs(&["muteguests"]).fixtures(&["response/done", "event/conference_update"]).media();
    unmuteguests.needs(&["unmuteguests"]).fixtures(&["response/done"]).media();
    disconnect.needs(&["disconnect", "event/disconnect"]).fixtures(&["response/done", "event/disconnect"]);
    message.needs(&["message"]).fixtures(&["request/message", "event/message_received", "event/message"]);
    participants.needs(&["participants"]).fixtures(&["response/participants"]);
}

/// What one participant changes, the caller reads.
async fn conference_status(scene: &mut Scene) -> Told {
    let caller = scene.guest().await?;
    let other = scene.other_host("Other").await?;
    other.post("lock", &Value::Null).await?;

    let locked = caller
        .asks_for(
            async |it: &Conference| Ok(it.conference_status().await?.locked),
            &["conference_status"],
            |status| status["locked"].as_bool(),
        )
        .await?;

    locked
        .then_some(())
        .ok_or_else(|| Stop::Asked("the status says unlocked".to_owned()))
}

/// Connecting, then answered.
async fn dial_sip(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    let called = dial(&caller, "sip", "bea@example.com", &[]).await?;

    let [called] = called.as_slice() else {
        return Err(Stop::Asked(format!("{} are called", called.len())));
    };
    let created = other
        .sees("participant_create", |row| row["uuid"] == called.as_str())
        .await?;
    if created.data["service_type"] != "connecting" {
        return Err(Stop::Observed(format!("not connecting: {created:?}")));
    }
    other.sees_row(called, "service_type", "conference").await
}

async fn dial_h323(scene: &mut Scene) -> Told {
    dial_by(scene, "h323", &[]).await
}

async fn dial_mssip(scene: &mut Scene) -> Told {
    dial_by(scene, "mssip", &[]).await
}

/// A stream, its presentation apart.
async fn dial_rtmp(scene: &mut Scene) -> Told {
    let stream = [
        "--presentation-url",
        "rtmp://example.com/slides",
        "--streaming",
    ];
    dial_by(scene, "rtmp", &stream).await
}

async fn dial_by(scene: &mut Scene, protocol: &str, more: &[&str]) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    let called = dial(&caller, protocol, "bea@example.com", more).await?;

    for called in called {
        other
            .sees("participant_update", |row| {
                row["uuid"] == called.as_str()
                    && row["protocol"] == protocol
                    && row["service_type"] == "conference"
                    && (more.is_empty() || row["is_streaming_conference"] == true)
            })
            .await?;
    }
    Ok(())
}

/// Two far ends ring; one answers, the other is gone.
async fn dial_forked(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    let called = dial(&caller, "sip", "fork@example.com", &[]).await?;

    let [answers, goes] = called.as_slice() else {
        return Err(Stop::Asked(format!("{} are called", called.len())));
    };
    other
        .sees_row(answers, "service_type", "conference")
        .await?;
    other
        .sees("participant_delete", |gone| gone["uuid"] == goes.as_str())
        .await?;
    Ok(())
}

async fn dial_rejected(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    let called = dial(&caller, "sip", "reject@example.com", &[]).await?;

    other
        .sees("participant_delete", |gone| {
            called.iter().any(|called| gone["uuid"] == called.as_str())
        })
        .await?;
    Ok(())
}

async fn dial_rings_for_30_s(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);
    let begin = std::time::Instant::now();

    let called = dial(&caller, "sip", "timeout@example.com", &[]).await?;

    tokio::time::sleep(std::time::Duration::from_secs(28)).await;
    other.has_others(2).await?;
    other
        .sees("participant_delete", |gone| {
            called.iter().any(|called| gone["uuid"] == called.as_str())
        })
        .await?;
    let rang = begin.elapsed().as_secs();
    (29..40)
        .contains(&rang)
        .then_some(())
        .ok_or_else(|| Stop::Observed(format!("it rang for {rang} s")))
}

async fn dial(
    caller: &Caller,
    protocol: &str,
    destination: &str,
    more: &[&str],
) -> Result<Vec<String>, Stop> {
    let body = Dial {
        role: DialRole::Guest,
        destination: destination.to_owned(),
        protocol: Protocol::from(protocol),
        presentation_url: more.get(1).map(|url| (*url).to_owned()),
        streaming: !more.is_empty(),
    };
    let arguments = [
        "dial",
        destination,
        "--protocol",
        protocol,
        "--role",
        "guest",
    ];
    caller
        .asks_for(
            async |it: &Conference| {
                let called = it.dial(body).await?;
                Ok::<_, ApiError>(called.iter().map(ToString::to_string).collect())
            },
            &[&arguments[..], more].concat(),
            |called| Some(called.as_array()?.iter().map(text).collect()),
        )
        .await
}

/// Who comes afterwards sits in the waiting room, sees a splash and hears nobody.
async fn lock(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other("Other").await?);
    other.calls(Sends::tone(440)).await?;

    caller
        .asks(async |it: &Conference| it.lock().await, &["lock"])
        .await?;

    other
        .sees("conference_update", |status| status["locked"] == true)
        .await?;
    let mut newcomer = scene.other("Newcomer").await?;
    other
        .sees("participant_create", |row| {
            row["uuid"] == newcomer.uuid.as_str() && row["service_type"] == "waiting_room"
        })
        .await?;
    newcomer.calls(Sends::tone(1_000)).await?;
    newcomer.sees_any_picture().await?;
    newcomer.hears(440, false).await?;
    other.hears(1_000, false).await
}

/// Who waits comes in, and hears the others.
async fn unlock(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other_host("Other").await?);
    other.calls(Sends::tone(440)).await?;
    other.post("lock", &Value::Null).await?;
    let mut waiting = scene.other("Waiting").await?;
    waiting.calls(Sends::NOTHING).await?;
    waiting.hears(440, false).await?;
    other.forget();

    caller
        .asks(async |it: &Conference| it.unlock().await, &["unlock"])
        .await?;

    other
        .sees("conference_update", |status| status["locked"] == false)
        .await?;
    other
        .sees_row(&waiting.uuid, "service_type", "conference")
        .await?;
    waiting.hears(440, true).await
}

/// Guests are not heard, newcomers neither; who was unmuted by name is, and hosts are.
async fn muteguests(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other_host("Other").await?);
    other.calls(Sends::tone(440)).await?;
    let mut guest = scene.other("Guest").await?;
    guest.calls(Sends::tone(1_000)).await?;
    guest.hears(440, true).await?;
    other.hears(1_000, true).await?;

    caller
        .asks(
            async |it: &Conference| it.mute_guests().await,
            &["muteguests"],
        )
        .await?;

    other
        .sees("conference_update", |status| status["guests_muted"] == true)
        .await?;
    other.hears(1_000, false).await?;
    guest.hears(440, true).await?;
    let mut newcomer = scene.other("Newcomer").await?;
    newcomer.calls(Sends::tone(2_500)).await?;
    other.hears(2_500, false).await?;
    let spared = format!("participants/{}/unmute", newcomer.uuid);
    other.post(&spared, &Value::Null).await?;
    other.hears(2_500, true).await?;
    other.hears(1_000, false).await
}

async fn unmuteguests(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other_host("Other").await?);
    other.calls(Sends::NOTHING).await?;
    other.post("muteguests", &Value::Null).await?;
    let mut guest = scene.other("Guest").await?;
    guest.calls(Sends::tone(1_000)).await?;
    other.hears(1_000, false).await?;

    caller
        .asks(
            async |it: &Conference| it.unmute_guests().await,
            &["unmuteguests"],
        )
        .await?;

    other.hears(1_000, true).await
}

/// Everybody is told, the caller too, and nobody is left.
async fn disconnect(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    caller
        .asks(
            async |it: &Conference| it.disconnect().await,
            &["disconnect", "--everybody"],
        )
        .await?;

    other
        .sees("disconnect", |why| !text(&why["reason"]).is_empty())
        .await?;
    scene.other_host("Later").await?.has_others(0).await
}

async fn message(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);
    let message = MessageText {
        media_type: "text/plain".to_owned(),
        payload: "Grüße, all".to_owned(),
    };

    caller
        .asks(
            async |it: &Conference| it.message(message).await,
            &["message", "Grüße, all"],
        )
        .await?;

    other
        .sees(scene.message_event(), |message| {
            message["payload"] == "Grüße, all" && message["uuid"] == caller.uuid.as_str()
        })
        .await?;
    Ok(())
}

/// The caller reads the same roster as the others.
async fn participants(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    let mut rows = caller
        .asks_for(
            async |it: &Conference| {
                let rows = it.participants().await?;
                Ok::<_, ApiError>(rows.iter().map(|row| row.uuid.to_string()).collect())
            },
            &["participants"],
            |rows| {
                let rows = rows.as_array()?.iter();
                Some(rows.map(|row| text(&row["uuid"])).collect::<Vec<_>>())
            },
        )
        .await?;

    let mut seen: Vec<_> = other
        .roster()
        .await?
        .iter()
        .map(|row| text(&row["uuid"]))
        .collect();
    rows.sort();
    seen.sort();
    (rows == seen && rows.len() == 2)
        .then_some(())
        .ok_or_else(|| Stop::Observed(format!("the roster is {seen:?}, the caller reads {rows:?}")))
}
