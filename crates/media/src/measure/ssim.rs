//! Structural similarity of two luma planes, after Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment" (2004).

/// A borrowed plane of 8-bit luma, rows one after another without padding.
#[derive(Clone, Copy)]
pub struct Luma<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Luma<'a> {
    /// Takes `samples` as `height` rows of `width`; `None` if that many are not there, or none at all.
    #[must_use]
    pub fn new(samples: &'a [u8], width: usize, height: usize) -> Option<Self> {
        let wanted = width.checked_mul(height)?;
        (wanted > 0).then_some(())?;
        Some(Self {
            samples: samples.get(..wanted)?,
            width,
            height,
        })
    }

    /// Returns the width in samples.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the height in samples.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the samples, row by row.
    #[must_use]
    pub fn samples(&self) -> &'a [u8] {
        self.samples
    }

    /// Returns the plane reduced to `columns` × `rows` mean values.
    pub(crate) fn reduced(&self, columns: usize, rows: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let (top, bottom) = cell(row, rows, self.height);
            for column in 0..columns {
                let (left, right) = cell(column, columns, self.width);
                let sum: u32 = (top..bottom)
                    .flat_map(|y| &self.samples[y * self.width + left..y * self.width + right])
                    .map(|s| u32::from(*s))
                    .sum();
                out.push((sum / ((bottom - top) * (right - left)) as u32) as u8);
            }
        }
        out
    }
}

/// Returns where part `index` of `parts` lies in `length`, never empty.
fn cell(index: usize, parts: usize, length: usize) -> (usize, usize) {
    let from = (index * length / parts).min(length - 1);
    (from, ((index + 1) * length / parts).max(from + 1))
}

/// Side of the square windows, and how far apart they lie: the habit of video encoders, and quick.
const WINDOW: usize = 8;
const STEP: usize = 4;

/// Returns the mean SSIM over 8×8 windows: 1 for the same picture, near 0 for an unrelated one.
///
/// Pictures of different sizes, or smaller than a window, are like nothing: 0.
#[must_use]
pub fn ssim(a: Luma<'_>, b: Luma<'_>) -> f64 {
    if (a.width, a.height) != (b.width, b.height) || a.width < WINDOW || a.height < WINDOW {
        return 0.0;
    }
    let (mut sum, mut windows) = (0.0, 0_u32);
    for y in (0..=a.height - WINDOW).step_by(STEP) {
        for x in (0..=a.width - WINDOW).step_by(STEP) {
            sum += window_ssim(a, b, x, y);
            windows += 1;
        }
    }
    sum / f64::from(windows)
}

fn window_ssim(a: Luma<'_>, b: Luma<'_>, x: usize, y: usize) -> f64 {
    const SAMPLES: f64 = (WINDOW * WINDOW) as f64;
    // K1 = 0.01, K2 = 0.03, L = 255, as in the paper.
    const C1: f64 = 6.502_5;
    const C2: f64 = 58.522_5;
    let (mut sum_a, mut sum_b, mut aa, mut bb, mut ab) = (0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
    for row in y..y + WINDOW {
        let at = row * a.width + x;
        for (p, q) in a.samples[at..at + WINDOW]
            .iter()
            .zip(&b.samples[at..at + WINDOW])
        {
            let (p, q) = (u32::from(*p), u32::from(*q));
            sum_a += p;
            sum_b += q;
            aa += p * p;
            bb += q * q;
            ab += p * q;
        }
    }
    let (mean_a, mean_b) = (f64::from(sum_a) / SAMPLES, f64::from(sum_b) / SAMPLES);
    let variance_a = f64::from(aa) / SAMPLES - mean_a * mean_a;
    let variance_b = f64::from(bb) / SAMPLES - mean_b * mean_b;
    let covariance = f64::from(ab) / SAMPLES - mean_a * mean_b;
    ((2.0 * mean_a * mean_b + C1) * (2.0 * covariance + C2))
        / ((mean_a * mean_a + mean_b * mean_b + C1) * (variance_a + variance_b + C2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 64;
    const HEIGHT: usize = 48;

    fn scene(seed: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut at, mut plane) = (128_i32, Vec::new());
        for _ in 0..WIDTH * HEIGHT {
            at = (at + random.i32(-20..=20)).clamp(16, 235);
            plane.push(at as u8);
        }
        plane
    }

    fn like(a: &[u8], b: &[u8]) -> f64 {
        ssim(
            Luma::new(a, WIDTH, HEIGHT).unwrap(),
            Luma::new(b, WIDTH, HEIGHT).unwrap(),
        )
    }

    #[test]
    fn the_same_picture_is_one() {
        assert!((like(&scene(1), &scene(1)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_slightly_noisy_copy_is_close_to_one() {
        let mut random = fastrand::Rng::with_seed(9);
        let noisy: Vec<u8> = scene(1)
            .iter()
            .map(|s| s.saturating_add_signed(random.i8(-3..=3)))
            .collect();
        let found = like(&scene(1), &noisy);
        assert!(found > 0.95 && found < 1.0, "{found}");
    }

    #[test]
    fn another_picture_black_and_grey_are_not_alike() {
        assert!(like(&scene(1), &scene(2)) < 0.3);
        assert!(like(&scene(1), &vec![16; WIDTH * HEIGHT]) < 0.3);
        assert!(like(&scene(1), &vec![128; WIDTH * HEIGHT]) < 0.5);
    }

    #[test]
    fn pictures_of_different_sizes_are_like_nothing() {
        let plane = scene(1);
        let whole = Luma::new(&plane, WIDTH, HEIGHT).unwrap();
        let lower = Luma::new(&plane, WIDTH, HEIGHT - 8).unwrap();
        assert!(ssim(whole, lower).abs() < 1e-9);
    }

    #[test]
    fn a_plane_too_short_for_its_size_is_refused() {
        assert!(Luma::new(&[0; 10], 4, 3).is_none());
        assert!(Luma::new(&[], 0, 0).is_none());
    }
}
