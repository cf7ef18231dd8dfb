use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use infinity::{Command, ReleaseToken, Request, RequestToken};

use super::*;
use crate::scripted::{GRANTED, PATIENCE, Scripted};
use crate::{Shards, State, StopReason, Tls};

const AT_ONCE: Duration = Duration::ZERO;
const DONE: &str = r#"{"status":"success","result":true}"#;

/// A lease on a token of `node`.
fn lease(node: &Scripted) -> Lease {
    let lease = Lease::default();
    let request = Request {
        conference: "meet".parse().unwrap(),
        token: None,
        command: Command::RequestToken {
            pin: None,
            body: RequestToken::default(),
        },
    };
    let granted = request
        .command
        .decode_response(200, GRANTED.as_bytes())
        .unwrap();
    lease.ended(Instant::now(), &node.url, &request, &Ok(granted));
    lease
}

#[tokio::test]
async fn a_panic_of_the_loop_leaves_no_token_behind() {
    let node = Scripted::serve(|_| (AT_ONCE, 200, DONE)).await;
    let shards = Shards::new(1).unwrap();
    let client = HttpClient::new(&Tls::SystemRoots).unwrap();
    let lease = lease(&node);
    let outcome = watch_over(
        &shards.next(),
        async { panic!("on purpose") },
        &lease,
        &client,
    )
    .await;
    assert!(
        matches!(outcome.reason, EndReason::Defect(_)),
        "{:?}",
        outcome.reason
    );
    assert!(outcome.token_released);
    assert_eq!(node.tokens_of("release_token"), ["t0k3n"]);
}

#[tokio::test]
async fn a_token_that_was_released_is_not_released_twice() {
    let node = Scripted::serve(|_| (AT_ONCE, 200, DONE)).await;
    let client = HttpClient::new(&Tls::SystemRoots).unwrap();
    let lease = lease(&node);
    let release = |token: &str| Request {
        conference: "meet".parse().unwrap(),
        token: Some(infinity::Token::new(token)),
        command: Command::ReleaseToken(ReleaseToken::default()),
    };
    let answer = Ok(infinity::Response::TokenReleased);
    lease.ended(Instant::now(), &node.url, &release("an older one"), &answer);
    lease.ended(Instant::now(), &node.url, &release("t0k3n"), &answer);
    assert!(lease.release(&client).await);
    assert!(node.tokens_of("release_token").is_empty());
}

#[tokio::test]
async fn a_node_that_is_gone_is_told_to_keep_the_token() {
    let node = Scripted::serve(|_| (PATIENCE * 2, 200, DONE)).await;
    let client = HttpClient::new(&Tls::SystemRoots).unwrap();
    let began = Instant::now();
    assert!(!lease(&node).release(&client).await, "nobody answers");
    assert!(began.elapsed() < PATIENCE, "and nobody waits for ever");
}

#[tokio::test]
async fn a_token_granted_after_we_gave_up_is_released_all_the_same() {
    let node = Scripted::serve(|verb| match verb {
        "request_token" => (Duration::from_millis(500), 200, GRANTED),
        _ => (AT_ONCE, 200, DONE),
    })
    .await;
    let shards = Shards::new(1).unwrap();
    let caller = crate::start(&shards.next(), node.settings());
    node.until_asked("request_token").await;
    caller.stop(StopReason::Interrupted);
    caller.stop(StopReason::Interrupted);
    let outcome = tokio::time::timeout(PATIENCE, caller.join()).await.unwrap();
    assert_eq!(outcome.reason, EndReason::Stopped(StopReason::Interrupted));
    node.until_asked("release_token").await;
    assert_eq!(node.tokens_of("release_token"), ["t0k3n"]);
}

