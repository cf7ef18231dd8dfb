//! A participant of a service is told what to play: it is heard, in the order that was asked for, and others are told
//! who speaks and what is written.

use media::SAMPLE_RATE;
use media::measure::decode;
use media::measure::sound::{self, SoundSimilarity};
use media::read_audio;
use serde_json::{Value, json};

use crate::support::{
    A_CLIP, Daemon, OTHER_SPEECH, Observer, SOON, SPEECH, Stage, clip_sound, material, turn,
    wait_for,
};

/// How much of each clip is played, in seconds.
const PART: usize = 3;

/// How like a part of a clip something is, from this second of it on.
fn like(clip: &str, from: usize, heard: &[f32]) -> SoundSimilarity {
    let rate = SAMPLE_RATE as usize;
    let part = &clip_sound(clip)[from * rate..(from + PART) * rate];
    sound::compare(part, heard, SAMPLE_RATE)
}

#[tokio::test]
async fn what_an_operator_orders_is_played_in_turn() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let node = &stage.node;
    let service = format!(
        "[control]\nsocket = \"control.sock\"\n\
         [participant.bea]\nnode = {0:?}\nconference = \"meet\"\nname = \"Bea\"\nmedia.audio = \"silence\"\n\
         [participant.cat]\nnode = {0:?}\nconference = \"meet\"\nname = \"Cat\"\nmedia.enabled = false\n\
         [hook.note]\non = [\"message\", \"speech_started\", \"speech_stopped\"]\nparticipants = [\"cat\"]\n\
         run = \"cat >> $TOLD\"\n",
        node.http
    );
    let place = tempfile::tempdir().unwrap();
    let told = place.path().join("told");
    let variables = [("TOLD", told.to_str().unwrap())];
    let daemon = Daemon::start(&[("standin.toml", service)], &variables).await;
    daemon.until("bea", "in_conference").await;
    daemon.until("cat", "in_conference").await;

    // One after the other, behind something that has no end: what waits, and what is spoken.
    let clip = |name: &str| format!("{}#t=0,{PART}", material(name).display());
    let (speech, other) = (clip(SPEECH), clip(OTHER_SPEECH));
    let played = daemon
        .done(&["--json", "play", "bea", "--audio", "tone:500"])
        .await
        .last_json();
    assert_eq!(played["plays"], "ordered", "{played}");
    assert_eq!(played["playing"], "tone:500", "{played}");
    daemon.done(&["queue", "bea", "--audio", &speech]).await;
    daemon.done(&["queue", "bea", "--audio", &other]).await;
    let queued = daemon
        .done(&["--json", "say", "bea", "Thank you, # everybody"])
        .await
        .last_json();
    assert_eq!(queued["queued"].as_array().unwrap().len(), 3, "{queued}");
    let skipped = daemon.done(&["--json", "skip", "bea"]).await.last_json();
    assert_eq!(skipped["playing"], speech, "{skipped}");
    wait_for("all of it was played", A_CLIP, async || {
        let status = daemon.status("bea").await;
        (status["plays"] == "configured" && status["queued"] == json!([])).then_some(())
    })
    .await;

    // What cannot be: each says why.
    for (code, arguments, why) in [
        (1, vec!["skip", "bea"], "nothing is played that was ordered"),
        (
            1,
            vec!["play", "cat", "--audio", &speech],
            "no call to play in",
        ),
        (
            1,
            vec!["play", "bea", "--audio", "/nowhere.wav"],
            "/nowhere.wav",
        ),
        (
            2,
            vec!["play", "bea", "--audio", "exec:date"],
            "configuration",
        ),
        (2, vec!["play", "bea", "--audio", "tone:none"], "tone:none"),
        (2, vec!["queue", "bea"], "name what to play"),
        (2, vec!["say", "bea", " "], "no text"),
    ] {
        daemon.ctl(&arguments).await.expect_one_line(code, why);
    }

    // What is stopped is not heard to its end, and what waited is forgotten.
    daemon
        .done(&["play", "bea", "--audio", "tone", "--loop"])
        .await;
    daemon.done(&["queue", "bea", "--audio", &speech]).await;
    let stopped = daemon.done(&["--json", "stop", "bea"]).await.last_json();
    assert_eq!(stopped["plays"], "nothing", "{stopped}");
    assert_eq!(stopped["queued"], json!([]), "{stopped}");
    let resumed = daemon.done(&["--json", "play", "bea"]).await.last_json();
    assert_eq!(resumed["plays"], "configured", "{resumed}");

    let observer = Observer::join(node, "meet", None).await;
    let message = json!({ "type": "text/plain", "payload": "Well done" });
    observer.command_with("message", &message).await;
    let told = wait_for("what others do was told", SOON, async || {
        let lines = std::fs::read_to_string(&told).unwrap_or_default();
        let lines = serde_json::Deserializer::from_str(&lines).into_iter();
        let lines: Vec<Value> = lines.filter_map(Result::ok).collect();
        let is_over = lines.iter().any(|told| told["type"] == "message")
            && lines.iter().any(|told| told["type"] == "speech_stopped");
        is_over.then_some(lines)
    })
    .await;
    let of = |kind: &str| told.iter().find(|told| told["type"] == kind).unwrap();
    assert_eq!(of("message")["data"]["text"], "Well done");
    assert_eq!(of("speech_started")["data"]["name"], "Bea");
    assert_eq!(of("speech_stopped")["data"]["name"], "Bea");

    daemon.process.terminated().await.expect(0, "");
    let recorded = stage.recorded().await;
    let heard = decode::sound(&read_audio(&recorded.file).unwrap()).unwrap();
    let first = like(SPEECH, 0, &heard);
    let second = like(OTHER_SPEECH, 0, &heard);
    assert!(
        first.is_heard() && second.is_heard(),
        "{first:#?} {second:#?}"
    );
    let apart = second.offset - first.offset;
    assert!(apart > PART as f64 - 0.1, "{apart} s after it began");
    // The control: what was not ordered is not there.
    let unheard = like(SPEECH, PART + 1, &heard);
    assert!(!unheard.is_heard(), "{unheard:#?}");
}
