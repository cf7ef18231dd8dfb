//! Encoded tracks cut and put together, without decoding more of them than must be.

use std::sync::Arc;
use std::time::Duration;

use crate::codec::Kind;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::measure::decode::each_picture;
use crate::picture::Picture;
use crate::source::SourceOptions;
use crate::track::Track;
use crate::video::{VideoEncoder, VideoSettings};

/// How many bits a pixel takes where pictures before the first key frame are encoded anew.
const BITS_PER_PIXEL: f64 = 0.25;

/// Returns the part of a track that its options name; nothing if it ends before that.
///
/// Sound is cut where its packets are, every 20 ms as a rule. A picture is cut where it is asked for:
/// where that is no key frame, what comes before the next one is encoded anew.
pub(crate) fn cut(
    track: Arc<Track>,
    options: &SourceOptions,
) -> Result<Option<Arc<Track>>, MediaError> {
    if !options.is_cut() {
        return Ok(Some(track));
    }
    let start = options.start;
    let end = options.end.unwrap_or(track.duration).min(track.duration);
    if start >= end {
        return Ok(None);
    }
    let frames = match track.codec.kind() {
        Kind::Audio => sound_between(&track, start, end),
        Kind::Video => pictures_between(&track, start, end)?,
    };
    if frames.is_empty() {
        return Ok(None);
    }
    let track = match track.codec.kind() {
        // It ends when its last packet does.
        Kind::Audio => Track::new(frames),
        Kind::Video => Track::lasting(frames, end - start),
    };
    track.map(|track| Some(Arc::new(track)))
}

fn sound_between(track: &Track, start: Duration, end: Duration) -> Vec<Frame> {
    let is_heard = |frame: &&Arc<Frame>| {
        // More of it inside than outside.
        let middle = frame.media_time + frame.duration / 2;
        middle >= start && middle < end
    };
    let heard: Vec<_> = track.frames.iter().filter(is_heard).collect();
    // The first packet begins at once where it was cut, and later where nothing is heard before it.
    let start = match heard.first() {
        Some(first) if first.media_time <= start + first.duration => first.media_time,
        _ => start,
    };
    heard.into_iter().map(|frame| moved(frame, start)).collect()
}

fn pictures_between(
    track: &Track,
    start: Duration,
    end: Duration,
) -> Result<Vec<Frame>, MediaError> {
    let frames = &track.frames;
    // The frame that is shown at `start`, the key frame it needs, and the next one.
    let shown = frames
        .partition_point(|frame| frame.media_time <= start)
        .saturating_sub(1);
    let is_key = |at: &usize| frames[*at].is_key;
    let before = (0..=shown).rev().find(is_key).unwrap_or_default();
    let after = (shown..frames.len()).find(is_key).unwrap_or(frames.len());
    let mut made = match after == shown {
        true => Vec::new(),
        false => encoded_anew(track, before, after, start, end)?,
    };
    let rest = frames[after..]
        .iter()
        .filter(|frame| frame.media_time < end);
    made.extend(rest.map(|frame| moved(frame, start)));
    Ok(made)
}

/// Decodes from the key frame `before` on, and encodes what is shown from `start` to the frame `after`.
fn encoded_anew(
    track: &Track,
    before: usize,
    after: usize,
    start: Duration,
    end: Duration,
) -> Result<Vec<Frame>, MediaError> {
    let opening = Track {
        frames: track.frames[before..after].to_vec(),
        ..track.clone()
    }
    .whole()?;
    let mut pictures: Vec<(Duration, Picture)> = Vec::new();
    each_picture(&opening, |time, picture| {
        // Of those that are over by then, the last one alone is shown.
        if time <= start {
            pictures.clear();
        }
        if time < end {
            pictures.push((time.saturating_sub(start), picture.clone()));
        }
    })?;
    let Some((_, first)) = pictures.first() else {
        return Ok(Vec::new());
    };
    let frame_rate = (track.frames.len() as f64 / track.duration.as_secs_f64()).round();
    let frame_rate = (frame_rate as u32).clamp(1, 60);
    let (width, height) = (first.width(), first.height());
    let bit_rate = (width * height) as f64 * f64::from(frame_rate) * BITS_PER_PIXEL;
    let settings = VideoSettings {
        width,
        height,
        frame_rate,
        bit_rate: (bit_rate as u32).clamp(100_000, 20_000_000),
        key_interval: 10_000,
    };
    let mut encoder = VideoEncoder::new(track.codec, settings)?;
    let mut encoded = Vec::new();
    for (at, (time, picture)) in pictures.iter().enumerate() {
        encoded.extend(encoder.encode(picture, *time, at == 0)?);
    }
    encoded.extend(encoder.finish()?);
    encoded
        .into_iter()
        .map(|frame| frame.packetize(track.codec, settings.frame_duration()))
        .collect()
}

