//! A headless Chromium joins through the practice node's page: what it decodes, hears and sees.

mod chromium;
mod codecs;
mod live;
mod looks;
mod operator;
mod report;

use std::net::IpAddr;
use std::time::Duration;

use media::SAMPLE_RATE;
use media::measure::sound::{self, OTHER};
use serde_json::Value;

use self::chromium::{LOOPBACK_FLAGS, PRETENDED_CAMERA, Tab, with_chromium};
use crate::sources::moving_pictures;
use crate::support::{
    A_CLIP, Judgement, OTHER_SPEECH, Observer, PICTURE, PracticeNode, Process, SOON, SPEECH, Stage,
    announce, material, the_stage_alone, wait_for,
};

/// Joins as a person does: a name, and the button.
async fn join(tab: &Tab, base: &str) {
    tab.open(&format!("{base}/?conference=meet&name=Browser"))
        .await;
    tab.click("#join").await;
    tab.until(
        "the page is in the conference",
        SOON,
        "standin.state === 'in'",
    )
    .await;
}

/// What became of the clip in the browser.
struct Shown {
    heard: Vec<f32>,
    judgement: Judgement,
    inbound: Vec<Value>,
    people: String,
    /// The candidates of the page's offer and of the node's answer.
    candidates: [Vec<String>; 2],
}

/// Announces the clip to a browser that joined at `base`, up to `times` until it is heard and seen: whose own sound
/// card is a thread among many may miss a syllable of one announcement, not of each.
async fn shown(node: &PracticeNode, base: &str, flags: &[&str], times: usize) -> Shown {
    with_chromium(flags, async |tab: &Tab| {
        join(tab, base).await;
        tab.start_capture(SOON).await;
        let mut time = 1;
        let shown = loop {
            let shown = announced(node, tab).await;
            if shown.judgement.is_heard_and_seen() || time == times {
                break shown;
            }
            time += 1;
            tab.run("capture.forget()", &[]).await;
        };
        tab.click("#leave").await;
        tab.until("the page left", SOON, "standin.state === 'idle'")
            .await;
        shown
    })
    .await
}

/// Announces the clip once, to a page that is in the conference.
async fn announced(node: &PracticeNode, tab: &Tab) -> Shown {
    let mut announcer = announce(&node.http, &[]);
    announcer.until_notice("clip_started", SOON).await;
    tab.until(
        "the announcer in the page's roster",
        SOON,
        "document.body.innerText.includes('Announcer')",
    )
    .await;
    let people = tab
        .run("return document.getElementById('roster').innerText", &[])
        .await
        .to_string();
    announcer.ended(A_CLIP).await.expect(0, "");
    // The jitter buffer, the worklet and the page keep the last word for some time.
    let (samples, _) = tab.amount().await;
    let enough = samples + 24_000;
    wait_for("half a second more of sound", SOON, async || {
        (tab.amount().await.0 >= enough).then_some(())
    })
    .await;

    let (heard, seen) = (tab.sound().await, tab.pictures().await);
    Shown {
        judgement: Judgement::of(SPEECH, PICTURE, &heard, &seen),
        heard,
        inbound: tab.inbound().await,
        people,
        candidates: [
            candidates(tab, "localDescription").await,
            candidates(tab, "remoteDescription").await,
        ],
    }
}

/// Returns the addresses of the candidates in one of the page's session descriptions.
async fn candidates(tab: &Tab, description: &str) -> Vec<String> {
    let sdp = tab
        .run(&format!("return standin.pc.{description}.sdp"), &[])
        .await;
    let lines = sdp
        .as_str()
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"));
    // RFC 8839 §5.1: foundation, component, transport, priority, address.
    lines
        .filter_map(|line| line.split(' ').nth(4))
        .map(str::to_owned)
        .collect()
}

fn stream<'a>(inbound: &'a [Value], kind: &str) -> &'a Value {
    inbound
        .iter()
        .find(|stream| stream["kind"] == kind)
        .unwrap_or_else(|| panic!("no inbound {kind}: {inbound:#?}"))
}

fn expect_decoded(inbound: &[Value]) {
    let video = stream(inbound, "video");
    assert!(
        video["framesDecoded"].as_u64().unwrap_or(0) > 100,
        "{video:#?}"
    );
    let audio = stream(inbound, "audio");
    assert!(
        audio["totalAudioEnergy"].as_f64().unwrap_or(0.0) > 0.001,
        "{audio:#?}"
    );
}

#[tokio::test]
async fn the_page_hears_and_sees_the_clip() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&[]).await;
    let shown = shown(&node, &node.http, &LOOPBACK_FLAGS, 3).await;

    expect_decoded(&shown.inbound);
    assert!(
        shown.judgement.is_heard_and_seen(),
        "{:#?}",
        shown.judgement
    );
    assert!(
        shown.people.contains("Announcer") && shown.people.contains("Browser"),
        "{}",
        shown.people
    );
    // The control: what the browser heard is not like other words.
    let other = sound::compare(
        &crate::support::clip_sound(OTHER_SPEECH),
        &shown.heard,
        SAMPLE_RATE,
    );
    assert!(other.overall <= OTHER, "{other:?}");
    // It left by its button: no token stays behind.
    Observer::join(&node, "meet", None)
        .await
        .expect_alone()
        .await;
}

