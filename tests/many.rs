//! Many participants in one service: apart from each other, under an operator's control, read again while they run.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Daemon, Observer, PracticeNode, Process, SOON, SPEECH, material, plain_http, turn, wait_for,
};

/// The file of a service of many.
fn service(more: &str) -> (&'static str, String) {
    let text = format!(
        "participants = \"participants.d/*.toml\"\n{more}\n[control]\nsocket = \"control.sock\"\n"
    );
    ("standin.toml", text)
}

/// The file of a participant.
fn participant(node: &PracticeNode, conference: &str, name: &str, more: &str) -> String {
    format!(
        "node = {:?}\nconference = {conference:?}\nname = {name:?}\n{more}\n[media]\naudio = {:?}\n",
        node.http,
        material(SPEECH)
    )
}

/// Returns the row of the participant of this name.
async fn row(observer: &Observer, name: &str) -> Option<Value> {
    let rows = observer.others().await;
    rows.into_iter().find(|row| row["display_name"] == name)
}

/// Waits until the roster shows of `name` what is wanted.
async fn until_row(observer: &Observer, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait_for(&format!("a row of {name}"), SOON, async || {
        row(observer, name).await.filter(|row| wanted(row))
    })
    .await
}

#[tokio::test]
async fn a_wrong_pin_and_a_reload_concern_nobody_else() {
    const PIN: &str = "987650";
    let _turn = turn().await;
    let conferences = [
        "--conference",
        "meet",
        "--conference",
        "board,pin=4711,guest_pin=4712",
    ];
    let node = PracticeNode::start(&conferences).await;
    let observer = Observer::join(&node, "meet", None).await;
    let files = [
        service(""),
        (
            "participants.d/bea.toml",
            participant(&node, "meet", "Bea", ""),
        ),
        (
            "participants.d/cat.toml",
            participant(&node, "meet", "Cat", ""),
        ),
        (
            "participants.d/pia.toml",
            participant(&node, "board", "Pia", "pin_file = \"../pia.pin\""),
        ),
        ("pia.pin", PIN.to_owned()),
    ];
    let daemon = Daemon::start(&files, &[]).await;

    let bea = daemon.until("bea", "in_conference").await;
    daemon.until("cat", "in_conference").await;
    let pia = daemon.until("pia", "pin_wanted").await;
    assert_eq!(pia["reason"], "pin_wrong", "{pia}");
    observer.until_others(2).await;

    // One file changes, and its participant alone.
    daemon.write(
        "participants.d/cat.toml",
        &participant(&node, "meet", "Tom", ""),
    );
    daemon.process.signal("HUP").await;
    until_row(&observer, "Tom", |_| true).await;
    let tom = daemon.until("cat", "in_conference").await;
    assert_eq!(row(&observer, "Cat").await, None);
    assert_eq!(
        until_row(&observer, "Bea", |_| true).await["uuid"],
        bea["participant_uuid"]
    );

    // A bad file changes nothing, the good one beside it included, and the log has its line.
    daemon.write(
        "participants.d/bea.toml",
        &participant(&node, "meet", "Bee", ""),
    );
    daemon.write(
        "participants.d/cat.toml",
        "node = \"n\"\nconferense = \"meet\"\n",
    );
    daemon.process.signal("HUP").await;
    wait_for("what is wrong in the log", SOON, async || {
        daemon
            .process
            .log()
            .contains("cat.toml:2: `conferense`")
            .then_some(())
    })
    .await;
    assert_eq!(
        daemon.status("bea").await["participant_uuid"],
        bea["participant_uuid"]
    );
    assert_eq!(
        daemon.status("cat").await["participant_uuid"],
        tom["participant_uuid"]
    );

    // One file goes, another comes, and a right PIN helps whoever wanted it.
    std::fs::remove_file(daemon.directory.path().join("participants.d/cat.toml")).unwrap();
    daemon.write(
        "participants.d/bea.toml",
        &participant(&node, "meet", "Bea", ""),
    );
    daemon.write(
        "participants.d/dan.toml",
        &participant(&node, "meet", "Dan", ""),
    );
    daemon.write("pia.pin", "4712");
    daemon.process.signal("HUP").await;
    until_row(&observer, "Dan", |_| true).await;
    wait_for("Pia at the door of the board", SOON, async || {
        (daemon.status("pia").await["state"] != "pin_wanted").then_some(())
    })
    .await;
    assert_eq!(
        daemon.status("bea").await["participant_uuid"],
        bea["participant_uuid"]
    );
    assert!(daemon.status("cat").await["error"].is_string());

    let ended = daemon.process.terminated().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let of_bea = "participant{name=bea}:caller{conference=meet}";
    assert!(ended.err.contains(of_bea), "whose line is it?");
    assert!(!ended.err.contains(PIN), "a PIN is in the log");
    assert!(!ended.err.contains("pin: 4712"), "a PIN is in the log");
    observer.expect_alone().await;
}

