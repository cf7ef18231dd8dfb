//! Requests about a participant that version 10 did not have.

use driver::api::{Conference, Participant};
use infinity::{MessageText, Role, Transfer};
use serde_json::Value;

use super::participant::{about, heard_and_seen};
use crate::caller::text;
use crate::row::{Told, rows};
use crate::scene::{NO_PIN, Scene};
use crate::witness::Witness;

rows! { "participant":
    client_mute.needs(&["participants/client_mute"]).fixtures(&["response/done"]).later().media();
    client_unmute.needs(&["participants/client_unmute"]).fixtures(&["response/done"]).later().media();
    video_muted.needs(&["participants/video_muted"]).fixtures(&["response/done"]).later().media();
    video_unmuted.needs(&["participants/video_unmuted"]).fixtures(&["response/done"]).later().media();
    role.needs(&["participants/role"]).fixtures(&["request/role", "response/done"]).later();
    transfer.needs(&["participants/transfer", "event/refer"]).fixtures(&["request/transfer", "response/transfer", "event/refer"]).conferences(&["meet,pin=1234,guest_pin=none", "other,pin=1234,guest_pin=none"]).later();
    take_floor.needs(&["participants/take_floor", "event/presentation_start"]).fixtures(&["response/take_floor", "event/presentation_start"]).later().wire();
    release_floor.needs(&["participants/release_floor", "event/presentation_stop"]).fixtures(&["response/take_floor", "event/presentation_stop"]).later().wire();
    overlaytext.needs(&["participants/overlaytext"]).fixtures(&["request/overlaytext", "response/done"]).later();
    buzz.needs(&["participants/buzz"]).fixtures(&["response/done"]).later();
    clearbuzz.needs(&["participants/clearbuzz"]).fixtures(&["response/done"]).later();
    message.needs(&["participants/message"]).fixtures(&["request/message", "event/message_received_direct"]).later();
}

async fn client_mute(scene: &mut Scene) -> Told {
    let (caller, guest, other) = heard_and_seen(scene).await?;

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.client_mute().await,
        "client_mute",
    )
    .await?;

    other.sees_row(&guest.uuid, "is_client_muted", true).await?;
    other.hears(1_000, false).await
}

async fn client_unmute(scene: &mut Scene) -> Told {
    let (caller, guest, mut other) = heard_and_seen(scene).await?;
    let _ = guest.post_own("client_mute", &Value::Null).await;
    other.forget();

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.client_unmute().await,
        "client_unmute",
    )
    .await?;

    other
        .sees_row(&guest.uuid, "is_client_muted", false)
        .await?;
    other.hears(1_000, true).await
}

async fn video_muted(scene: &mut Scene) -> Told {
    let (caller, guest, other) = heard_and_seen(scene).await?;

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.video_muted().await,
        "video_muted",
    )
    .await?;

    other.sees_row(&guest.uuid, "is_video_muted", true).await?;
    other.sees_picture(200, false).await?;
    other.hears(1_000, true).await
}

async fn video_unmuted(scene: &mut Scene) -> Told {
    let (caller, guest, mut other) = heard_and_seen(scene).await?;
    if guest.post_own("video_muted", &Value::Null).await.is_ok() {
        other.sees_picture(200, false).await?;
    }
    other.forget();

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.video_unmuted().await,
        "video_unmuted",
    )
    .await?;

    other.sees_row(&guest.uuid, "is_video_muted", false).await?;
    other.sees_picture(200, true).await
}

/// A guest becomes a host, and may what hosts may.
async fn role(scene: &mut Scene) -> Told {
    let caller = scene.host().await?;
    let (other, guest) = (scene.other("Other").await?, scene.other("Guest").await?);
    let who = guest.uuid.as_str();

    caller
        .asks(
            async |it: &Conference| it.participant(who).role(Role::Host).await,
            &["role", "host", "--participant", who],
        )
        .await?;

    other.sees_row(who, "role", "chair").await?;
    guest.post("lock", &Value::Null).await?;
    other
        .sees("conference_update", |status| status["locked"] == true)
        .await?;
    Ok(())
}

