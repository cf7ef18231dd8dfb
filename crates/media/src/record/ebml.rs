//! Elements of EBML (RFC 8794).

/// An element that holds others.
pub(super) fn master(out: &mut Vec<u8>, id: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    fill(&mut content);
    binary(out, id, &content);
}

pub(super) fn binary(out: &mut Vec<u8>, id: u32, content: &[u8]) {
    head(out, id, content.len());
    out.extend_from_slice(content);
}

pub(super) fn text(out: &mut Vec<u8>, id: u32, content: &str) {
    binary(out, id, content.as_bytes());
}

pub(super) fn uint(out: &mut Vec<u8>, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    binary(out, id, &bytes[from..]);
}

/// An unsigned number of eight bytes, whatever its value, so that it can be replaced.
pub(super) fn wide_uint(out: &mut Vec<u8>, id: u32, value: u64) {
    binary(out, id, &value.to_be_bytes());
}

/// A number with a fraction, of eight bytes.
pub(super) fn float(out: &mut Vec<u8>, id: u32, value: f64) {
    binary(out, id, &value.to_be_bytes());
}

/// An id and a size.
pub(super) fn head(out: &mut Vec<u8>, id: u32, size: usize) {
    put_id(out, id);
    let size = size as u64;
    // All ones stand for an unknown size, in every length.
    let length = (1..8).find(|n| size < (1 << (7 * n)) - 1).unwrap_or(8);
    let bytes = (size | 1 << (7 * length)).to_be_bytes();
    out.extend_from_slice(&bytes[8 - length..]);
}

/// An id and a size that is not known, and can be filled in: in eight bytes.
pub(super) fn open_head(out: &mut Vec<u8>, id: u32) {
    put_id(out, id);
    out.extend_from_slice(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
}

/// Returns a size in eight bytes.
pub(super) fn wide_size(size: u64) -> [u8; 8] {
    (size | 1 << 56).to_be_bytes()
}

/// Space for what is not known yet: `length` bytes, of which the first nine are the element's own.
pub(super) fn void(out: &mut Vec<u8>, length: usize) {
    put_id(out, 0xec);
    let rest = length.saturating_sub(9);
    out.extend_from_slice(&wide_size(rest as u64));
    out.resize(out.len() + rest, 0);
}

fn put_id(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(3);
    out.extend_from_slice(&bytes[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_short_as_they_can_be() {
        let size = |n: usize| {
            let mut out = Vec::new();
            head(&mut out, 0xa3, n);
            out[1..].to_vec()
        };
        assert_eq!(size(0), [0x80]);
        assert_eq!(size(126), [0xfe]);
        // 0xff would be an unknown size.
        assert_eq!(size(127), [0x40, 127]);
        assert_eq!(size(16_382), [0x7f, 0xfe]);
        assert_eq!(size(16_383), [0x20, 0x3f, 0xff]);
    }

    #[test]
    fn elements_nest() {
        let mut out = Vec::new();
        master(&mut out, 0x1f43_b675, |out| {
            uint(out, 0xe7, 300);
            uint(out, 0xd7, 0);
        });
        assert_eq!(
            out,
            [
                0x1f, 0x43, 0xb6, 0x75, 0x87, 0xe7, 0x82, 1, 44, 0xd7, 0x81, 0
            ]
        );
        out.clear();
        void(&mut out, 40);
        assert_eq!(out.len(), 40);
    }
}
