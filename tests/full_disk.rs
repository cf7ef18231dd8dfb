//! A recording onto a disk that is full.

use tokio::time::timeout;

use crate::support::{A_CLIP, PracticeNode, Process, SOON};

/// Runs `standin` where no file may become larger than 32 KB: to a program that is a full disk.
const LIMITED: &str = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";

fn sender(node: &PracticeNode) -> Process {
    let seat = ["join", "--node", &node.http, "--conference", "meet"];
    Process::start(&[&seat[..], &["--audio", "tone", "--video", "bars"]].concat())
}

#[tokio::test]
async fn a_full_disk_ends_a_file_and_not_the_call_and_the_recording_goes_on_when_there_is_room() {
    let node = PracticeNode::start(&[]).await;
    let sender = sender(&node);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("room.webm");
    let record = ["--record", path.to_str().unwrap()];
    let mut listener = Process::start_under(&["sh", "-c", LIMITED], &node.join(&record));

    let happened = |event: &'static str| {
        move |line: &serde_json::Value| {
            (line["notice"] == "recording" && line["event"] == event).then(|| line.clone())
        }
    };
    let failed = listener
        .until("the disk is full", A_CLIP, happened("failed"))
        .await;
    assert!(
        failed["why"]
            .as_str()
            .unwrap()
            .contains("room.webm.incomplete"),
        "{failed}"
    );
    assert!(!path.exists(), "what there is of it has another name");
    let incomplete = directory.path().join("room.webm.incomplete");
    assert!(
        media::read_video(&incomplete).unwrap().frames.len() > 1,
        "it plays"
    );
    // A new file is as good as room on the disk.
    let resumed = listener
        .until("there is room again", A_CLIP, happened("resumed"))
        .await;
    let second = directory.path().join("room-2.webm");
    assert_eq!(resumed["file"], second.to_str().unwrap());
    listener.signal("TERM").await;

    let ended = timeout(A_CLIP, listener.ended(SOON)).await.unwrap();
    ended.expect_one_line(1, "the recording is not complete");
    assert!(!ended.err.contains("too slow"), "{ended:?}");
    let end = ended.last_json();
    assert!(end["outcome"]["time_in"].as_f64().unwrap() > 5.0, "{end}");
    sender.terminated().await.expect(0, "");
}

#[tokio::test]
async fn a_device_that_takes_nothing_is_a_failure_too_and_not_the_end() {
    let node = PracticeNode::start(&[]).await;
    let sender = sender(&node);
    let mut listener = Process::start(&node.join(&["--record", "/dev/full"]));
    listener
        .until("a failure", SOON, |line| {
            (line["event"] == "failed").then_some(())
        })
        .await;
    // The call goes on for as long as it is wanted.
    listener.until_notice("report", SOON).await;

    listener
        .terminated()
        .await
        .expect_one_line(1, "the recording is not complete");
    sender.terminated().await.expect(0, "");
}
