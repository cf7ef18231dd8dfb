//! Pictures that are made here, each a function of time: the test picture, stills and slides.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::codec::{Codec, Kind};
use crate::draw::{Bars, card_picture};
use crate::error::MediaError;
use crate::film::Acceptance;
use crate::live::Live;
use crate::picture::{Picture, fit};
use crate::reduction;
use crate::slides::Slides;
use crate::source::{Origin, SourceOptions, SourceSpec};
use crate::stills;
use crate::track::Track;
use crate::transcode::target_of;
use crate::video::{VideoEncoder, VideoSettings};

/// The size of stills, slides and cards where nothing else is asked for.
pub(crate) const SIZE: (usize, usize) = (1280, 720);
/// The largest size in which AV1 is encoded as time goes by.
const AV1_SIZE: (usize, usize) = (640, 360);
/// Pictures a second of what moves.
const RATE: u32 = 25;
/// Pictures a second of what does not: enough that a new viewer soon has one.
const STILL_RATE: u32 = 5;
/// Key frames of a track are at most so far apart.
const KEY_INTERVAL: Duration = Duration::from_millis(1900);

/// What is shown.
#[derive(Debug)]
pub(crate) enum Show {
    /// The moving test picture.
    Bars(Bars),
    /// The same all the time.
    Still(Picture),
    /// One after another.
    Slides(Slides),
}

impl Show {
    /// Opens what is drawn here, for viewers who get it in `codec`.
    ///
    /// # Errors
    ///
    /// Fails for encoded pictures and for sound, and if a still picture cannot be read.
    pub(crate) fn open(spec: &SourceSpec, codec: Codec) -> Result<Self, MediaError> {
        let (width, height) = size(spec.options.size.unwrap_or(SIZE), codec);
        Ok(match &spec.origin {
            Origin::Bars { width, height } => Self::Bars(Bars::new(*width, *height)),
            Origin::Card(text) => Self::Still(card_picture(text, width, height)),
            Origin::File(path) => Self::Still(stills::load(path, width, height)?),
            Origin::Slides(path) => Self::Slides(Slides::open(path, &spec.options, width, height)?),
            Origin::Playlist(_)
            | Origin::Tone { .. }
            | Origin::Silence
            | Origin::Babble
            | Origin::Say(_)
            | Origin::Feed(_) => {
                return Err(MediaError::UnknownSource {
                    text: spec.label(),
                    reason: "it is not drawn here".into(),
                });
            }
        })
    }

    /// Returns for how long it is shown; nothing if it never ends.
    pub(crate) fn length(&self, options: &SourceOptions) -> Result<Option<Duration>, MediaError> {
        let whole = match self {
            Self::Slides(slides) => Some(slides.length()),
            Self::Bars(_) | Self::Still(_) => None,
        };
        let end = match (options.end, whole) {
            (Some(end), Some(whole)) => Some(end.min(whole)),
            (end, whole) => end.or(whole),
        };
        match end {
            Some(end) if end <= options.start => Err(MediaError::UnknownSource {
                text: options.to_string(),
                reason: "the slides end before `t` begins".into(),
            }),
            None if options.rounds.is_some() || !options.gap.is_zero() || options.is_cut() => {
                Err(MediaError::UnknownSource {
                    text: options.to_string(),
                    reason: "a still picture never ends: give it an end, as in `#t=0,10`".into(),
                })
            }
            end => Ok(end.map(|end| end - options.start)),
        }
    }

    /// Draws picture number `number`, `time` after its start.
    fn draw(&self, number: u64, time: Duration, clock: Option<SystemTime>) -> Picture {
        match self {
            Self::Bars(bars) => bars.draw(number, time, clock),
            Self::Still(picture) => picture.clone(),
            Self::Slides(slides) => slides.picture(time),
        }
    }

    /// Tells whether the picture of `time` is another one than that of `before`.
    fn changes(&self, before: Duration, time: Duration) -> bool {
        match self {
            Self::Bars(_) => true,
            Self::Still(_) => false,
            Self::Slides(slides) => slides.changes(before, time),
        }
    }

