//! Requests about a participant, as version 10 has them.

use driver::api::{Conference, Participant};
use infinity::{Calls, Digits, Refusal};
use serde_json::{Value, json};

use crate::caller::{Caller, text};
use crate::media_leg::{Leg, Sends};
use crate::row::{Stop, Told, rows};
use crate::scene::Scene;
use crate::witness::Witness;

rows! { "participant":
    disconnect.needs(&["participants/disconnect", "event/disconnect"]).fixtures(&["response/done", "event/disconnect", "event/participant_delete"]);
    mute.needs(&["participants/mute", "event/participant_update"]).fixtures(&["response/done", "event/participant_update"]).media();
    unmute.needs(&["participants/unmute"]).fixtures(&["response/done", "event/participant_update"]).media();
    a_guest_mutes_itself.needs(&["participants/mute"]).fixtures(&["response/done", "response/403_denied"]).media();
    allowrxpresentation.needs(&["participants/allowrxpresentation", "event/presentation_start"]).fixtures(&["response/done", "event/presentation_start"]).unknown_to_v10().wire();
    denyrxpresentation.needs(&["participants/denyrxpresentation", "event/presentation_stop"]).fixtures(&["response/done", "event/presentation_stop"]).unknown_to_v10().wire();
    spotlighton.needs(&["participants/spotlighton"]).fixtures(&["response/done", "event/stage"]).media();
    spotlightoff.needs(&["participants/spotlightoff"]).fixtures(&["response/done", "event/participant_update"]).media();
    unlock.needs(&["participants/unlock"]).fixtures(&["response/done", "event/participant_update"]).media();
    dtmf.needs(&["participants/dtmf"]).fixtures(&["request/dtmf", "response/dtmf"]).media();
    calls.needs(&["calls"]).fixtures(&["request/calls", "response/calls"]).media();
}

/// Makes a request about `who` that has nothing but a name.
pub(super) async fn about(
    caller: &Caller,
    who: &str,
    library: impl AsyncFnOnce(Participant) -> Result<(), driver::api::ApiError>,
    verb: &str,
) -> Told {
    caller
        .asks(
            async |it: &Conference| library(it.participant(who)).await,
            &[verb, "--participant", who],
        )
        .await
}

/// The caller is a host; the guest is heard and seen by the other one.
pub(super) async fn heard_and_seen(scene: &Scene) -> Result<(Caller, Witness, Witness), Stop> {
    let (caller, mut other) = (scene.host().await?, scene.other("Other").await?);
    other.calls(Sends::NOTHING).await?;
    let mut guest = scene.other("Guest").await?;
    guest.calls(Sends::both(1_000, 200)).await?;
    other.hears(1_000, true).await?;
    other.sees_picture(200, true).await?;
    other.forget();
    Ok((caller, guest, other))
}

/// The one is told why, the others see it go.
async fn disconnect(scene: &mut Scene) -> Told {
    let caller = scene.host().await?;
    let (other, guest) = (scene.other("Other").await?, scene.other("Guest").await?);

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.disconnect().await,
        "disconnect",
    )
    .await?;

    other
        .sees("participant_delete", |gone| {
            gone["uuid"] == guest.uuid.as_str()
        })
        .await?;
    guest
        .sees("disconnect", |why| !text(&why["reason"]).is_empty())
        .await?;
    other.has_others(1).await
}

async fn mute(scene: &mut Scene) -> Told {
    let (caller, guest, other) = heard_and_seen(scene).await?;

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.mute().await,
        "mute",
    )
    .await?;

    other.sees_row(&guest.uuid, "is_muted", "YES").await?;
    other.hears(1_000, false).await
}

async fn unmute(scene: &mut Scene) -> Told {
    let (caller, guest, other) = heard_and_seen(scene).await?;
    guest.post_own("mute", &Value::Null).await?;
    other.hears(1_000, false).await?;
    let mut other = other;
    other.forget();

    about(
        &caller,
        &guest.uuid,
        async |it: Participant| it.unmute().await,
        "unmute",
    )
    .await?;

    other.sees_row(&guest.uuid, "is_muted", "NO").await?;
    other.hears(1_000, true).await
}

