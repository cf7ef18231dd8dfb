//! How like a clip what was seen is: where it lies, how well its pictures survived, and how many of them came.
//!
//! Every recorded picture is compared in a small grey version with all pictures of the clip; the time most of them agree on
//! says where the clip lies. What was recorded while it lasted is then compared in full with the clip's picture of that moment.

use super::ssim::{Luma, ssim};

/// Median SSIM from which on the pictures count as the clip's.
pub const SEEN: f64 = 0.9;
/// Share of the clip's pictures from which on it counts as seen, not as a still from it.
pub const COVERED: f64 = 0.8;

/// How far a picture may lie from where the others say, in seconds: two pictures at common rates, and a display's whims.
const SLACK: f64 = 0.13;
/// Size of the small grey versions.
const COLUMNS: usize = 32;
const ROWS: usize = 18;

/// The pictures of a clip or a recording, luma only, each at its time.
#[derive(Debug, Default, Clone)]
pub struct Pictures {
    width: usize,
    height: usize,
    all: Vec<Picture>,
}

#[derive(Debug, Clone)]
struct Picture {
    /// Seconds from the beginning.
    at: f64,
    luma: Vec<u8>,
    small: Vec<u8>,
}

impl Pictures {
    /// Starts with no pictures, all to come being `width` × `height`.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            all: Vec::new(),
        }
    }

    /// Adds a picture shown from `at` seconds on. One of another size counts as black: it is like nothing.
    pub fn push(&mut self, at: f64, picture: Luma<'_>) {
        let luma = if (picture.width(), picture.height()) == (self.width, self.height) {
            picture.samples().to_vec()
        } else {
            vec![0; self.width * self.height]
        };
        let Some(picture) = Luma::new(&luma, self.width, self.height) else {
            return;
        };
        let small = picture.reduced(COLUMNS, ROWS);
        self.all.push(Picture { at, luma, small });
    }

    /// Returns how many pictures there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the width and height of each picture.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn luma(&self, index: usize) -> Option<Luma<'_>> {
        Luma::new(&self.all[index].luma, self.width, self.height)
    }
}

/// How like its clip a recording looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureSimilarity {
    /// Median SSIM of the recorded pictures to the clip's.
    pub median: f64,
    /// SSIM of the worst of them.
    pub worst: f64,
    /// Share of the clip's pictures that were seen, 0 to 1.
    pub covered: f64,
    /// How many recorded pictures were compared.
    pub compared: usize,
    /// Where in the recording the clip begins, in seconds.
    pub offset: f64,
}

impl PictureSimilarity {
    /// What nothing at all is like.
    const NOTHING: Self = Self {
        median: 0.0,
        worst: 0.0,
        covered: 0.0,
        compared: 0,
        offset: 0.0,
    };

    /// Returns whether the clip was seen, and moving.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.median >= SEEN && self.covered >= COVERED
    }
}

/// Compares what was `seen` with `clip`.
#[must_use]
pub fn compare(clip: &Pictures, seen: &Pictures) -> PictureSimilarity {
    let Some(offset) = find(clip, seen) else {
        return PictureSimilarity::NOTHING;
    };
    let (Some(begin), Some(end)) = (
        clip.all.first().map(|p| p.at),
        clip.all.last().map(|p| p.at),
    ) else {
        return PictureSimilarity::NOTHING;
    };
    let mut found = Vec::new();
    let mut was_seen = vec![false; clip.len()];
    for (index, picture) in seen.all.iter().enumerate() {
        let at = picture.at - offset;
        if at < begin || at > end {
            continue;
        }
        // The two that look nearest around this moment; the full comparison decides between them.
        let mut near: Vec<(u32, usize)> = (0..clip.len())
            .filter(|i| (clip.all[*i].at - at).abs() <= SLACK)
            .map(|i| (difference(&clip.all[i].small, &picture.small), i))
            .collect();
        near.sort_unstable();
        let best = near
            .iter()
            .take(2)
            .filter_map(|(_, i)| Some((ssim(clip.luma(*i)?, seen.luma(index)?), *i)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let (similarity, clip_index) = best.unwrap_or((0.0, 0));
        if similarity >= SEEN {
            was_seen[clip_index] = true;
        }
        found.push(similarity);
    }
    if found.is_empty() {
        return PictureSimilarity::NOTHING;
    }
    found.sort_unstable_by(f64::total_cmp);
    PictureSimilarity {
        median: found[found.len() / 2],
        worst: found[0],
        covered: was_seen.iter().filter(|seen| **seen).count() as f64 / clip.len() as f64,
        compared: found.len(),
        offset,
    }
}

/// Returns the time in the recording that most of its pictures agree the clip begins at.
fn find(clip: &Pictures, seen: &Pictures) -> Option<f64> {
    // Every recorded picture that looks more like one picture of the clip than a slate does has a vote,
    // the heavier the closer it looks.
    let votes: Vec<(f64, f64)> = seen
        .all
        .iter()
        .filter_map(|picture| {
            let (difference, at) = clip
                .all
                .iter()
                .map(|c| (difference(&c.small, &picture.small), c.at))
                .min_by_key(|(difference, _)| *difference)?;
            Some((
                picture.at - at,
                1.0 / (f64::from(difference) + (COLUMNS * ROWS) as f64),
            ))
        })
        .collect();
    let weight_around = |offset: f64| {
        votes
            .iter()
            .filter(|(v, _)| (v - offset).abs() <= SLACK / 2.0)
            .map(|(_, w)| w)
            .sum::<f64>()
    };
    let (centre, _) = votes
        .iter()
        .map(|(offset, _)| (*offset, weight_around(*offset)))
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.total_cmp(&a.0)))?;
    let mut agreeing: Vec<f64> = votes
        .iter()
        .map(|(v, _)| *v)
        .filter(|v| (v - centre).abs() <= SLACK / 2.0)
        .collect();
    agreeing.sort_unstable_by(f64::total_cmp);
    agreeing.get(agreeing.len() / 2).copied()
}