#[tokio::test]
async fn a_node_whose_release_hangs_does_not_hold_us() {
    let node = Scripted::serve(|verb| match verb {
        "request_token" => (AT_ONCE, 200, GRANTED),
        "release_token" => (PATIENCE * 2, 200, DONE),
        _ => (AT_ONCE, 503, "{}"),
    })
    .await;
    let shards = Shards::new(1).unwrap();
    let mut settings = node.settings();
    settings.leave_limit = Duration::from_secs(1);
    let mut caller = crate::start(&shards.next(), settings);
    loop {
        let notice = caller.notice().await.unwrap();
        if matches!(notice.kind, crate::NoticeKind::State(State::Connecting)) {
            break;
        }
    }
    let began = Instant::now();
    caller.stop(StopReason::Terminated);
    let outcome = tokio::time::timeout(PATIENCE, caller.join()).await.unwrap();
    assert!(!outcome.token_released);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

async fn end_at(node: &str, tls: &Tls) -> EndReason {
    let client = HttpClient::new(tls).unwrap();
    let settings = CallerSettings::new(
        client,
        node.parse::<url::Url>().unwrap(),
        "meet".parse().unwrap(),
        "x",
    );
    let shards = Shards::new(1).unwrap();
    let caller = crate::start(&shards.next(), settings);
    tokio::time::timeout(PATIENCE, caller.join())
        .await
        .unwrap()
        .reason
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_told_apart() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refused = end_at(&format!("http://{free}"), &Tls::SystemRoots).await;
    assert!(
        refused.to_string().contains("connection refused"),
        "{refused}"
    );

    let unknown = end_at("http://nowhere.invalid", &Tls::SystemRoots).await;
    assert!(
        unknown
            .to_string()
            .contains("cannot find the node nowhere.invalid"),
        "{unknown}"
    );

    let plain = Scripted::serve(|_| (AT_ONCE, 200, DONE)).await;
    let https = plain.url.as_str().replace("http:", "https:");
    let tls = end_at(&https, &Tls::Insecure).await;
    assert!(tls.to_string().contains("write http://"), "{tls}");

    let strange = end_at(plain.url.as_str(), &Tls::SystemRoots).await;
    assert!(
        strange
            .to_string()
            .contains("not what a Conferencing Node sends"),
        "{strange}"
    );

    for reason in [refused, unknown, tls, strange] {
        assert!(matches!(reason, EndReason::Unreachable(_)), "{reason:?}");
    }
}

/// What was logged at all.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Logged;

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Two events that nobody knows, one of them twice, and four that everybody does.
const NEWS: &str = "event: hello\ndata: null\n\n\
    event: weather\ndata: {\"sky\":\"blue\"}\n\n\
    event: tides\ndata: {}\n\n\
    event: splash_screen\ndata: null\n\n\
    event: tides\ndata:\n\n\
    event: message_received\ndata: {\"origin\":\"x\",\"payload\":\"that is all\"}\n\n\
    event: presentation_frame\ndata: null\n\n";

#[tokio::test]
async fn an_event_that_is_not_known_is_skipped_with_exactly_one_line_for_debugging() {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    tracing_subscriber::fmt()
        .with_env_filter("driver=debug,participant=debug,infinity=debug")
        .with_ansi(false)
        .with_writer(|| Logged)
        .try_init()
        .unwrap();
    let node = Scripted::serve(|verb| match verb {
        "request_token" => (AT_ONCE, 200, GRANTED),
        "events" if OPENED.fetch_add(1, Ordering::Relaxed) == 0 => (AT_ONCE, 200, NEWS),
        "events" => (PATIENCE * 2, 200, ""),
        _ => (AT_ONCE, 200, DONE),
    })
    .await;
    let shards = Shards::new(1).unwrap();
    let mut settings = node.settings();
    settings.media = false;
    let mut caller = crate::start(&shards.next(), settings);
    let last = async {
        while !matches!(
            caller.notice().await.unwrap().kind,
            crate::NoticeKind::PresentationFrame
        ) {}
    };
    tokio::time::timeout(PATIENCE, last).await.unwrap();
    caller.stop(StopReason::Terminated);
    caller.join().await;

    let log = String::from_utf8(LOGGED.lock().unwrap().clone()).unwrap();
    let lines = |word: &str| {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(word)).collect();
        lines
    };
    let weather = lines("weather");
    assert_eq!(weather.len(), 1, "{weather:#?}");
    assert!(weather[0].contains("DEBUG") && weather[0].contains("skipped"));
    // The controls: the count counts, and what is known is not skipped.
    assert_eq!(lines("tides").len(), 2);
    assert_eq!(lines("skipped").len(), 3);
    assert!(!lines("SplashScreen").is_empty() && !lines("that is all").is_empty());
}
