//! `standin api`: what scripts ask for is seen by somebody else, no token is left behind, none is printed.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Ended, Observer, PracticeNode, Process, SOON, wait_for};

async fn api(arguments: &[&str]) -> Ended {
    Process::start(&[&["api"], arguments].concat())
        .ended(SOON)
        .await
}

/// Returns the flags that lead to the conference `meet`.
fn meet(node: &PracticeNode) -> [&str; 4] {
    ["--node", &node.http, "--conference", "meet"]
}

fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter()
        .find(|row| row["display_name"] == name)
        .unwrap_or_else(|| panic!("{name} is not among {rows:#?}"))
}

#[tokio::test]
async fn a_token_in_a_file_serves_verb_after_verb_and_is_not_seen_anywhere() {
    let node = PracticeNode::start(&[]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("meet.token");
    let kept = ["--token-file", file.to_str().unwrap()];
    let with = |verb: &'static [&'static str]| {
        let arguments: Vec<String> = [verb, &kept]
            .concat()
            .iter()
            .map(ToString::to_string)
            .collect();
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ended = api(&arguments).await;
            ended.expect(0, "");
            ended
        }
    };
    let token = || {
        let text = std::fs::read_to_string(&file).unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        written["token"].as_str().unwrap().to_owned()
    };

    let asked = api(&[
        &["request_token", "--name", "Script", "--json"],
        &meet(&node)[..],
        &kept,
    ]
    .concat())
    .await;
    asked.expect(0, "");
    assert_eq!(asked.last_json()["token"], "(hidden)");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let first = token();
    // It is in use, so a second one is not put in its place.
    api(&[&["request_token"], &meet(&node)[..], &kept].concat())
        .await
        .expect_one_line(2, "still good");

    let mut printed = vec![asked];
    printed.push(with(&["buzz", "--participant", "me"]).await);
    printed.push(with(&["overlaytext", "On call", "--participant", "me"]).await);
    printed.push(with(&["mute", "--participant", "name=Observer"]).await);
    let rows = observer.others().await;
    assert!(row(&rows, "Script")["buzz_time"].as_f64().unwrap() > 0.0);
    assert_eq!(row(&rows, "Script")["overlay_text"], "On call");
    let roster = with(&["participants", "--json"]).await;
    let seen = roster.last_json();
    assert_eq!(row(seen.as_array().unwrap(), "Observer")["is_muted"], "YES");

    printed.push(with(&["refresh_token", "--json"]).await);
    assert_ne!(token(), first, "the file has the old token");
    printed.push(with(&["conference_status"]).await);
    let second = token();
    printed.push(with(&["release_token", "--reason", "done"]).await);
    assert!(!file.exists());
    observer.expect_alone().await;
    for ended in printed {
        let all = format!("{ended:?}");
        assert!(!all.contains(&first) && !all.contains(&second), "{all}");
    }
    api(&["participants", kept[0], kept[1]])
        .await
        .expect_one_line(2, "request_token");
}

#[tokio::test]
async fn a_verb_alone_comes_does_its_work_and_goes() {
    let node = PracticeNode::start(&["--conference", "meet,pin=4711,guest_pin=none"]).await;
    let observer = Observer::join(&node, "meet", Some("4711")).await;
    let lock = [&["api", "lock", "--json"], &meet(&node)[..]].concat();
    let as_host = |pin: &'static str| {
        let process = Process::start_with(&lock, &[("STANDIN_PIN", pin)]);
        async move { process.ended(SOON).await }
    };
    let ended = as_host("4711").await;
    ended.expect(0, "");
    assert_eq!(ended.last_json(), true);
    observer.expect_alone().await;
    let status = [
        &["conference_status", "--json", "--as-guest"],
        &meet(&node)[..],
    ]
    .concat();
    assert_eq!(api(&status).await.last_json()["locked"], true);

    // The controls: no host, a wrong PIN, nobody there, nothing said.
    api(&lock[1..]).await.expect_one_line(3, "lock: ");
    let wrong = as_host("1234").await;
    wrong.expect_one_line(6, "PIN is wrong");
    assert!(!wrong.err.contains("1234"), "{wrong:?}");
    let mute = ["mute", "--participant", "name=Nobody"];
    api(&[&mute[..], &meet(&node)].concat())
        .await
        .expect_one_line(1, "Nobody");
    api(&mute).await.expect_one_line(2, "--node is missing");
    api(&[&["disconnect"], &meet(&node)[..]].concat())
        .await
        .expect(2, "--everybody");
    observer.expect_alone().await;
}

