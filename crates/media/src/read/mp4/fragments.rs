//! Movie fragments (ISO/IEC 14496-12 §8.8): where the samples of one track are in them.

use shiguredo_mp4::Decode;
use shiguredo_mp4::boxes::{MoofBox, MvexBox, TrafBox};

use super::pictures::Sample;
use super::{boxes, boxes_at, number_at};

/// The most samples of one fragment, and of all of them: some nine hours at thirty a second, and some
/// four days. Samples may be promised in a few bytes, and memory is taken for each.
const MOST_OF_ONE: u64 = 1 << 20;
const MOST: usize = 10 << 20;

/// Returns the samples of track `number`, in order; up to the first fragment that makes no sense or
/// is cut off.
pub(super) fn samples(bytes: &[u8], number: u32, defaults: &MvexBox) -> Vec<Sample> {
    let defaults = defaults
        .trex_boxes
        .iter()
        .find(|defaults| defaults.track_id == number);
    let (duration, size) = defaults.map_or((0, 0), |defaults| {
        (
            defaults.default_sample_duration,
            defaults.default_sample_size,
        )
    });
    let mut reading = Reading {
        number,
        duration,
        size,
        end: bytes.len() as u64,
        time: 0,
        samples: Vec::new(),
    };
    for found in boxes_at(bytes).filter(|found| &found.kind == b"moof") {
        let most = MOST_OF_ONE.min(bytes.len() as u64);
        if promised(&found.whole[found.header..]) > most || reading.samples.len() > MOST {
            break;
        }
        let Ok((fragment, _)) = MoofBox::decode(found.whole) else {
            break;
        };
        let mut previous = None;
        for track in &fragment.traf_boxes {
            let Some(end) = reading.track(found.at as u64, previous, track) else {
                return reading.samples;
            };
            previous = Some(end);
        }
    }
    reading.samples
}

/// Returns how many samples the runs of a fragment speak of.
fn promised(fragment: &[u8]) -> u64 {
    boxes(fragment)
        .filter(|(kind, _)| kind == b"traf")
        .flat_map(|(_, track)| boxes(track))
        .filter(|(kind, _)| kind == b"trun")
        .filter_map(|(_, run)| number_at(run, 4, 4))
        .sum()
}

struct Reading {
    number: u32,
    /// What a sample has that states nothing else, in ticks and bytes.
    duration: u32,
    size: u32,
    /// Where the file ends.
    end: u64,
    /// When the next sample is decoded, where the fragment does not say.
    time: u64,
    samples: Vec<Sample>,
}

impl Reading {
    /// Takes the samples of one track in one fragment; returns where its data end, `None` if that
    /// is beyond the file.
    fn track(&mut self, fragment: u64, previous: Option<u64>, track: &TrafBox) -> Option<u64> {
        let header = &track.tfhd_box;
        let base = match (header.base_data_offset, header.default_base_is_moof) {
            (Some(stated), _) => stated,
            (None, true) => fragment,
            // §8.8.7.1: the first track begins where its fragment does, the next where it ended.
            (None, false) => previous.unwrap_or(fragment),
        };
        let is_ours = header.track_id == self.number;
        if is_ours && let Some(time) = &track.tfdt_box {
            self.time = time.base_media_decode_time;
        }
        let mut position = base;
        for run in &track.trun_boxes {
            if let Some(offset) = run.data_offset {
                position = base.checked_add_signed(offset.into())?;
            }
            for sample in &run.samples {
                let size = sample.size.or(header.default_sample_size);
                let size = u64::from(size.unwrap_or(self.size));
                if is_ours {
                    let duration = sample.duration.or(header.default_sample_duration);
                    let later = sample.composition_time_offset.unwrap_or(0);
                    self.samples.push(Sample {
                        position,
                        size,
                        shown: i128::from(self.time) + i128::from(later),
                    });
                    self.time = self
                        .time
                        .saturating_add(duration.unwrap_or(self.duration).into());
                }
                position = position.checked_add(size).filter(|end| *end <= self.end)?;
            }
        }
        Some(position)
    }
}
