//! Refusals: what is not granted is told as a type, or in words with an exit code, and the others see
//! nothing of it.

use driver::api::Conference;
use infinity::{ReceptionKind, Refusal};
use serde_json::Value;

use super::client_control::named;
use crate::caller::Caller;
use crate::row::{Told, rows};
use crate::scene::{NO_PIN, Scene};

rows! { "refusals":
    pin_wanted.needs(&["request_token"]).fixtures(&["response/403_pin_wanted", "response/403_guest_pin_wanted"]).conferences(&["meet,pin=1234"]);
    invalid_pin.needs(&["request_token"]).fixtures(&["response/403_invalid_pin"]);
    extension_wanted.needs(&["request_token"]).fixtures(&["response/403_virtual_reception"]).conferences(&["meet,pin=1234,guest_pin=none", "desk,reception=standard"]);
    no_such_extension.needs(&["request_token"]).fixtures(&["response/404_no_such_extension"]).conferences(&["meet,pin=1234,guest_pin=none", "desk,reception=standard"]);
    no_such_conference.needs(&["request_token"]).fixtures(&["response/404_no_such_conference"]);
    no_such_participant.needs(&["participants/mute"]).fixtures(&["response/404_not_found"]);
    for_hosts_alone.needs(&["lock"]).fixtures(&["response/403_denied"]);
    invalid_token.needs(&["participants/disconnect"]).fixtures(&["response/403_invalid_token"]);
    no_room_for_another.needs(&["request_token"]).fixtures(&["response/503_participant_limit"]).conferences(&["meet,limit=1"]);
}

/// Somebody who is not let in for such a reason, and whom nobody sees.
async fn not_admitted(
    scene: &Scene,
    alias: &str,
    pin: Option<&str>,
    extension: Option<&str>,
    wanted: impl FnOnce(&Refusal) -> bool,
    code: i32,
    word: &str,
) -> Told {
    let other = scene.other_host("Other").await?;
    let mut entrance = named("Caller", pin);
    entrance.body.conference_extension = extension.map(str::to_owned);
    let more = extension.map_or(vec![], |alias| vec!["--extension", alias]);

    let caller = Caller::outside_of(scene, alias);
    let refused = caller.is_not_admitted(entrance, pin, &more).await?;

    refused.says(wanted, code, word)?;
    other.saw_none("participant_create", |_| true).await?;
    other.has_others(0).await
}

async fn pin_wanted(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| matches!(refusal, Refusal::PinWanted(it) if it.host_required);
    not_admitted(scene, "meet", None, None, wanted, 6, "--pin-file").await
}

async fn invalid_pin(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::InvalidPin;
    not_admitted(scene, "meet", Some("9999"), None, wanted, 6, "PIN is wrong").await
}

async fn extension_wanted(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| matches!(refusal, Refusal::VirtualReception { kind, .. } if *kind == ReceptionKind::Standard);
    not_admitted(scene, "desk", None, None, wanted, 3, "--extension").await
}

async fn no_such_extension(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::NoSuchExtension;
    not_admitted(scene, "desk", None, Some("nowhere"), wanted, 3, "extension").await
}

async fn no_such_conference(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| *refusal == Refusal::NoSuchConference;
    not_admitted(scene, "nowhere", None, None, wanted, 3, "alias").await
}

async fn no_room_for_another(scene: &mut Scene) -> Told {
    let wanted = |refusal: &Refusal| matches!(refusal, Refusal::CapacityReached(_));
    not_admitted(scene, "meet", None, None, wanted, 3, "no room").await
}

/// Told apart from a request that the node does not have: the others can be muted.
async fn no_such_participant(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other("Other").await?);

    caller
        .is_refused(
            async |it: &Conference| it.participant("nobody").mute().await,
            &["mute", "--participant", "nobody"],
        )
        .await?
        .says(
            |refusal| matches!(refusal, Refusal::NotFound(_)),
            3,
            "nothing of the kind",
        )?;
    other.post_own("mute", &Value::Null).await?;
    other.sees_row(&other.uuid, "is_muted", "YES").await
}

async fn for_hosts_alone(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let caller = Caller::join(scene, "Guest", Some(NO_PIN)).await?;

    caller
        .is_refused(async |it: &Conference| it.lock().await, &["lock"])
        .await?
        .says(|refusal| matches!(refusal, Refusal::Denied(_)), 3, "allow")?;
    other
        .saw_none("conference_update", |status| status["locked"] == true)
        .await
}

/// Whoever was sent away has a token that is good for nothing.
async fn invalid_token(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other_host("Other").await?);
    let path = format!("participants/{}/disconnect", caller.uuid);
    other.post(&path, &Value::Null).await?;

    caller
        .is_refused(async |it: &Conference| it.lock().await, &["lock"])
        .await?
        .says(|refusal| *refusal == Refusal::InvalidToken, 3, "token")?;
    other
        .saw_none("conference_update", |status| status["locked"] == true)
        .await
}