    fn settings(&self) -> VideoSettings {
        let (width, height) = match self {
            Self::Bars(bars) => bars.size(),
            Self::Still(picture) => (picture.width(), picture.height()),
            Self::Slides(slides) => slides.size(),
        };
        // 0.1 bit for each pixel reads well: these pictures have large even areas, or stand still.
        let bit_rate = u32::try_from(width * height * 25 / 10).unwrap_or(u32::MAX);
        VideoSettings {
            width,
            height,
            frame_rate: match self {
                Self::Still(_) => STILL_RATE,
                Self::Bars(_) | Self::Slides(_) => RATE,
            },
            bit_rate: bit_rate.max(100_000),
            ..VideoSettings::default()
        }
    }

    /// Returns how it is encoded for a far end that takes `accepted`.
    pub(crate) fn settings_for(&self, accepted: &Acceptance) -> VideoSettings {
        let own = self.settings();
        let pixels = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let unlimited = Acceptance {
            max_bit_rate: None,
            ..*accepted
        };
        let size = (pixels(own.width), pixels(own.height));
        let taken = target_of(size, own.frame_rate.into(), &unlimited);
        let asked = VideoSettings {
            width: taken.width,
            height: taken.height,
            frame_rate: taken.frame_rate,
            ..own
        };
        reduction::within(asked, accepted.max_bit_rate)
    }

    /// Shows it from now on, encoded like this once for everyone who watches.
    pub(crate) fn live(
        self,
        codec: Codec,
        settings: VideoSettings,
    ) -> Result<Arc<Live>, MediaError> {
        Live::start(codec, settings, move |number, time, clock| {
            self.draw(number, time, Some(clock))
        })
    }

    /// Encodes the part of it that the options name, like this.
    pub(crate) fn track(
        &self,
        options: &SourceOptions,
        codec: Codec,
        settings: VideoSettings,
    ) -> Result<Track, MediaError> {
        let length = self.length(options)?.unwrap_or_default();
        let settings = VideoSettings {
            key_interval: 10_000,
            ..settings
        };
        let mut encoder = VideoEncoder::new(codec, settings)?;
        let mut encoded = Vec::new();
        let (mut last, mut last_key) = (None, None);
        for number in 0u32.. {
            let time = settings.frame_duration() * number;
            if time >= length {
                break;
            }
            let at = options.start + time;
            let changes = last.is_none_or(|last| self.changes(options.start + last, at));
            // A cut, and the end of a cross-fade, begin something that stands.
            let settles = changes && !self.changes(at, at + settings.frame_duration());
            let is_old = |since: Option<Duration>, most| since.is_none_or(|s| time - s >= most);
            let key = is_old(last_key, KEY_INTERVAL)
                || settles
                    && !matches!(self, Self::Bars(_))
                    && is_old(last_key, settings.frame_duration() * 2);
            if !changes && !key && !is_old(last, Duration::from_secs(1) / STILL_RATE) {
                continue;
            }
            let mut picture = self.draw(number.into(), at, None);
            if (picture.width(), picture.height()) != (settings.width, settings.height) {
                picture = fit(&picture, settings.width, settings.height);
            }
            encoded.extend(encoder.encode(&picture, time, key)?);
            last = Some(time);
            if key {
                last_key = last;
            }
        }
        encoded.extend(encoder.finish()?);
        let frames = encoded
            .into_iter()
            .map(|frame| frame.packetize(codec, settings.frame_duration()))
            .collect::<Result<Vec<_>, _>>()?;
        Track::lasting(frames, length)
    }
}

/// Returns the size in which a picture is drawn: in AV1, what fits the largest that keeps up.
fn size((width, height): (usize, usize), codec: Codec) -> (usize, usize) {
    debug_assert_eq!(codec.kind(), Kind::Video);
    if codec != Codec::Av1 || (width <= AV1_SIZE.0 && height <= AV1_SIZE.1) {
        return (width, height);
    }
    let scale = (AV1_SIZE.0 as f64 / width as f64).min(AV1_SIZE.1 as f64 / height as f64);
    let even = |side: usize| ((side as f64 * scale) as usize & !1).max(2);
    (even(width), even(height))
}

#[cfg(test)]
mod tests;
