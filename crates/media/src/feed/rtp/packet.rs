//! What one datagram of RTP holds.

/// A packet of RTP (RFC 3550 §5.1).
pub(super) struct Packet<'a> {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence_number: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads one; nothing where it is none, or RTCP on the same port (RFC 5761 §4).
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let (header, rest) = datagram.split_first_chunk::<12>()?;
        let [first, second, a, b, t0, t1, t2, t3, s0, s1, s2, s3] = *header;
        if first >> 6 != 2 || (192..=223).contains(&second) {
            return None;
        }
        let mut payload = rest.get(usize::from(first & 0x0f) * 4..)?;
        if first & 0x10 != 0 {
            let (extension, rest) = payload.split_first_chunk::<4>()?;
            let words = u16::from_be_bytes([extension[2], extension[3]]);
            payload = rest.get(usize::from(words) * 4..)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*payload.last()?);
            payload = payload.get(..payload.len().checked_sub(padding)?)?;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence_number: u16::from_be_bytes([a, b]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_with_all_that_may_stand_in_them() {
        let plain = [0x80, 0xe0, 1, 2, 0, 0, 0, 9, 0, 0, 0, 7, 42, 43];
        let packet = Packet::read(&plain).unwrap();
        assert!(packet.marker && packet.payload_type == 96 && packet.sequence_number == 258);
        assert_eq!(
            (packet.timestamp, packet.ssrc, packet.payload),
            (9, 7, &[42, 43][..])
        );
        // One CSRC, one word of extension, two bytes of padding.
        let full = [
            0xb1, 96, 1, 2, 0, 0, 0, 9, 0, 0, 0, 7, 1, 1, 1, 1, 0xbe, 0xde, 0, 1, 5, 5, 5, 5, 42,
            0, 2,
        ];
        assert_eq!(Packet::read(&full).unwrap().payload, [42]);
        for cut in 0..full.len() - 3 {
            assert!(
                Packet::read(&full[..cut]).is_none_or(|p| p.payload.len() < 12),
                "{cut}"
            );
        }
    }

    #[test]
    fn what_is_no_rtp_is_left_out() {
        assert!(Packet::read(b"GET / HTTP/1.1\r\n").is_none());
        assert!(Packet::read(&[0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0]).is_none());
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..random.usize(0..40)).map(|_| random.u8(..)).collect();
            let _ = Packet::read(&bytes);
        }
    }
}
