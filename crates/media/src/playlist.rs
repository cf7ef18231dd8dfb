//! Playlists: sources one after another, as one stream of sound and one of pictures.
//!
//! An item lasts as long as the longer of its sound and its picture; where it has but one of them,
//! silence or a quiet picture goes beside it, so that both streams of a playlist keep together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::Kind;
use crate::edit;
use crate::error::MediaError;
use crate::film::Acceptance;
use crate::generate;
use crate::list::{self, Line};
use crate::sound::{self, Count, Flow, Sink, lasting, pour_silent_samples, samples};
use crate::source::{Origin, Reel, Source, SourceOptions, SourceSpec, not_a_feed};
use crate::stills;
use crate::track::Track;

/// One item, of which it is known how long it plays.
#[derive(Debug)]
pub(crate) struct Item {
    line: usize,
    spec: SourceSpec,
    has_sound: bool,
    /// Its pictures, if it has any.
    reel: Option<Reel>,
    /// How long one round takes, without the gap behind it, in samples.
    length: u64,
}

impl Item {
    fn rounds(&self) -> u32 {
        self.spec.options.rounds.unwrap_or(1)
    }

    pub(crate) fn reel(&self) -> Option<&Reel> {
        self.reel.as_ref()
    }
}

/// Opens all items, so that one that cannot be played is told with its line before anything is played.
pub(crate) fn open(path: &Path, options: &SourceOptions) -> Result<Vec<Item>, MediaError> {
    list::read(path)?
        .into_iter()
        .map(|Line { number, mut spec }| {
            spec.options.size = spec
                .options
                .size
                .or(options.size.filter(|_| is_drawn(&spec)));
            item(number, spec).map_err(|error| list::wrong(path, number, error))
        })
        .collect()
}

/// Tells whether any item has sound, or a picture.
pub(crate) fn has(path: &Path, options: &SourceOptions, kind: Kind) -> Result<bool, MediaError> {
    let items = open(path, options)?;
    Ok(items.iter().any(|item| match kind {
        Kind::Audio => item.has_sound,
        Kind::Video => item.reel.is_some(),
    }))
}

fn is_drawn(spec: &SourceSpec) -> bool {
    match &spec.origin {
        Origin::Card(_) | Origin::Slides(_) => true,
        Origin::File(path) => stills::is_still(path),
        _ => false,
    }
}

fn item(line: usize, spec: SourceSpec) -> Result<Item, MediaError> {
    let cannot = |reason: &str| MediaError::UnknownSource {
        text: spec.to_string(),
        reason: reason.into(),
    };
    if matches!(spec.origin, Origin::Playlist(_)) {
        return Err(cannot(
            "a playlist in a playlist is not played: name its items",
        ));
    }
    not_a_feed(&spec)?;
    if spec.never_ends() {
        return Err(cannot("it never ends: give it an end, as in `#t=0,10`"));
    }
    let (sound, sound_error) = there(sound_length(&spec))?;
    let (picture, picture_error) = there(pictures_of(&spec))?;
    let shown = picture.as_ref().map(|(_, length)| samples(*length));
    let length = match (sound, shown) {
        (Some(sound), picture) => sound.max(picture.unwrap_or_default()),
        (None, Some(picture)) => picture,
        (None, None) => {
            let error = sound_error.or(picture_error);
            return Err(error.unwrap_or_else(|| cannot("there is nothing in it")));
        }
    };
    Ok(Item {
        line,
        has_sound: sound.is_some(),
        reel: picture.map(|(reel, _)| reel),
        length,
        spec,
    })
}

/// Tells apart what is missing from what is wrong.
fn there<T>(found: Result<T, MediaError>) -> Result<(Option<T>, Option<MediaError>), MediaError> {
    match found {
        Ok(found) => Ok((Some(found), None)),
        Err(error @ MediaError::NoTrack { .. }) => Ok((None, Some(error))),
        Err(error) => Err(error),
    }
}

fn none(spec: &SourceSpec, kind: Kind) -> MediaError {
    MediaError::NoTrack {
        path: spec.to_string().into(),
        kind,
        remedy: "it is of the other kind".into(),
    }
}

