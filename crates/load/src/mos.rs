//! The E-model of ITU-T G.107 (06/2015): from delay and loss to the R factor and MOS.
//!
//! Of its terms those are used that a network can change: the delay impairment of §7.5 (`Idd`,
//! equations 7-27 and 7-28; echo is taken as cancelled, so that `Idte` and `Idle` are zero) and
//! the effective equipment impairment of §7.6 (`Ie,eff`, equation 7-29). All others have the
//! defaults of Table 1, with which R is 93.2 without impairment.
//!
//! The standard's tables (ITU-T G.113, Appendix I) have no constants for Opus. Those of
//! [`Constants::OPUS`] are provisional, and every report says so.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// R without any impairment, with the defaults of G.107 Table 1 (§7.8).
pub const R_DEFAULT: f64 = 93.2;

/// What a codec brings into the model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Constants {
    /// Equipment impairment without loss.
    pub ie: f64,
    /// Robustness against loss, in percent.
    pub bpl: f64,
    /// Delay of codec and packets besides the network's and the jitter buffer's.
    pub codec_delay: Duration,
    /// Where they come from.
    pub source: &'static str,
}

impl Constants {
    /// Opus with concealment. Provisional.
    pub const OPUS: Self = Self {
        ie: 0.0,
        bpl: 25.1,
        codec_delay: Duration::from_micros(26_500),
        source: "provisional: no constants for Opus are standardised; Ie = 0, and Bpl = 25.1 as \
                 ITU-T G.113 Appendix I has it for G.711 with concealment; 20 ms packets and \
                 6.5 ms look-ahead (RFC 6716 §2)",
    };
}

/// What R and MOS are made with, in a sentence for reports.
impl fmt::Display for Constants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ITU-T G.107 (06/2015) with the defaults of its Table 1 (R = {R_DEFAULT}), Ie = {}, Bpl = {}, \
             codec delay {} ms; {}",
            self.ie,
            self.bpl,
            self.codec_delay.as_secs_f64() * 1000.0,
            self.source
        )
    }
}

/// What the network did to the sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// From mouth to ear as far as the network goes, one way.
    pub network_delay: Duration,
    /// Held back by a jitter buffer.
    pub buffer_delay: Duration,
    /// Share of packets lost, 0 to 1.
    pub loss: f64,
    /// `BurstR`: how much longer losses are in a row than they would be at random; 1 at random.
    pub burst_ratio: f64,
}

/// The R factor, 0 to 100.
pub fn r_factor(conditions: &Conditions, codec: &Constants) -> f64 {
    let delay = conditions.network_delay + conditions.buffer_delay + codec.codec_delay;
    (R_DEFAULT - delay_impairment(delay) - loss_impairment(conditions, codec)).clamp(0.0, 100.0)
}

/// MOS from R (G.107 Annex B, equation B-4), 1 to 4.5.
pub fn mos(r: f64) -> f64 {
    if r <= 0.0 {
        return 1.0;
    }
    if r >= 100.0 {
        return 4.5;
    }
    // The polynomial dips a little below 1 for small R.
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
}

