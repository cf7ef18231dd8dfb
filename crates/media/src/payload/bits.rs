//! A reader of single bits, most significant first.

/// Reads bits off a byte slice; every read past the end is `None`.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Reads up to 32 bits as a number.
    pub(super) fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u64;
        for _ in 0..count {
            let byte = *self.bytes.get(self.position / 8)?;
            let bit = byte >> (7 - self.position % 8) & 1;
            value = value << 1 | u64::from(bit);
            self.position += 1;
        }
        u32::try_from(value).ok()
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    /// Reads an Exp-Golomb number: H.264's `ue(v)` (§9.1), AV1's `uvlc()` (§4.10.3).
    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut leading_zeros = 0;
        while !self.flag()? {
            leading_zeros += 1;
            if leading_zeros >= 32 {
                return Some(u32::MAX);
            }
        }
        let rest = self.read(leading_zeros)?;
        Some(rest + ((1u32 << leading_zeros) - 1))
    }
}
