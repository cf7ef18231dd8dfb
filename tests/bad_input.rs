//! What people and nodes get wrong: one line that says what to do, the right exit code, no token left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Ended, Observer, PracticeNode, Process, SOON, SPEECH, announce, material};

/// Runs `standin join` with an audio source against a node, to its end.
async fn join_with(node: &PracticeNode, more: &[&str]) -> Ended {
    Process::start(
        &[
            &["join", "--node", &node.http, "--conference", "meet"],
            more,
        ]
        .concat(),
    )
    .ended(SOON)
    .await
}

#[tokio::test]
async fn an_unknown_conference() {
    let node = PracticeNode::start(&[]).await;
    let ended = Process::start(&["join", "--node", &node.http, "--conference", "nowhere"])
        .ended(SOON)
        .await;
    ended.expect_one_line(3, "nowhere");
}

#[tokio::test]
async fn a_wrong_pin_and_none() {
    let node = PracticeNode::start(&["--conference", "meet,pin=4711"]).await;
    for (pin, says) in [(Some("1234"), "PIN is wrong"), (None, "PIN")] {
        let variables: Vec<(&str, &str)> =
            pin.map(|pin| ("STANDIN_PIN", pin)).into_iter().collect();
        let arguments = ["join", "--node", &node.http, "--conference", "meet"];
        let ended = Process::start_with(&arguments, &variables)
            .ended(SOON)
            .await;
        ended.expect_one_line(6, says);
        assert!(!ended.err.contains("1234"), "the PIN is shown: {ended:#?}");
    }
    Observer::join(&node, "meet", Some("4711"))
        .await
        .expect_alone()
        .await;
}

#[tokio::test]
async fn a_node_that_is_not_there() {
    let node = PracticeNode::start(&[]).await;
    let address = node.http.clone();
    node.killed().await;
    announce(&address, &[])
        .ended(SOON)
        .await
        .expect_one_line(3, &address);
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for() {
    let node = PracticeNode::start(&[]).await;
    let join = [
        "join",
        "--node",
        &node.https,
        "--conference",
        "meet",
        "--for",
        "0.2",
    ];
    let ended = Process::start(&join).ended(SOON).await;
    ended.expect_one_line(3, "certificate");
    assert!(
        ended.err.contains("--ca-file"),
        "it does not say what to do: {ended:#?}"
    );
    Observer::join(&node, "meet", None)
        .await
        .expect_alone()
        .await;
    // The control: told to believe it, the same command works.
    Process::start(&[&join[..], &["--insecure"]].concat())
        .ended(SOON)
        .await
        .expect(0, "");
}

#[tokio::test]
async fn files_that_cannot_be_played() {
    let node = PracticeNode::start(&[]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let directory = tempfile::tempdir().unwrap();
    let truncated = directory.path().join("truncated.opus");
    let whole = std::fs::read(material(SPEECH)).unwrap();
    std::fs::write(&truncated, &whole[..whole.len() / 2]).unwrap();
    let (no_sound, missing) = (material("README.md"), directory.path().join("missing.opus"));
    let (picture, speech) = (material("bunny.ivf"), material(SPEECH));

    let cases: [(&str, &Path, &str); 6] = [
        ("--audio", &truncated, "truncated.opus"),
        ("--audio", &no_sound, "README.md"),
        ("--audio", &missing, "missing.opus"),
        ("--audio", &picture, "bunny.ivf"),
        ("--video", &speech, "speech.opus"),
        // A camera that is not there.
        ("--video", Path::new("/dev/video99"), "/dev/video99"),
    ];
    for (flag, file, says) in cases {
        let ended = join_with(&node, &[flag, file.to_str().unwrap()]).await;
        ended.expect_one_line(2, says);
        observer.expect_alone().await;
    }
    // The control: the whole file is played.
    join_with(
        &node,
        &["--audio", speech.to_str().unwrap(), "--for", "0.2"],
    )
    .await
    .expect(0, "");
    observer.expect_alone().await;
}

#[tokio::test]
async fn a_recording_that_cannot_be_written() {
    let node = PracticeNode::start(&[]).await;
    let observer = Observer::join(&node, "meet", None).await;
    join_with(&node, &["--record", "/nowhere/heard.webm"])
        .await
        .expect_one_line(2, "/nowhere/heard.webm");
    observer.expect_alone().await;
}

#[tokio::test]
async fn interrupted_it_still_leaves() {
    let node = PracticeNode::start(&[]).await;
    let observer = Observer::join(&node, "meet", None).await;
    for (signal, code) in [("INT", 130), ("TERM", 0)] {
        let mut process = Process::start(&node.join(&[]));
        process.until_state("in_conference").await;
        observer.until_others(1).await;
        process.signal(signal).await;
        process.ended(SOON).await.expect(code, "");
        observer.expect_alone().await;
    }
}

/// Joins with a node that then stops answering, and sends SIGINT so many times. Returns how long it
/// took to end, and how it ended.
async fn interrupted_with_a_hung_node(signals: usize) -> (Duration, Ended) {
    let node = PracticeNode::start(&[]).await;
    let mut process = Process::start(&node.join(&[]));
    process.until_state("in_conference").await;
    node.signal("STOP").await;
    let begin = Instant::now();
    for _ in 0..signals {
        process.signal("INT").await;
        // A second signal that comes at once is taken for an echo of the first.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    let ended = process.ended(SOON).await;
    let took = begin.elapsed();
    node.signal("CONT").await;
    (took, ended)
}

#[tokio::test]
async fn interrupted_while_the_node_hangs_it_ends_in_seconds_and_says_what_stays() {
    let (took, ended) = interrupted_with_a_hung_node(1).await;
    ended.expect(130, "");
    let outcome = ended.last_json();
    assert_eq!(outcome["outcome"]["token_released"], false, "{ended:#?}");
    let said = ended.out.join("\n");
    assert!(said.contains("the node does not answer"), "{said}");
    // Three by design; the rest is for a busy machine.
    let expected = Duration::from_millis(2500)..Duration::from_secs(5);
    assert!(expected.contains(&took), "{took:?}");

    let (took, ended) = interrupted_with_a_hung_node(2).await;
    ended.expect(130, "a token may stay with the node");
    assert!(took < Duration::from_millis(1500), "{took:?}");
}
