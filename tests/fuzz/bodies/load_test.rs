//! What a Locust master says, and the result of a load test as a file.

use std::time::Instant;

use load::{RunResult, Threshold, locust::fuzzing::master_says};

use super::files::with_file;

/// All that a master says; the first byte is how much of it comes at once.
pub(crate) fn locust(bytes: &[u8]) {
    if let Some((piece, bytes)) = bytes.split_first() {
        master_says(bytes, (*piece).into(), Instant::now());
    }
}

/// A result: it is read, added up, and written; as a threshold it is read, too.
pub(crate) fn result(bytes: &[u8]) {
    if let Ok(Ok(threshold)) = std::str::from_utf8(bytes).map(str::parse::<Threshold>) {
        let again = threshold.to_string().parse::<Threshold>();
        assert!(again.is_ok(), "{threshold}: {again:?}");
    }
    with_file(bytes, |path| match RunResult::read(path) {
        Ok(result) => {
            let _ = result.missing_shards();
            let _ = load::diff(&result, &result, 0.0, true);
            let merged = RunResult::merge(vec![result]).expect("one adds up");
            assert!(!merged.to_json().is_empty());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    });
}