/// The one is referred to another conference with a token that admits it there.
async fn transfer(scene: &mut Scene) -> Told {
    let caller = scene.host().await?;
    let (other, guest) = (scene.other("Other").await?, scene.other("Guest").await?);
    let who = guest.uuid.as_str();
    let body = Transfer {
        conference_alias: "other".parse().expect("an alias"),
        role: Role::Guest,
        pin: None,
    };

    caller
        .asks(
            async |it: &Conference| it.participant(who).transfer(body).await,
            &["transfer", "other", "--role", "guest", "--participant", who],
        )
        .await?;

    let refer = guest
        .sees("refer", |refer| refer["alias"] == "other")
        .await?;
    let there = Witness::join_conference(scene, "other", "Guest", NO_PIN).await?;
    let token = text(&refer.data["token"]);
    Witness::join_referred(scene, "other", "Guest", &token).await?;
    there.has_others(1).await?;
    let _ = other;
    Ok(())
}

/// Everyone but the presenter is told.
async fn take_floor(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    about(
        &caller,
        &caller.uuid,
        async |it: Participant| it.take_floor().await,
        "take_floor",
    )
    .await?;

    other.sees_row(&caller.uuid, "is_presenting", "YES").await?;
    other
        .sees("presentation_start", |start| {
            start["presenter_uuid"] == caller.uuid.as_str()
        })
        .await?;
    Ok(())
}

async fn release_floor(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other("Other").await?);
    about(
        &caller,
        &caller.uuid,
        async |it: Participant| it.take_floor().await,
        "take_floor",
    )
    .await?;
    other.sees_row(&caller.uuid, "is_presenting", "YES").await?;
    other.forget();

    about(
        &caller,
        &caller.uuid,
        async |it: Participant| it.release_floor().await,
        "release_floor",
    )
    .await?;

    other.sees_row(&caller.uuid, "is_presenting", "NO").await?;
    other.sees("presentation_stop", |_| true).await?;
    Ok(())
}

async fn overlaytext(scene: &mut Scene) -> Told {
    let caller = scene.host().await?;
    let (other, guest) = (scene.other("Other").await?, scene.other("Guest").await?);
    let who = guest.uuid.as_str();

    caller
        .asks(
            async |it: &Conference| it.participant(who).overlay_text("Zoë, Guest").await,
            &["overlaytext", "Zoë, Guest", "--participant", who],
        )
        .await?;

    other.sees_row(who, "overlay_text", "Zoë, Guest").await
}

async fn buzz(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.guest().await?, scene.other("Other").await?);

    about(
        &caller,
        &caller.uuid,
        async |it: Participant| it.buzz().await,
        "buzz",
    )
    .await?;

    let who = caller.uuid.as_str();
    other
        .sees("participant_update", |row| {
            row["uuid"] == who && row["buzz_time"].as_f64() > Some(0.0)
        })
        .await?;
    Ok(())
}

async fn clearbuzz(scene: &mut Scene) -> Told {
    let (caller, guest) = (scene.host().await?, scene.other("Guest").await?);
    let mut other = scene.other("Other").await?;
    let _ = guest.post_own("buzz", &Value::Null).await;
    other.forget();

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.clear_buzz().await,
        "clearbuzz",
    )
    .await?;

    let who = guest.uuid.as_str();
    other
        .sees("participant_update", |row| {
            row["uuid"] == who && row["buzz_time"].as_f64() == Some(0.0)
        })
        .await?;
    Ok(())
}

/// To the one, and to nobody else.
async fn message(scene: &mut Scene) -> Told {
    let caller = scene.host().await?;
    let (other, guest) = (scene.other("Other").await?, scene.other("Guest").await?);
    let who = guest.uuid.as_str();
    let message = MessageText {
        media_type: "text/plain".to_owned(),
        payload: "between us".to_owned(),
    };

    caller
        .asks(
            async |it: &Conference| it.participant(who).message(message).await,
            &["message", "between us", "--participant", who],
        )
        .await?;

    guest
        .sees("message_received", |message| {
            message["payload"] == "between us" && message["direct"] == true
        })
        .await?;
    other
        .saw_none("message_received", |message| {
            message["payload"] == "between us"
        })
        .await
}
