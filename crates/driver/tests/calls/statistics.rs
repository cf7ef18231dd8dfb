//! What a caller tells the node of its media agrees with what the node has seen of it: packets, bit
//! rates, and the losses of a link that loses on purpose.
//!
//! Both look at their own moment: the node's figures are a second old at most, and a receiver report
//! that a loss is known from up to five. So packets may differ by those of two seconds, bit rates by a
//! quarter, and a share of lost packets by four in a hundred.

use std::sync::Arc;
use std::time::Duration;

use driver::{Impairment, Material, Program};
use serde_json::Value;

use crate::scene::{PATIENCE, Scene, is_in};

/// Share of datagrams that the link of one caller loses.
const LOSS: f64 = 0.1;
/// How far two counts may be apart, in seconds of packets.
const SECONDS_APART: f64 = 2.0;
/// How far two bit rates may be apart, as a share of the larger.
const RATES_APART: f64 = 0.25;
/// How far two shares of lost packets may be apart.
const SHARES_APART: f64 = 0.04;

/// What a participant has reported, and what the node saw of its call at about that moment.
#[derive(Debug)]
struct Pair {
    at: f64,
    told: Value,
    seen: Value,
}

async fn pair(scene: &Scene, name: &str) -> Option<Pair> {
    // reqwest asks for one even where there is no TLS; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/node/state.json", scene.node.http_url.as_deref()?);
    let state: Value = client.get(url).send().await.ok()?.json().await.ok()?;
    let people = state["conferences"][0]["participants"].as_array()?.clone();
    let mut people = people.into_iter();
    let mut one = people.find(|one| one["row"]["display_name"] == name)?;
    let statistics = one["activity"]["statistics"].take();
    Some(Pair {
        at: statistics["at"].as_f64()?,
        told: statistics["reported"].clone(),
        seen: one["calls"][0]["media"].take(),
    })
}

/// Waits for the report after next: the first one has no rates, and the one under way may be that.
async fn third_report(scene: &Scene, name: &str) -> Pair {
    let deadline = tokio::time::Instant::now() + PATIENCE + Duration::from_secs(10);
    let (mut last, mut count) = (0.0, 0);
    loop {
        if let Some(pair) = pair(scene, name).await
            && pair.at > last
        {
            (last, count) = (pair.at, count + 1);
            if count == 3 {
                return pair;
            }
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{count} reports of {name}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn number(value: &Value, key: &str) -> f64 {
    let number = value.pointer(key).and_then(Value::as_f64);
    number.unwrap_or_else(|| panic!("no {key} in {value:#}"))
}

fn share(lost: f64, arrived: f64) -> f64 {
    lost / (lost + arrived)
}

/// Says what does not agree, of sound and of picture.
fn disagreements(pair: &Pair, loss: f64) -> Vec<String> {
    let mut all = Vec::new();
    for (kind, packets_a_second) in [("audio", 50.0), ("video", 60.0)] {
        let (told, seen) = (&pair.told[kind], &pair.seen[kind]);
        let mut check = |what: &str, told: f64, seen: f64, apart: f64| {
            if (told - seen).abs() > apart {
                all.push(format!("{kind}: {what} {told}, and the node saw {seen}"));
            }
        };
        let apart = SECONDS_APART * packets_a_second;
        let (received, lost) = (number(seen, "/in/packets"), number(seen, "/in/lost"));
        let sent = number(told, "/tx_packets_sent");
        check("sent", sent, received + lost, apart);
        let (rx, out) = (
            number(told, "/rx_packets_received"),
            number(seen, "/out/packets"),
        );
        check("received", rx, out, apart);
        let kbits = |key| number(seen, key) / 1000.0;
        let (tx, arrived) = (number(told, "/tx_bitrate"), kbits("/in/bit_rate"));
        let told_lost = number(told, "/tx_historic_packet_loss") / 100.0;
        let reached = tx * (1.0 - told_lost);
        check("bit rate sent", reached, arrived, RATES_APART * tx);
        check("lost share", told_lost, share(lost, received), SHARES_APART);
        if kind == "audio" {
            // Of the picture most of what is lost is sent again.
            check("lost share, of the link", told_lost, loss, SHARES_APART);
        }
        let jitter = number(told, "/tx_rb_jitter");
        check("jitter", jitter, 1000.0 * number(seen, "/in/jitter"), 20.0);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_tells_of_itself_is_what_the_node_has_seen() {
    let scene = Scene::open().await;
    let (tone, bars) = ("tone".parse().unwrap(), "bars:320x180".parse().unwrap());
    let settings = |name: &str, loss: f64| {
        let mut settings = scene.settings(name);
        let material = Material::open(Some(&tone), Some(&bars)).unwrap();
        settings.program = Program::Loop(Arc::new(material));
        settings.network.impairment = Some(Impairment {
            loss,
            seed: 7,
            ..Impairment::default()
        });
        settings
    };
    let mut lossy = scene.start(settings("lossy", LOSS));
    let mut well = scene.start(settings("well", 0.0));
    lossy.until(is_in).await;
    well.until(is_in).await;

    let (of_lossy, of_well) =
        tokio::join!(third_report(&scene, "lossy"), third_report(&scene, "well"));

    assert_eq!(disagreements(&of_lossy, LOSS), [""; 0], "{of_lossy:#?}");
    assert_eq!(disagreements(&of_well, 0.0), [""; 0], "{of_well:#?}");
    // The control: what one tells is not what the node saw of the other.
    let mixed = Pair {
        at: of_well.at,
        told: of_well.told,
        seen: of_lossy.seen,
    };
    let disagreements = disagreements(&mixed, LOSS);
    assert!(
        disagreements.iter().any(|it| it.contains("lost share")),
        "{disagreements:?}"
    );
    lossy.leave().await;
    well.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_on_the_way_in_is_told_by_whom_it_did_not_reach() {
    let scene = Scene::open().await;
    let mut settings = scene.settings("lossy");
    settings.network.inbound_impairment = Some(Impairment {
        loss: LOSS,
        delay: Duration::from_millis(50),
        seed: 7,
        ..Impairment::default()
    });
    let mut lossy = scene.start(settings);
    lossy.until(is_in).await;

    let Pair { told, .. } = third_report(&scene, "lossy").await;

    let share = |key| number(&told["audio"], key) / 100.0;
    let (received, sent) = (
        share("/rx_historic_packet_loss"),
        share("/tx_historic_packet_loss"),
    );
    assert!((received - LOSS).abs() <= SHARES_APART, "{told:#}");
    // The control: the way out is good.
    assert!((sent - LOSS).abs() > SHARES_APART, "{told:#}");
    lossy.leave().await;
}
