//! Fragmented MP4 (ISO/IEC 14496-12 §8.8): the head first, then half a second after another, each
//! written at once.

use std::io;
use std::time::Duration;

use super::boxes::{boxed, full, put32, put64};
use super::configuration;
use super::moov;
use super::mux::{FRAGMENT, Mux, Sample, Tracks};
use super::output::Output;
use crate::codec::{Codec, Kind};

/// A sample that a decoder can start at, and one that it cannot (§8.8.3.1).
const SYNC: u32 = 0x0200_0000;
const NO_SYNC: u32 = 0x0101_0000;

/// How long a picture is taken to be while nothing is known of its successor.
const A_PICTURE: Duration = Duration::from_millis(33);

/// Writes one file.
pub(super) struct Mp4 {
    tracks: Vec<Track>,
    /// When the fragment that is not yet written began.
    began: Option<Duration>,
    fragments: u32,
    /// Where the whole duration stands, in milliseconds.
    duration: u64,
    end: Duration,
}

/// One of them, with what is not yet written.
struct Track {
    id: u32,
    kind: Kind,
    codec: Codec,
    samples: Vec<Sample>,
    /// How long the last sample but one was, in units of the track's clock.
    last_duration: u32,
    /// Time and position of fragments that begin with a key frame, and the track's number in them.
    entries: Vec<(u64, u64, u8)>,
}

impl Track {
    fn new(id: u32, codec: Codec) -> Self {
        let mut track = Self {
            id,
            kind: codec.kind(),
            codec,
            samples: Vec::new(),
            last_duration: 0,
            entries: Vec::new(),
        };
        track.last_duration = track.ticks(A_PICTURE) as u32;
        track
    }

    /// Returns a time by the track's clock.
    fn ticks(&self, time: Duration) -> u64 {
        (time.as_nanos() * u128::from(self.codec.clock_rate()) / 1_000_000_000) as u64
    }

    /// Returns how long each sample lasts: until the next one, and the last one as long as it says
    /// or, failing that, as long as the one before.
    fn durations(&mut self) -> Vec<u32> {
        let starts: Vec<_> = self
            .samples
            .iter()
            .map(|sample| self.ticks(sample.at))
            .collect();
        let mut durations: Vec<_> = starts
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as u32)
            .collect();
        if let Some(last) = self.samples.last() {
            self.last_duration = match self.ticks(last.duration) as u32 {
                0 => durations.last().copied().unwrap_or(self.last_duration),
                stated => stated,
            };
            durations.push(self.last_duration);
        }
        durations
    }
}

impl Mp4 {
    pub(super) fn begin(tracks: &Tracks, out: &mut Output) -> io::Result<Self> {
        let mut all = Vec::new();
        if let Some(video) = &tracks.video {
            all.push(Track::new(1, video.codec));
        }
        if let Some(audio) = &tracks.audio {
            all.push(Track::new(2, audio.codec));
        }
        let (head, duration) = moov::head(tracks, 0);
        out.append(&head)?;
        Ok(Self {
            tracks: all,
            began: None,
            fragments: 0,
            duration: duration as u64,
            end: Duration::ZERO,
        })
    }

    fn flush(&mut self, out: &mut Output) -> io::Result<()> {
        if self.began.take().is_none() {
            return Ok(());
        }
        self.fragments += 1;
        let position = out.length();
        let mut fragment = Vec::new();
        // Where each track's data begins, counted from the fragment's start, is known with its size.
        let mut offsets = Vec::new();
        let sequence = self.fragments;
        boxed(&mut fragment, b"moof", |out| {
            full(out, b"mfhd", 0, 0, |out| put32(out, sequence));
            let filled = self
                .tracks
                .iter_mut()
                .filter(|track| !track.samples.is_empty());
            for (number, track) in (1..).zip(filled) {
                let start = track.ticks(track.samples[0].at);
                if track.samples[0].is_key {
                    track.entries.push((start, position, number));
                }
                let durations = track.durations();
                boxed(out, b"traf", |out| {
                    // default-base-is-moof
                    full(out, b"tfhd", 0, 0x02_0000, |out| put32(out, track.id));
                    full(out, b"tfdt", 1, 0, |out| put64(out, start));
                    // data-offset, and each sample's duration, size and flags
                    full(out, b"trun", 0, 0x01 | 0x100 | 0x200 | 0x400, |out| {
                        put32(out, track.samples.len() as u32);
                        offsets.push(out.len());
                        put32(out, 0);
                        for (sample, duration) in track.samples.iter().zip(durations) {
                            put32(out, duration);
                            put32(out, sample.encoded.len() as u32);
                            put32(out, if sample.is_key { SYNC } else { NO_SYNC });
                        }
                    });
                });
            }
        });
        let mut at = fragment.len() + 8;
        let mut offsets = offsets.into_iter();
        boxed(&mut fragment, b"mdat", |out| {
            for track in self
                .tracks
                .iter_mut()
                .filter(|track| !track.samples.is_empty())
            {
                if let Some(offset) = offsets.next() {
                    out[offset..offset + 4].copy_from_slice(&(at as u32).to_be_bytes());
                }
                for sample in track.samples.drain(..) {
                    at += sample.encoded.len();
                    out.extend_from_slice(&sample.encoded);
                }
            }
        });
        out.append(&fragment)?;
        let milliseconds = self.end.as_millis() as u64;
        out.patch(self.duration, &milliseconds.to_be_bytes())
    }
}

impl Mux for Mp4 {
    fn describe(&mut self, out: &mut Output, tracks: &Tracks) -> io::Result<()> {
        let (head, duration) = moov::head(tracks, self.end.as_millis() as u64);
        self.duration = duration as u64;
        out.patch(0, &head)
    }

    fn put(&mut self, out: &mut Output, sample: Sample) -> io::Result<()> {
        let opens = sample.kind == Kind::Video && sample.is_key;
        if self
            .began
            .is_some_and(|began| opens || sample.at >= began + FRAGMENT)
        {
            self.flush(out)?;
        }
        self.began.get_or_insert(sample.at);
        self.end = self.end.max(sample.at + sample.duration);
        if let Some(track) = self
            .tracks
            .iter_mut()
            .find(|track| track.kind == sample.kind)
        {
            let encoded =
                configuration::in_container(track.kind, Some(track.codec), &sample.encoded);
            let encoded = encoded.into_owned().into();
            track.samples.push(Sample { encoded, ..sample });
        }
        Ok(())
    }

    /// Writes where fragments begin that one can start to play at (§8.8.9 to §8.8.11).
    fn finish(&mut self, out: &mut Output) -> io::Result<()> {
        self.flush(out)?;
        let mut index = Vec::new();
        boxed(&mut index, b"mfra", |out| {
            for track in &self.tracks {
                full(out, b"tfra", 1, 0, |out| {
                    put32(out, track.id);
                    put32(out, 0);
                    put32(out, track.entries.len() as u32);
                    for (time, position, number) in &track.entries {
                        put64(out, *time);
                        put64(out, *position);
                        // The first sample of its only run there.
                        out.extend_from_slice(&[*number, 1, 1]);
                    }
                });
            }
            let size = out.len() as u32 + 16;
            full(out, b"mfro", 0, 0, |out| put32(out, size));
        });
        out.append(&index)
    }
}
