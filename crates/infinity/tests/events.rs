//! Every event that nodes of any age are known to send is known here, in every spelling of nothing.

use std::{collections::BTreeSet, fs, path::Path};

use infinity::{Event, Profile};

/// The events of version 10, in the order of the guide, and whether each can do without data.
const V10: [(&str, bool); 13] = [
    ("presentation_start", true),
    ("presentation_stop", true),
    ("presentation_frame", true),
    ("participant_create", false),
    ("participant_update", false),
    ("participant_delete", false),
    ("participant_sync_begin", true),
    ("participant_sync_end", true),
    ("conference_update", true),
    ("message", true),
    ("stage", true),
    ("call_disconnected", false),
    ("disconnect", true),
];

/// What came later: what official clients of version 39 listen to.
const LATER: [(&str, bool); 25] = [
    ("message_received", true),
    ("layout", true),
    ("presentation_ended", true),
    ("refer", false),
    ("cancel_refer", true),
    ("on_hold", false),
    ("refresh_token", true),
    ("fecc", true),
    ("new_offer", false),
    ("update_sdp", false),
    // The end of candidates is an empty one.
    ("new_candidate", true),
    ("peer_disconnect", true),
    ("splash_screen", true),
    ("live_captions", true),
    ("breakout_begin", false),
    ("breakout_end", false),
    ("breakout_event", false),
    ("breakout_refer", false),
    ("bye", true),
    ("incoming", false),
    ("incoming_cancelled", false),
    ("hello", true),
    ("ping", true),
    // The same under both names, and under the one that only nodes of old use.
    ("message", true),
    ("presentation_stop", true),
];

const NOTHING: [&str; 4] = ["", " ", "null", "{}"];

#[test]
fn every_event_of_either_list_is_known_whatever_nothing_it_comes_with() {
    for (name, does_without) in V10.into_iter().chain(LATER) {
        for data in NOTHING {
            match Event::decode(name, data) {
                Ok(Event::Unknown { .. }) => panic!("{name} is not known"),
                Ok(_) => assert!(does_without, "{name} with {data:?} says nothing"),
                Err(error) => {
                    assert!(!does_without, "{error}");
                    assert_eq!(error.name, name);
                }
            }
        }
    }
    // The control: names that are in no list.
    for name in ["news", "", "Stage", "participant_created", "message "] {
        assert!(
            matches!(Event::decode(name, "{}"), Ok(Event::Unknown { .. })),
            "{name:?}"
        );
    }
}

#[test]
fn every_event_of_either_list_has_a_fixture_and_every_fixture_is_in_a_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/event");
    let files = fs::read_dir(folder).expect("the fixtures").map(|entry| {
        let path = entry.expect("a fixture").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.expect("a name").to_owned();
        ["_v10", "_modern", "_lenient", "_direct", "_off"]
            .iter()
            .fold(stem, |name, ending| {
                name.strip_suffix(ending).unwrap_or(&name).to_owned()
            })
    });
    let files: BTreeSet<String> = files.collect();
    let lists: BTreeSet<String> = V10
        .into_iter()
        .chain(LATER)
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(files, lists);
}

#[test]
fn what_came_later_is_never_sent_by_a_node_of_old_and_what_it_sends_is_in_its_list() {
    for (name, _) in LATER {
        let Ok(event) = Event::decode(name, "{}") else {
            continue;
        };
        let Some(written) = event.encode(Profile::V10) else {
            continue;
        };
        let is_of_v10 = V10.iter().any(|(known, _)| *known == written.name);
        // Clients of every age pass over it, and it keeps the connection alive.
        assert!(is_of_v10 || written.name == "ping", "{name}");
    }
}

#[test]
fn an_event_of_a_breakout_room_is_the_event_itself_and_no_secret_of_it_is_printed() {
    let told = |event: &str, data: &str| {
        let data =
            format!(r#"{{"breakout_uuid":"b","event":"{event}","id":"27_6","data":{data}}}"#);
        Event::decode("breakout_event", &data)
    };
    let Ok(Event::BreakoutEvent(deleted)) = told("participant_delete", r#"{"uuid":"p"}"#) else {
        panic!("an event")
    };
    assert_eq!(*deleted.event, Event::ParticipantDelete("p".into()));
    let refer = told("refer", r#"{"alias":"a","token":"t0p-secret"}"#);
    let printed = format!("{refer:?}");
    assert!(
        printed.contains("Refer") && !printed.contains("t0p"),
        "{printed}"
    );
    // Without end it is an event that nobody knows; and what is wrong in it is an error.
    let nested = told("breakout_event", r#"{"breakout_uuid":"c","event":"ping"}"#);
    assert!(
        matches!(nested, Ok(Event::BreakoutEvent(it)) if matches!(*it.event, Event::Unknown { .. }))
    );
    assert!(told("participant_delete", "null").is_err());
}