#[tokio::test]
async fn events_are_lines_until_interrupted() {
    let node = PracticeNode::start(&[]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let mut events = Process::start(&[&["api", "events", "--json"], &meet(&node)[..]].concat());
    events
        .until("the end of the roster", SOON, |line| {
            (line["event"] == "participant_sync_end").then_some(())
        })
        .await;
    api(&[
        &["message", "good morning", "--name", "Bea"],
        &meet(&node)[..],
    ]
    .concat())
    .await
    .expect(0, "");
    events
        .until("the message", SOON, |line| {
            (line["event"] == "message_received" && line["data"]["payload"] == "good morning")
                .then_some(())
        })
        .await;
    events.signal("INT").await;
    events.ended(SOON).await.expect(130, "");
    observer.expect_alone().await;

    let few = ["events", "--count", "2", "--only", "participant_create"];
    let ended = api(&[&few[..], &meet(&node)].concat()).await;
    ended.expect(0, "");
    assert_eq!(ended.out.len(), 2, "{ended:#?}");
    assert!(
        ended
            .out
            .iter()
            .all(|line| line.starts_with("participant_create "))
    );

    let removed =
        Process::start(&[&["api", "events", "--name", "Removed"], &meet(&node)[..]].concat());
    observer.until_others(1).await;
    api(&[
        &["disconnect", "--participant", "name=Removed"],
        &meet(&node)[..],
    ]
    .concat())
    .await
    .expect(0, "");
    removed.ended(SOON).await.expect_one_line(5, "disconnected");
}

#[tokio::test]
async fn interrupted_at_any_time_it_gives_the_token_back() {
    // Each answer takes two seconds: a signal comes before the token does.
    let node = PracticeNode::start(&["--fault", "slow-answers"]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let lock = Process::start(&[&["api", "lock"], &meet(&node)[..]].concat());
    tokio::time::sleep(Duration::from_millis(500)).await;
    lock.signal("INT").await;
    lock.ended(SOON).await.expect(130, "");
    observer.expect_alone().await;
}

/// A web server that answers everything with 501 and a page.
async fn no_node() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).await;
            let page = "<html>Unsupported method</html>";
            let answer = format!(
                "HTTP/1.1 501 Unsupported\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            );
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn what_is_no_node_is_told_from_a_refusal() {
    let node = PracticeNode::start(&[]).await;
    let status =
        |address: String| async move { api(&["status", "--insecure", "--node", &address]).await };
    let web_server = no_node().await;
    let ended = status(web_server.clone()).await;
    ended.expect_one_line(3, "something else than a Conferencing Node");
    assert!(!ended.err.contains("refused"), "{ended:#?}");
    let joined = Process::start(&["join", "--node", &web_server, "--conference", "meet"])
        .ended(SOON)
        .await;
    joined.expect_one_line(3, "something else than a Conferencing Node");
    assert!(!joined.err.contains("refused"), "{joined:#?}");

    let swapped = |address: &str, from: &str, to: &str| address.replacen(from, to, 1);
    status(swapped(&node.http, "http:", "https:"))
        .await
        .expect_one_line(3, "write http://");
    status(swapped(&node.https, "https:", "http:"))
        .await
        .expect_one_line(3, "https://");

    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", dead.local_addr().unwrap());
    drop(dead);
    for (variable, address) in [("HTTP_PROXY", &node.http), ("HTTPS_PROXY", &node.https)] {
        let with_login = proxy.replace("http://", "http://alice:s3cret@");
        let status = ["api", "status", "--insecure", "--node", address];
        let ended = Process::start_with(&status, &[(variable, &with_login)])
            .ended(SOON)
            .await;
        ended.expect_one_line(3, &format!("through the proxy {proxy}"));
        assert!(!ended.err.contains("s3cret"), "{ended:#?}");
    }
    // The controls: both addresses are right, without a proxy.
    for address in [&node.http, &node.https] {
        wait_for("a node that is ready", SOON, async || {
            (status(address.clone()).await.code == Some(0)).then_some(())
        })
        .await;
    }
}
