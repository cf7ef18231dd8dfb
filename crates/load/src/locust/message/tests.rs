#![allow(clippy::unwrap_used)]

use super::*;

/// What a master of Locust 2.47.0 sent to a worker of ours in one test, byte by byte.
const RECORDED: [(&str, &[u8]); 7] = [
    ("ack", include_bytes!("../fixtures/ack.msgpack")),
    ("heartbeat", include_bytes!("../fixtures/heartbeat.msgpack")),
    ("quit", include_bytes!("../fixtures/quit.msgpack")),
    ("reconnect", include_bytes!("../fixtures/reconnect.msgpack")),
    ("spawn", include_bytes!("../fixtures/spawn.msgpack")),
    (
        "spawning_complete",
        include_bytes!("../fixtures/spawning_complete.msgpack"),
    ),
    ("stop", include_bytes!("../fixtures/stop.msgpack")),
];

fn recorded(name: &str) -> FromMaster {
    let (_, bytes) = RECORDED.iter().find(|(known, _)| *known == name).unwrap();
    FromMaster::decode(bytes).unwrap()
}

/// Returns a message with these data, as msgpack.
fn said(kind: &str, data: impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(&(kind, data, "worker_1")).unwrap()
}

#[test]
fn what_a_real_master_said_is_understood() {
    assert_eq!(recorded("ack"), FromMaster::Ack { index: Some(0) });
    assert_eq!(recorded("heartbeat"), FromMaster::Heartbeat);
    assert_eq!(recorded("quit"), FromMaster::Quit);
    assert_eq!(recorded("reconnect"), FromMaster::Reconnect);
    assert_eq!(recorded("stop"), FromMaster::Stop);
    assert_eq!(recorded("spawning_complete"), FromMaster::SpawningComplete);
    let FromMaster::Spawn(spawn) = recorded("spawn") else {
        panic!("it tells to spawn");
    };
    let counts = [("Churner", 1), ("Listener", 3), ("Talker", 1)];
    let counts = counts.map(|(class, count)| (class.to_owned(), count));
    assert_eq!(spawn.user_classes_count, Counts::from(counts));
    assert_eq!(spawn.run_time(), Some(Duration::from_secs(4)));
    assert!(spawn.timestamp > 1.7e9, "{}", spawn.timestamp);
}

#[test]
fn what_matters_little_may_have_any_form() {
    #[derive(Serialize)]
    struct Said<O> {
        timestamp: u32,
        user_classes_count: Counts,
        parsed_options: O,
    }
    fn spawn(parsed_options: impl Serialize) -> Spawn {
        let counts = Counts::from([("Talker".to_owned(), 2)]);
        let said = said(
            "spawn",
            Said {
                timestamp: 7,
                user_classes_count: counts,
                parsed_options,
            },
        );
        match FromMaster::decode(&said) {
            Ok(FromMaster::Spawn(spawn)) => spawn,
            other => panic!("{other:?}"),
        }
    }
    let run_time = |text: &str| Counts::from([(text.to_owned(), 60)]);
    assert_eq!(
        spawn(run_time("run_time")).run_time().unwrap().as_secs(),
        60
    );
    assert_eq!(spawn(run_time("other")).run_time(), None);
    assert_eq!(spawn("nothing of the kind").run_time(), None);
    assert_eq!(spawn(()).run_time(), None);
    let late = std::collections::BTreeMap::from([("run_time", "1h")]);
    assert_eq!(spawn(late).run_time(), None);
    let endless = std::collections::BTreeMap::from([("run_time", f64::INFINITY)]);
    assert_eq!(spawn(endless).run_time(), None);

    let old = FromMaster::decode(&said("ack", ())).unwrap();
    assert_eq!(old, FromMaster::Ack { index: None });
    let custom = FromMaster::decode(&said("my_message", [1, 2])).unwrap();
    assert_eq!(custom, FromMaster::Other("my_message".to_owned()));
}

#[test]
fn what_is_no_message_is_an_error() {
    let negative = std::collections::BTreeMap::from([("Talker", -1)]);
    for bytes in [
        vec![],
        vec![0xc1],
        vec![0x93],
        said("spawn", ()),
        said("spawn", negative),
        rmp_serde::to_vec(&("stop",)).unwrap(),
        // An array that says it has four thousand million members.
        vec![0xdd, 0xff, 0xff, 0xff, 0xff],
        // Arrays in arrays, deeper than any stack.
        [vec![0x93, 0xa1, b'x'], vec![0x91; 100_000]].concat(),
    ] {
        let start = &bytes[..bytes.len().min(20)];
        assert!(FromMaster::decode(&bytes).is_err(), "{start:02x?}");
    }
}

#[test]
fn whatever_comes_nothing_panics() {
    let mut random = fastrand::Rng::with_seed(4);
    for round in 0..40_000 {
        let (_, recorded) = RECORDED[round % RECORDED.len()];
        let mut bytes = recorded.to_vec();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        bytes.truncate(random.usize(..=bytes.len()));
        let _ = FromMaster::decode(&bytes);
        let noise: Vec<u8> = (0..random.usize(..60)).map(|_| random.u8(..)).collect();
        let _ = FromMaster::decode(&noise);
    }
}

#[test]
fn what_a_worker_says_has_locusts_form() {
    let said = |message: &ToMaster| message.encode("worker_1").unwrap();
    // As msgpack of Python writes ("client_ready", -1, "worker_1").
    assert_eq!(
        said(&ToMaster::ClientReady),
        b"\x93\xacclient_ready\xff\xa8worker_1"
    );
    assert_eq!(said(&ToMaster::Quit), b"\x93\xa4quit\xc0\xa8worker_1");
    let counts = Counts::from([("Talker".to_owned(), 2)]);
    assert_eq!(
        said(&ToMaster::SpawningComplete(counts)),
        b"\x93\xb1spawning_complete\x82\xb2user_classes_count\x81\xa6Talker\x02\xaauser_count\x02\
          \xa8worker_1"
    );
    let heartbeat = Heartbeat {
        state: "running",
        current_cpu_usage: 1.5,
        current_memory_usage: 7,
    };
    assert_eq!(
        said(&ToMaster::Heartbeat(heartbeat)),
        b"\x93\xa9heartbeat\x83\xa5state\xa7running\xb1current_cpu_usage\xcb\x3f\xf8\0\0\0\0\0\0\
          \xb4current_memory_usage\x07\xa8worker_1"
    );
}
