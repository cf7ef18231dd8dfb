//! Still pictures one after another, with a cut or a cross-fade between them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::draw::card_picture;
use crate::error::MediaError;
use crate::list::{self, Line};
use crate::picture::Picture;
use crate::source::{Origin, SourceOptions, SourceSpec};
use crate::stills;

/// How long a slide shows where nothing else is said.
const EACH: Duration = Duration::from_secs(5);
/// More than this many are refused: each is in memory, 1.4 MB at 720p.
const MOST: usize = 200;

/// Pictures of one size, each with its time.
#[derive(Debug)]
pub(crate) struct Slides {
    slides: Vec<Slide>,
    /// How long one takes to become the next.
    crossfade: Duration,
}

#[derive(Debug)]
struct Slide {
    begins: Duration,
    lasts: Duration,
    picture: Picture,
}

/// What is seen at one moment: a slide, and how much of the one before is still there, of 256 parts.
type View = (usize, u16);

impl Slides {
    /// Opens a directory of pictures, or a list of pictures and cards.
    pub(crate) fn open(
        path: &Path,
        options: &SourceOptions,
        width: usize,
        height: usize,
    ) -> Result<Self, MediaError> {
        let each = options.each.unwrap_or(EACH);
        let lines = if path.is_dir() {
            pictures_of(path)?
        } else {
            list::read(path)?
        };
        if lines.len() > MOST {
            return Err(MediaError::UnknownSource {
                text: path.display().to_string(),
                reason: format!(
                    "it has {} slides, and {MOST} at most are shown",
                    lines.len()
                ),
            });
        }
        let mut slides = Vec::with_capacity(lines.len());
        let mut begins = Duration::ZERO;
        for Line { number, spec } in lines {
            let wrong = |error| list::wrong(path, number, error);
            let picture = picture(&spec, width, height).map_err(wrong)?;
            let lasts = spec
                .options
                .end
                .map_or(each, |end| end - spec.options.start);
            slides.push(Slide {
                begins,
                lasts,
                picture,
            });
            begins += lasts;
        }
        Ok(Self {
            slides,
            crossfade: options.crossfade,
        })
    }

    /// Returns how long all of them take.
    pub(crate) fn length(&self) -> Duration {
        self.slides
            .last()
            .map_or(Duration::ZERO, |last| last.begins + last.lasts)
    }

    /// Returns the size of the pictures.
    pub(crate) fn size(&self) -> (usize, usize) {
        let first = self.slides.first().map(|slide| &slide.picture);
        first.map_or((2, 2), |picture| (picture.width(), picture.height()))
    }

    fn view(&self, time: Duration) -> View {
        let after = self.slides.partition_point(|slide| slide.begins <= time);
        let at = after.saturating_sub(1);
        let Some(slide) = self.slides.get(at) else {
            return (0, 0);
        };
        let fade = self.crossfade.min(slide.lasts);
        let since = time.saturating_sub(slide.begins);
        if at == 0 || since >= fade {
            return (at, 0);
        }
        let left = 1.0 - since.as_secs_f64() / fade.as_secs_f64();
        (at, (left * 256.0).round() as u16)
    }

    /// Tells whether the picture of `time` is another one than that of `before`.
    pub(crate) fn changes(&self, before: Duration, time: Duration) -> bool {
        self.view(before) != self.view(time)
    }

    /// Returns what is seen at `time`.
    pub(crate) fn picture(&self, time: Duration) -> Picture {
        match self.view(time) {
            (at, 0) => self.slides[at].picture.clone(),
            // Only a slide after another one is seen with something of it.
            (at, before) => {
                let (now, past) = (&self.slides[at].picture, &self.slides[at - 1].picture);
                now.mixed_with(past, before)
            }
        }
    }
}

