//! STUN and TURN servers that the node names, and media that goes through one alone.

use driver::NoticeKind;
use driver::api::{Conference, Entrance};
use infinity::{Calls, Credential, StunServer, TurnServer};
use node::NodeSettings;
use serde_json::Value;

use crate::caller::{Caller, text};
use crate::media_leg::{Leg, Sends};
use crate::row::{Stop, Told, Turn, rows};
use crate::scene::Scene;
use crate::whole::{TONE, Whole};

rows! { "ice_servers":
    stun_of_the_token.needs(&["request_token"]).fixtures(&["response/request_token"]).conferences(&["meet"]).node(with_servers);
    turn_of_the_token.needs(&["request_token"]).fixtures(&["response/request_token"]).conferences(&["meet"]).node(with_servers).unknown_to_v10();
    turn_of_the_calls_answer.needs(&["calls"]).fixtures(&["response/calls_turn"]).conferences(&["meet"]).node(with_servers_in_calls).unknown_to_v10();
    use_relay_candidates_only.needs(&["request_token"]).fixtures(&["response/request_token"]).conferences(&["meet"]).node(with_servers).unknown_to_v10();
    turn_over_udp.needs(&["request_token", "calls"]).fixtures(&["response/request_token"]).turn(Turn::Udp).unknown_to_v10().media().by_participants_alone();
    turn_over_tcp.needs(&["request_token", "calls"]).fixtures(&["response/request_token"]).turn(Turn::Tcp).unknown_to_v10().media().by_participants_alone();
    turn_over_tls.needs(&["request_token", "calls"]).fixtures(&["response/request_token"]).turn(Turn::Tls).unknown_to_v10().media().by_participants_alone();
}

const STUN: &str = "stun:stun.example.com:3478";
const TURN: &str = "turn:turn.example.com:3478?transport=udp";

fn turn_server() -> TurnServer {
    TurnServer {
        urls: vec![TURN.to_owned()],
        username: "caller".to_owned(),
        credential: Some(Credential::new("sesame")),
    }
}

fn with_servers(settings: &mut NodeSettings) {
    settings.ice_servers.stun = vec![StunServer {
        url: STUN.to_owned(),
    }];
    settings.ice_servers.turn = vec![turn_server()];
    settings.ice_servers.use_relay_candidates_only = true;
}

fn with_servers_in_calls(settings: &mut NodeSettings) {
    settings.ice_servers.turn_with_calls = vec![turn_server()];
}

/// What the caller is told of servers with its token: STUN, TURN, and whether that is the only way.
async fn told(scene: &Scene) -> Result<(String, String, bool), Stop> {
    let other = scene.other_host("Other").await?;
    let caller = Caller::outside(scene);
    let told = caller
        .asks_for(
            async |it: &Conference| {
                let granted = it.request_token(&Entrance::named("Caller")).await?;
                let stun = granted.stun.iter().map(|one| one.url.clone());
                let turn = granted.turn.iter().flat_map(|one| one.urls.clone());
                Ok((
                    stun.collect(),
                    turn.collect(),
                    granted.use_relay_candidates_only,
                ))
            },
            &["request_token", "--name", "Caller"],
            |granted| {
                Some((
                    text(&granted["stun"][0]["url"]),
                    text(&granted["turn"][0]["urls"][0]),
                    granted["use_relay_candidates_only"] == true,
                ))
            },
        )
        .await?;
    other
        .sees("participant_create", |row| row["display_name"] == "Caller")
        .await?;
    Ok(told)
}

fn expect(is: bool, told: &impl std::fmt::Debug) -> Told {
    is.then_some(())
        .ok_or_else(|| Stop::Asked(format!("it is told {told:?}")))
}

async fn stun_of_the_token(scene: &mut Scene) -> Told {
    let told = told(scene).await?;
    expect(told.0 == STUN, &told)
}

async fn turn_of_the_token(scene: &mut Scene) -> Told {
    let told = told(scene).await?;
    expect(told.1 == TURN, &told)
}

async fn use_relay_candidates_only(scene: &mut Scene) -> Told {
    let told = told(scene).await?;
    expect(told.2, &told)
}

async fn turn_of_the_calls_answer(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let caller = Caller::join(scene, "Caller", None).await?;
    let leg = Leg::offer(Sends::NOTHING).await;
    let (me, offer) = (caller.uuid.as_str(), leg.offer.clone());
    let file = scene.file("offer.sdp", &offer);

    let told: String = caller
        .asks_for(
            async |it: &Conference| {
                let call = it.participant(me).calls(Calls::offer(offer)).await?;
                Ok(call.turn.iter().flat_map(|one| one.urls.clone()).collect())
            },
            &["calls", "--sdp", &file],
            |call: &Value| Some(text(&call["turn"][0]["urls"][0])),
        )
        .await?;

    expect(told == TURN, &told)?;
    other
        .sees("participant_update", |row| row["uuid"] == me)
        .await?;
    Ok(())
}

/// Relayed media alone is allowed; the path says through which server it goes, and it is heard.
async fn goes_through(scene: &Scene, begins: &str, ends: &str) -> Told {
    let mut other = scene.other_host("Other").await?;
    other.calls(Sends::NOTHING).await?;
    let mut whole = Whole::joins(scene, Whole::settings(scene, "Whole")).await?;

    let relay = whole.seen.iter().find_map(|notice| match &notice.kind {
        NoticeKind::Path(path) => Some(path.clone()),
        _ => None,
    });
    let relay = match relay {
        Some(path) => path,
        None => {
            let path = |kind: &NoticeKind| matches!(kind, NoticeKind::Path(_));
            match whole.tells("its path", path).await? {
                NoticeKind::Path(path) => path,
                other => return Err(Stop::Asked(format!("{other:?}"))),
            }
        }
    };

    let uri = relay.relay.clone().unwrap_or_default();
    expect(uri.starts_with(begins) && uri.ends_with(ends), &relay)?;
    other.hears(TONE, true).await?;
    whole.leaves().await
}

async fn turn_over_udp(scene: &mut Scene) -> Told {
    goes_through(scene, "turn:", "transport=udp").await
}

async fn turn_over_tcp(scene: &mut Scene) -> Told {
    goes_through(scene, "turn:", "transport=tcp").await
}

async fn turn_over_tls(scene: &mut Scene) -> Told {
    goes_through(scene, "turns:", "transport=tcp").await
}
