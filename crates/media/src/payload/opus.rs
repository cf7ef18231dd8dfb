//! Opus packets (RFC 6716 §3).

use std::time::Duration;

/// Returns how long the packet plays, from its table-of-contents byte; `None` if it is malformed.
pub(crate) fn duration(packet: &[u8]) -> Option<Duration> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame_micros: u32 = match config {
        0..=11 => [10_000, 20_000, 40_000, 60_000][usize::from(config % 4)],
        12..=15 => [10_000, 20_000][usize::from(config % 2)],
        _ => [2_500, 5_000, 10_000, 20_000][usize::from(config % 4)],
    };
    let frames: u32 = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(*packet.get(1)? & 0x3f),
    };
    let total = frame_micros * frames;
    // RFC 6716 §3.2.5: at most 120 ms, at least one frame.
    (1..=120_000)
        .contains(&total)
        .then(|| Duration::from_micros(u64::from(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_every_duration() {
        let micros = |packet: &[u8]| duration(packet).map(|d| d.as_micros());
        assert_eq!(micros(&[0x78, 0]), Some(20_000)); // hybrid, fullband
        assert_eq!(micros(&[0x80]), Some(2_500));
        assert_eq!(micros(&[0xf8 | 1]), Some(40_000));
        assert_eq!(micros(&[0x18]), Some(60_000));
        assert_eq!(micros(&[0xf8 | 3, 6]), Some(120_000));
    }

    #[test]
    fn refuses_what_no_encoder_makes() {
        assert_eq!(duration(&[]), None);
        assert_eq!(duration(&[0xf8 | 3]), None);
        assert_eq!(duration(&[0xf8 | 3, 0]), None);
        assert_eq!(duration(&[0xf8 | 3, 7]), None);
    }
}
