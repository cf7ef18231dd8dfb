//! A recording onto a disk that is full.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::{A_CLIP, PracticeNode, Process};

/// Runs `standin` where no file may become larger than 32 KB: to a program that is a full disk.
const LIMITED: &str = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";

fn sender(node: &PracticeNode) -> Process {
    let seat = ["join", "--node", &node.http, "--conference", "meet"];
    Process::start(&[&seat[..], &["--audio", "tone", "--video", "bars"]].concat())
}

#[tokio::test]
async fn a_recording_that_does_not_fit_is_a_failure_and_does_not_look_whole() {
    let node = PracticeNode::start(&[]).await;
    let sender = sender(&node);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("room.webm");
    let mut listener = Command::new("sh");
    listener
        .args(["-c", LIMITED, env!("CARGO_BIN_EXE_standin"), "join"])
        .args(["--node", &node.http, "--conference", "meet", "--record"])
        .arg(&path)
        .stdin(Stdio::null())
        .kill_on_drop(true);

    let ended = tokio::time::timeout(A_CLIP, listener.output());
    let ended = ended.await.expect("it ends by itself").unwrap();

    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("the recording is not complete"), "{said}");
    assert!(said.contains("room.webm.incomplete"), "{said}");
    assert!(!said.contains("too slow"), "{said}");
    assert!(!path.exists(), "what there is of it has another name");
    assert!(directory.path().join("room.webm.incomplete").exists());
    sender.terminated().await.expect(0, "");
}

#[tokio::test]
async fn a_device_that_takes_nothing_is_a_failure_too() {
    let node = PracticeNode::start(&[]).await;
    let sender = sender(&node);
    let seat = ["join", "--node", &node.http, "--conference", "meet"];
    let listener = Process::start(&[&seat[..], &["--record", "/dev/full"]].concat());

    listener
        .ended(A_CLIP)
        .await
        .expect_one_line(1, "the recording is not complete");
    sender.terminated().await.expect(0, "");
}
