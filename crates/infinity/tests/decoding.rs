//! What comes over the wire, well-formed or not, is understood or refused, and never a panic.

use infinity::{
    Calls, Capacity, Change, Command, Event, EventError, Failure, NewCandidate, Path, PinWanted,
    Profile, ReceptionKind, Refusal, ReleaseToken, Remedy, RequestToken, Response, Update, Version,
};
use serde_json::{Map, Value, json};

fn commands() -> Vec<Command> {
    let candidate = NewCandidate {
        candidate: String::new(),
        mid: "0".into(),
        ufrag: None,
        pwd: None,
    };
    vec![
        Command::RequestToken {
            pin: None,
            body: RequestToken::default(),
        },
        Command::RefreshToken,
        Command::ReleaseToken(ReleaseToken::default()),
        Command::Participants,
        Command::ConferenceStatus,
        Command::MuteGuests,
        Command::Mute("p".into()),
        Command::Change("p".into(), Change::Buzz),
        Command::Calls("p".into(), Calls::offer("v=0".into())),
        Command::NewCandidate("p".into(), "c".into(), candidate),
        Command::Ack("p".into(), "c".into()),
        Command::Update("p".into(), "c".into(), Update { sdp: "v=0".into() }),
        Command::DisconnectCall("p".into(), "c".into()),
    ]
}

/// Names that the API knows, so that nonsense often comes close to sense.
const NAMES: &[&str] = &[
    "token",
    "expires",
    "participant_uuid",
    "version",
    "role",
    "call_uuid",
    "sdp",
    "pin",
    "guest_pin",
    "conference_extension",
    "idp",
    "uuid",
    "is_muted",
    "has_media",
    "spotlight",
    "participants",
    "reason",
    "alias",
    "setting",
    "stun",
    "turn",
    "locked",
    "vad",
    "candidate",
];

const EVENTS: &[&str] = &[
    "participant_sync_begin",
    "participant_sync_end",
    "participant_create",
    "participant_update",
    "participant_delete",
    "conference_update",
    "message_received",
    "message",
    "stage",
    "layout",
    "presentation_start",
    "presentation_stop",
    "presentation_frame",
    "call_disconnected",
    "disconnect",
    "refer",
    "cancel_refer",
    "on_hold",
    "refresh_token",
    "peer_disconnect",
    "new_offer",
    "update_sdp",
    "new_candidate",
    "splash_screen",
    "fecc",
    "live_captions",
    "breakout_begin",
    "breakout_end",
    "breakout_event",
    "breakout_refer",
    "incoming",
    "incoming_cancelled",
    "hello",
    "ping",
    "bye",
    "news",
];

fn random_json(rng: &mut fastrand::Rng, depth: u32) -> Value {
    match rng.u8(..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(..)),
        3 => json!(rng.f64() * 1e300),
        4 => json!(
            [
                "", "YES", "none", "required", "120", "-1", "1e999", "HOST", "\u{0}é"
            ][rng.usize(..9)]
        ),
        5 => json!("x".repeat(rng.usize(..300))),
        6 => (0..rng.usize(..4))
            .map(|_| random_json(rng, depth - 1))
            .collect(),
        _ => {
            let mut fields = Map::new();
            for _ in 0..rng.usize(..8) {
                let name = NAMES[rng.usize(..NAMES.len())].to_owned();
                fields.insert(name, random_json(rng, depth - 1));
            }
            Value::Object(fields)
        }
    }
}

/// Returns JSON, or JSON that was cut or scratched on its way.
fn random_text(rng: &mut fastrand::Rng, json: &Value) -> Vec<u8> {
    let mut text = json.to_string().into_bytes();
    match rng.u8(..6) {
        0 => text.truncate(rng.usize(..=text.len())),
        1 if !text.is_empty() => {
            let at = rng.usize(..text.len());
            text[at] = rng.u8(..);
        }
        _ => {}
    }
    text
}

#[test]
fn anything_in_gives_a_value_or_a_typed_error() {
    let mut rng = fastrand::Rng::with_seed(1);
    let commands = commands();
    let (mut values, mut errors) = (0, 0);
    for _ in 0..20_000 {
        let result = random_json(&mut rng, 3);
        let body = json!({ "status": random_json(&mut rng, 0), "result": result });
        let text = random_text(&mut rng, &body);
        let command = &commands[rng.usize(..commands.len())];
        let code = [200, 200, 200, 401, 403, 403, 404, 415, 500, 503, 529, 999][rng.usize(..12)];
        match command.decode_response(code, &text) {
            Ok(response) => {
                values += 1;
                let _ = response.encode(Profile::V10);
                let _ = response.encode(Profile::Modern);
            }
            Err(failure) => {
                errors += 1;
                let sentence = failure.to_string();
                assert!(!sentence.is_empty() && sentence.len() < 1000, "{sentence}");
                if let Failure::Refused(refusal) = failure {
                    let _ = refusal.remedy();
                    let _ = refusal.encode(Profile::Modern, &Version::default());
                }
            }
        }
        let name = EVENTS[rng.usize(..EVENTS.len())];
        let data = String::from_utf8_lossy(&random_text(&mut rng, &result)).into_owned();
        match Event::decode(name, &data) {
            Ok(event) => {
                let _ = event.encode(Profile::V10);
                let _ = event.encode(Profile::Modern);
            }
            Err(EventError { name: told, .. }) => assert_eq!(told, name),
        }
        let _ = Path::decode(&format!("/api/client/v2/conferences/{data}"));
    }
    // Worlds in which nothing is understood, or nothing refused, would prove nothing.
    assert!(
        values > 1000 && errors > 1000,
        "{values} values, {errors} errors"
    );
}

