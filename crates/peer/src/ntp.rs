//! NTP time as RTCP counts it (RFC 3550 §4).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from 1900 to 1970.
const TO_UNIX: u64 = 2_208_988_800;

/// The time of day, 32.32 fixed point.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    ((since.as_secs() + TO_UNIX) << 32) | fraction
}

/// Round-trip time from a report block's LSR and DLSR (RFC 3550 §6.4.1); `None` before the far
/// end has had a sender report, or if it makes no sense.
pub(crate) fn round_trip_time(
    now: u64,
    last_sender_report: u32,
    delay_since: u32,
) -> Option<Duration> {
    if last_sender_report == 0 {
        return None;
    }
    let now = (now >> 16) as u32;
    let units = now
        .wrapping_sub(last_sender_report)
        .wrapping_sub(delay_since);
    // A clock that was set, or rounding: a little less than nothing is nothing.
    if units > u32::MAX / 2 {
        return (units > u32::MAX - 655).then_some(Duration::ZERO);
    }
    Some(Duration::from_secs_f64(f64::from(units) / 65536.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_time_is_what_is_left_after_the_far_ends_delay() {
        // RFC 3550, figure 2.
        let now = 0xb710_8000_u64 << 16;
        let rtt = round_trip_time(now, 0xb705_2000, 0x0005_4000).expect("reported");
        assert!((rtt.as_secs_f64() - 6.125).abs() < 0.001, "{rtt:?}");
        assert_eq!(round_trip_time(now, 0, 0), None);
        assert_eq!(round_trip_time(now, 0xb710_8001, 0), Some(Duration::ZERO));
        assert_eq!(round_trip_time(now, 0xb7ff_0000, 0), None);
    }
}
