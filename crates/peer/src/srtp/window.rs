//! Which packets of a stream have been seen, by numbers that do not wrap.

/// Words of the window; a retransmission may come a thousand packets late.
const WORDS: usize = 16;
const BITS: u64 = 64 * WORDS as u64;

/// The newest packets of a stream: a ring of bits behind the highest number seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    highest: Option<u64>,
    seen: [u64; WORDS],
}

impl Window {
    /// The highest number seen.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether a packet is neither seen nor too old to tell.
    pub(crate) fn is_new(&self, number: u64) -> bool {
        match self.highest {
            None => true,
            Some(highest) if number > highest => true,
            Some(highest) => {
                let (word, bit) = place(number);
                highest - number < BITS && self.seen[word] & bit == 0
            }
        }
    }

    /// Takes note of a packet.
    pub(crate) fn mark(&mut self, number: u64) {
        match self.highest {
            Some(highest) if number <= highest => {
                if highest - number >= BITS {
                    return;
                }
            }
            Some(highest) if number - highest < BITS => {
                for skipped in highest + 1..number {
                    let (word, bit) = place(skipped);
                    self.seen[word] &= !bit;
                }
                self.highest = Some(number);
            }
            _ => {
                self.seen = [0; WORDS];
                self.highest = Some(number);
            }
        }
        let (word, bit) = place(number);
        self.seen[word] |= bit;
    }
}

fn place(number: u64) -> (usize, u64) {
    let at = number % BITS;
    ((at / 64) as usize, 1 << (at % 64))
}

/// The number nearest to `highest` that ends in `sequence_number` (RFC 3711 §3.3.1); a stream
/// begins with its first sequence number.
pub(crate) fn nearest(highest: Option<u64>, sequence_number: u16) -> u64 {
    const CYCLE: u64 = 1 << 16;
    let Some(highest) = highest else {
        return u64::from(sequence_number);
    };
    let same = highest & !(CYCLE - 1) | u64::from(sequence_number);
    if same + CYCLE / 2 < highest {
        same + CYCLE
    } else if same > highest + CYCLE / 2 && same >= CYCLE {
        same - CYCLE
    } else {
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_over_the_end_of_a_cycle_and_back() {
        assert_eq!(nearest(None, 65_535), 65_535);
        assert_eq!(nearest(Some(65_535), 0), 65_536);
        assert_eq!(nearest(Some(65_536), 65_535), 65_535);
        assert_eq!(nearest(Some(65_536 + 10), 9), 65_536 + 9);
        assert_eq!(nearest(Some(5), 65_530), 65_530, "nothing was before");
        assert_eq!(nearest(Some(3 * 65_536 + 60_000), 10), 4 * 65_536 + 10);
    }

    #[test]
    fn a_packet_is_new_once_and_not_when_it_is_too_old() {
        let mut window = Window::default();
        for number in [100, 103, 102, 101, 90] {
            assert!(window.is_new(number), "{number}");
            window.mark(number);
            assert!(!window.is_new(number), "{number}");
        }
        assert!(window.is_new(99));
        window.mark(100 + BITS);
        assert!(!window.is_new(100), "too old to tell");
        assert!(!window.is_new(101) && !window.is_new(103));
        assert!(
            window.is_new(104),
            "skipped, and forgotten from the round before"
        );
        window.mark(1_000_000);
        assert!(window.is_new(999_999) && !window.is_new(1_000_000));
        assert_eq!(window.highest(), Some(1_000_000));
    }
}
