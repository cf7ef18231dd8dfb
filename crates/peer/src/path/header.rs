//! The header of RTP (RFC 3550 §5.1), read where it lies and written where it goes.

/// What the header of a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence_number: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    /// Bytes of it, sources and extensions included.
    pub(super) length: usize,
    has_padding: bool,
    /// Where its extensions begin, if it has any, and their profile.
    extensions: Option<(usize, u16)>,
}

/// Bytes without sources and extensions.
const FIXED: usize = 12;

impl Header {
    /// Reads a header; `None` if it is none, or not all of it is there.
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let fixed = packet.first_chunk::<FIXED>()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut length = FIXED + 4 * usize::from(fixed[0] & 0x0f);
        let mut extensions = None;
        if fixed[0] & 0x10 != 0 {
            let [a, b, c, d] = *packet.get(length..)?.first_chunk()?;
            length += 4;
            extensions = Some((length, u16::from_be_bytes([a, b])));
            length += 4 * usize::from(u16::from_be_bytes([c, d]));
        }
        (packet.len() >= length).then_some(Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence_number: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            length,
            has_padding: fixed[0] & 0x20 != 0,
            extensions,
        })
    }

    /// The payload of a packet whose protection is off; `None` if its padding makes no sense.
    pub(super) fn payload<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let payload = packet.get(self.length..)?;
        if !self.has_padding {
            return Some(payload);
        }
        let padding = usize::from(*payload.last()?);
        let length = payload.len().checked_sub(padding)?;
        (padding > 0).then(|| &payload[..length])
    }

    /// An extension of two bytes (RFC 8285), as transport-wide numbers are.
    pub(super) fn extension(&self, packet: &[u8], number: u8) -> Option<u16> {
        let (start, profile) = self.extensions?;
        let mut rest = packet.get(start..self.length)?;
        loop {
            let (id, value, after) = match (profile, rest) {
                (_, []) => return None,
                (_, [0, after @ ..]) => {
                    rest = after;
                    continue;
                }
                (0xbede, [head, after @ ..]) => {
                    let length = usize::from(head & 0x0f) + 1;
                    (head >> 4, after.get(..length)?, after.get(length..)?)
                }
                (0x1000..=0x100f, [id, length, after @ ..]) => {
                    let length = usize::from(*length);
                    (*id, after.get(..length)?, after.get(length..)?)
                }
                _ => return None,
            };
            if id == number {
                return Some(u16::from_be_bytes(value.try_into().ok()?));
            }
            rest = after;
        }
    }
}

/// A header to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outline {
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence_number: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    /// The transport-wide number, and the number of its extension.
    pub(super) transport_wide: Option<(u8, u16)>,
}

impl Outline {
    /// Appends the header; returns its length.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> usize {
        let mut fixed = [0; FIXED + 8];
        fixed[0] = 0x80;
        fixed[1] = self.payload_type | u8::from(self.marker) << 7;
        fixed[2..4].copy_from_slice(&self.sequence_number.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        let mut length = FIXED;
        if let Some((extension, number)) = self.transport_wide {
            fixed[0] |= 0x10;
            let [high, low] = number.to_be_bytes();
            // One word of extensions: two bytes of value, and padding.
            let word = [0xbe, 0xde, 0, 1, extension << 4 | 1, high, low, 0];
            fixed[FIXED..].copy_from_slice(&word);
            length += word.len();
        }
        bytes.extend_from_slice(&fixed[..length]);
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for transport_wide in [None, Some((3, 0xabcd))] {
            let outline = Outline {
                marker: true,
                payload_type: 96,
                sequence_number: 65_535,
                timestamp: 0x0102_0304,
                ssrc: 0xfedc_ba98,
                transport_wide,
            };
            let mut packet = Vec::new();
            let length = outline.write(&mut packet);
            packet.extend_from_slice(b"payload");
            let header = Header::read(&packet).expect("a header");
            assert_eq!(header.length, length);
            assert!(header.marker);
            assert_eq!((header.payload_type, header.sequence_number), (96, 65_535));
            assert_eq!((header.timestamp, header.ssrc), (0x0102_0304, 0xfedc_ba98));
            assert_eq!(header.payload(&packet), Some(&b"payload"[..]));
            let number = header.extension(&packet, 3);
            assert_eq!(number, transport_wide.map(|(_, number)| number));
            assert_eq!(header.extension(&packet, 4), None);
        }
    }

    #[test]
    fn sources_extensions_and_padding_are_found() {
        // Padding, an extension, one source.
        let mut packet = vec![0xb1, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
        // Two-byte form: padding, element 7 of one byte, element 5 of two.
        packet.extend([0x10, 0x00, 0, 2, 0, 7, 1, 9, 5, 2, 0x12, 0x34]);
        packet.extend(b"abc");
        packet.extend([0, 0, 3]);
        let header = Header::read(&packet).expect("a header");
        assert_eq!(header.length, 28);
        assert_eq!(header.extension(&packet, 5), Some(0x1234));
        assert_eq!(header.payload(&packet), Some(&b"abc"[..]));
        *packet.last_mut().expect("some") = 7;
        assert_eq!(header.payload(&packet), None, "more padding than payload");
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for _ in 0..20_000 {
            let length = fastrand::usize(..64);
            let mut packet: Vec<u8> = (0..length).map(|_| fastrand::u8(..)).collect();
            if let Some(first) = packet.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            if let Some(header) = Header::read(&packet) {
                let _ = header.payload(&packet);
                let _ = header.extension(&packet, 3);
            }
        }
    }
}