fn sound_length(spec: &SourceSpec) -> Result<u64, MediaError> {
    if !spec.may_be(Kind::Audio) || is_drawn(spec) {
        return Err(none(spec, Kind::Audio));
    }
    let mut count = Count::default();
    sound::pour_cut(spec, 1, &mut count)?;
    Ok(count.samples)
}

/// Opens the pictures of an item, and finds out how long they are shown.
fn pictures_of(spec: &SourceSpec) -> Result<(Reel, Duration), MediaError> {
    if !spec.may_be(Kind::Video) {
        return Err(none(spec, Kind::Video));
    }
    let reel = Reel::open(spec)?;
    let length = reel.length()?;
    let length = length.ok_or_else(|| MediaError::UnknownSource {
        text: spec.to_string(),
        reason: "it never ends: give it an end, as in `#t=0,10`".into(),
    })?;
    Ok((reel, length))
}

/// Pours the sound of all items into `to`, each from its first sample to its last.
pub(crate) fn pour(
    path: &Path,
    options: &SourceOptions,
    channels: u8,
    to: &mut dyn Sink,
) -> Result<Flow, MediaError> {
    let mut through = Through {
        to,
        given: 0,
        is_over: false,
    };
    for (at, item) in open(path, options)?.iter().enumerate() {
        let wrong = |error| list::wrong(path, item.line, error);
        if at > 0 {
            through.silence(samples(options.gap))?;
        }
        for round in 0..item.rounds() {
            if round > 0 {
                through.silence(samples(item.spec.options.gap))?;
            }
            if through.is_over {
                return Ok(Flow::Break(()));
            }
            let begins = through.given;
            if item.has_sound {
                sound::pour(&item.spec, channels, &mut through).map_err(wrong)?;
            }
            let given = through.given - begins;
            through.silence(item.length.saturating_sub(given))?;
        }
    }
    Ok(if through.is_over {
        Flow::Break(())
    } else {
        Flow::Continue(())
    })
}

/// Hands on samples and counts them.
struct Through<'a> {
    to: &'a mut dyn Sink,
    /// Samples on one channel.
    given: u64,
    is_over: bool,
}

impl Through<'_> {
    fn silence(&mut self, samples: u64) -> Result<(), MediaError> {
        pour_silent_samples(samples, self).map(|_| ())
    }
}

impl Sink for Through<'_> {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        if self.is_over {
            return Ok(Flow::Break(()));
        }
        self.given += (samples.len() / sound::CHANNELS) as u64;
        let flow = self.to.take(samples)?;
        self.is_over = flow.is_break();
        Ok(flow)
    }
}

/// Returns the pictures of all items as a far end takes them; their size may change from one to the next.
pub(crate) fn pictures(
    items: &[Item],
    options: &SourceOptions,
    accepted: &Acceptance,
) -> Result<Track, MediaError> {
    let mut quiet = None;
    let mut parts: Vec<(Arc<Track>, Duration)> = Vec::new();
    // Where the sound of the same items is, in samples: times are cut from it, so that nothing adds up.
    let mut begins = 0;
    let mut place = |track: Arc<Track>, length: u64, gap: Duration| {
        let end = begins + length + samples(gap);
        parts.push((track, lasting(end) - lasting(begins)));
        begins = end;
    };
    for (at, item) in items.iter().enumerate() {
        let track = match &item.reel {
            Some(reel) => match reel.towards(accepted)? {
                Source::Track(track) => track,
                Source::Endless(_) | Source::Live(_) => return Err(none(&item.spec, Kind::Video)),
            },
            None => {
                let slate = match &quiet {
                    Some(slate) => slate,
                    None => quiet.insert(generate::slate(accepted.codec, "")?),
                };
                Arc::new(edit::repeated(slate, lasting(item.length))?)
            }
        };
        for round in 1..=item.rounds() {
            let is_last = round == item.rounds();
            // The last picture stays during a gap.
            let gap = match is_last {
                false => item.spec.options.gap,
                true if at + 1 < items.len() => options.gap,
                true => Duration::ZERO,
            };
            place(Arc::clone(&track), item.length, gap);
        }
    }
    let track = edit::join(parts)?;
    track.chain();
    Ok(track)
}

#[cfg(test)]
mod tests;
