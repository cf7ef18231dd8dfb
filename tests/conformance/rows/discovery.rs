//! Finding a node: its status, the records of a domain, the next node when one is gone.

use std::net::Ipv4Addr;

use driver::{HttpClient, NodeAddress, NoticeKind, State, Tls};
use node::NodeSettings;

use super::client_control::named;
use crate::caller::{Caller, stop};
use crate::command_line::Member;
use crate::dns::Zone;
use crate::row::{Hand, Stop, Told, rows};
use crate::scene::{HOST_PIN, Scene, library_client};
use crate::turn::free_port;
use crate::whole::Whole;

rows! { "discovery":
    status.needs(&["status"]).fixtures(&["response/done"]);
    status_in_maintenance.needs(&["status"]).fixtures(&["response/503_maintenance"]).fault("maintenance");
    srv_records.needs(&["status", "request_token"]).node(over_tls).by_participants_alone();
    fail_over.needs(&["request_token"]);
    fail_over_from_a_node_that_goes_away.needs(&["request_token"]).by_participants_alone();
}

const DOMAIN: &str = "example.test";
const SERVICE: &str = "_pexapp._tcp.example.test";

fn over_tls(settings: &mut NodeSettings) {
    settings.https = Some((Ipv4Addr::LOCALHOST, 0).into());
}

/// Asks the node, by either hand.
async fn ask(scene: &Scene) -> Told {
    match scene.setting.hand {
        Hand::Library => {
            let node = scene.url.parse().expect("the node's address");
            let asked = driver::api::status(&library_client(), &node).await;
            asked.map_err(stop)
        }
        Hand::Api => {
            let asked = Member::new(&scene.url, &scene.alias)
                .run(&["status"])
                .await?;
            match asked["ready"].as_bool() {
                Some(true) => Ok(()),
                _ => Err(Stop::Asked(format!("it printed {asked}"))),
            }
        }
    }
}

/// It is ready, and whoever comes is let in.
async fn status(scene: &mut Scene) -> Told {
    ask(scene).await?;
    scene.other_host("Other").await?.has_others(0).await
}

async fn status_in_maintenance(scene: &mut Scene) -> Told {
    match ask(scene).await {
        Ok(()) => Err(Stop::Observed("it says that it is ready".to_owned())),
        Err(Stop::Asked(why)) if why.contains("maintenance") => Ok(()),
        Err(other) => Err(other),
    }
}

/// The first of the domain's nodes that is ready, in the order of their priorities.
async fn srv_records(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let https: url::Url = scene
        .https
        .as_deref()
        .and_then(|https| https.parse().ok())
        .ok_or_else(|| Stop::Observed("the node has no HTTPS".to_owned()))?;
    let hosts = ["dead.example.test", "node.example.test"];
    let port = https.port_or_known_default().unwrap_or_default();
    let zone = Zone {
        hosts: hosts.map(|host| (host, Ipv4Addr::LOCALHOST)).to_vec(),
        services: vec![
            (SERVICE, 20, 5, port, "node.example.test"),
            (SERVICE, 10, 5, free_port(), "dead.example.test"),
            (SERVICE, 10, 5, 443, "nowhere.example.test"),
        ],
    };
    let server = zone.serve().await;
    let mut settings = Whole::settings(scene, "Seeker");
    settings.media = false;
    settings.nodes = vec![NodeAddress::Domain(DOMAIN.to_owned())];
    settings.client =
        HttpClient::with_name_servers(&Tls::Insecure, vec![server]).expect("a client");

    let seeker = Whole::joins(scene, settings).await?;

    other
        .sees("participant_create", |row| row["display_name"] == "Seeker")
        .await?;
    let asked = |kind: &NoticeKind| matches!(kind, NoticeKind::State(State::Joining(node)) if node.host_str() == Some("node.example.test"));
    if !seeker.seen.iter().any(|notice| asked(&notice.kind)) {
        return Err(Stop::Asked("it was found in some other way".to_owned()));
    }
    seeker.leaves().await
}

/// The first node named does not answer.
async fn fail_over(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let dead = format!("http://127.0.0.1:{}", free_port());

    match scene.setting.hand {
        Hand::Library => {
            let mut settings = Whole::settings(scene, "Caller");
            settings.media = false;
            let dead: url::Url = dead.parse().expect("an address");
            settings.nodes.insert(0, dead.into());
            Whole::joins(scene, settings).await?.leaves().await?;
        }
        Hand::Api => {
            let pin = Some(HOST_PIN);
            Caller::outside(scene)
                .enter(named("Caller", pin), "Caller", pin, &["--node", &dead])
                .await?;
        }
    }

    other
        .sees("participant_create", |row| row["display_name"] == "Caller")
        .await?;
    Ok(())
}

/// The node that it was on is gone; it joins on the next.
async fn fail_over_from_a_node_that_goes_away(scene: &mut Scene) -> Told {
    let other = scene.other_host("Other").await?;
    let first = scene.another_node().await;
    let mut settings = Whole::settings(scene, "Caller");
    settings.media = false;
    settings.rejoin = driver::Rejoin::BOT;
    settings.pin = None;
    let url: url::Url = first
        .http_url
        .as_deref()
        .unwrap_or_default()
        .parse()
        .expect("its address");
    settings.nodes.insert(0, url.into());
    let mut caller = Whole::joins(scene, settings).await?;
    other.has_others(0).await?;

    first.shutdown().await;
    caller.is_in().await?;

    other
        .sees("participant_create", |row| row["display_name"] == "Caller")
        .await?;
    caller.leaves().await
}
