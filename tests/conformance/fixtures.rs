//! The fixtures of `crates/infinity` that hold for a row: they are there, and what is an event or a
//! refusal goes both ways here. Requests and other answers do so in the tests of `crates/infinity`,
//! which know a type for every fixture or fail.

use std::fs;
use std::path::PathBuf;

use infinity::{Event, Profile, Refusal};
use serde_json::Value;

use crate::row::Row;
use crate::run::Cell;

/// The endings of a fixture's name: who writes it so.
const ENDINGS: [(&str, &[Profile]); 4] = [
    ("", &[Profile::V10, Profile::Modern]),
    ("_v10", &[Profile::V10]),
    ("_modern", &[Profile::Modern]),
    ("_lenient", &[]),
];

/// Checks the fixtures that a row names.
pub(crate) fn check(row: &Row) -> Cell {
    let checked = row.fixtures.iter().try_for_each(|name| one(name));
    match checked {
        Ok(()) if row.fixtures.is_empty() => Cell::None,
        Ok(()) => Cell::Good,
        Err(why) => Cell::Red(why),
    }
}

/// Checks a fixture in all its spellings.
fn one(name: &str) -> Result<(), String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crates/infinity/fixtures");
    let mut count = 0;
    for (ending, profiles) in ENDINGS {
        let path = folder.join(format!("{name}{ending}.json"));
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        count += 1;
        let json = parsed(&text).ok_or_else(|| format!("{name}{ending} is no JSON"))?;
        for profile in profiles {
            let written = written(name, &text, *profile)?;
            if written.is_some_and(|written| written != json) {
                return Err(format!("{name}{ending} does not go both ways"));
            }
        }
    }
    if count == 0 {
        return Err(format!("there is no fixture {name}"));
    }
    Ok(())
}

/// Reads a fixture as its type, and writes it again; nothing for what `crates/infinity` checks.
fn written(name: &str, text: &str, profile: Profile) -> Result<Option<Value>, String> {
    if let Some(event) = name.strip_prefix("event/") {
        let event = event.trim_end_matches("_direct");
        let event = Event::decode(event, text).map_err(|error| error.to_string())?;
        return Ok(event
            .encode(profile)
            .and_then(|written| parsed(&written.data)));
    }
    let code = name
        .strip_prefix("response/")
        .and_then(|name| name.get(..3)?.parse().ok());
    Ok(code.and_then(|code| {
        let version = node::conference::Conference::version(profile);
        let refusal = Refusal::decode(code, text.as_bytes());
        parsed(&refusal.encode(profile, &version).body)
    }))
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
