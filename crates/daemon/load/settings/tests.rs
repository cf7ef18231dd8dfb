use std::path::Path;

use crate::config_file::ConfigFile;
use crate::config_file::tests::documented;

use super::*;

fn check(text: &str) -> Result<LoadSettings, String> {
    let file = ConfigFile::of("test.toml", text);
    let mut written: LoadWritten = file.decode().map_err(|error| error.to_string())?;
    written.resolve(|path| file.resolve(path));
    written
        .check()
        .map_err(|wrong| file.complain(wrong.key, wrong.what).to_string())
}

#[test]
fn the_documented_scenario_says_every_default() {
    let (file, keys) = documented("config/load.toml");
    let written: LoadWritten = file.decode().expect("readable");
    let expected = LoadWritten {
        nodes: vec!["http://127.0.0.1:8080".to_owned()],
        ..LoadWritten::default()
    };
    assert_eq!(written, expected);
    let all = serde_json::to_value(LoadWritten::default()).expect("an object");
    let all: Vec<_> = all
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let mut keys = keys;
    keys.sort();
    assert_eq!(keys, all);
}

#[test]
fn the_documented_scenario_can_be_run() {
    let file = ConfigFile::read(Path::new("config/load.toml")).expect("readable");
    let written: LoadWritten = file.decode().expect("readable");
    let settings = written.check().expect("complete");
    assert_eq!(settings.scenario.callers(), 10);
}

#[test]
fn mistakes_are_named_by_line_and_key() {
    let cases = [
        (
            "nodes = [\"http://127.0.0.1\"]\nrate = 0",
            "test.toml:2: `rate`:",
        ),
        (
            "nodes = [\"http://127.0.0.1\"]\nramp = \"cliff\"",
            "choose rate, steps, spike or soak",
        ),
        (
            "nodes = [\"http://127.0.0.1\"]\nloss_percent = 101",
            "`loss_percent`: 101 is no share",
        ),
        (
            "nodes = [\"http://127.0.0.1\"]\nconferences = 2\nconference = \"meet\"",
            "{n}",
        ),
        (
            "nodes = [\"http://127.0.0.1\"]\nthresholds = [\"join.totals < 2s\"]",
            "thresholds",
        ),
        ("nodes = [\"https://192.0.2.7\"]", "allow = [\"192.0.2.7\"]"),
        (
            "nodes = [\"http://127.0.0.1\"]\nparticipants = 2000",
            "most_callers",
        ),
        (
            "nodes = [\"http://127.0.0.1\"]\nlisten = \"here\"",
            "127.0.0.1:9100",
        ),
        ("participants = 3", "no node is given"),
        ("talker = 3", "unknown field"),
    ];
    for (text, wanted) in cases {
        let error = check(text).expect_err(text);
        assert!(error.contains(wanted), "{text}\n{error}");
    }
}
