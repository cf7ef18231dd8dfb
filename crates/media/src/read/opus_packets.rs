//! Opus packets that a container has stamped with times.

use std::time::Duration;

use bytes::Bytes;

use super::File;
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::payload;
use crate::track::Track;

/// Blocks of WebM are stamped in whole milliseconds: within this, sound that follows sound follows at
/// once.
const ROUNDING: Duration = Duration::from_millis(5);

/// Makes a track of packets with their times; `delay` is what a decoder needs to settle.
pub(super) fn track(
    file: &File<'_>,
    encoded: Vec<(Duration, Bytes)>,
    delay: Duration,
) -> Result<Track, MediaError> {
    let Some(first) = encoded.first().map(|(time, _)| *time) else {
        return Err(file.no_track(Kind::Audio, "its track is empty"));
    };
    let mut frames = Vec::with_capacity(encoded.len());
    let mut end = first;
    let mut settling = delay;
    let count = encoded.len();
    for (number, (time, packet)) in encoded.into_iter().enumerate() {
        let Some(duration) = payload::opus::duration(&packet) else {
            return Err(file.broken(0, format!("packet {number} is no Opus packet")));
        };
        // As in Ogg: packets that lie wholly in the codec delay are not to be heard.
        if let Some(left) = settling.checked_sub(duration)
            && number + 1 < count
        {
            settling = left;
            continue;
        }
        settling = Duration::ZERO;
        let begins = if time.abs_diff(end) <= ROUNDING {
            end
        } else {
            time.max(end)
        };
        end = begins + duration;
        let frame = Frame::packetize(Codec::Opus, packet, begins, duration, true)
            .map_err(|error| file.no_frame(0, number, &error))?;
        frames.push(frame);
    }
    file.track(frames)
}