#[test]
fn an_unknown_event_is_no_error_and_a_malformed_known_one_is_named() {
    let news = Event::decode("news", "not JSON at all");
    assert_eq!(
        news,
        Ok(Event::Unknown {
            name: "news".into()
        })
    );
    let error = Event::decode("participant_delete", "{\"id\":7}").expect_err("no uuid");
    assert_eq!(error.name, "participant_delete");
    assert!(error.to_string().contains("participant_delete"));
}

#[test]
fn an_event_that_carries_nothing_may_come_with_anything_or_nothing() {
    for data in ["", "null", "{}", " ", "[]"] {
        for (name, event) in [
            ("participant_sync_begin", Event::ParticipantSyncBegin),
            ("presentation_stop", Event::PresentationStop),
            ("refresh_token", Event::RefreshToken),
            ("peer_disconnect", Event::PeerDisconnect),
        ] {
            assert_eq!(Event::decode(name, data), Ok(event), "{name} with {data:?}");
        }
    }
    for data in ["", "null", "{}"] {
        assert!(matches!(
            Event::decode("disconnect", data),
            Ok(Event::Disconnect(_))
        ));
        assert_eq!(
            Event::decode("splash_screen", data),
            Ok(Event::SplashScreen(None))
        );
        assert_eq!(Event::decode("stage", data), Ok(Event::Stage(Vec::new())));
    }
}

#[test]
fn a_refusal_is_known_by_its_code_and_its_result_whatever_the_status_says() {
    for status in ["success", "failed", "failure", ""] {
        let decode = |code, result: Value| {
            let body = json!({ "status": status, "result": result }).to_string();
            Refusal::decode(code, body.as_bytes())
        };
        let pin = |host_required, guest_required| PinWanted {
            host_required,
            guest_required,
        };
        assert_eq!(decode(403, json!("Invalid PIN")), Refusal::InvalidPin);
        assert_eq!(decode(403, json!("Invalid token")), Refusal::InvalidToken);
        assert_eq!(
            decode(403, json!({ "pin": "required", "guest_pin": "none" })),
            Refusal::PinWanted(pin(true, false))
        );
        for spelling in ["mSSIP", "mssip"] {
            assert_eq!(
                decode(403, json!({ "conference_extension": spelling })),
                Refusal::VirtualReception {
                    kind: ReceptionKind::Mssip,
                    pin: None
                }
            );
        }
        assert_eq!(
            decode(404, json!("Neither conference nor gateway found")),
            Refusal::NoSuchConference
        );
        for code in [415, 503, 529] {
            assert_eq!(
                decode(code, json!("System in maintenance mode")),
                Refusal::Maintenance
            );
            assert_eq!(
                decode(code, json!("Participant limit reached")),
                Refusal::CapacityReached(Capacity::Participants)
            );
        }
    }
}

#[test]
fn what_is_no_conferencing_node_is_told_apart() {
    assert_eq!(
        Refusal::decode(404, b"<html>Not found</html>"),
        Refusal::NoSuchNode
    );
    assert_eq!(Refusal::decode(404, b""), Refusal::NoSuchNode);
    assert_eq!(Refusal::decode(401, b"{}"), Refusal::BadHttpCredentials);
    assert_eq!(
        Refusal::decode(502, b"<html>Bad gateway</html>"),
        Refusal::Unavailable(502)
    );
    let command = Command::RefreshToken;
    let failure = command
        .decode_response(200, b"<html>Welcome</html>")
        .expect_err("no JSON");
    assert!(matches!(failure, Failure::Malformed(_)));
}

#[test]
fn every_refusal_says_what_is_worth_doing() {
    for (refusal, remedy) in [
        (Refusal::InvalidPin, Remedy::Ask),
        (Refusal::InvalidToken, Remedy::JoinAgain),
        (Refusal::Maintenance, Remedy::NextNode),
        (
            Refusal::CapacityReached(Capacity::Licences),
            Remedy::NextNode,
        ),
        (Refusal::Unavailable(504), Remedy::Retry),
        (Refusal::NoSuchConference, Remedy::GiveUp),
        (Refusal::BadHttpCredentials, Remedy::GiveUp),
    ] {
        assert_eq!(refusal.remedy(), remedy, "{refusal}");
    }
}

#[test]
fn what_a_node_does_not_explain_is_explained_without_its_debris() {
    let body = json!({ "result": format!("no\n\u{7}way {}", "x".repeat(5000)) }).to_string();
    let Refusal::Denied(text) = Refusal::decode(403, body.as_bytes()) else {
        panic!("denied")
    };
    assert!(text.starts_with("noway") && text.len() <= 200, "{text}");
}

#[test]
fn no_secret_is_printed_with_what_holds_it() {
    let secrets = ["t0ken", "0nce", "passw0rd"];
    let body = json!({ "result": {
        "token": secrets[0], "expires": "120", "participant_uuid": "p",
        "turn": [{ "urls": [], "username": "u", "credential": secrets[2] }],
    }});
    let command = Command::RequestToken {
        pin: None,
        body: RequestToken::default(),
    };
    let response = command
        .decode_response(200, body.to_string().as_bytes())
        .expect("a token");
    assert!(matches!(response, Response::TokenGranted(_)));
    let data = json!({ "alias": "a", "token": secrets[1] }).to_string();
    let printed = format!("{response:?} {:?}", Event::decode("refer", &data));
    for secret in secrets {
        assert!(!printed.contains(secret), "{printed}");
    }
    // Nor by the error, when the rest is not what it should be.
    let body = json!({ "result": { "token": secrets[0], "expires": [secrets[0]] } }).to_string();
    let error = command
        .decode_response(200, body.as_bytes())
        .expect_err("no uuid")
        .to_string();
    assert!(!error.contains(secrets[0]), "{error}");
}
