//! What is received, measured while it goes by, in the words of webrtc-stats.

use serde_json::Value;

use crate::support::{PracticeNode, Process, SOON, SPEECH, material, turn};

fn listener(node: &PracticeNode, conference: &str) -> Process {
    let seat = ["--node", &node.http, "--conference", conference];
    Process::start(&[&["join", "--json", "--stats", "0.5"][..], &seat].concat())
}

fn speaker(node: &PracticeNode, conference: &str) -> Process {
    let (speech, picture) = (material(SPEECH), material("bunny.ivf"));
    let seat = ["join", "--node", &node.http, "--conference", conference];
    let media = ["--audio", speech.to_str().unwrap()];
    let shown = ["--video", picture.to_str().unwrap()];
    Process::start(&[&seat[..], &media, &shown].concat())
}

/// Waits for statistics that `are_those`.
async fn stats(listener: &mut Process, what: &str, are_those: impl Fn(&Value) -> bool) -> Value {
    listener
        .until(what, SOON, |line| {
            (line["notice"] == "stats" && are_those(line)).then(|| line.clone())
        })
        .await
}

fn number(stats: &Value, of: &str) -> f64 {
    let number = stats.pointer(of).and_then(Value::as_f64);
    number.unwrap_or_else(|| panic!("no {of} in {stats}"))
}

#[tokio::test]
async fn sound_speech_pictures_losses_and_a_frozen_picture_are_told() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[
        "--conference",
        "meet",
        "--conference",
        "lossy,fault=loss=10",
    ])
    .await;
    let (mut well, mut lossy) = (listener(&node, "meet"), listener(&node, "lossy"));
    let silent = stats(&mut well, "silence", |told| {
        number(told, "/audio/totalSamplesDuration") > 1.0
    })
    .await;
    assert_eq!(silent["audio"]["speech"], false, "{silent}");
    assert!(number(&silent, "/audio/audioLevel") < 0.001, "{silent}");

    let speakers = ["meet", "lossy"].map(|conference| speaker(&node, conference));
    let told = stats(&mut well, "speech and a moving picture", |told| {
        told["audio"]["speech"] == true
            && told["video"]["frozen"] == false
            && number(told, "/video/framesPerSecond") > 15.0
    })
    .await;
    let level = number(&told, "/audio/audioLevel");
    assert!((0.003..0.8).contains(&level), "{told}");
    assert!(number(&told, "/video/framesDecoded") > 5.0, "{told}");
    let size = ["/video/frameWidth", "/video/frameHeight"].map(|of| number(&told, of));
    let clip = media::read_video(&material("bunny.ivf")).unwrap();
    let key = clip.frames[0].encoded().unwrap();
    let (width, height) = clip.codec.dimensions(&key).unwrap();
    assert_eq!(size, [f64::from(width), f64::from(height)], "{told}");

    let lost = stats(&mut lossy, "losses", |told| {
        number(told, "/audio/packetsReceived") > 200.0
    })
    .await;
    let lost_of_sound = number(&lost, "/audio/packetsLost");
    let share = lost_of_sound / (lost_of_sound + number(&lost, "/audio/packetsReceived"));
    assert!((0.03..0.2).contains(&share), "one in ten: {lost}");
    // The control: without such a link there is no such loss.
    let lost = number(&told, "/audio/packetsLost");
    assert!(
        lost < 0.03 * number(&told, "/audio/packetsReceived"),
        "{told}"
    );

    node.signal("STOP").await;
    let moving = number(&told, "/at");
    stats(&mut well, "a frozen picture", |told| {
        number(told, "/at") > moving && told["video"]["frozen"] == true
    })
    .await;
    node.signal("CONT").await;
    let freezes = number(&told, "/video/freezeCount");
    let thawed = stats(&mut well, "a freeze that is over", |told| {
        number(told, "/video/freezeCount") > freezes
    })
    .await;
    assert!(
        number(&thawed, "/video/totalFreezesDuration") > 0.15,
        "{thawed}"
    );
    for process in [well, lossy].into_iter().chain(speakers) {
        process.terminated().await.expect(0, "");
    }
}
