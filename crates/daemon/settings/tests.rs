use media::Absence;

use super::written::OneOrMore;
use super::*;
use crate::config_file::tests::documented;

fn failure(text: &str) -> String {
    let file = ConfigFile::of("meet.toml", text);
    let written: Written = file.decode().expect("readable");
    let materials = Materials::new(Absence::Ignored);
    written
        .check(&file, "meet", &materials)
        .expect_err("wrong")
        .to_string()
}

#[test]
fn the_sample_documents_every_key_at_its_default() {
    let (file, keys) = documented("config/standin.toml");
    let written: Written = file.decode().expect("readable");

    let sample = Written {
        node: OneOrMore::One("https://node.example.com".to_owned()),
        conference: "meet".to_owned(),
        ..Written::default()
    };
    assert_eq!(written, sample);
    assert_eq!(
        keys,
        [
            "ca_file",
            "conference",
            "control.listen",
            "control.socket",
            "control.token_file",
            "extension",
            "insecure",
            "leave.alone_seconds",
            "leave.at_utc",
            "leave.longest_seconds",
            "log.format",
            "log.level",
            "media.audio",
            "media.codecs",
            "media.enabled",
            "media.opus.bit_rate",
            "media.opus.dtx",
            "media.opus.fec",
            "media.opus.stereo",
            "media.record",
            "media.record_keep",
            "media.record_rotate",
            "media.sink_restart",
            "media.sinks",
            "media.video",
            "name",
            "network.dscp",
            "network.media_addresses",
            "network.media_ports",
            "node",
            "participants",
            "pin_file",
            "ready",
            "rejoin.after_removal_seconds",
            "rejoin.first_seconds",
            "rejoin.longest_seconds",
            "waiting_room_seconds",
        ]
    );
}

#[test]
fn the_sample_can_be_used_as_it_is() {
    let file = ConfigFile::read(Path::new("config/standin.toml")).expect("readable");
    let settings = Written::decode_for_test(&file)
        .check(&file, "standin", &Materials::new(Absence::Ignored))
        .expect("good");

    assert_eq!(settings.destination.conference.as_str(), "meet");
}

#[test]
fn a_wrong_value_is_named_with_file_line_and_key() {
    assert_eq!(
        failure("conference = 'meet'\nnode = 'sip://node'\n"),
        "meet.toml:2: `node`: \"sip://node\": a node speaks http or https: write https://host"
    );
    assert!(failure("conference = 'meet'\n").starts_with("meet.toml: `node`: no node is named"));
    assert!(failure("node = 'n'\nconference = ''\n").starts_with("meet.toml:2: `conference`: "));
    let text = "node = 'n'\nconference = 'm'\n[rejoin]\nfirst_seconds = -1\n";
    assert!(failure(text).starts_with("meet.toml:4: `rejoin.first_seconds`: -1 is no time"));
}

#[test]
fn when_to_leave_is_checked() {
    let leave = |line: &str| failure(&format!("node = 'n'\nconference = 'm'\n[leave]\n{line}\n"));

    assert!(
        leave("at_utc = '25:00'").starts_with("meet.toml:4: `leave.at_utc`: \"25:00\" is no time")
    );
    assert!(leave("alone_seconds = 0").starts_with("meet.toml:4: `leave.alone_seconds`: 0 is no"));
}

#[test]
fn what_media_may_use_of_the_network_is_checked() {
    let complaint = |lines: &str| failure(&format!("node = 'n'\nconference = 'm'\n{lines}"));
    let network = |line: &str| complaint(&format!("[network]\n{line}\n"));

    assert!(network("media_ports = '9-8'").starts_with("meet.toml:4: `network.media_ports`: "));
    assert!(network("dscp = 'voice'").starts_with("meet.toml:4: `network.dscp`: no DSCP"));
    assert!(network("media_addresses = ['eth0']").contains("\"eth0\" is no address"));
    assert!(complaint("[media]\nenabled = false\naudio = 'tone'\n").contains("there is no call"));
}

#[test]
fn a_missing_recording_is_found_before_joining() {
    let text = "node = 'n'\nconference = 'm'\n[media]\naudio = 'missing.ogg'\n";
    let failure = failure(text);

    assert!(
        failure.starts_with("meet.toml:4: `media.audio`: "),
        "{failure}"
    );
    assert!(failure.contains("missing.ogg"), "{failure}");
}

#[test]
fn live_inputs_are_not_started_by_a_check() {
    let directory = tempfile::tempdir().expect("one");
    let trace = directory.path().join("trace");
    let text = |command: &str| {
        format!("node = 'n'\nconference = 'm'\n[media]\nvideo = 'exec:touch {command}'\n")
    };
    let file = ConfigFile::of("meet.toml", &text(&trace.display().to_string()));
    let written = Written::decode_for_test(&file);

    assert!(
        written
            .check(&file, "meet", &Materials::new(Absence::Ignored))
            .is_ok()
    );
    assert!(!trace.exists());
    // The control: it would have been.
    assert!(
        written
            .check(&file, "meet", &Materials::new(Absence::WaitedFor))
            .is_ok()
    );
    assert!(trace.exists());
}

#[test]
fn relative_paths_begin_at_the_file() {
    let file = ConfigFile::of("/etc/standin/meet.toml", "");

    assert_eq!(
        file.resolve(Path::new("a.ogg")),
        Path::new("/etc/standin/a.ogg")
    );
    assert_eq!(
        file.resolve(Path::new("/srv/a.ogg")),
        Path::new("/srv/a.ogg")
    );
}

impl Written {
    fn decode_for_test(file: &ConfigFile) -> Self {
        file.decode().expect("readable")
    }
}
