//! What works and what does not on the way into a conference, a line each.

use serde_json::Value;

use crate::support::{A_CLIP, Ended, Observer, PracticeNode, Process, SPEECH, material, turn};

/// Lets the doctor look at a node.
async fn doctor(node: &str, more: &[&str], pin: &str) -> Ended {
    let arguments = ["doctor", "--node", node, "--conference", "meet"];
    let arguments = [&arguments[..], more].concat();
    let variables = [("STANDIN_PIN", pin)];
    let variables = if pin.is_empty() { &[][..] } else { &variables };
    Process::start_with(&arguments, variables)
        .ended(A_CLIP)
        .await
}

/// Checks the exit code, and that what is bad is this alone.
fn expect(ended: &Ended, code: i32, bad: &[&str]) {
    let found: Vec<&str> = ended
        .out
        .iter()
        .filter_map(|line| line.strip_prefix("✗ ")?.split("  ").next())
        .collect();
    assert_eq!(
        (ended.code, found.as_slice()),
        (Some(code), bad),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn each_step_of_joining_is_told_and_nothing_is_left_behind() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "meet"]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let speech = material(SPEECH);
    let ended = doctor(&node.http, &["--audio", speech.to_str().unwrap()], "").await;
    expect(&ended, 0, &[]);
    let text = ended.out.join("\n");
    for name in [
        "source",
        "status",
        "connection",
        "token",
        "event stream",
        "call",
        "ICE",
        "path",
        "DTLS",
        "ack",
        "roster",
        "media out",
        "media in",
        "leaving",
    ] {
        assert!(text.contains(&format!("✓ {name}  ")), "{name}\n{text}");
    }
    observer.expect_alone().await;

    let ended = doctor(&node.http, &["--json"], "").await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for line in &ended.out {
        let told: Value = serde_json::from_str(line).unwrap();
        assert!(told["check"].is_string() && told["ok"] != false, "{told}");
    }
}

#[tokio::test]
async fn what_does_not_work_is_named_and_the_exit_code_tells_which() {
    let _turn = turn().await;
    let nowhere = doctor("http://127.0.0.1:9", &["--audio", "missing.wav"], "").await;
    expect(&nowhere, 3, &["source", "status", "joining"]);

    let node = PracticeNode::start(&["--conference", "meet,pin=4711,guest_pin=4712"]).await;
    expect(&doctor(&node.http, &[], "").await, 6, &["joining"]);
    expect(&doctor(&node.http, &[], "1234").await, 6, &["joining"]);
    expect(&doctor(&node.http, &[], "4712").await, 7, &["waiting room"]);
    expect(
        &doctor(&node.http, &["--video", "missing.ivf"], "4711").await,
        2,
        &["source"],
    );

    let node = PracticeNode::start(&["--fault", "maintenance"]).await;
    expect(
        &doctor(&node.http, &[], "").await,
        3,
        &["status", "joining"],
    );
    let node = PracticeNode::start(&["--fault", "no-sdp"]).await;
    let ended = doctor(&node.http, &[], "").await;
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    assert!(!ended.out.join("\n").contains("✓ ICE"), "{ended:#?}");
}
