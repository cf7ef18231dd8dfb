//! The pictures of MP4 files and their like, whole or in fragments; `shiguredo_mp4` knows the boxes.

use std::num::NonZeroU32;
use std::time::Duration;

use shiguredo_mp4::aux::SampleTableAccessor;
use shiguredo_mp4::boxes::{HdlrBox, MoovBox, SampleEntry, TrakBox};
use shiguredo_mp4::{BaseBox, Decode, Encode};

use super::{MOVIE, Placement, boxes_at, fragments, placement};
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::film::{Coding, Film, FilmFrame};
use crate::read::File;
use crate::read::preparing::Preparing;

/// Where a sample is, and when.
pub(super) struct Sample {
    /// In bytes from the file's start.
    pub(super) position: u64,
    /// In bytes.
    pub(super) size: u64,
    /// When it is shown, in ticks of its track, before edit lists.
    pub(super) shown: i128,
}

/// Reads its first pictures.
pub(in crate::read) fn pictures(file: &File<'_>) -> Result<Film, MediaError> {
    let movie = movie(file)?;
    let fragments = movie.mvex_box;
    let is_video =
        |track: &TrakBox| track.mdia_box.hdlr_box.handler_type == HdlrBox::HANDLER_TYPE_VIDE;
    let Some(track) = movie.trak_boxes.into_iter().find(is_video) else {
        return Err(file.no_track(Kind::Video, "name another file, or none"));
    };
    let (number, scale) = (track.tkhd_box.track_id, track.mdia_box.mdhd_box.timescale);
    let table = track.mdia_box.minf_box.stbl_box;
    let coding = Described::read(file, table.stsd_box.entries.first())?;

    let mut taking = Taking {
        file,
        preparing: Preparing::new(file, coding.codec, &coding.private)?,
        scale,
        placement: placement(&file.bytes, number),
        left: file.bytes.len() as u64,
        frames: Vec::new(),
    };
    if let Some(defaults) = fragments {
        for sample in fragments::samples(&file.bytes, number, &defaults) {
            taking.take(&sample)?;
        }
    } else {
        let table = SampleTableAccessor::new(table)
            .map_err(|error| file.broken(0, format!("its sample table: {error}")))?;
        for sample in table.samples() {
            let later = sample.composition_time_offset().unwrap_or(0);
            taking.take(&Sample {
                position: sample.data_offset(),
                size: sample.data_size().into(),
                shown: i128::from(sample.timestamp()) + i128::from(later),
            })?;
        }
    }
    let coded = Coding::Coded(coding.codec);
    Film::new(file, "MP4", coded, Some(coding.size), taking.frames)
}

/// Takes sample after sample.
struct Taking<'a> {
    file: &'a File<'a>,
    preparing: Preparing<'a>,
    scale: NonZeroU32,
    placement: Placement,
    /// Bytes that samples may still have: together, no more than the file.
    left: u64,
    frames: Vec<FilmFrame>,
}

impl Taking<'_> {
    fn take(&mut self, sample: &Sample) -> Result<(), MediaError> {
        let number = self.frames.len();
        let end = usize::try_from(sample.position.saturating_add(sample.size)).ok();
        let start = usize::try_from(sample.position).unwrap_or(usize::MAX);
        let Some(end) = end.filter(|end| *end <= self.file.bytes.len() && start <= *end) else {
            let problem = format!("frame {number} lies beyond the end of the file");
            return Err(self.file.broken(self.file.bytes.len() as u64, problem));
        };
        if start == end {
            return Ok(());
        }
        let Some(left) = self.left.checked_sub(sample.size) else {
            let problem = format!("frame {number} lies where others do");
            return Err(self.file.broken(sample.position, problem));
        };
        self.left = left;
        let (bytes, is_key) = self
            .preparing
            .frame(self.file.bytes.slice(start..end), number)?;
        self.frames.push(FilmFrame {
            bytes,
            shown: shown(sample.shown, self.scale, self.placement),
            is_key,
            position: sample.position,
        });
        Ok(())
    }
}

fn movie(file: &File<'_>) -> Result<MoovBox, MediaError> {
    let Some(found) = boxes_at(&file.bytes).find(|found| &found.kind == MOVIE) else {
        let end = file.bytes.len() as u64;
        return Err(file.broken(end, "its index (`moov`) is missing"));
    };
    MoovBox::decode(found.whole)
        .map(|(movie, _)| movie)
        .map_err(|error| file.broken(found.at as u64, format!("its index: {error}")))
}

/// Returns when something is shown, since the start of the file.
fn shown(ticks: i128, scale: NonZeroU32, placement: Placement) -> Duration {
    let nanos = ticks.saturating_mul(1_000_000_000) / i128::from(scale.get());
    let nanos = nanos - placement.left_out.as_nanos() as i128 + placement.begins.as_nanos() as i128;
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// What a track says about its samples.
struct Described {
    codec: Codec,
    private: Vec<u8>,
    size: (u32, u32),
}

impl Described {
    fn read(file: &File<'_>, entry: Option<&SampleEntry>) -> Result<Self, MediaError> {
        // What is inside a box, after its size and kind.
        let inside = |encoded: Result<Vec<u8>, _>| -> Vec<u8> {
            let encoded: Vec<u8> = encoded.ok().unwrap_or_default();
            encoded.get(8..).unwrap_or_default().to_vec()
        };
        let (codec, private, visual) = match entry {
            Some(SampleEntry::Avc1(entry)) => (
                Codec::H264,
                inside(entry.avcc_box.encode_to_vec()),
                &entry.visual,
            ),
            Some(SampleEntry::Av01(entry)) => (
                Codec::Av1,
                inside(entry.av1c_box.encode_to_vec()),
                &entry.visual,
            ),
            Some(SampleEntry::Vp08(entry)) => (Codec::Vp8, Vec::new(), &entry.visual),
            Some(SampleEntry::Vp09(entry)) => (Codec::Vp9, Vec::new(), &entry.visual),
            Some(other) => {
                let kind = other.box_type();
                let name = kind.as_bytes().escape_ascii();
                let found =
                    format!("holds pictures in `{name}`; H.264, AV1, VP9 and VP8 are played");
                return Err(file.unsupported(&found, Some(Kind::Video)));
            }
            None => return Err(file.broken(0, "its pictures are of no stated kind")),
        };
        Ok(Self {
            codec,
            private,
            size: (visual.width.into(), visual.height.into()),
        })
    }
}
