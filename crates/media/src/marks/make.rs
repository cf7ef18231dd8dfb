//! Makes marked tracks.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::burst::{burst, distance};
use super::cells::{PictureMark, draw_mark};
use super::{Begun, COUNTS, FRAME_RATE, Marked, PERIOD, VOICES};
use crate::codec::Codec;
use crate::decoder::VideoDecoder;
use crate::draw::Bars;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::measure::decode;
use crate::opus::{OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
use crate::picture::Picture;
use crate::track::Track;
use crate::video::{VideoEncoder, VideoSettings};

const PACKET: Duration = Duration::from_millis(20);

/// The marks' round, and so the least that a track plays.
const ROUND: Duration = Duration::from_secs(COUNTS as u64);

/// The most that a track plays: so much of a longer source is taken.
const LONGEST: Duration = Duration::from_secs(64);

/// What the source's sound is multiplied by, and the peak of the bursts: together they have room.
const BASE_LEVEL: f32 = 0.6;
const BURST_PEAK: f32 = 0.25;

/// Where in its second a mark of voice 0 begins, and how much later for each voice: those who begin
/// together do not have their marks at the same time.
const FIRST: Duration = Duration::from_millis(50);
const FOR_EACH_VOICE: Duration = Duration::from_millis(110);

/// The encoder settles for so many packets before the loop begins.
const SETTLING: usize = 50;

/// Key frames are half a second apart: that long waits at most who asked for one.
const KEY_INTERVAL: u32 = FRAME_RATE / 2;

/// Returns how long a track of a source of this length plays.
fn round_up(source: Duration) -> Duration {
    let rounds = source.min(LONGEST).as_secs_f64() / ROUND.as_secs_f64();
    ROUND * (rounds.ceil() as u32).max(1)
}

/// Makes the sound of `voice`: `base` over and over, or silence, with marks. Encoded here, once.
///
/// All of it comes `late` after the time at which the marks are said to be, which is a fault to be
/// found and zero otherwise.
///
/// # Errors
/// When the base is no Opus, or the encoder fails.
pub fn marked_sound(
    base: Option<&Track>,
    voice: usize,
    late: Duration,
) -> Result<Marked, MediaError> {
    let base = base.map(decode::sound).transpose()?.unwrap_or_default();
    let base_length = Duration::from_secs_f64(base.len() as f64 / f64::from(SAMPLE_RATE));
    let length = samples(round_up(base_length));
    let mut pcm: Vec<f32> = match base.len() {
        0 => vec![0.0; length],
        _ => base
            .iter()
            .cycle()
            .take(length)
            .map(|s| s * BASE_LEVEL)
            .collect(),
    };
    let burst = burst(voice, SAMPLE_RATE);
    let packets = length / SAMPLES_PER_PACKET;
    let mut marks = vec![None; packets];
    for number in 0..(length / samples(PERIOD)) as u32 {
        let count = number % COUNTS;
        let begins = samples(PERIOD * number + FIRST + FOR_EACH_VOICE * (voice % VOICES) as u32);
        for first in [begins, begins + samples(distance(count))] {
            for (n, sample) in burst.iter().enumerate() {
                pcm[(first + n) % length] += sample * BURST_PEAK;
            }
        }
        let begins = begins % length;
        let (packet, after) = (begins / SAMPLES_PER_PACKET, begins % SAMPLES_PER_PACKET);
        marks[packet] = Some(Begun {
            count,
            after: Duration::from_secs_f64(after as f64 / f64::from(SAMPLE_RATE)),
        });
    }
    let mut encoder = OpusEncoder::new(OpusSettings::default())?;
    // What is decoded lags behind what was encoded: it is given ahead, so that it is heard in its place.
    let ahead = encoder.lookahead() + length - samples(late) % length;
    let mut frames = Vec::with_capacity(packets);
    for packet in 0..SETTLING + packets {
        let begins = packet * SAMPLES_PER_PACKET + length * 2 - SETTLING * SAMPLES_PER_PACKET;
        let block: Vec<f32> = (0..SAMPLES_PER_PACKET)
            .map(|n| pcm[(begins + ahead + n) % length])
            .collect();
        let encoded = encoder.encode(&block)?;
        if let Some(at) = packet.checked_sub(SETTLING) {
            let time = PACKET * at as u32;
            frames.push(Frame::packetize(Codec::Opus, encoded, time, PACKET, true)?);
        }
    }
    let track = Arc::new(Track::new(frames)?);
    Ok(Marked { track, marks })
}

/// What is under the marks of a picture.
#[derive(Debug, Clone, Copy)]
pub enum Base<'a> {
    /// The moving test picture, of this width and height.
    Bars(usize, usize),
    /// A film in VP8, over and over.
    Film(&'a Track),
}

/// Makes the picture of `voice` in VP8, with a mark in every frame. Encoded here, once.
///
/// # Errors
/// When the base is no VP8 or of an odd size, or the encoder fails.
pub fn marked_picture(base: Base<'_>, voice: usize) -> Result<Marked, MediaError> {
    let mut drawn = Drawn::new(base)?;
    let length = round_up(match base {
        Base::Bars(..) => Duration::ZERO,
        Base::Film(track) => track.duration,
    });
    let first = drawn.at(Duration::ZERO)?;
    let settings = VideoSettings {
        width: first.width(),
        height: first.height(),
        frame_rate: FRAME_RATE,
        bit_rate: drawn.bit_rate(),
        key_interval: KEY_INTERVAL,
    };
    let mut encoder = VideoEncoder::new(Codec::Vp8, settings)?;
    let count = FRAME_RATE * length.as_secs() as u32;
    let (mut frames, mut marks) = (Vec::new(), Vec::new());
    for number in 0..count {
        let time = Duration::from_secs(1) * number / FRAME_RATE;
        let mut picture = drawn.at(time)?;
        draw_mark(
            &mut picture,
            PictureMark {
                voice,
                count: number,
            },
        );
        for encoded in encoder.encode(&picture, time, number.is_multiple_of(KEY_INTERVAL))? {
            frames.push(encoded.packetize(Codec::Vp8, settings.frame_duration())?);
            marks.push(Some(Begun {
                count: number,
                after: Duration::ZERO,
            }));
        }
    }
    let track = Arc::new(Track::new(frames)?);
    Ok(Marked { track, marks })
}

/// Where the pictures under the marks come from.
enum Drawn<'a> {
    Bars(Bars),
    Film {
        track: &'a Track,
        decoder: VideoDecoder,
        next: usize,
        round: u32,
        shown: Picture,
    },
}

