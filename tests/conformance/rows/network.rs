//! How a participant uses the network, as the node sees it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;

use node::NodeSettings;
use serde_json::Value;

use crate::command_line::Member;
use crate::media_leg::Sends;
use crate::proxy::proxy;
use crate::row::{Stop, Told, rows};
use crate::scene::{Scene, within};
use crate::turn::free_port;
use crate::whole::{TONE, Whole};

rows! { "network":
    media_address.needs(&["calls"]).media().by_participants_alone();
    media_ports.needs(&["calls"]).media().by_participants_alone();
    dscp.needs(&["calls"]).media().by_participants_alone();
    ipv6.needs(&["request_token", "calls"]).node(over_ipv6).media().by_participants_alone();
    https_proxy.needs(&["request_token"]).node(over_tls).conferences(&["meet"]);
    no_media.needs(&["request_token", "events"]).by_participants_alone();
}

fn over_ipv6(settings: &mut NodeSettings) {
    settings.http = Some((Ipv6Addr::LOCALHOST, 0).into());
    settings.media_addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
}

fn over_tls(settings: &mut NodeSettings) {
    settings.https = Some((Ipv4Addr::LOCALHOST, 0).into());
}

/// Joins with these settings; where its media comes from, as the node sees it, is `wanted`; and the
/// tone is heard.
async fn comes_from(
    scene: &Scene,
    adjust: impl FnOnce(&mut driver::CallerSettings),
    wanted: impl Fn(SocketAddr) -> bool,
) -> Told {
    let mut other = scene.other_host("Other").await?;
    other.calls(Sends::NOTHING).await?;
    let mut settings = Whole::settings(scene, "Whole");
    adjust(&mut settings);
    let whole = Whole::joins(scene, settings).await?;

    let from = within(scene.patience(), async || {
        let state = scene.state().await;
        let people = state["conferences"][0]["participants"].as_array()?.clone();
        let named = |one: &&Value| one["row"]["display_name"] == "Whole";
        let call = people.iter().find(named)?["calls"][0].clone();
        let remote = call["media"]["candidate_pair"]["remote"].as_str()?;
        remote.parse::<SocketAddr>().ok()
    });
    match from.await {
        Some(from) if wanted(from) => {}
        from => return Err(Stop::Observed(format!("media comes from {from:?}"))),
    }
    other.hears(TONE, true).await?;
    whole.leaves().await
}

async fn media_address(scene: &mut Scene) -> Told {
    let address = IpAddr::from([127, 0, 0, 2]);
    comes_from(
        scene,
        |settings| settings.network.addresses = vec![address],
        |from| from.ip() == address,
    )
    .await
}

async fn media_ports(scene: &mut Scene) -> Told {
    let port = free_port();
    comes_from(
        scene,
        |settings| settings.network.ports = port.to_string().parse().ok(),
        |from| from.port() == port,
    )
    .await
}

/// That each datagram is marked is looked at where sockets are tested; here that it is heard.
async fn dscp(scene: &mut Scene) -> Told {
    comes_from(
        scene,
        |settings| settings.network.dscp = "af41".parse().ok(),
        |_| true,
    )
    .await
}

async fn ipv6(scene: &mut Scene) -> Told {
    comes_from(scene, |_| (), |from| from.is_ipv6()).await
}

/// Requests go through the proxy that the environment names, and do not without it. The environment is
/// that of a process, so both hands are those of `standin api`.
async fn https_proxy(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let https = scene.https.clone().unwrap_or_default();
    let member = Member::new(&https, &scene.alias);
    let (proxy, tunnels) = proxy().await;
    let request = ["request_token", "--name", "Caller", "--insecure"];
    member.run(&request).await?;
    let past = tunnels.load(Ordering::Relaxed);

    member
        .run_with(&["participants", "--insecure"], &[("HTTPS_PROXY", &proxy)])
        .await?;

    let through = tunnels.load(Ordering::Relaxed);
    if past != 0 || through == 0 {
        return Err(Stop::Observed(format!("{past} and {through} tunnels")));
    }
    other
        .sees("participant_create", |row| row["display_name"] == "Caller")
        .await?;
    Ok(())
}

/// It is in the roster, hears what happens, and has no call.
async fn no_media(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let mut settings = Whole::settings(scene, "Quiet");
    settings.media = false;

    let mut quiet = Whole::joins(scene, settings).await?;

    other
        .sees("participant_create", |row| {
            row["display_name"] == "Quiet" && row["has_media"] == false
        })
        .await?;
    let third = scene.other("Third").await?;
    let three = |kind: &driver::NoticeKind| matches!(kind, driver::NoticeKind::Roster(facts) if facts.rows == 3);
    quiet.tells("who came", three).await?;
    third.has_others(2).await?;
    let state = scene.state().await;
    let people = state["conferences"][0]["participants"].as_array();
    let has_call = |one: &Value| {
        one["calls"]
            .as_array()
            .is_none_or(|calls| !calls.is_empty())
    };
    if people.is_none_or(|people| people.iter().any(has_call)) {
        return Err(Stop::Observed("somebody has a call".to_owned()));
    }
    quiet.leaves().await
}
