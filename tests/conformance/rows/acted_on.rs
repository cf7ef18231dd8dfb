//! What a participant does by itself when it is told to: others hear it afterwards.

use driver::{EndReason, NoticeKind, State};
use infinity::Role;
use serde_json::{Value, json};

use crate::media_leg::Sends;
use crate::row::{Stop, Told, rows};
use crate::scene::{Scene, within};
use crate::whole::{TONE, Whole};
use crate::witness::Witness;

rows! { "acted_on":
    refer_is_followed.needs(&["event/refer", "participants/transfer"]).fixtures(&["event/refer", "request/request_token_referred"]).conferences(&["meet,pin=1234,guest_pin=none", "other,pin=77"]).unknown_to_v10().media().by_participants_alone();
    peer_disconnect_makes_a_new_call.needs(&["event/peer_disconnect"]).fixtures(&["event/peer_disconnect"]).fault("peer-disconnect").unknown_to_v10().media().by_participants_alone();
    call_disconnected_makes_a_new_call.needs(&["event/call_disconnected"]).fixtures(&["event/call_disconnected"]).fault("call-disconnected").media().by_participants_alone();
    refresh_token_refreshes.needs(&["event/refresh_token", "refresh_token"]).fixtures(&["event/refresh_token", "response/refresh_token"]).unknown_to_v10().media().by_participants_alone();
    disconnect_ends_it.needs(&["event/disconnect", "participants/disconnect"]).fixtures(&["event/disconnect"]).media().by_participants_alone();
    statistics_are_sent.needs(&["calls/statistics"]).fixtures(&["request/statistics"]).unknown_to_v10().media().by_participants_alone();
}

/// Somebody listens, and the whole participant is in the conference.
async fn in_conference(scene: &Scene) -> Result<(Witness, Whole, String), Stop> {
    let mut other = scene.other_host("Other").await?;
    other.calls(Sends::NOTHING).await?;
    let whole = Whole::joins(scene, Whole::settings(scene, "Whole")).await?;
    let rows = other.roster().await?;
    let mut own = rows.iter().filter(|row| row["display_name"] == "Whole");
    let uuid = own.next().and_then(|row| row["uuid"].as_str());
    let uuid = uuid.ok_or_else(|| Stop::Observed("it is not in the roster".to_owned()))?;
    Ok((other, whole, uuid.to_owned()))
}

/// It goes to a conference whose PIN it does not know, and is heard there.
async fn refer_is_followed(scene: &mut Scene) -> Told {
    let (other, mut whole, uuid) = in_conference(scene).await?;
    other.hears(TONE, true).await?;
    let mut there = Witness::join_conference(scene, "other", "There", "77").await?;
    there.calls(Sends::NOTHING).await?;
    let body = json!({ "role": "guest", "conference_alias": "other", "pin": "77" });
    other
        .post(&format!("participants/{uuid}/transfer"), &body)
        .await?;

    let referred =
        |kind: &NoticeKind| matches!(kind, NoticeKind::Referred(to) if to.as_str() == "other");
    whole.tells("where it is sent", referred).await?;
    whole.is_in().await?;

    other.has_others(0).await?;
    there
        .sees("participant_create", |row| row["display_name"] == "Whole")
        .await?;
    there.hears(TONE, true).await?;
    whole.leaves().await
}

/// Its call is taken from it, and with another one it is heard as before.
async fn calls_again(scene: &Scene) -> Told {
    let (mut other, mut whole, _) = in_conference(scene).await?;

    let degraded = |kind: &NoticeKind| matches!(kind, NoticeKind::State(State::Degraded(_)));
    whole.tells("that its call is gone", degraded).await?;
    whole.is_in().await?;

    // The first call of whoever listens was taken as well.
    other.calls(Sends::NOTHING).await?;
    other.hears(TONE, true).await?;
    other.has_others(1).await?;
    whole.leaves().await
}

async fn peer_disconnect_makes_a_new_call(scene: &mut Scene) -> Told {
    calls_again(scene).await
}

async fn call_disconnected_makes_a_new_call(scene: &mut Scene) -> Told {
    calls_again(scene).await
}

/// The node tells it to, since its role is another one; it learns that from the answer.
async fn refresh_token_refreshes(scene: &mut Scene) -> Told {
    let (other, mut whole, uuid) = in_conference(scene).await?;
    let role = format!("participants/{uuid}/role");

    other.post(&role, &json!({ "role": "guest" })).await?;

    // In either order: its row says the role too.
    let (mut is_guest, mut is_refreshed) = (false, false);
    while !(is_guest && is_refreshed) {
        let wanted = |kind: &NoticeKind| {
            matches!(kind, NoticeKind::Role(Role::Guest) | NoticeKind::Refreshed)
        };
        match whole
            .tells("its new role and its new token", wanted)
            .await?
        {
            NoticeKind::Refreshed => is_refreshed = true,
            _ => is_guest = true,
        }
    }
    other.hears(TONE, true).await?;
    whole.leaves().await
}

async fn disconnect_ends_it(scene: &mut Scene) -> Told {
    let (other, mut whole, uuid) = in_conference(scene).await?;
    other.hears(TONE, true).await?;
    let path = format!("participants/{uuid}/disconnect");

    other.post(&path, &Value::Null).await?;

    match whole.ends().await? {
        EndReason::Removed(why) if why.starts_with("API initiated") => {}
        reason => return Err(Stop::Asked(format!("it ended: {reason}"))),
    }
    other.has_others(0).await?;
    other.hears(TONE, false).await
}

/// The node has figures of it that are not its own.
async fn statistics_are_sent(scene: &mut Scene) -> Told {
    let (other, whole, uuid) = in_conference(scene).await?;

    let reported = within(scene.patience(), async || {
        let state = scene.state().await;
        let people = state["conferences"][0]["participants"].as_array()?.clone();
        let own = people
            .iter()
            .find(|one| one["row"]["uuid"] == uuid.as_str())?;
        let reported = &own["activity"]["statistics"]["reported"];
        let sent = reported["audio"]["tx_packets_sent"].as_u64()?;
        (sent > 0).then_some(())
    });
    reported
        .await
        .ok_or_else(|| Stop::Observed("no statistics reach the node".to_owned()))?;
    other.hears(TONE, true).await?;
    whole.leaves().await
}