impl<'a> Drawn<'a> {
    fn new(base: Base<'a>) -> Result<Self, MediaError> {
        Ok(match base {
            Base::Bars(width, height) => Self::Bars(Bars::new(width, height)),
            Base::Film(track) => Self::Film {
                track,
                decoder: VideoDecoder::new(Codec::Vp8)?,
                next: 0,
                round: 0,
                shown: Picture::filled(640, 360, [16, 128, 128]),
            },
        })
    }

    /// Returns the rate that the source itself has, in bits a second.
    fn bit_rate(&self) -> u32 {
        match self {
            Self::Bars(_) => 1_000_000,
            Self::Film { track, .. } => {
                let bytes: usize = track.frames.iter().map(|frame| frame.payload_bytes()).sum();
                let rate = bytes as f64 * 8.0 / track.duration.as_secs_f64().max(0.1);
                (rate as u32).clamp(200_000, 10_000_000)
            }
        }
    }

    /// Returns the picture of a time that is not before that of the last call.
    fn at(&mut self, time: Duration) -> Result<Picture, MediaError> {
        match self {
            Self::Bars(bars) => {
                let number = u64::try_from(time.as_millis()).unwrap_or(0) * u64::from(FRAME_RATE);
                Ok(bars.draw(number / 1000, time, Some(UNIX_EPOCH + time)))
            }
            Self::Film {
                track,
                decoder,
                next,
                round,
                shown,
            } => loop {
                let frame = &track.frames[*next];
                let is_first = (*round, *next) == (0, 0);
                if !is_first && track.duration * *round + frame.media_time > time {
                    break Ok(shown.clone());
                }
                let encoded = frame.encoded().map_err(|error| MediaError::Coder {
                    codec: track.codec,
                    reason: error.to_string(),
                })?;
                if let Some(picture) = decoder.decode(&encoded)? {
                    *shown = picture;
                }
                *next += 1;
                if *next == track.frames.len() {
                    (*next, *round) = (0, *round + 1);
                }
            },
        }
    }
}

