//! The waiting room: who comes before the host, or to a locked conference.

use driver::api::Conference;
use serde_json::Value;

use crate::caller::Caller;
use crate::row::{Stop, Told, rows};
use crate::scene::{NO_PIN, Scene};

rows! { "waiting_room":
    a_guest_before_the_host.needs(&["request_token", "event/participant_update"]).fixtures(&["response/request_token", "event/participant_update"]);
    a_locked_conference.needs(&["lock", "participants/unlock"]).fixtures(&["response/request_token"]);
    admitted_by_unlock.needs(&["unlock"]).fixtures(&["event/participant_update"]);
    time_out.needs(&["event/disconnect"]).fixtures(&["event/disconnect"]).waiting_room_life(2);
}

/// The caller's own row, as it reads it, and as the others do.
async fn stands_as(caller: &Caller, service_type: &str) -> Told {
    let me = caller.uuid.as_str();
    let row = caller
        .asks_for(
            async |it: &Conference| {
                let rows = it.participants().await?;
                let own = rows.into_iter().find(|row| row.uuid.as_str() == me);
                Ok(own.map(|row| row.service_type.as_str().to_owned()))
            },
            &["participants"],
            |rows| {
                let own = rows.as_array()?.iter().find(|row| row["uuid"] == me)?;
                Some(own["service_type"].as_str().map(str::to_owned))
            },
        )
        .await?;
    if row.as_deref() == Some(service_type) {
        Ok(())
    } else {
        Err(Stop::Asked(format!("{row:?}, wanted {service_type}")))
    }
}

/// It has a token, and waits; a host's arrival lets it in.
async fn a_guest_before_the_host(scene: &mut Scene) -> Told {
    let caller = Caller::join(scene, "Early", Some(NO_PIN)).await?;
    let other = scene.other("Other").await?;
    stands_as(&caller, "waiting_room").await?;

    let _host = scene.other_host("Host").await?;

    other
        .sees_row(&caller.uuid, "service_type", "conference")
        .await?;
    stands_as(&caller, "conference").await
}

async fn a_locked_conference(scene: &mut Scene) -> Told {
    let host = scene.other_host("Host").await?;
    host.post("lock", &Value::Null).await?;
    let caller = scene.guest().await?;
    stands_as(&caller, "waiting_room").await?;

    let path = format!("participants/{}/unlock", caller.uuid);
    host.post(&path, &Value::Null).await?;

    host.sees_row(&caller.uuid, "service_type", "conference")
        .await?;
    stands_as(&caller, "conference").await
}

async fn admitted_by_unlock(scene: &mut Scene) -> Told {
    let host = scene.other_host("Host").await?;
    host.post("lock", &Value::Null).await?;
    let caller = scene.guest().await?;
    stands_as(&caller, "waiting_room").await?;

    host.post("unlock", &Value::Null).await?;

    host.sees_row(&caller.uuid, "service_type", "conference")
        .await?;
    stands_as(&caller, "conference").await
}

/// Nobody lets it in: it is told so, and is gone.
async fn time_out(scene: &mut Scene) -> Told {
    let host = scene.other_host("Host").await?;
    host.post("lock", &Value::Null).await?;
    let caller = scene.guest().await?;
    let mut ears = caller.listens().await?;

    let typed = |event: &infinity::Event| matches!(event, infinity::Event::Disconnect(_));
    ears.hears(scene.patience(), "disconnect", typed, |why| {
        why["reason"]
            .as_str()
            .is_some_and(|why| why.starts_with("Timeout waiting"))
    })
    .await?;
    host.sees("participant_delete", |gone| {
        gone["uuid"] == caller.uuid.as_str()
    })
    .await?;
    Ok(())
}
