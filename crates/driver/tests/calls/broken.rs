//! A picture with holes: whoever sees it asks for a key frame, even if nobody decodes it.

use std::sync::Arc;

use driver::{Material, Program};
use node::{Fault, Faults};
use serde_json::Value;

use crate::scene::{PATIENCE, Scene, Watched, is_in};

/// Percent of its datagrams that the node loses: so many that some are lost each time they are sent again.
const LOSS: u8 = 45;

/// A node that loses so much, somebody who shows a moving picture, and somebody who sees it.
async fn shown(faults: Faults) -> (Scene, Watched, Watched) {
    let scene = Scene::with(|settings| settings.faults = faults).await;
    let (tone, bars) = ("tone".parse().unwrap(), "bars:640x360".parse().unwrap());
    let mut settings = scene.settings("speaker");
    let material = Material::open(Some(&tone), Some(&bars)).unwrap();
    settings.program = Program::Loop(Arc::new(material));
    let mut speaker = scene.start(settings);
    // A handshake takes its time, too, where so much is lost.
    speaker.within(PATIENCE * 3, is_in).await;
    let mut listener = scene.start(scene.settings("listener"));
    listener.within(PATIENCE * 3, is_in).await;
    (scene, speaker, listener)
}

/// Key frames that the listener has asked the node for, and that it was sent, as the node counts them.
async fn asked_and_sent(scene: &Scene) -> Option<(u64, u64)> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/node/state.json", scene.node.http_url.as_deref()?);
    let state: Value = client.get(url).send().await.ok()?.json().await.ok()?;
    let people = state["conferences"][0]["participants"].as_array()?;
    let is = |one: &&Value| one["row"]["display_name"] == "listener";
    let out = &people.iter().find(is)?["calls"][0]["media"]["video"]["out"];
    Some((
        out["key_frames_asked"].as_u64()?,
        out["key_frames"].as_u64()?,
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_decodes_nothing_asks_for_key_frames_when_packets_are_lost_for_good() {
    // reqwest asks for one even where there is no TLS; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lossy = [Fault::Loss(LOSS)].into_iter().collect();
    let (bad, good) = tokio::join!(shown(lossy), shown(Faults::none()));
    let deadline = tokio::time::Instant::now() + PATIENCE * 4;
    let (asked, sent) = loop {
        match asked_and_sent(&bad.0).await {
            Some((asked, sent)) if asked >= 2 && sent >= 2 => break (asked, sent),
            so_far => assert!(
                tokio::time::Instant::now() < deadline,
                "key frames asked for and sent: {so_far:?}"
            ),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let told = bad.2.leave().await.received.video;
    assert!(
        told.lost > 0 && told.key_frames_asked >= asked.min(sent),
        "{told:?}"
    );
    assert!(told.frames.keys >= 2, "{told:?}");

    // The control: what is whole is not asked for again. It may be before it has begun, and where a
    // busy machine loses something.
    let (asked_of_good, _) = asked_and_sent(&good.0).await.unwrap();
    let told = good.2.leave().await.received.video;
    let most = 1 + told.lost.min(1);
    assert!(asked_of_good <= most && asked_of_good < asked, "{told:?}");
    assert!(told.frames.received > 10, "{told:?}");
    bad.1.leave().await;
    good.1.leave().await;
}