/// Returns the pictures of a directory by their names.
fn pictures_of(directory: &Path) -> Result<Vec<Line>, MediaError> {
    let unreadable = |source| MediaError::Unreadable {
        path: directory.into(),
        source,
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(unreadable)?;
    paths.retain(|path| stills::is_still(path));
    paths.sort();
    if paths.is_empty() {
        return Err(unreadable(std::io::Error::other(
            "it holds no PNG or JPEG file",
        )));
    }
    let lines = paths.into_iter().enumerate();
    Ok(lines
        .map(|(at, path)| Line {
            number: at + 1,
            spec: SourceSpec::file(path),
        })
        .collect())
}

fn picture(spec: &SourceSpec, width: usize, height: usize) -> Result<Picture, MediaError> {
    match &spec.origin {
        Origin::Card(text) => Ok(card_picture(text, width, height)),
        Origin::File(path) if stills::is_still(path) => stills::load(path, width, height),
        // What is missing is told as such.
        Origin::File(path) => {
            let found = std::fs::metadata(path).map_err(|source| MediaError::Unreadable {
                path: path.clone(),
                source,
            });
            found.and(Err(no_slide(spec)))
        }
        _ => Err(no_slide(spec)),
    }
}

fn no_slide(spec: &SourceSpec) -> MediaError {
    MediaError::UnknownSource {
        text: spec.label(),
        reason: "a slide is a PNG or JPEG file, or `card:TEXT`".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stills::tests::{write_jpeg, write_png};

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn open(path: &Path, options: &str) -> Result<Slides, MediaError> {
        let spec: SourceSpec = format!("slides:{}{options}", path.display())
            .parse()
            .unwrap();
        Slides::open(path, &spec.options, 64, 36)
    }

    #[test]
    fn a_list_shows_each_for_its_time() {
        let directory = tempfile::tempdir().unwrap();
        write_png(&directory.path().join("one.png"), 64, 36);
        let list = directory.path().join("list.txt");
        std::fs::write(
            &list,
            "# a comment\none.png#t=0,2\n\ncard:Two\ncard:Three\n",
        )
        .unwrap();
        let slides = open(&list, "#each=3&crossfade=1").unwrap();
        assert_eq!(slides.length(), ms(8000));
        assert_eq!(slides.view(ms(1999)), (0, 0));
        assert_eq!(slides.view(ms(2000)), (1, 256));
        assert_eq!(slides.view(ms(2500)), (1, 128));
        assert_eq!(slides.view(ms(3000)), (1, 0));
        assert_eq!(slides.view(ms(60_000)), (2, 0));
        assert!(slides.changes(ms(2100), ms(2140)) && !slides.changes(ms(3000), ms(4999)));
        let halfway = slides.picture(ms(2500));
        let (one, two) = (slides.picture(ms(0)), slides.picture(ms(3500)));
        let mean = (u32::from(one.luma()[0]) + u32::from(two.luma()[0])) / 2;
        assert!(u32::from(halfway.luma()[0]).abs_diff(mean) <= 1);
    }

    #[test]
    fn a_directory_shows_its_pictures_by_name() {
        let directory = tempfile::tempdir().unwrap();
        write_jpeg(&directory.path().join("b.jpg"), 64, 36);
        write_png(&directory.path().join("a.png"), 36, 36);
        std::fs::write(directory.path().join("notes.txt"), "no picture").unwrap();
        let slides = open(directory.path(), "").unwrap();
        assert_eq!(slides.length(), EACH * 2);
        assert_eq!(
            slides.picture(ms(0)).luma()[0],
            16,
            "the square one has bars"
        );
    }

    #[test]
    fn a_wrong_slide_is_told_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let list = directory.path().join("list.txt");
        for (text, says) in [
            ("card:A\nmissing.png\n", "list.txt:2: cannot read"),
            (
                "card:A\n\ntone\n",
                "list.txt:3: `tone:440` is no media source: a slide is",
            ),
            ("card:A#x=1\n", "list.txt:1: `card:A#x=1`"),
            ("\n", "list.txt names no source"),
        ] {
            std::fs::write(&list, text).unwrap();
            let error = open(&list, "").unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
