//! Harm done to files, drawn by lot.

use fastrand::Rng;

/// Does one to four kinds of harm, half of the time near the beginning, where headers are.
pub(crate) fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.usize(1..=4) {
        let reach = if random.bool() { 200 } else { usize::MAX };
        let at = random.usize(0..bytes.len().clamp(1, reach));
        let mut put = |what: &[u8]| {
            let room = bytes.len().saturating_sub(at).min(what.len());
            bytes[at..at + room].copy_from_slice(&what[..room]);
        };
        match random.u8(0..10) {
            0 => bytes.truncate(at),
            1 => put(&[0xff; 4]),
            2 => put(&[0xff; 8]),
            3 => put(&[0; 4]),
            4 => put(&0x7fff_ffffu32.to_le_bytes()),
            5 => put(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            6 => {
                let length = random.usize(0..64).min(bytes.len() - at.min(bytes.len()));
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            7 => {
                let length = random.usize(0..64).min(bytes.len() - at.min(bytes.len()));
                bytes.drain(at..at + length);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.u8(0..8);
                }
            }
        }
    }
}

/// Sets the checksums of all Ogg pages (RFC 3533 §6) right, so that what is within is looked at.
pub(crate) fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(segments) = bytes.get(at + 26).map(|count| usize::from(*count)) {
        let Some(table) = bytes.get(at + 27..at + 27 + segments) else {
            return;
        };
        let length = 27 + segments + table.iter().map(|size| usize::from(*size)).sum::<usize>();
        let Some(page) = bytes.get_mut(at..at + length) else {
            return;
        };
        page[22..26].fill(0);
        let mut checksum = 0u32;
        for byte in page.iter() {
            checksum ^= u32::from(*byte) << 24;
            for _ in 0..8 {
                let carry = checksum >> 31;
                checksum = (checksum << 1) ^ (carry * 0x04c1_1db7);
            }
        }
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        at += length;
    }
}
