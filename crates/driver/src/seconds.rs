//! Durations as programs read them: seconds, as a number.

use std::time::Duration;

use serde::{Serialize as _, Serializer};

/// Serialises a duration as its seconds.
pub(crate) fn of<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// Serialises a duration as its seconds, and none as null.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
pub(crate) fn of_any<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration
        .map(|duration| duration.as_secs_f64())
        .serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JoinStep, JoinTimes};

    #[test]
    fn times_are_numbers_of_seconds() {
        let mut times = JoinTimes::default();
        times.note(JoinStep::Token, Duration::from_millis(250));
        times.note(JoinStep::FirstAudio, Duration::from_millis(1500));

        let json = serde_json::to_string(&times).expect("plain values");

        assert_eq!(json, r#"{"token":0.25,"first_audio":1.5}"#);
    }
}