/// A guest has a say over itself, and over nobody else.
async fn a_guest_mutes_itself(scene: &mut Scene) -> Told {
    let (_host, mut other) = (scene.other_host("Host").await?, scene.other("Other").await?);
    other.calls(Sends::tone(440)).await?;
    let caller = scene.guest().await?;

    about(
        &caller,
        &caller.uuid,
        async |it: Participant| it.mute().await,
        "mute",
    )
    .await?;
    other.sees_row(&caller.uuid, "is_muted", "YES").await?;

    let who = other.uuid.as_str();
    caller
        .is_refused(
            async |it: &Conference| it.participant(who).mute().await,
            &["mute", "--participant", who],
        )
        .await?
        .says(|refusal| matches!(refusal, Refusal::Denied(_)), 3, "allow")?;
    other
        .saw_none("participant_update", |row| {
            row["uuid"] == who && row["is_muted"] == "YES"
        })
        .await
}

/// The caller and two guests, of whom one presents.
async fn with_a_presentation(scene: &Scene) -> Result<(Caller, Witness, Witness), Stop> {
    let caller = scene.host().await?;
    let mut other = scene.other("Other").await?;
    let presenter = scene.other("Presenter").await?;
    presenter.post_own("take_floor", &Value::Null).await?;
    other
        .sees_row(&presenter.uuid, "is_presenting", "YES")
        .await?;
    other.forget();
    Ok((caller, other, presenter))
}

async fn allowrxpresentation(scene: &mut Scene) -> Told {
    let (caller, mut other, presenter) = with_a_presentation(scene).await?;
    let deny = format!("participants/{}/denyrxpresentation", other.uuid);
    scene
        .other_host("Denier")
        .await?
        .post(&deny, &Value::Null)
        .await?;
    other
        .sees_row(&other.uuid, "rx_presentation_policy", "DENY")
        .await?;
    other.forget();

    about(
        &caller,
        &other.uuid,
        async |it: Participant| it.allow_rx_presentation().await,
        "allowrxpresentation",
    )
    .await?;

    presenter
        .sees_row(&other.uuid, "rx_presentation_policy", "ALLOW")
        .await?;
    other
        .sees("presentation_start", |start| {
            start["presenter_uuid"] == presenter.uuid.as_str()
        })
        .await?;
    Ok(())
}

async fn denyrxpresentation(scene: &mut Scene) -> Told {
    let (caller, other, presenter) = with_a_presentation(scene).await?;

    about(
        &caller,
        &other.uuid,
        async |it: Participant| it.deny_rx_presentation().await,
        "denyrxpresentation",
    )
    .await?;

    presenter
        .sees_row(&other.uuid, "rx_presentation_policy", "DENY")
        .await?;
    other.sees("presentation_stop", |_| true).await?;
    Ok(())
}

/// Two speak, and the one in the spotlight is seen, whoever spoke last.
async fn two_speakers(scene: &Scene) -> Result<(Caller, Witness, Witness, Witness), Stop> {
    let (caller, first, mut other) = heard_and_seen(scene).await?;
    let mut second = scene.other("Second").await?;
    second.calls(Sends::both(2_500, 80)).await?;
    other.hears(2_500, true).await?;
    other.forget();
    Ok((caller, first, second, other))
}

async fn spotlighton(scene: &mut Scene) -> Told {
    let (caller, first, second, other) = two_speakers(scene).await?;

    // The second spoke last; the first takes its place, and keeps it.
    for (who, luma) in [(&first, 200), (&second, 200)] {
        about(
            &caller,
            &who.uuid,
            async |it: Participant| it.spotlight_on().await,
            "spotlighton",
        )
        .await?;
        other
            .sees("participant_update", |row| {
                row["uuid"] == who.uuid.as_str() && row["spotlight"].as_f64() > Some(0.0)
            })
            .await?;
        other.sees_picture(luma, true).await?;
    }
    let places = [&first, &second].map(|who| who.uuid.as_str());
    other
        .sees("stage", |stage| {
            let at = |place: usize| stage[place]["participant_uuid"] == places[place];
            at(0) && at(1)
        })
        .await?;
    Ok(())
}