/// Returns the sum of squared differences of two small grey versions.
fn difference(a: &[u8], b: &[u8]) -> u32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 160;
    const HEIGHT: usize = 96;
    const RATE: f64 = 16.0;

    /// A still background with something that moves across it.
    fn scene(seed: u64, step: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut at, mut plane) = (128_i32, Vec::new());
        for _ in 0..WIDTH * HEIGHT {
            at = (at + random.i32(-20..=20)).clamp(16, 235);
            plane.push(at as u8);
        }
        for y in 20..70 {
            for x in step..step + 50 {
                plane[y * WIDTH + x] = random.u8(150..=235) / 2 + (x - step) as u8;
            }
        }
        plane
    }

    fn film(seed: u64) -> Vec<Vec<u8>> {
        (0..80).map(|step| scene(seed, step)).collect()
    }

    fn pictures(films: &[&[Vec<u8>]]) -> Pictures {
        let mut out = Pictures::new(WIDTH, HEIGHT);
        for (index, plane) in films.iter().copied().flatten().enumerate() {
            out.push(
                index as f64 / RATE,
                Luma::new(plane, WIDTH, HEIGHT).unwrap(),
            );
        }
        out
    }

    fn slate() -> Vec<Vec<u8>> {
        vec![vec![60; WIDTH * HEIGHT]; 23]
    }

    fn noisy(film: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut random = fastrand::Rng::with_seed(5);
        film.iter()
            .map(|plane| {
                plane
                    .iter()
                    .map(|s| s.saturating_add_signed(random.i8(-2..=2)))
                    .collect()
            })
            .collect()
    }

    fn of_film(seen: &[Vec<u8>]) -> PictureSimilarity {
        compare(
            &pictures(&[&film(1)]),
            &pictures(&[&slate(), seen, &slate()]),
        )
    }

    #[test]
    fn finds_the_clip_between_two_slates() {
        let found = of_film(&noisy(&film(1)));
        assert!(
            found.is_seen() && found.worst > 0.9 && found.covered > 0.95,
            "{found:?}"
        );
        assert!((found.offset - 23.0 / RATE).abs() < 0.07, "{found:?}");
    }

    #[test]
    fn other_pictures_are_not_the_clip() {
        for (name, seen) in [
            ("another film", film(2)),
            ("black", vec![vec![16; WIDTH * HEIGHT]; 80]),
            ("a still", vec![scene(1, 7); 80]),
        ] {
            let found = of_film(&seen);
            assert!(!found.is_seen(), "{name}: {found:?}");
        }
        assert!(!compare(&pictures(&[&film(1)]), &pictures(&[])).is_seen());
        assert!(!compare(&pictures(&[]), &pictures(&[&film(1)])).is_seen());
    }

    #[test]
    fn a_black_middle_shows_in_the_worst_and_a_short_one_in_what_was_covered() {
        let mut seen = film(1);
        seen[30..34].fill(vec![16; WIDTH * HEIGHT]);
        let found = of_film(&seen);
        assert!(found.is_seen() && found.worst < 0.3, "{found:?}");

        let found = of_film(&film(1)[..40]);
        assert!(found.covered < 0.6 && !found.is_seen(), "{found:?}");
    }
}
