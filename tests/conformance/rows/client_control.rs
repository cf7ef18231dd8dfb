//! Coming, staying and going.

use std::time::Duration;

use driver::api::{ApiError, Conference, Entrance};
use infinity::{Pin, Refusal, Role};
use serde_json::json;

use crate::caller::{Caller, text};
use crate::row::{Stop, Told, rows};
use crate::scene::{HOST_PIN, Scene};
use crate::witness::Witness;

rows! { "client_control":
    request_token.needs(&["request_token", "event/participant_create"]).fixtures(&["request/request_token", "response/request_token"]).conferences(&["meet"]);
    request_token_with_a_pin.needs(&["request_token"]).fixtures(&["response/request_token", "response/403_pin_wanted", "response/403_invalid_pin"]).conferences(&["meet,pin=1234"]);
    request_token_as_a_guest_without_pin.needs(&["request_token"]).fixtures(&["response/403_guest_pin_wanted"]);
    request_token_with_a_one_time_token.needs(&["request_token", "participants/transfer"]).fixtures(&["request/request_token_referred"]).conferences(&["meet,pin=1234,guest_pin=none", "other,pin=77"]).unknown_to_v10();
    request_token_without_direct_media.needs(&["request_token"]).fixtures(&["request/request_token"]);
    refresh_token.needs(&["refresh_token"]).fixtures(&["response/refresh_token"]).token_life(8);
    refresh_token_tells_a_new_role.needs(&["refresh_token", "participants/role"]).fixtures(&["response/refresh_token"]).unknown_to_v10();
    release_token.needs(&["release_token", "event/participant_delete"]).fixtures(&["request/release_token", "response/release_token"]);
}

/// The others see who came.
async fn request_token(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;

    let caller = Caller::join(scene, "Zoë", None).await?;

    let who = caller.uuid.as_str();
    other
        .sees("participant_create", |row| {
            row["uuid"] == who && row["display_name"] == "Zoë" && row["role"] == "chair"
        })
        .await?;
    Ok(())
}

/// None, a wrong one, the right one; the others see nobody until then.
async fn request_token_with_a_pin(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let is_wanted =
        |refusal: &Refusal| matches!(refusal, Refusal::PinWanted(_) | Refusal::InvalidPin);
    for pin in [None, Some("9999")] {
        let caller = Caller::outside(scene);
        let refused = caller.is_not_admitted(named("Caller", pin), pin, &[]);
        refused.await?.says(is_wanted, 6, "PIN")?;
    }
    other.saw_none("participant_create", |_| true).await?;

    let caller = scene.host().await?;

    let who = caller.uuid.as_str();
    other
        .sees("participant_create", |row| {
            row["uuid"] == who && row["role"] == "chair"
        })
        .await?;
    Ok(())
}

async fn request_token_as_a_guest_without_pin(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;

    let caller = scene.guest().await?;

    let who = caller.uuid.as_str();
    other
        .sees("participant_create", |row| {
            row["uuid"] == who && row["role"] == "guest"
        })
        .await?;
    Ok(())
}

/// Somebody is referred; whoever has that token comes in where a PIN is wanted.
async fn request_token_with_a_one_time_token(scene: &mut Scene) -> Told {
    let (host, guest) = (scene.other_host("Host").await?, scene.other("Guest").await?);
    let body = json!({ "role": "guest", "conference_alias": "other", "pin": "77" });
    let transfer = format!("participants/{}/transfer", guest.uuid);
    host.post(&transfer, &body).await?;
    let refer = guest.sees("refer", |_| true).await?;
    let token = text(&refer.data["token"]);
    let there = Witness::join_conference(scene, "other", "Other", "77").await?;
    let file = scene.file("one-time.token", &token);

    let entrance = Entrance::named("Guest").with_one_time_token(infinity::Token::new(token));
    let caller = Caller::outside_of(scene, "other")
        .enter(entrance, "Guest", None, &["--one-time-token-file", &file])
        .await?;

    let who = caller.uuid.as_str();
    there
        .sees("participant_create", |row| row["uuid"] == who)
        .await?;
    Ok(())
}

/// The caller says so, and the others see an ordinary participant.
async fn request_token_without_direct_media(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let entrance = named("Caller", Some(HOST_PIN));
    if entrance.body.direct_media != Some(false) {
        return Err(Stop::Asked("the library does not say it".to_owned()));
    }

    let caller = Caller::outside(scene)
        .enter(entrance, "Caller", Some(HOST_PIN), &[])
        .await?;

    let who = caller.uuid.as_str();
    other
        .sees("participant_create", |row| row["uuid"] == who)
        .await?;
    Ok(())
}

/// Who refreshes outlives its first token; who does not is gone.
async fn refresh_token(scene: &mut Scene) -> Told {
    let (caller, idle) = (scene.host().await?, scene.other("Idle").await?);
    let other = scene.other_host("Other").await?;
    let begin = std::time::Instant::now();
    let mut last = Duration::ZERO;

    while last < Duration::from_secs(10) {
        refresh(&caller).await?;
        other.refreshes().await?;
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        last = begin.elapsed();
    }

    other
        .sees("participant_delete", |gone| {
            gone["uuid"] == idle.uuid.as_str()
        })
        .await?;
    let who = caller.uuid.as_str();
    other
        .saw_none("participant_delete", |gone| gone["uuid"] == who)
        .await
}

async fn refresh(caller: &Caller) -> Result<Option<Role>, Stop> {
    caller
        .asks_for(
            async |it: &Conference| Ok::<_, ApiError>(it.refresh_token().await?.role),
            &["refresh_token"],
            |refreshed| Some(refreshed["role"].as_str().map(Role::from)),
        )
        .await
}

/// A host is made a guest: the refresh says so, and it may no longer what hosts may.
async fn refresh_token_tells_a_new_role(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.host().await?, scene.other_host("Other").await?);
    let role = format!("participants/{}/role", caller.uuid);
    other.post(&role, &json!({ "role": "guest" })).await?;
    other.sees_row(&caller.uuid, "role", "guest").await?;

    let role = refresh(&caller).await?;

    if role != Some(Role::Guest) {
        return Err(Stop::Asked(format!("the refresh says {role:?}")));
    }
    caller
        .is_refused(async |it: &Conference| it.lock().await, &["lock"])
        .await?
        .says(|refusal| matches!(refusal, Refusal::Denied(_)), 3, "allow")?;
    other
        .saw_none("conference_update", |status| status["locked"] == true)
        .await
}

async fn release_token(scene: &mut Scene) -> Told {
    let (caller, other) = (scene.guest().await?, scene.other_host("Other").await?);

    caller
        .asks(
            async |it: &Conference| it.release_token(Some("end of shift")).await,
            &["release_token", "--reason", "end of shift"],
        )
        .await?;

    let who = caller.uuid.as_str();
    other
        .sees("participant_delete", |gone| gone["uuid"] == who)
        .await?;
    other.has_others(0).await
}

pub(super) fn named(name: &str, pin: Option<&str>) -> Entrance {
    let entrance = Entrance::named(name);
    match pin {
        Some(pin) => entrance.with_pin(Pin::new(pin)),
        None => entrance,
    }
}