fn samples(time: Duration) -> usize {
    (time.as_micros() as usize) * SAMPLE_RATE as usize / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::read_mark;
    use crate::read_video;

    fn film(name: &str) -> Track {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
        read_video(&path.join(name)).unwrap()
    }

    /// Every second pixel of every second row: a quarter of the size, as a poor scaler makes it.
    fn half(picture: &Picture) -> Picture {
        let (width, height) = (picture.width() / 2, picture.height() / 2);
        let mut small = Picture::filled(width, height, [0, 128, 128]);
        for y in 0..height {
            for x in 0..width {
                let luma = picture.luma()[y * 2 * picture.width() + x * 2];
                small.fill(x, y, 1, 1, [luma, 128, 128]);
            }
        }
        small
    }

    #[test]
    fn every_frame_says_its_number_even_coarsely_encoded_and_scaled() {
        let base = film("bunny.ivf");
        let marked = marked_picture(Base::Film(&base), 5).unwrap();
        assert_eq!(marked.track.frames.len(), 480);
        assert!(marked.track.longest_key_interval <= Duration::from_millis(501));
        // Once more, at a fifth of the rate.
        let settings = VideoSettings {
            width: 640,
            height: 360,
            frame_rate: FRAME_RATE,
            bit_rate: 100_000,
            key_interval: 300,
        };
        let mut encoder = VideoEncoder::new(Codec::Vp8, settings).unwrap();
        let mut decoder = VideoDecoder::new(Codec::Vp8).unwrap();
        let (mut direct, mut coarse, mut small, mut number) = (0, 0, 0, 0);
        decode::each_picture(&marked.track, |time, picture| {
            let wanted = Some(PictureMark {
                voice: 5,
                count: number,
            });
            direct += u32::from(read_mark(picture) == wanted);
            let again = encoder.encode(picture, time, number == 0).unwrap();
            let again = decoder.decode(&again[0].bytes).unwrap().unwrap();
            coarse += u32::from(read_mark(&again) == wanted);
            small += u32::from(read_mark(&half(&half(&again))) == wanted);
            // It may be unreadable, but never another.
            assert!(read_mark(&again).is_none_or(|mark| Some(mark) == wanted));
            number += 1;
        })
        .unwrap();
        assert_eq!((number, direct), (480, 480));
        assert!(coarse > 460 && small > 460, "{coarse}, {small}");
    }

    #[test]
    fn only_frames_of_the_track_itself_have_marks() {
        let marked = marked_sound(None, 0, Duration::ZERO).unwrap();
        let count = marked
            .track
            .frames
            .iter()
            .filter_map(|frame| marked.mark_of(frame))
            .count();
        assert_eq!(count, 8);
        assert!(
            crate::silence()
                .frames
                .iter()
                .all(|frame| marked.mark_of(frame).is_none())
        );
        let other = marked_sound(None, 0, Duration::ZERO).unwrap();
        let of_other = |frame| other.mark_of(frame).is_some();
        assert!(!marked.track.frames.iter().any(of_other));
    }

    #[test]
    fn a_track_lasts_whole_rounds_of_its_marks() {
        for (source, rounded) in [(0, 8), (1, 8), (8, 8), (9, 16), (60, 64), (600, 64)] {
            let rounded = Duration::from_secs(rounded);
            assert_eq!(round_up(Duration::from_secs(source)), rounded);
        }
    }
}
