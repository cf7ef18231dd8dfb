//! WebM and Matroska: Opus, VP8, VP9, AV1 and H.264, among them our own recordings; other sound is
//! decoded.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use matroska_demuxer::{
    DemuxError, FlagInterlaced, Frame as Block, MatroskaFile, TrackEntry, TrackType,
};

use super::preparing::Preparing;
use super::{File, decoded, opus_packets};
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::film::{Coding, Film, FilmFrame};
use crate::track::Track;

/// Reads its first sound.
pub(super) fn sound(file: &File<'_>) -> Result<Track, MediaError> {
    let mut webm = open(file)?;
    let entry = first(file, webm.tracks(), Kind::Audio)?;
    if entry.codec_id() != "A_OPUS" {
        return decoded::read(file);
    }
    let number = entry.track_number().get();
    let delay = Duration::from_nanos(entry.codec_delay().unwrap_or(0));
    let packets = blocks(file, &mut webm, number)?;
    opus_packets::track(file, packets, delay)
}

/// Reads its first pictures.
pub(super) fn pictures(file: &File<'_>) -> Result<Film, MediaError> {
    let mut webm = open(file)?;
    let container = match webm.ebml_header().doc_type() {
        "webm" => "WebM",
        _ => "Matroska",
    };
    let entry = first(file, webm.tracks(), Kind::Video)?;
    let codec = match entry.codec_id() {
        "V_VP8" => Codec::Vp8,
        "V_VP9" => Codec::Vp9,
        "V_AV1" => Codec::Av1,
        "V_MPEG4/ISO/AVC" => Codec::H264,
        other => {
            let found = format!("holds pictures in `{other}`; VP8, VP9, AV1 and H.264 are played");
            return Err(file.unsupported(&found, Some(Kind::Video)));
        }
    };
    let side = |pixels: std::num::NonZeroU64| u32::try_from(pixels.get()).ok();
    let size = entry
        .video()
        .and_then(|video| Some((side(video.pixel_width())?, side(video.pixel_height())?)));
    let is_interlaced = entry
        .video()
        .is_some_and(|video| video.flag_interlaced() == FlagInterlaced::Interlaced);
    let number = entry.track_number().get();
    let mut preparing = Preparing::new(file, codec, entry.codec_private().unwrap_or_default())?;
    let mut frames = Vec::new();
    for (shown, bytes) in blocks(file, &mut webm, number)? {
        let (bytes, is_key) = preparing.frame(bytes, frames.len())?;
        frames.push(FilmFrame {
            bytes,
            shown,
            is_key,
            position: 0,
        });
    }
    let mut film = Film::new(file, container, Coding::Coded(codec), size, frames)?;
    film.character.is_interlaced |= is_interlaced;
    Ok(film)
}

type WebM<'a> = MatroskaFile<Cursor<&'a [u8]>>;

fn open<'a>(file: &'a File<'_>) -> Result<WebM<'a>, MediaError> {
    MatroskaFile::open(Cursor::new(&file.bytes[..]))
        .map_err(|error| file.broken(0, describe(&error)))
}

/// Returns the first track of `kind`.
fn first<'a>(
    file: &File<'_>,
    tracks: &'a [TrackEntry],
    kind: Kind,
) -> Result<&'a TrackEntry, MediaError> {
    let wanted = match kind {
        Kind::Audio => TrackType::Audio,
        Kind::Video => TrackType::Video,
    };
    let entry = tracks.iter().find(|track| track.track_type() == wanted);
    entry.ok_or_else(|| file.no_track(kind, "name another file, or none"))
}

/// Returns the blocks of a track with their times, since the first block of any track: sound and
/// pictures of one file keep their places to each other.
fn blocks(
    file: &File<'_>,
    webm: &mut WebM<'_>,
    number: u64,
) -> Result<Vec<(Duration, Bytes)>, MediaError> {
    let scale = webm.info().timestamp_scale().get();
    let mut found: Vec<(Duration, Bytes)> = Vec::new();
    let mut start = None;
    let mut block = Block::default();
    loop {
        match webm.next_frame(&mut block) {
            Ok(false) => return Ok(found),
            Ok(true) => {
                let time = Duration::from_nanos(block.timestamp.saturating_mul(scale));
                let time = time.saturating_sub(*start.get_or_insert(time));
                if block.track == number {
                    found.push((time, Bytes::from(std::mem::take(&mut block.data))));
                }
            }
            Err(error) => {
                let after = found.last().map_or(Duration::ZERO, |(time, _)| *time);
                let problem = format!("after {:.1} s: {}", after.as_secs_f64(), describe(&error));
                return Err(file.broken(file.bytes.len() as u64, problem));
            }
        }
    }
}

fn describe(error: &DemuxError) -> String {
    match error {
        DemuxError::IoError(_) => "the file ends too early".into(),
        other => other.to_string(),
    }
}