async fn spotlightoff(scene: &mut Scene) -> Told {
    let (caller, first, second, mut other) = two_speakers(scene).await?;
    let host = scene.other_host("Other host").await?;
    for who in [&second, &first] {
        let on = format!("participants/{}/spotlighton", who.uuid);
        host.post(&on, &Value::Null).await?;
    }
    other.sees_picture(80, true).await?;
    other.forget();

    about(
        &caller,
        &second.uuid,
        async |it: Participant| it.spotlight_off().await,
        "spotlightoff",
    )
    .await?;

    other
        .sees("participant_update", |row| {
            row["uuid"] == second.uuid.as_str() && row["spotlight"].as_f64() == Some(0.0)
        })
        .await?;
    other.sees_picture(200, true).await
}

/// One of two who wait is let in, and the other goes on waiting.
async fn unlock(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other_host("Other").await?);
    other.calls(Sends::tone(440)).await?;
    other.post("lock", &Value::Null).await?;
    let (mut one, mut two) = (scene.other("One").await?, scene.other("Two").await?);
    one.calls(Sends::NOTHING).await?;
    two.calls(Sends::NOTHING).await?;

    about(
        &caller,
        &one.uuid,
        async |it: Participant| it.unlock().await,
        "unlock",
    )
    .await?;

    other
        .sees_row(&one.uuid, "service_type", "conference")
        .await?;
    one.hears(440, true).await?;
    two.hears(440, false).await
}

/// A far end that was dialled plays the keys back: the other one hears the tones of `1`.
async fn dtmf(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other_host("Other").await?);
    other.calls(Sends::NOTHING).await?;
    let body = json!({ "role": "GUEST", "destination": "bea@example.com", "protocol": "sip" });
    let called = other.post("dial", &body).await?;
    let called = text(&called[0]);
    other
        .sees_row(&called, "service_type", "conference")
        .await?;
    other.hears(KEY_1_HZ, false).await?;
    let digits: Digits = KEYS.parse().expect("digits");

    caller
        .asks(
            async |it: &Conference| it.participant(called.as_str()).dtmf(digits).await,
            &["dtmf", KEYS, "--participant", &called],
        )
        .await?;

    other.hears(KEY_1_HZ, true).await
}

/// Enough of one key to be listened to.
pub(super) const KEYS: &str = "111111111111";
/// The higher of the two tones of `1` (ITU-T Q.23).
pub(super) const KEY_1_HZ: u32 = 1_209;

/// A call is answered; the others see that the caller has media.
async fn calls(scene: &mut Scene) -> Told {
    let (caller, mut other) = (scene.host().await?, scene.other("Other").await?);
    other.calls(Sends::NOTHING).await?;
    other.forget();
    let leg = Leg::offer(Sends::tone(1_000)).await;

    let (call, answer) = start_call(scene, &caller, &leg.offer).await?;
    leg.take_answer(&answer).await?;
    ack(&caller, &call).await?;

    other
        .sees("participant_update", |row| {
            row["uuid"] == caller.uuid.as_str() && row["protocol"] == "webrtc"
        })
        .await?;
    other.hears(1_000, true).await
}

/// Starts a call of the caller's own and returns its uuid and the answer.
pub(super) async fn start_call(
    scene: &Scene,
    caller: &Caller,
    offer: &str,
) -> Result<(String, String), Stop> {
    let me = caller.uuid.as_str();
    let file = scene.file("offer.sdp", offer);
    let offer = offer.to_owned();
    caller
        .asks_for(
            async |it: &Conference| {
                let call = it.participant(me).calls(Calls::offer(offer)).await?;
                Ok((call.call_uuid.to_string(), call.sdp))
            },
            &["calls", "--sdp", &file],
            |call| Some((text(&call["call_uuid"]), text(&call["sdp"]))),
        )
        .await
}

/// Starts the media of a call of the caller's own.
pub(super) async fn ack(caller: &Caller, call: &str) -> Told {
    let me = caller.uuid.as_str();
    caller
        .asks(
            async |it: &Conference| it.participant(me).call(call).ack().await,
            &["ack", "--call", call],
        )
        .await
}
