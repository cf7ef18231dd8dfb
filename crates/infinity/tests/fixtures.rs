//! Every fixture is read, and written again wherever we are the ones to write it.

use std::{collections::BTreeSet, fs, path::Path as FilePath};

use infinity::{
    Calls, Command, Dial, DialRole, Dtmf, Event, MessageText, NewCandidate, OverlayText, Profile,
    Refusal, ReleaseToken, RequestToken, RoleChange, Statistics, Transfer, Update, Version,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Returns the fixtures of a kind: name, ending, text.
fn fixtures(kind: &str) -> Vec<(String, Ending, String)> {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(kind);
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| {
            let path = entry.expect("a fixture").path();
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .expect("a name")
                .to_owned();
            let text = fs::read_to_string(&path).expect("a fixture's text");
            let (name, ending) = Ending::split(&stem);
            (name.to_owned(), ending, text)
        })
        .collect();
    fixtures.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(
        fixtures.len() > 10,
        "only {} fixtures of {kind}",
        fixtures.len()
    );
    fixtures
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Both,
    V10,
    Modern,
    Lenient,
}

impl Ending {
    fn split(stem: &str) -> (&str, Self) {
        for (ending, text) in [
            (Self::V10, "_v10"),
            (Self::Modern, "_modern"),
            (Self::Lenient, "_lenient"),
        ] {
            if let Some(name) = stem.strip_suffix(text) {
                return (name, ending);
            }
        }
        (stem, Self::Both)
    }