#[tokio::test]
async fn what_the_operator_says_is_seen_by_others() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let _turn = turn().await;
    let node = PracticeNode::start(&[]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let (name, text) = service("");
    let files = [
        (
            name,
            text + "listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n",
        ),
        (
            "participants.d/bea.toml",
            participant(&node, "meet", "Bea", ""),
        ),
        ("token", TOKEN.to_owned()),
    ];
    let daemon = Daemon::start(&files, &[]).await;
    daemon.until("bea", "in_conference").await;

    let mode = std::fs::metadata(daemon.socket())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660, "{mode:o}");
    let socket = daemon.socket();
    let mut events = Process::start(&["ctl", "--socket", socket.to_str().unwrap(), "events"]);

    daemon.done(&["mute", "bea"]).await;
    until_row(&observer, "Bea", |row| row["is_muted"] == "YES").await;
    daemon.done(&["unmute", "bea"]).await;
    until_row(&observer, "Bea", |row| row["is_muted"] == "NO").await;
    daemon.done(&["api", "bea", "participants/me/buzz"]).await;
    until_row(&observer, "Bea", |row| {
        row["buzz_time"].as_f64().is_some_and(|since| since > 0.0)
    })
    .await;
    daemon.done(&["dtmf", "bea", "123#"]).await;
    let listen = [
        "api",
        "events",
        "--node",
        &node.http,
        "--conference",
        "meet",
        "--json",
    ];
    let once = ["--only", "message_received", "--count", "1"];
    let reader = Process::start(&[&listen[..], &once].concat());
    observer.until_others(2).await;
    wait_for("the message", SOON, async || {
        daemon.done(&["message", "bea", "Good morning"]).await;
        let lines = reader.lines();
        lines
            .iter()
            .any(|line| line.contains("Good morning"))
            .then_some(())
    })
    .await;
    assert_eq!(reader.ended(SOON).await.code, Some(0));

    // What makes no sense is said, and does nothing.
    let empty = daemon.ctl(&["message", "bea", " "]).await;
    empty.expect_one_line(2, "the message is empty");
    let wrong = daemon.ctl(&["dtmf", "bea", "12x"]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:#?}");
    let wrong = daemon.ctl(&["api", "bea", "request_token"]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:#?}");
    let unknown = daemon.ctl(&["leave", "nobody"]).await;
    unknown.expect_one_line(1, "no participant is called \"nobody\"");

    daemon.done(&["leave", "bea"]).await;
    wait_for("Bea's leave", SOON, async || {
        row(&observer, "Bea").await.is_none().then_some(())
    })
    .await;
    let out = daemon.status("bea").await;
    assert_eq!(
        (&out["state"], &out["reason"]),
        (&json!("stopped"), &json!("operator"))
    );
    let muted = daemon.ctl(&["mute", "bea"]).await;
    assert_eq!(muted.code, Some(1), "{muted:#?}");
    daemon.done(&["join", "bea"]).await;
    let before = daemon.until("bea", "in_conference").await["participant_uuid"].clone();
    daemon.done(&["restart", "bea"]).await;
    let is_other = |row: &Value| row["uuid"] != before;
    until_row(&observer, "Bea", is_other).await;
    let standing = |state: &'static str| {
        move |line: &Value| {
            (line["event"] == "standing" && line["state"] == state && line["participant"] == "bea")
                .then_some(())
        }
    };
    events
        .until("its leave among the events", SOON, standing("stopped"))
        .await;
    events
        .until(
            "its return among the events",
            SOON,
            standing("in_conference"),
        )
        .await;

    by_tcp(&daemon, TOKEN).await;
    let ended = daemon.process.terminated().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!ended.err.contains(TOKEN), "the token is in the log");
}

