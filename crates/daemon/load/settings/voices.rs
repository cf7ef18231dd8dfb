//! What talkers and video senders play where there are marks in it.

use std::thread;
use std::time::Duration;

use load::{Roles, Voice};
use media::marks::{self, Base};
use media::{MediaError, Origin, Reel, Source, SourceSpec, Track};

use super::values::wrong;
use crate::node_settings::WrongValue;

/// The size of the test picture where none is asked for.
const BARS: Base<'static> = Base::Bars(640, 360);

/// Encodes what each place plays, once for all conferences.
pub(super) fn open(
    audio: Option<&SourceSpec>,
    video: Option<&SourceSpec>,
    roles: Roles,
    late: Duration,
) -> Result<Vec<Voice>, WrongValue> {
    let sound = audio.map(media::open_audio).transpose();
    let sound = sound.map_err(|error| wrong("audio", error))?;
    let sound = sound.as_ref().and_then(Source::track);
    let film;
    let picture = match video {
        None => BARS,
        Some(SourceSpec {
            origin: Origin::Bars { width, height },
            ..
        }) => Base::Bars(*width, *height),
        Some(spec) => {
            let shown = || -> Result<Option<Track>, MediaError> {
                let source = Reel::open(spec)?.best()?;
                source.track().map(|track| track.whole()).transpose()
            };
            film = shown().map_err(|error| wrong("video", error))?;
            film.as_ref().map_or(BARS, Base::Film)
        }
    };
    let places = (roles.talkers + roles.video_senders).min(marks::VOICES);
    let voice = |place: usize| -> Result<Voice, WrongValue> {
        let failed = |key| move |error: MediaError| wrong(key, error);
        let spoken = marks::marked_sound(sound.map(|track| &**track), place, late);
        let shown = (place >= roles.talkers).then(|| marks::marked_picture(picture, place));
        Ok(Voice::new(
            spoken.map_err(failed("audio"))?,
            shown.transpose().map_err(failed("video"))?,
        ))
    };
    // Encoding a picture takes a second or two, so that is done side by side.
    thread::scope(|scope| {
        let voice = &voice;
        let encoding: Vec<_> = (0..places)
            .map(|place| scope.spawn(move || voice(place)))
            .collect();
        let joined = encoding.into_iter().map(|thread| {
            let broken = |_| Err(wrong("marks", "a marked clip could not be made"));
            thread.join().unwrap_or_else(broken)
        });
        joined.collect()
    })
}
