//! Every fixture, changed for the worse: whatever comes in yields a value or a typed error.

use std::{fs, path::Path};

use infinity::{Command, Event, Failure, Profile, Refusal, Token};
use serde_json::Value;

/// What stands where something else was expected; JSON as text, since some of it has no value.
const HOSTILE: [&str; 24] = [
    "null",
    "true",
    "-1",
    "1e308",
    "1e999",
    "-0.0",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "0.30000000000000004",
    "\"\"",
    "\"NaN\"",
    "\"Infinity\"",
    "\"-1e400\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\"",
    "\"\u{202e}\u{1f600}\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "{\"a\":{\"a\":{\"a\":null}}}",
    "NaN",
    "'x'",
    "",
];

/// Returns the fixtures of a kind: the name before its ending, and the text.
fn fixtures(kind: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(kind);
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| {
            let path = entry.expect("a fixture").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let stem = stem.expect("a name").to_owned();
            (stem, fs::read_to_string(&path).expect("text"))
        })
        .collect();
    fixtures.sort();
    fixtures
}

/// Returns the name of the event that a fixture is of.
fn event_of(stem: &str) -> &str {
    ["_v10", "_modern", "_lenient", "_direct", "_off"]
        .iter()
        .fold(stem, |name, ending| {
            name.strip_suffix(ending).unwrap_or(name)
        })
}

/// Returns how many values there are in a value, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// Writes a value with the one numbered `at` replaced by `text`.
fn with_replaced(value: &Value, at: &mut usize, text: &str, out: &mut String) {
    let is_it = *at == 0;
    *at = at.wrapping_sub(1);
    if is_it {
        out.push_str(text);
        return;
    }
    match value {
        Value::Array(list) => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                with_replaced(value, at, text, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                with_replaced(value, at, text, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// Returns every text that comes of one value being replaced, one after the other.
fn mutations(text: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return vec![text.to_owned()];
    };
    let mut mutations = Vec::new();
    for at in 0..size(&value) {
        for hostile in HOSTILE {
            let (mut left, mut out) = (at, String::new());
            with_replaced(&value, &mut left, hostile, &mut out);
            mutations.push(out);
        }
    }
    mutations
}

/// Returns requests whose answers have a shape of their own.
fn commands() -> [Command; 8] {
    let (participant, call) = ("p".into(), "c".into());
    [
        Command::RequestToken {
            pin: None,
            body: infinity::RequestToken::default(),
        },
        Command::RefreshToken,
        Command::Participants,
        Command::ConferenceStatus,
        Command::Lock,
        Command::Ack(participant, call),
        Command::Calls("p".into(), infinity::Calls::offer("v=0".into())),
        Command::Update(
            "p".into(),
            "c".into(),
            infinity::Update { sdp: "v=0".into() },
        ),
    ]
}

fn read_answer(command: &Command, code: u16, body: &str) -> bool {
    match command.decode_response(code, body.as_bytes()) {
        Ok(response) => {
            let _ = response.encode(Profile::V10);
            let _ = response.encode(Profile::Modern);
            true
        }
        Err(failure) => {
            let sentence = failure.to_string();
            assert!(!sentence.is_empty() && sentence.len() < 1000, "{sentence}");
            if let Failure::Refused(refusal) = failure {
                let _ = refusal.remedy();
            }
            false
        }
    }
}

#[test]
fn no_answer_with_a_value_out_of_place_panics() {
    let (mut values, mut errors) = (0, 0);
    let commands = commands();
    for (stem, text) in fixtures("response") {
        let code = stem.split('_').next().and_then(|code| code.parse().ok());
        for body in mutations(&text) {
            for command in &commands {
                if read_answer(command, code.unwrap_or(200), &body) {
                    values += 1;
                } else {
                    errors += 1;
                }
            }
        }
    }
    assert!(values > 1000 && errors > 1000, "{values}, {errors}");
}

#[test]
fn no_event_with_a_value_out_of_place_panics_and_the_error_names_it() {
    let (mut values, mut errors) = (0, 0);
    for (stem, text) in fixtures("event") {
        let name = event_of(&stem);
        for data in mutations(&text) {
            match Event::decode(name, &data) {
                Ok(event) => {
                    values += 1;
                    let _ = event.encode(Profile::V10);
                    let _ = event.encode(Profile::Modern);
                }
                Err(error) => {
                    errors += 1;
                    assert_eq!(error.name, name);
                }
            }
        }
    }
    assert!(values > 1000 && errors > 200, "{values}, {errors}");
}

#[test]
fn what_is_nested_without_end_is_an_error_and_no_overflow_of_the_stack() {
    let deep = |open: &str, close: &str| {
        let depth = 200_000;
        [open.repeat(depth), "1".into(), close.repeat(depth)].concat()
    };
    for text in [deep("[", "]"), deep("{\"result\":", "}"), deep("[", "")] {
        for command in commands() {
            for code in [200, 403, 404] {
                assert!(!read_answer(&command, code, &text) || code == 200);
            }
        }
        for (stem, _) in fixtures("event") {
            let _ = Event::decode(event_of(&stem), &text);
        }
        let _ = Refusal::decode(403, text.as_bytes());
    }
}

#[test]
fn a_lone_surrogate_is_no_text() {
    let data = r#"{"uuid":"\ud800"}"#;
    let error = Event::decode("participant_delete", data).expect_err("half a character");
    assert_eq!(error.name, "participant_delete");
    // The control: both halves make one.
    let whole = Event::decode("participant_delete", r#"{"uuid":"\ud83d\ude00"}"#);
    assert_eq!(whole, Ok(Event::ParticipantDelete("\u{1f600}".into())));
}

#[test]
fn a_token_is_carried_as_it_came() {
    for token in ["a%3D", "a=b", "\u{fc}", &"x".repeat(10_000)] {
        let data = serde_json::json!({ "alias": "meet", "token": token }).to_string();
        let Ok(Event::Refer(refer)) = Event::decode("refer", &data) else {
            panic!("a referral with {token:?}");
        };
        assert_eq!(refer.token, Some(Token::new(token)));
    }
}