/// What is asked by TCP wants the token, but for the probes; and all that is described is answered.
async fn by_tcp(daemon: &Daemon, token: &str) {
    let address = daemon.process.log();
    let address = address
        .lines()
        .find_map(|line| line.split_once("control address="));
    let (_, address) = address.unwrap();
    let address = address.trim();
    let denied = daemon.ctl(&["--listen", address, "list"]).await;
    denied.expect_one_line(1, "--token-file");
    let base = format!("http://{address}");
    let client = plain_http();
    let get = |path: &str, token: Option<&str>| {
        let request = client.get(format!("{base}{path}"));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        async move { request.send().await.unwrap() }
    };
    for wrong in [None, Some("0123456789abcdef0123456789abcdee")] {
        for path in ["/v1/participants", "/metrics", "/openapi.json", "/nothing"] {
            assert_eq!(get(path, wrong).await.status(), 401, "{path}");
        }
    }
    wait_for("readiness", SOON, async || {
        (get("/readyz", None).await.status() == 200).then_some(())
    })
    .await;
    assert_eq!(get("/healthz", None).await.status(), 200);
    assert_eq!(get("/nothing", Some(token)).await.status(), 404);

    let description: Value = get("/openapi.json", Some(token))
        .await
        .json()
        .await
        .unwrap();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 15, "{paths:?}");
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let url = format!("{base}{}", path.replace("{name}", "nobody"));
            let method = method.to_uppercase().parse().unwrap();
            let answer = client
                .request(method, url)
                .bearer_auth(token)
                .send()
                .await
                .unwrap();
            let status = answer.status();
            assert_ne!(status, 405, "{path}");
            if status == 404 {
                // There is nobody of that name; but there is the route.
                let said: Value = answer.json().await.unwrap();
                let error = said["error"].as_str().unwrap();
                assert!(error.contains("\"nobody\""), "{path}: {error}");
            }
        }
    }
    let mut schema = description["components"]["schemas"]["Status"].clone();
    schema["components"] = description["components"].clone();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let all: Value = get("/v1/participants", Some(token))
        .await
        .json()
        .await
        .unwrap();
    assert!(schema.is_valid(&all[0]), "{all}");
    assert!(!schema.is_valid(&json!({ "name": "bea", "state": "fine" })));

    let metrics = wait_for("bit rates", SOON, async || {
        let text = get("/metrics", Some(token)).await.text().await.unwrap();
        text.contains("standin_participant_bit_rate_bits_per_second{")
            .then_some(text)
    })
    .await;
    for line in [
        "# TYPE standin_participant_state gauge",
        "standin_participant_state{participant=\"bea\",state=\"in_conference\"} 1",
        "standin_participant_state{participant=\"bea\",state=\"stopped\"} 0",
        "standin_participant_restarts_total{participant=\"bea\",reason=\"operator\"} 2",
        "standin_participant_join_seconds{participant=\"bea\",step=\"token\"}",
        "standin_participant_packets{participant=\"bea\",kind=\"audio\",direction=\"out\"}",
        "standin_participant_audio_level_dbov{participant=\"bea\"}",
        "standin_participant_freezes_total{participant=\"bea\"}",
        "standin_participant_frozen{participant=\"bea\"}",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for file in ["alerts.yml", "grafana.json"] {
        let path = material("../../config/prometheus").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let names: BTreeSet<&str> = text
            .split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
            .filter(|word| word.starts_with("standin_participant_"))
            .collect();
        assert!(names.len() > 4, "{file}: {names:?}");
        for name in names {
            let is_there = |name: &str| metrics.contains(&format!("\n{name}{{"));
            assert!(is_there(name), "{file}: {name}");
            assert!(!is_there(&format!("{name}_by_heart")), "the control");
        }
    }
}

