//! Moments as people read them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, given in milliseconds since 1970, as RFC 3339 in UTC, to the second.
pub(super) fn utc(ms: u64) -> String {
    i64::try_from(ms / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ms} ms after 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(utc(1_700_000_000_999), "2023-11-14T22:13:20Z");
        assert_eq!(utc(u64::MAX), "18446744073709551615 ms after 1970");
    }
}