#[tokio::test]
async fn an_ordinary_browser_without_camera_permission_hears_and_sees_it_too() {
    let _turn = the_stage_alone().await;
    // All of this machine's addresses: an ordinary browser does not use loopback, and hides its own behind mDNS names.
    let node = PracticeNode::start_at("127.0.0.1:0", "127.0.0.1:0", &[]).await;
    let shown = shown(&node, &node.https, &[], 3).await;

    expect_decoded(&shown.inbound);
    assert!(
        shown.judgement.is_heard_and_seen(),
        "{:#?}",
        shown.judgement
    );
    // It was ordinary indeed: it showed no address of its own, and was offered one that is not loopback.
    let [own, offered] = shown.candidates;
    assert!(
        own.iter().all(|address| address.ends_with(".local")),
        "{own:?}"
    );
    let not_loopback = |address: &String| address.parse().is_ok_and(|ip: IpAddr| !ip.is_loopback());
    assert!(offered.iter().any(not_loopback), "{offered:?}");
}

#[tokio::test]
async fn a_silent_and_black_node_fails_the_same_checks() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--fault", "silent,black"]).await;
    let shown = shown(&node, &node.http, &LOOPBACK_FLAGS, 1).await;

    assert!(!shown.judgement.sound.is_heard(), "{:#?}", shown.judgement);
    assert!(!shown.judgement.picture.is_seen(), "{:#?}", shown.judgement);
}

/// A participant that shows bars, from when the browser decodes them out of `codec`.
async fn bars_in(node: &PracticeNode, tab: &Tab, codec: &str) -> Process {
    let player = Process::start(&[
        "join",
        "--node",
        &node.http,
        "--conference",
        "meet",
        "--video",
        "bars",
    ]);
    let wanted = format!("video/{codec}");
    let what = format!("pictures out of {codec}");
    wait_for(&what, Duration::from_secs(30), async || {
        let inbound = tab.inbound().await;
        let video = inbound.iter().find(|stream| stream["kind"] == "video")?;
        (video["mimeType"] == wanted.as_str() && video["framesDecoded"].as_u64()? > 30)
            .then_some(())
    })
    .await;
    player
}

#[tokio::test]
async fn av1_encoded_here_is_decoded_by_the_browser() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--video-codecs", "AV1"]).await;
    with_chromium(&LOOPBACK_FLAGS, async |tab: &Tab| {
        join(tab, &node.http).await;
        let player = bars_in(&node, tab, "AV1").await;
        // Whoever joins needs a key frame, which the node asks for and everybody gets.
        for round in 1..=3 {
            let before = decoded_of_av1(tab).await;
            let newcomer = Process::start(&["join", "--node", &node.http, "--conference", "meet"]);
            let what = format!("a key frame and more, for the newcomer {round}");
            wait_for(&what, SOON, async || {
                let now = decoded_of_av1(tab).await;
                (now.keys > before.keys && now.frames > before.frames + 10).then_some(())
            })
            .await;
            newcomer.terminated().await.expect(0, "");
        }
        player.terminated().await.expect(0, "");
    })
    .await;
}

/// What the browser has decoded so far.
struct Decoded {
    frames: u64,
    keys: u64,
}

async fn decoded_of_av1(tab: &Tab) -> Decoded {
    let inbound = tab.inbound().await;
    let video = inbound.iter().find(|stream| stream["kind"] == "video");
    let count = |name: &str| video.and_then(|video| video[name].as_u64()).unwrap_or(0);
    Decoded {
        frames: count("framesDecoded"),
        keys: count("keyFramesDecoded"),
    }
}

#[tokio::test]
async fn what_the_browser_sends_is_heard_and_seen_by_a_participant() {
    let _turn = the_stage_alone().await;
    let wav = format!(
        "--use-file-for-fake-audio-capture={}",
        material("other-speech.wav").display()
    );
    let stage = Stage::set(&[]).await;
    let flags = [&LOOPBACK_FLAGS[..], &PRETENDED_CAMERA, &[&wav]].concat();
    with_chromium(&flags, async |tab: &Tab| {
        tab.open(&format!(
            "{}/?conference=meet&name=Browser",
            stage.node.http
        ))
        .await;
        tab.click("#send-audio").await;
        tab.click("#send-video").await;
        tab.click("#join").await;
        tab.until(
            "the page is in the conference",
            SOON,
            "standin.state === 'in'",
        )
        .await;
        // The file is two and a half seconds long, and the browser plays it over and over.
        tab.until(
            "ten seconds of pictures",
            A_CLIP,
            "capture.sent('framesSent').then((sent) => sent > 150)",
        )
        .await;
        tab.click("#leave").await;
    })
    .await;
    let recorded = stage.recorded().await;
    let sound = recorded.judged_by_repeated("other-speech.wav");
    assert!(sound.is_heard(), "{sound:#?}");
    let (pictures, codec) = moving_pictures(&recorded);
    assert!(
        pictures > 60 && codec == "vp8",
        "{pictures} different pictures in {codec}"
    );
    // The controls: not just any speech, nor any moving picture.
    let other = recorded.judged_by_repeated(OTHER_SPEECH);
    assert!(other.overall <= OTHER, "{other:#?}");
    let control = recorded.judged_by(OTHER_SPEECH, PICTURE);
    assert!(!control.picture.is_seen(), "{control:#?}");
}
