//! The mix: what everyone hears, 20 ms at a time.
//!
//! Who speaks hears everyone but itself (mix-minus); all who do not speak hear one and the same mix,
//! so that it is encoded once. Pure arithmetic: the same contributions give the same samples.

/// Samples of one tick: 20 ms at 48 kHz, mono.
pub(super) const TICK_SAMPLES: usize = 960;

/// The sound of one tick.
pub(super) type Pcm = [i16; TICK_SAMPLES];

/// Up to here a sum passes unchanged; beyond, it bends towards full scale and never reaches it.
const KNEE: i32 = 24_576;

/// What remains between the knee and full scale.
const ROOM_ABOVE_KNEE: i32 = 32_767 - KNEE;

/// One tick's contributions, summed.
pub(super) struct Mixer {
    sum: [i32; TICK_SAMPLES],
    contributions: usize,
}

impl Default for Mixer {
    fn default() -> Self {
        Self {
            sum: [0; TICK_SAMPLES],
            contributions: 0,
        }
    }
}

impl Mixer {
    /// Adds one participant's sound to the sum.
    pub(super) fn add(&mut self, pcm: &Pcm) {
        for (sum, sample) in self.sum.iter_mut().zip(pcm) {
            *sum += i32::from(*sample);
        }
        self.contributions += 1;
    }

    /// Returns the mix for all who contributed nothing, or `None` when nobody did.
    pub(super) fn everyone(&self) -> Option<Pcm> {
        (self.contributions > 0).then(|| self.render(None))
    }

    /// Returns the mix without `own`, or `None` when nobody else contributed.
    ///
    /// `own` must have been given to [`Mixer::add`] in this tick.
    pub(super) fn everyone_but(&self, own: &Pcm) -> Option<Pcm> {
        (self.contributions > 1).then(|| self.render(Some(own)))
    }

    fn render(&self, without: Option<&Pcm>) -> Pcm {
        let voices = self.contributions - usize::from(without.is_some());
        let mut mix = [0; TICK_SAMPLES];
        for (i, out) in mix.iter_mut().enumerate() {
            let own = without.map_or(0, |own| i32::from(own[i]));
            let sum = self.sum[i] - own;
            // A voice alone passes bit for bit, loud or not: there is nothing to limit.
            let limited = if voices > 1 { soften(sum) } else { sum };
            *out = limited.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
        mix
    }
}

/// A soft limiter without memory: the identity below the knee, and above it the curve
/// `knee + room · t / (1 + t)`, which leaves the knee with slope one.
fn soften(sum: i32) -> i32 {
    let over = sum.abs() - KNEE;
    if over <= 0 {
        return sum;
    }
    // In 64 bits: hundreds of loud voices times the room above the knee overflow 32.
    let (room, over) = (i64::from(ROOM_ABOVE_KNEE), i64::from(over));
    (KNEE + (room * over / (room + over)) as i32) * sum.signum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(voices: &[i16]) -> (Mixer, Vec<Pcm>) {
        let mut mixer = Mixer::default();
        let voices: Vec<Pcm> = voices.iter().map(|v| [*v; TICK_SAMPLES]).collect();
        voices.iter().for_each(|v| mixer.add(v));
        (mixer, voices)
    }

    #[test]
    fn each_hears_the_others_and_not_itself() {
        let (mixer, voices) = mix(&[100, 20, 3]);
        let heard = |own: &Pcm| mixer.everyone_but(own).map(|mix| mix[0]);
        assert_eq!(heard(&voices[0]), Some(23));
        assert_eq!(heard(&voices[1]), Some(103));
        assert_eq!(heard(&voices[2]), Some(120));
    }

    #[test]
    fn a_listener_hears_all() {
        let (mixer, _) = mix(&[100, 20, 3]);
        assert_eq!(mixer.everyone().map(|mix| mix[959]), Some(123));
    }

    #[test]
    fn a_lone_speaker_hears_nobody_and_is_heard_unchanged() {
        let (mixer, voices) = mix(&[-32_768]);
        assert_eq!(mixer.everyone_but(&voices[0]), None);
        assert_eq!(mixer.everyone().map(|mix| mix[0]), Some(-32_768));
    }

    #[test]
    fn nobody_speaks_nobody_hears() {
        assert_eq!(Mixer::default().everyone(), None);
    }

    #[test]
    fn loud_sums_bend_and_never_wrap() {
        let (mixer, _) = mix(&[30_000, 30_000, 30_000]);
        assert_eq!(mixer.everyone().map(|mix| mix[0]), Some(31_855));
        let (mixer, _) = mix(&[-30_000, -30_000, -30_000]);
        assert_eq!(mixer.everyone().map(|mix| mix[0]), Some(-31_855));
        let (mixer, _) = mix(&[i16::MAX; 200]);
        assert!(mixer.everyone().is_some_and(|mix| mix[0] > 32_000));
    }

    #[test]
    fn the_limiter_rises_without_a_step() {
        let mut before = soften(0);
        for sum in 1..200_000 {
            let after = soften(sum);
            assert!((0..=1).contains(&(after - before)), "step at {sum}");
            before = after;
        }
        assert!(before < 32_767);
    }
}
