//! A wrong value for every key there is: the complaint names the key, its line, and what may stand there.

use std::collections::BTreeSet;

use media::Absence;

use super::*;
use crate::config_file::tests::documented;

/// What may be wrong with a key, dotted, and what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "node",
        "'sip://node'",
        "a node speaks http or https: write https://host",
    ),
    ("node", "7", "expected a text, or a list of texts"),
    ("conference", "''", "conference"),
    ("conference", "7", "expected a string"),
    ("extension", "''", "leave the key out, or name one"),
    ("name", "' '", "the name in the roster is empty: give one"),
    ("pin_file", "'missing.pin'", "missing.pin"),
    ("ca_file", "'missing.pem'", "missing.pem"),
    ("insecure", "'yes'", "expected a boolean"),
    ("waiting_room_seconds", "0", "give seconds, more than 0"),
    ("waiting_room_seconds", "nan", "give seconds, more than 0"),
    ("waiting_room_seconds", "'long'", "expected a number"),
    ("participants", "true", "expected a string"),
    ("ready", "'soon'", "expected `running` or `in_conference`"),
    (
        "media.audio",
        "'missing.ogg'",
        "name a media file, a generator such as",
    ),
    (
        "media.audio",
        "'tone:loud'",
        "`tone:loud` is no media source",
    ),
    (
        "media.video",
        "'missing.ivf'",
        "name a media file, a generator such as",
    ),
    ("media.codecs", "['VP7']", "VP8"),
    ("media.record", "'meet.avi'", ".webm"),
    ("media.record_rotate", "['often']", "often"),
    ("media.record_keep", "0", "record_keep"),
    (
        "media.record_keep",
        "-1",
        "expected a whole number, 0 or more",
    ),
    ("media.sinks", "['loudspeaker']", "speaker:DEVICE"),
    ("media.sink_restart", "1", "expected a boolean"),
    ("media.enabled", "'no'", "expected a boolean"),
    ("media.opus.bit_rate", "1", "6000"),
    ("media.opus.fec", "1", "expected a boolean"),
    ("media.opus.dtx", "1", "expected a boolean"),
    ("media.opus.stereo", "1", "expected a boolean"),
    ("network.media_addresses", "['eth0']", "no address"),
    (
        "network.media_ports",
        "'9-8'",
        "write FIRST-LAST such as 40000-40100",
    ),
    ("network.dscp", "'voice'", "no DSCP"),
    ("rejoin.first_seconds", "-1", "give seconds, more than 0"),
    (
        "rejoin.longest_seconds",
        "0.1",
        "the longest pause is shorter than the first: raise it",
    ),
    (
        "rejoin.after_removal_seconds",
        "0",
        "give seconds, more than 0",
    ),
    ("leave.alone_seconds", "0", "give seconds, more than 0"),
    ("leave.longest_seconds", "-5", "give seconds, more than 0"),
    ("leave.at_utc", "'25:00'", "no time"),
    ("control.socket", "1", "expected a string"),
    (
        "control.listen",
        "'everywhere'",
        "no address with a port, such as 127.0.0.1:9464",
    ),
    (
        "control.listen",
        "'127.0.0.1:0'",
        "name the file that holds it with token_file",
    ),
    ("control.token_file", "true", "expected a string"),
    ("log.format", "'xml'", "expected `text` or `json`"),
    (
        "log.level",
        "'loud'",
        "expected one of `warn`, `info`, `debug`, `trace`",
    ),
];

/// Returns what is said of a file, if anything.
fn complaint(text: &str) -> Option<String> {
    let file = ConfigFile::of("meet.toml", text);
    let checked = Written::read(&file).and_then(|mut written| {
        written.take_service(&file)?;
        written.check(&file, "meet", &Materials::new(Absence::Ignored))
    });
    checked.err().map(|failure| failure.to_string())
}

/// Returns a file that would be good, but for this.
fn with(key: &str, value: &str) -> String {
    // A recording is what some keys are about; it is not made by a check.
    let needed = match key {
        "media.record_rotate" | "media.record_keep" => "media.record = 'meet.webm'\n",
        _ => "",
    };
    let others = [("node", "'node'"), ("conference", "'meet'")];
    let others = others.iter().filter(|(name, _)| *name != key);
    let others: String = others
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect();
    format!("{others}{needed}# It stands on the last line.\n{key} = {value}\n")
}

#[test]
fn every_key_has_a_wrong_value_that_is_told_with_its_line_and_what_is_allowed() {
    let good = with("name", "'Bot'");
    assert_eq!(complaint(&good), None, "the control");
    let mut bad = Vec::new();
    for (key, value, what) in WRONG {
        let text = with(key, value);
        let line = text.lines().count();
        let told = complaint(&text).unwrap_or_default();
        if !(told.starts_with(&format!("meet.toml:{line}: `{key}`: ")) && told.contains(what)) {
            bad.push(format!("{key} = {value}, for {what:?}: {told}"));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    let tried: BTreeSet<&str> = WRONG.iter().map(|(key, _, _)| *key).collect();
    let (_, keys) = documented("config/standin.toml");
    let untried: Vec<&String> = keys
        .iter()
        .filter(|key| !tried.contains(key.as_str()))
        .collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn a_key_that_is_unknown_is_told_with_its_line_and_those_that_are_known() {
    let told = complaint("node = 'node'\nconference = 'meet'\n[media]\nadio = 'tone'\n");
    let told = told.unwrap_or_default();
    assert!(told.starts_with("meet.toml:4: `media.adio`: "), "{told}");
    assert!(told.contains("expected one of `audio`, `video`"), "{told}");
}
