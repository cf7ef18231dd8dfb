//! WebM and Matroska: Opus, VP8 and AV1, among them our own recordings; other sound is decoded.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use matroska_demuxer::{DemuxError, Frame as Block, MatroskaFile, TrackEntry, TrackType};

use super::{File, decoded, opus_packets};
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::track::Track;

pub(super) fn read(file: &File<'_>, kind: Kind) -> Result<Track, MediaError> {
    let mut webm = MatroskaFile::open(Cursor::new(&file.bytes[..]))
        .map_err(|error| file.broken(0, describe(&error)))?;
    let (entry, codec) = choose(file, webm.tracks(), kind)?;
    let number = entry.track_number().get();
    let private = entry.codec_private().map(<[u8]>::to_vec);
    let scale = webm.info().timestamp_scale().get();
    let delay = Duration::from_nanos(entry.codec_delay().unwrap_or(0));
    let Some(codec) = codec else {
        return decoded::read(file);
    };

    let mut encoded = Vec::new();
    // Sound and pictures of one file keep their places to each other.
    let mut start = None;
    let mut block = Block::default();
    loop {
        match webm.next_frame(&mut block) {
            Ok(false) => break,
            Ok(true) => {
                let time = Duration::from_nanos(block.timestamp.saturating_mul(scale));
                let time = time.saturating_sub(*start.get_or_insert(time));
                if block.track == number {
                    encoded.push((time, Bytes::from(std::mem::take(&mut block.data))));
                }
            }
            Err(error) => {
                let after = encoded.last().map_or(Duration::ZERO, |(time, _)| *time);
                let problem = format!("after {:.1} s: {}", after.as_secs_f64(), describe(&error));
                return Err(file.broken(file.bytes.len() as u64, problem));
            }
        }
    }
    match kind {
        Kind::Audio => opus_packets::track(file, encoded, delay),
        Kind::Video => video(file, codec, encoded, private.as_deref()),
    }
}

/// Returns the first track of `kind` and its codec; none for sound that must be decoded.
fn choose<'a>(
    file: &File<'_>,
    tracks: &'a [TrackEntry],
    kind: Kind,
) -> Result<(&'a TrackEntry, Option<Codec>), MediaError> {
    let wanted = match kind {
        Kind::Audio => TrackType::Audio,
        Kind::Video => TrackType::Video,
    };
    let Some(entry) = tracks.iter().find(|track| track.track_type() == wanted) else {
        return Err(file.no_track(kind, "name another file, or none"));
    };
    let codec = match entry.codec_id() {
        "A_OPUS" => Codec::Opus,
        "V_VP8" => Codec::Vp8,
        "V_AV1" => Codec::Av1,
        _ if kind == Kind::Audio => return Ok((entry, None)),
        other => {
            let found = format!("holds pictures in `{other}`; VP8 and AV1 are played");
            return Err(file.unsupported(&found, Some(kind)));
        }
    };
    Ok((entry, Some(codec)))
}

fn video(
    file: &File<'_>,
    codec: Codec,
    encoded: Vec<(Duration, Bytes)>,
    private: Option<&[u8]>,
) -> Result<Track, MediaError> {
    if encoded.is_empty() {
        return Err(file.no_track(Kind::Video, "its track is empty"));
    }
    // The units after the four bytes of `av1C`: muxers may leave them out of the frames.
    let headers = private
        .filter(|_| codec == Codec::Av1)
        .and_then(|p| p.get(4..));
    let times: Vec<Duration> = encoded.iter().map(|(time, _)| *time).collect();
    let mut frames = Vec::with_capacity(encoded.len());
    let mut duration = Duration::from_millis(40);
    for (number, (time, bytes)) in encoded.into_iter().enumerate() {
        let (bytes, is_key) = with_headers(codec, bytes, headers);
        if number == 0 && !is_key {
            return Err(file.broken(0, format!("the first frame is no {codec} key frame")));
        }
        if let Some(next) = times.get(number + 1) {
            duration = next.saturating_sub(time);
        }
        let frame = Frame::packetize(codec, bytes, time, duration, is_key)
            .map_err(|error| file.no_frame(0, number, &error))?;
        frames.push(frame);
    }
    file.track(frames)
}

fn with_headers(codec: Codec, bytes: Bytes, headers: Option<&[u8]>) -> (Bytes, bool) {
    if codec.is_key_frame(&bytes) {
        return (bytes, true);
    }
    let Some(headers) = headers.filter(|headers| !headers.is_empty()) else {
        return (bytes, false);
    };
    let whole: Bytes = headers.iter().chain(&bytes).copied().collect();
    let is_key = codec.is_key_frame(&whole);
    (if is_key { whole } else { bytes }, is_key)
}

fn describe(error: &DemuxError) -> String {
    match error {
        DemuxError::IoError(_) => "the file ends too early".into(),
        other => other.to_string(),
    }
}
