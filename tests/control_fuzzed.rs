//! What is asked of a service and makes no sense is refused, and is no fault of the service: Schemathesis makes requests
//! up from its own description.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Daemon, PracticeNode, turn};

/// The token of the control.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Runs Schemathesis for so many seconds at most. Returns how many requests it made, or what it found.
fn fuzz(description: &Path, address: &str, seconds: u32) -> Result<u64, String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/st");
    let output = Command::new("timeout")
        .args(["--kill-after=5", &(seconds + 120).to_string()])
        .arg(program)
        // It leaves notes where it runs.
        .current_dir(description.parent().unwrap())
        .args(["run", description.to_str().unwrap(), "--url", address])
        .args([
            "--phases",
            "coverage,fuzzing",
            "--checks",
            "not_a_server_error",
        ])
        .args([
            "--max-time",
            &seconds.to_string(),
            "--seed",
            "1",
            "--request-timeout",
            "70",
        ])
        .args(["-H", &format!("Authorization: Bearer {TOKEN}")])
        .args([
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
            "--no-color",
        ])
        .output()
        .expect("Schemathesis runs; `make deps-test` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}");
    let made = text.lines().find_map(|line| {
        let line = line.trim();
        line.split_once(" generated")
            .map(|(count, _)| count.rsplit(' ').next().unwrap_or("").parse())
    });
    match made {
        Some(Ok(made)) if output.status.success() => Ok(made),
        _ => Err(text),
    }
}

/// The description as the service gives it, of a participant that is there and one that is not, without what never
/// ends and what answers 503 on purpose.
fn description(mut whole: Value) -> Value {
    let paths = whole["paths"].as_object_mut().unwrap();
    for left_out in ["/v1/events", "/healthz", "/readyz"] {
        assert!(paths.remove(left_out).is_some(), "{left_out}");
    }
    for path in paths.values_mut() {
        for operation in path.as_object_mut().unwrap().values_mut() {
            if let Some(name) = operation.pointer_mut("/parameters/0/schema") {
                *name = json!({ "enum": ["bea", "nobody"] });
            }
        }
    }
    whole
}

/// Fuzzes a service with a participant that is in its conference.
async fn fuzzed(seconds: u32) {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "meet"]).await;
    let service = format!(
        "[control]\nsocket = \"control.sock\"\nlisten = \"127.0.0.1:0\"\ntoken_file = \"control.token\"\n\
         [participant.bea]\nnode = {:?}\nconference = \"meet\"\nmedia.audio = \"tone\"\n",
        node.http
    );
    let files = [
        ("standin.toml", service),
        ("control.token", TOKEN.to_owned()),
    ];
    let daemon = Daemon::start(&files, &[]).await;
    daemon.until("bea", "in_conference").await;
    let log = daemon.process.log();
    let (_, address) = log.split_once("control address=").expect("the address");
    let address = format!("http://{}", address.split_whitespace().next().unwrap());
    let openapi = daemon.done(&["openapi"]).await;
    let openapi = serde_json::from_str(&openapi.out.join("\n")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("openapi.json");
    std::fs::write(&file, description(openapi).to_string()).unwrap();

    let made = tokio::task::spawn_blocking({
        let address = address.clone();
        move || fuzz(&file, &address, seconds)
    });
    let made = made
        .await
        .unwrap()
        .unwrap_or_else(|found| panic!("{found}"));
    assert!(made > 30, "{made} requests are not enough to say anything");
    // It is still there, and does as it is told.
    daemon.done(&["join", "bea"]).await;
    daemon.until("bea", "in_conference").await;
    assert_eq!(daemon.process.terminated().await.code, Some(0));
}

#[tokio::test]
async fn requests_that_are_made_up_find_no_fault() {
    fuzzed(15).await;
}

#[tokio::test]
#[ignore = "takes ten minutes; `make test-long`"]
async fn requests_that_are_made_up_for_ten_minutes_find_no_fault() {
    fuzzed(600).await;
}

#[tokio::test]
async fn a_service_that_answers_with_a_fault_is_found_out() {
    let _turn = turn().await;
    let router =
        axum::Router::new().fallback(async || axum::http::StatusCode::INTERNAL_SERVER_ERROR);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("openapi.json");
    let responses = json!({ "200": { "description": "It is so." } });
    let description = json!({
        "openapi": "3.1.0", "info": { "title": "A service", "version": "1" },
        "paths": { "/": { "get": { "responses": responses } } },
    });
    std::fs::write(&file, description.to_string()).unwrap();
    let found = tokio::task::spawn_blocking(move || fuzz(&file, &address, 5))
        .await
        .unwrap();
    let found = found.expect_err("the control");
    assert!(found.contains("Server error"), "{found}");
}