fn moved(frame: &Frame, start: Duration) -> Frame {
    Frame {
        media_time: frame.media_time.saturating_sub(start),
        ..frame.clone()
    }
}

/// Puts tracks of one codec one after another, each lasting as long as is said with it.
pub(crate) fn join(parts: Vec<(Arc<Track>, Duration)>) -> Result<Track, MediaError> {
    let mut frames = Vec::new();
    let mut begins = Duration::ZERO;
    for (track, lasts) in parts {
        let shown = track.frames.iter().filter(|frame| frame.media_time < lasts);
        frames.extend(shown.map(|frame| Frame {
            media_time: begins + frame.media_time,
            ..Frame::clone(frame)
        }));
        begins += lasts;
    }
    Track::lasting(frames, begins)
}

/// Returns the track over and over, for so long.
pub(crate) fn repeated(track: &Arc<Track>, lasts: Duration) -> Result<Track, MediaError> {
    let rounds = lasts.as_nanos().div_ceil(track.duration.as_nanos().max(1));
    let mut parts = vec![(Arc::clone(track), track.duration); rounds.max(1) as usize];
    if let Some((_, last)) = parts.last_mut() {
        *last = lasts.saturating_sub(track.duration * (rounds.max(1) as u32 - 1));
    }
    join(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::decode;
    use crate::track::tests::{audio, video};

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn options(t: &str) -> SourceOptions {
        let spec: crate::SourceSpec = format!("x#t={t}").parse().unwrap();
        spec.options
    }

    fn film() -> Arc<Track> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/bunny.ivf");
        Arc::new(crate::read_video(path.as_ref()).unwrap())
    }

    #[test]
    fn sound_is_cut_between_packets() {
        let whole = Arc::new(audio(50));
        let part = cut(Arc::clone(&whole), &options("0.1,0.25"))
            .unwrap()
            .unwrap();
        assert_eq!(part.duration, ms(140));
        let times: Vec<_> = part.frames.iter().map(|frame| frame.media_time).collect();
        assert_eq!(times[0], ms(0));
        assert_eq!(part.frames.len(), 7);
        assert!(cut(Arc::clone(&whole), &options("1")).unwrap().is_none());
        let same = cut(Arc::clone(&whole), &SourceOptions::default())
            .unwrap()
            .unwrap();
        assert!(Arc::ptr_eq(&same, &whole));
    }

    #[test]
    fn a_picture_is_cut_where_it_is_asked_for() {
        let film = film();
        let start = ms(1500);
        let part = cut(Arc::clone(&film), &options("1.5,3")).unwrap().unwrap();
        assert!(part.frames[0].is_key);
        assert_eq!(part.duration, ms(1500));
        let (whole, part) = (shown(&film), shown(&part));
        for (time, picture) in part.iter().step_by(7) {
            let (_, same) = whole.iter().rfind(|(t, _)| *t <= *time + start).unwrap();
            let (_, other) = whole
                .iter()
                .rfind(|(t, _)| *t <= *time + start + ms(1000))
                .unwrap();
            let (alike, control) = (likeness(picture, same), likeness(picture, other));
            assert!(
                alike > 0.8 && alike > control + 0.1,
                "{time:?}: {alike}, {control}"
            );
        }
    }

    fn shown(track: &Track) -> Vec<(Duration, Picture)> {
        let mut pictures = Vec::new();
        decode::each_picture(track, |time, picture| {
            pictures.push((time, picture.clone()))
        })
        .unwrap();
        pictures
    }

    fn likeness(one: &Picture, other: &Picture) -> f64 {
        use crate::measure::ssim::{Luma, ssim};
        let luma = |p| Luma::new(Picture::luma(p), p.width(), p.height()).unwrap();
        ssim(luma(one), luma(other))
    }

    #[test]
    fn parts_follow_each_other_at_their_times() {
        let (one, other) = (Arc::new(video(3, ms(40), 3)), Arc::new(video(2, ms(40), 2)));
        let all = join(vec![(Arc::clone(&one), ms(500)), (other, ms(80))]).unwrap();
        let times: Vec<_> = all
            .frames
            .iter()
            .map(|f| f.media_time.as_millis())
            .collect();
        assert_eq!(times, [0, 40, 80, 500, 540]);
        assert_eq!(all.duration, ms(580));
        let again = repeated(&one, ms(200)).unwrap();
        let times: Vec<_> = again
            .frames
            .iter()
            .map(|f| f.media_time.as_millis())
            .collect();
        assert_eq!(times, [0, 40, 80, 120, 160]);
        assert_eq!(again.duration, ms(200));
    }
}