    /// Returns the profiles that write such a fixture.
    fn profiles(self) -> &'static [Profile] {
        match self {
            Self::Both => &[Profile::V10, Profile::Modern],
            Self::V10 => &[Profile::V10],
            Self::Modern => &[Profile::Modern],
            Self::Lenient => &[],
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture is JSON")
}

fn version(profile: Profile) -> Version {
    let (version_id, pseudo_version) = match profile {
        Profile::V10 => ("10", "25010.0.0"),
        Profile::Modern => ("39", "77524.0.0"),
    };
    Version {
        version_id: version_id.into(),
        pseudo_version: pseudo_version.into(),
    }
}

#[test]
fn requests() {
    fn round<T: Serialize + DeserializeOwned>(name: &str, text: &str) {
        let value: T = serde_json::from_str(text).expect(name);
        // The web client's own requests have fields that we neither use nor send.
        if !name.contains("web_client") {
            assert_eq!(
                serde_json::to_value(&value).expect(name),
                json(text),
                "{name}"
            );
        }
    }
    for (name, _, text) in fixtures("request") {
        match name.as_str() {
            _ if name.starts_with("request_token") => round::<RequestToken>(&name, &text),
            "release_token" => round::<ReleaseToken>(&name, &text),
            _ if name.starts_with("calls") => round::<Calls>(&name, &text),
            _ if name.starts_with("new_candidate") => round::<NewCandidate>(&name, &text),
            "dial" => round::<Dial>(&name, &text),
            "update" => round::<Update>(&name, &text),
            "dtmf" => round::<Dtmf>(&name, &text),
            _ if name.starts_with("transfer") => round::<Transfer>(&name, &text),
            _ if name.starts_with("statistics") => round::<Statistics>(&name, &text),
            "role" => round::<RoleChange>(&name, &text),
            "overlaytext" => round::<OverlayText>(&name, &text),
            "message" => round::<MessageText>(&name, &text),
            _ => panic!("{name}: no type for this fixture"),
        }
    }
}

#[test]
fn what_the_web_client_does_not_have_is_absent() {
    let (_, _, text) = fixtures("request")
        .into_iter()
        .find(|(name, ..)| name == "request_token_web_client")
        .expect("the fixture");
    let request: RequestToken = serde_json::from_str(&text).expect("a request");
    assert_eq!(request.display_name, "Zoë");
    assert_eq!(
        (request.chosen_idp, request.conference_extension),
        (None, None)
    );
    assert_eq!(request.direct_media, Some(false));
}

/// Returns the request that such a response answers.
fn command_for(name: &str) -> Option<Command> {
    let p = infinity::ParticipantUuid::from("p");
    let c = infinity::CallUuid::from("c");
    let candidate = NewCandidate {
        candidate: String::new(),
        mid: "0".into(),
        ufrag: None,
        pwd: None,
    };
    Some(match name {
        "request_token" => Command::RequestToken {
            pin: None,
            body: RequestToken::default(),
        },
        "refresh_token" => Command::RefreshToken,
        "release_token" | "release_token_empty" => Command::ReleaseToken(ReleaseToken::default()),
        "participants" => Command::Participants,
        "dial" => Command::Dial(Dial {
            role: DialRole::Guest,
            destination: "bea@example.com".into(),
            protocol: infinity::Protocol::Sip,
            presentation_url: None,
            streaming: false,
        }),
        "conference_status" => Command::ConferenceStatus,
        "calls" | "calls_turn" | "calls_direct_media" => {
            Command::Calls(p, Calls::offer("v=0".into()))
        }
        "calls_rtmp" => Command::Calls(p, Calls::stream()),
        "statistics" => Command::Statistics(p, c, Box::default()),
        "dtmf" => Command::CallDtmf(
            p,
            c,
            Dtmf {
                digits: "1".parse().expect("a key"),
            },
        ),
        "transfer" => Command::Transfer(
            p,
            Transfer {
                role: infinity::Role::Guest,
                conference_alias: "board".parse().expect("an alias"),
                pin: None,
            },
        ),
        "new_candidate" => Command::NewCandidate(p, c, candidate),
        "take_floor" => Command::TakeFloor(p),
        "ack" | "ack_empty" => Command::Ack(p, c),
        "update" => Command::Update(p, c, Update { sdp: "v=0".into() }),
        "call_disconnect" => Command::DisconnectCall(p, c),
        "done" | "not_done" => Command::Mute(p),
        _ => return None,
    })
}

#[test]
fn responses() {
    for (name, ending, text) in fixtures("response") {
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let command = command_for(&name).unwrap_or_else(|| panic!("{name}: no request for it"));
        let response = command
            .decode_response(200, text.as_bytes())
            .unwrap_or_else(|failure| panic!("{name} {ending:?}: {failure}"));
        if name.ends_with("_empty") {
            // Understood, never sent.
            continue;
        }
        for profile in ending.profiles() {
            let reply = response.encode(*profile);
            assert_eq!(reply.code, 200);
            assert_eq!(json(&reply.body), json(&text), "{name} {profile:?}");
        }
    }
}

#[test]
fn refusals() {
    let mut kinds = BTreeSet::new();
    for (name, ending, text) in fixtures("response") {
        let Some(code) = name.get(..3).and_then(|code| code.parse().ok()) else {
            continue;
        };
        let refusal = Refusal::decode(code, text.as_bytes());
        for profile in ending.profiles() {
            let reply = refusal.encode(*profile, &version(*profile));
            assert_eq!(reply.code, code, "{name}");
            assert_eq!(json(&reply.body), json(&text), "{name} {profile:?}");
        }
        // A sentence that says what to do, and no debris of formatting in it.
        let sentence = refusal.to_string();
        assert!(
            sentence.len() > 20 && !sentence.contains("  "),
            "{name}: {sentence}"
        );
        kinds.insert(
            format!("{refusal:?}")
                .split(['(', ' '])
                .next()
                .map(str::to_owned),
        );
    }
    assert!(
        kinds.len() >= 14,
        "fixtures for {} kinds of refusal: {kinds:?}",
        kinds.len()
    );
}

#[test]
fn events() {
    let mut names = BTreeSet::new();
    for (file, ending, text) in fixtures("event") {
        let name = ["_off", "_direct"]
            .iter()
            .find_map(|ending| file.strip_suffix(ending))
            .unwrap_or(&file);
        let event = Event::decode(name, &text).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(!matches!(event, Event::Unknown { .. }), "{file}");
        for profile in ending.profiles() {
            let written = event
                .encode(*profile)
                .unwrap_or_else(|| panic!("{file} {profile:?}"));
            assert_eq!(written.name, name);
            assert_eq!(json(&written.data), json(&text), "{file} {profile:?}");
            assert!(!written.data.is_empty(), "{file}");
        }
        if ending == Ending::Modern && name != "message_received" {
            let other = event.encode(Profile::V10);
            assert!(
                other.is_none_or(|other| json(&other.data) != json(&text)),
                "{file}"
            );
        }
        names.insert(name.to_owned());
    }
    // The thirteen of version 10.
    for name in [
        "presentation_start",
        "presentation_stop",
        "presentation_frame",
        "participant_create",
        "participant_update",
        "participant_delete",
        "participant_sync_begin",
        "participant_sync_end",
        "conference_update",
        "message",
        "stage",
        "call_disconnected",
        "disconnect",
    ] {
        assert!(names.contains(name), "no fixture for {name}");
    }
}

#[test]
fn a_fixture_that_is_spoilt_is_noticed() {
    let (_, _, text) = fixtures("response")
        .into_iter()
        .find(|(name, ending, _)| name == "request_token" && *ending == Ending::Modern)
        .expect("the fixture");
    let command = command_for("request_token").expect("the request");
    let spoilt = text.replace("\"token\":", "\"tokeN\":");
    assert!(command.decode_response(200, spoilt.as_bytes()).is_err());
    let response = command
        .decode_response(200, text.as_bytes())
        .expect("unspoilt");
    let reply = response.encode(Profile::Modern);
    assert_ne!(
        json(&reply.body),
        json(&text.replace("\"120\"", "120")),
        "expires is a text"
    );
}
