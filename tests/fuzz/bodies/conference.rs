//! What a Conferencing Node says, and what the practice node is told.

use infinity::{
    Calls, Command, Dial, Dtmf, Event, Failure, MessageText, NewCandidate, Path, Profile,
    ReleaseToken, RequestToken, Statistics, Transfer, Update, token_in_query,
};

const PROFILES: [Profile; 2] = [Profile::V10, Profile::Modern];

/// An event: its name, and its data in the lines below.
pub(crate) fn event(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (name, data) = text.split_once('\n').unwrap_or((text, ""));
    match Event::decode(name, data) {
        Ok(event) => {
            for text in PROFILES.iter().filter_map(|profile| event.encode(*profile)) {
                let again = Event::decode(text.name, &text.data);
                assert!(again.is_ok(), "{again:?} of {event:?}");
            }
        }
        Err(error) => assert_eq!(error.name, name),
    }
}

/// An answer: a byte for the request, one for the status, and the body.
pub(crate) fn answer(bytes: &[u8]) {
    let [request, status, body @ ..] = bytes else {
        return;
    };
    let commands = [
        Command::RequestToken {
            pin: None,
            body: RequestToken::default(),
        },
        Command::RefreshToken,
        Command::Participants,
        Command::ConferenceStatus,
        Command::Lock,
        Command::Ack("p".into(), "c".into()),
        Command::Calls("p".into(), Calls::offer("v=0".into())),
        Command::Update("p".into(), "c".into(), Update { sdp: "v=0".into() }),
    ];
    let codes = [200, 301, 400, 401, 403, 404, 415, 500, 503, 529];
    let command = &commands[usize::from(*request) % commands.len()];
    let code = codes[usize::from(*status) % codes.len()];
    match command.decode_response(code, body) {
        Ok(response) => {
            for profile in PROFILES {
                let _ = response.encode(profile);
            }
        }
        Err(failure) => {
            let sentence = failure.to_string();
            assert!(!sentence.is_empty() && sentence.len() < 1000, "{sentence}");
            if let Failure::Refused(refusal) = failure {
                let _ = refusal.remedy();
            }
        }
    }
}

/// A request: the path, and its body in the lines below, read as each of them.
pub(crate) fn request(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (path, body) = text.split_once('\n').unwrap_or((text, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let _ = token_in_query(query);
    if let Some(path) = Path::decode(path) {
        let again = Path::decode(&path.encode());
        assert_eq!(again.as_ref(), Some(&path), "{}", path.encode());
    }
    let _ = serde_json::from_str::<RequestToken>(body);
    let _ = serde_json::from_str::<ReleaseToken>(body);
    let _ = serde_json::from_str::<Calls>(body);
    let _ = serde_json::from_str::<NewCandidate>(body);
    let _ = serde_json::from_str::<Update>(body);
    let _ = serde_json::from_str::<Dial>(body);
    let _ = serde_json::from_str::<Dtmf>(body);
    let _ = serde_json::from_str::<MessageText>(body);
    let _ = serde_json::from_str::<Transfer>(body);
    let _ = serde_json::from_str::<Statistics>(body);
}