/// `Idd`, equations 7-27 and 7-28.
fn delay_impairment(delay: Duration) -> f64 {
    let ms = delay.as_secs_f64() * 1000.0;
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    let root = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// `Ie,eff`, equation 7-29.
fn loss_impairment(conditions: &Conditions, codec: &Constants) -> f64 {
    let percent = conditions.loss.clamp(0.0, 1.0) * 100.0;
    let burst_ratio = conditions.burst_ratio.max(1.0);
    if percent == 0.0 {
        return codec.ie;
    }
    codec.ie + (95.0 - codec.ie) * percent / (percent / burst_ratio + codec.bpl)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(delay_ms: u64, loss: f64) -> Conditions {
        Conditions {
            network_delay: Duration::from_millis(delay_ms),
            buffer_delay: Duration::ZERO,
            loss,
            burst_ratio: 1.0,
        }
    }

    /// G.711 with concealment, as in G.113 Appendix I.
    const G711: Constants = Constants {
        ie: 0.0,
        bpl: 25.1,
        codec_delay: Duration::ZERO,
        source: "ITU-T G.113 Appendix I",
    };

    fn close(value: f64, published: f64, error: f64) {
        assert!(
            (value - published).abs() <= error,
            "{value}, published {published}"
        );
    }

    /// The whole of §7 with the defaults of Table 1, of which the rest of this module uses the sum.
    #[test]
    fn the_default_r_is_what_the_defaults_of_table_1_come_to() {
        let (slr, rlr, stmr, lstr, dsend): (f64, f64, f64, f64, f64) = (8.0, 2.0, 15.0, 18.0, 3.0);
        let (telr, wepl, nc, nfor, room): (f64, f64, f64, f64, f64) =
            (65.0, 110.0, -70.0, -64.0, 35.0);
        let (qdu, olr): (f64, f64) = (1.0, slr + rlr);
        let power = |db: f64| 10f64.powf(db / 10.0);
        // §7.2, equations 7-2 to 7-7.
        let nos = room - slr - dsend - 100.0 + 0.004 * (room - olr - dsend - 14.0).powi(2);
        let pre = room + 10.0 * (1.0 + 10f64.powf((10.0 - lstr) / 10.0)).log10();
        let nor = rlr - 121.0 + pre + 0.008 * (pre - 35.0).powi(2);
        let no = 10.0 * (power(nc) + power(nos) + power(nor) + power(nfor + rlr)).log10();
        let ro = 15.0 - 1.5 * (slr + no);
        // §7.4, equations 7-8 to 7-17.
        let xolr = (olr + 0.2 * (64.0 + no - rlr)) / 8.0;
        let iolr = 20.0 * ((1.0 + xolr.powi(8)).powf(1.0 / 8.0) - xolr);
        let stmro = -10.0 * (power(-stmr) + power(-telr)).log10();
        let root = |x: f64, n: i32| (1.0 + x.powi(n)).powf(1.0 / f64::from(n));
        let ist = 12.0 * root((stmro - 13.0) / 6.0, 8)
            - 28.0 * root((stmro + 1.0) / 19.4, 35)
            - 13.0 * root((stmro - 3.0) / 33.0, 13)
            + 29.0;
        let q = 37.0 - 15.0 * qdu.log10();
        let g = 1.07 + 0.258 * q + 0.0602 * q * q;
        let (y, z) = (
            (ro - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0,
            46.0 / 30.0 - g / 40.0,
        );
        let iq = 15.0 * (1.0 + 10f64.powf(y) + 10f64.powf(z)).log10();
        // §7.5 without delay: of talker echo, listener echo and delay, listener echo alone is left.
        let rle = 10.5 * (wepl + 7.0);
        let half = (ro - rle) / 2.0;
        let idle = half + (half * half + 169.0).sqrt();
        close(ro - (iolr + ist + iq) - idle, R_DEFAULT, 0.05);
        close(r_factor(&conditions(0, 0.0), &G711), R_DEFAULT, 1e-9);
        close(mos(R_DEFAULT), 4.41, 0.005);
    }

    #[test]
    fn mos_is_what_annex_b_tabulates() {
        // G.107 Table B.1: R at the edges of user satisfaction, and the default.
        for (r, published) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            close(mos(r), published, 0.01);
        }
        assert_eq!((mos(-3.0), mos(0.0), mos(100.0)), (1.0, 1.0, 4.5));
    }

    #[test]
    fn delay_counts_from_100_ms_on_as_g_114_draws_it() {
        close(r_factor(&conditions(100, 0.0), &G711), 93.2, 1e-9);
        // G.107 alone; G.114 Figure 1 has about 90 at 200 ms, 70 at 400 ms.
        close(delay_impairment(Duration::from_millis(200)), 3.0, 0.3);
        close(delay_impairment(Duration::from_millis(400)), 23.5, 1.5);
    }

    #[test]
    fn loss_of_g711_with_concealment_is_as_the_formula_says() {
        // 95 · 1 / (1 + 25.1)
        close(r_factor(&conditions(0, 0.01), &G711), 93.2 - 3.64, 0.01);
        close(r_factor(&conditions(0, 0.05), &G711), 93.2 - 15.78, 0.01);
    }

    #[test]
    fn losses_in_a_row_are_worse_than_single_ones() {
        let burst = Conditions {
            burst_ratio: 2.0,
            ..conditions(0, 0.05)
        };
        assert!(r_factor(&burst, &G711) < r_factor(&conditions(0, 0.05), &G711));
    }

    #[test]
    fn worse_conditions_never_give_a_better_score() {
        let score = |delay, loss| mos(r_factor(&conditions(delay, loss), &Constants::OPUS));
        for step in 0..50_u64 {
            let loss = step as f64 / 100.0;
            assert!(score(0, loss) >= score(0, loss + 0.01));
            assert!(score(step * 20, 0.0) >= score(step * 20 + 20, 0.0));
        }
    }
}
