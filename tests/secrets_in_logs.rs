//! What the most talkative log does not say.

use crate::support::{PracticeNode, Process, SOON, wait_for};

/// Every run of characters that may be an ICE password (RFC 8839 §5.4) behind a `pwd`.
fn passwords(log: &str) -> Vec<&str> {
    let behind = log.match_indices("pwd").chain(log.match_indices("Pwd"));
    let values = behind.map(|(at, name)| {
        let value = log[at + name.len()..].trim_start_matches([':', ' ', '"', '\\', '=', '(']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/');
        &value[..end.unwrap_or(value.len())]
    });
    values.filter(|value| value.len() >= 22).collect()
}

#[tokio::test]
async fn no_ice_password_is_in_the_log_of_a_call() {
    let node = PracticeNode::start(&["-vvv"]).await;
    let seat = [
        "join",
        "-vvv",
        "--json",
        "--node",
        &node.http,
        "--conference",
        "meet",
    ];
    let mut caller = Process::start(&[&seat[..], &["--audio", "tone"]].concat());
    caller.until_media().await;
    wait_for("what the node logged of it", SOON, async || {
        (node.log().contains("ice-pwd") || node.log().contains("remotePwd")).then_some(())
    })
    .await;
    let of_node = node.log();
    let ended = caller.terminated().await;

    for log in [&ended.err, &of_node] {
        assert_eq!(passwords(log), Vec::<&str>::new());
        assert!(log.contains("(hidden)"), "the log was talkative enough");
    }
    assert!(ended.err.contains("a=ice-pwd:(hidden)"), "{}", ended.err);
}

#[test]
fn a_password_would_be_found() {
    let log = r#"Offer("v=0\r\na=ice-pwd:yTqkCvWOiXfizmvTvndfDqqmllpdXkLn\r\n")"#;
    assert_eq!(passwords(log).len(), 1);
    assert_eq!(
        passwords("remotePwd: yTqkCvWOiXfizmvTvndfDqqmllpdXkLn").len(),
        1
    );
}
