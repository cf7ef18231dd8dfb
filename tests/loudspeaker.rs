//! What is heard is played on a loudspeaker, which may go and come back.

use media::SAMPLE_RATE;
use media::measure::sound::compare;
use serde_json::Value;

use crate::support::{
    A_CLIP, OTHER_SPEECH, PracticeNode, Process, PulseAudio, SOON, SPEECH, announce, clip_sound,
    start, the_stage_alone, wait_for,
};

/// A second of what is recorded here: 16 bits, one channel.
const SECOND: u64 = 2 * SAMPLE_RATE as u64;

/// Waits until the listener's loudspeaker has told of this so many times.
async fn told(listener: &Process, event: &str, times: usize) {
    wait_for(&format!("{event}, {times} times"), SOON, async || {
        let lines = listener.lines().into_iter();
        let told = lines
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .filter(|line| line["sink"] == "speaker" && line["event"] == event);
        (told.count() >= times).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_clip_is_heard_from_a_loudspeaker_that_went_and_came_back() {
    let _turn = the_stage_alone().await;
    let pulse = PulseAudio::new();
    let mut server = pulse.serve().await;
    let variables = pulse.variables();
    let node = PracticeNode::start(&[]).await;
    let listener = Process::start_with(&node.join(&["--sink", "speaker"]), &variables);
    told(&listener, "began", 1).await;

    server.kill().await.unwrap();
    told(&listener, "ended", 1).await;
    told(&listener, "restarting", 1).await;
    let _server = pulse.serve().await;
    told(&listener, "began", 2).await;

    let file = pulse.path("played.raw");
    let recorder = [
        "--device=desk.monitor",
        "--format=s16le",
        "--rate=48000",
        "--channels=1",
        "--latency-msec=50",
        &file,
    ];
    let mut recorder = start("parec", &recorder, &variables);
    let size = || std::fs::metadata(&file).map_or(0, |found| found.len());
    let reaches = async |least: u64| {
        wait_for("what is played", SOON, async || {
            (size() >= least).then_some(())
        })
        .await;
    };
    reaches(1).await;
    // A sound server without a card is a program among many, and may be late with one announcement, not with each.
    let mut time = 1;
    let played = loop {
        let since = size();
        announce(&node.http, &[]).ended(A_CLIP).await.expect(0, "");
        // What is on its way from the node to the loudspeaker is played by then.
        reaches(size() + SECOND).await;
        let played = samples(&std::fs::read(&file).unwrap(), since);
        let alike = compare(&clip_sound(SPEECH), &played, SAMPLE_RATE);
        println!("{alike:?}");
        if alike.is_heard() {
            break played;
        }
        assert!(time < 3, "{alike:?}");
        time += 1;
    };
    recorder.kill().await.unwrap();
    listener.terminated().await.expect(0, "");
    let control = compare(&clip_sound(OTHER_SPEECH), &played, SAMPLE_RATE);
    assert!(!control.is_heard(), "{control:?}");
}

/// Returns what was recorded from a byte on.
fn samples(bytes: &[u8], since: u64) -> Vec<f32> {
    let since = (since / 2 * 2) as usize;
    bytes[since..]
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect()
}

#[tokio::test]
async fn a_loudspeaker_that_is_not_there_is_told_before_anyone_joins() {
    let missing = [("ALSA_CONFIG_PATH", "/dev/null")];
    let refused = async |sink: &str, words: &str| {
        let arguments = [
            "join",
            "--node",
            "http://127.0.0.1:1",
            "--conference",
            "meet",
            "--sink",
            sink,
        ];
        let ended = Process::start_with(&arguments, &missing).ended(SOON).await;
        ended.expect(2, words);
    };
    let there = "is not there: `standin media devices` lists";
    refused("speaker:desk", &format!("`speaker:desk` {there}")).await;
    refused("speaker", "`speaker` ").await;
    refused("loudspeaker", "speaker:DEVICE").await;
}