#[tokio::test]
async fn they_take_their_leave_and_come_back_by_rule() {
    let _turn = turn().await;
    let conferences = ["--conference", "meet", "--conference", "hall"];
    let node = PracticeNode::start(&conferences).await;
    let host = Observer::join(&node, "meet", None).await;
    let quiet = "[media]\nenabled = false\n";
    let seat = |conference: &str, name: &str, more: &str| {
        let node = &node.http;
        format!("node = {node:?}\nconference = {conference:?}\nname = {name:?}\n{quiet}{more}\n")
    };
    let files = [
        service(""),
        (
            "participants.d/alone.toml",
            seat("hall", "Alone", "[leave]\nalone_seconds = 1"),
        ),
        (
            "participants.d/short.toml",
            seat("meet", "Short", "[leave]\nlongest_seconds = 1"),
        ),
        (
            "participants.d/back.toml",
            seat("meet", "Back", "[rejoin]\nafter_removal_seconds = 1"),
        ),
        (
            "participants.d/gone.toml",
            seat("meet", "Gone", "[leave]\nalone_seconds = 1"),
        ),
    ];
    let daemon = Daemon::start(&files, &[]).await;

    let alone = daemon.until("alone", "stopped").await;
    assert_eq!(alone["reason"], "alone", "{alone}");
    let short = daemon.until("short", "stopped").await;
    assert_eq!(short["reason"], "long_enough", "{short}");
    // In company one stays.
    let gone = daemon.until("gone", "in_conference").await["participant_uuid"].clone();
    let back = daemon.until("back", "in_conference").await["participant_uuid"].clone();

    for uuid in [&gone, &back] {
        let uuid = uuid.as_str().unwrap();
        host.command(&format!("participants/{uuid}/disconnect"))
            .await;
    }
    let gone = daemon.until("gone", "removed").await;
    assert_eq!(gone["reason"], "removed_by_host", "{gone}");
    until_row(&host, "Back", |row| row["uuid"] != back).await;
    assert_eq!(row(&host, "Gone").await, None);
    let ended = daemon.process.terminated().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[tokio::test]
async fn systemd_is_told_the_truth() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[]).await;
    let address = node.http_address();
    node.killed().await;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_nonblocking(true).unwrap();
    let told = || {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    };
    let until = async |text: &str| {
        wait_for(text, SOON, async || {
            told().filter(|told| told.contains(text))
        })
        .await
    };
    let one = format!("node = \"http://{address}\"\nconference = \"meet\"\n");
    let files = [(
        "standin.toml",
        format!(
            "ready = \"in_conference\"\n[control]\nsocket = \"control.sock\"\n[participant.bea]\n{one}"
        ),
    )];
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "1000000"),
    ];
    let daemon = Daemon::start(&files, &variables).await;

    // The node is away: that is no reason to let the watchdog starve, nor to call it ready.
    until("EXTEND_TIMEOUT_USEC=").await;
    for _ in 0..3 {
        let alive = until("1").await;
        assert!(!alive.contains("READY=1"), "{alive}");
    }
    until("WATCHDOG=1").await;
    let _node =
        PracticeNode::start_at(&address, "127.0.0.1:0", &["--media-address", "127.0.0.1"]).await;
    daemon.until("bea", "in_conference").await;
    let status = until("STATUS=in conference").await;
    assert!(status.contains("next: it stays"), "{status}");
    until("READY=1").await;
    daemon.process.signal("HUP").await;
    until("RELOADING=1").await;
    until("READY=1").await;
    daemon.process.signal("TERM").await;
    until("STOPPING=1").await;
    let ended = daemon.process.ended(Duration::from_secs(20)).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}
