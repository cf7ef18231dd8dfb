use super::loudness::{Loudness, Meter};
use super::*;
use crate::opus::{OpusDecoder, OpusSettings, SAMPLES_PER_PACKET};

/// Returns how loud mono samples are.
pub(crate) fn loudness(mono: &[f32]) -> Loudness {
    let mut meter = Meter::new(1).unwrap();
    let stereo: Vec<f32> = mono.iter().flat_map(|sample| [*sample; CHANNELS]).collect();
    let _ = meter.take(&stereo).unwrap();
    meter.finish().unwrap()
}

/// Keeps what it is given.
#[derive(Default)]
struct Kept(Vec<f32>);

impl Sink for Kept {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        self.0.extend_from_slice(samples);
        Ok(Flow::Continue(()))
    }
}

fn poured(text: &str) -> Vec<f32> {
    let mut kept = Kept::default();
    pour(&text.parse().unwrap(), 1, &mut kept).unwrap();
    kept.0
}

#[test]
fn cutting_is_exact_to_the_sample() {
    let whole = poured("tone:997#t=0,1");
    assert_eq!(whole.len(), 48_000 * CHANNELS);
    let part = poured("tone:997#t=0.1,0.35");
    assert_eq!(part[..], whole[4800 * CHANNELS..16_800 * CHANNELS]);
}

#[test]
fn fades_are_exact_to_the_sample() {
    let (plain, faded) = (
        poured("tone:997#t=0,1"),
        poured("tone:997#t=0,1&fade=0.25,0.5"),
    );
    assert_eq!(faded.len(), plain.len());
    let weight = |at: usize| faded[at * CHANNELS] / plain[at * CHANNELS];
    for (at, expected) in [(6000, 0.5), (12_001, 1.0), (23_990, 1.0), (36_010, 0.5)] {
        assert!((weight(at) - expected).abs() < 0.01, "{at}: {}", weight(at));
    }
    // Longer than the sound: it only goes.
    let short = poured("tone:997#t=0,0.1&fade=0,10");
    assert_eq!(short.len(), 4800 * CHANNELS);
    assert!(short[4790 * CHANNELS].abs() < 0.01);
}

#[test]
fn the_reference_of_loudness_is_measured_as_such() {
    // EBU Tech 3341, case 1, in one channel: −23 dBFS of 1 kHz is −23 LUFS on two.
    let tone = |n: usize| (std::f32::consts::TAU * 1000.0 * n as f32 / 48_000.0).sin();
    let mono: Vec<f32> = (0..96_000).map(|n| tone(n % 48_000) * 0.0708).collect();
    let measured = loudness(&mono);
    assert!(
        (measured.loudness.unwrap() + 26.0).abs() < 0.2,
        "{measured:?}"
    );
    assert!((measured.peak + 23.0).abs() < 0.2, "{measured:?}");
    assert_eq!(loudness(&[0.0; 48_000]).loudness, None);
}

#[test]
fn left_stays_left() {
    let mut encode = Encode::new(
        OpusSettings {
            channels: 2,
            bit_rate: 96_000,
            ..OpusSettings::default()
        },
        Duration::ZERO,
    )
    .unwrap();
    let tone = |n: usize| 0.3 * (std::f32::consts::TAU * 440.0 * n as f32 / 48_000.0).sin();
    let samples: Vec<f32> = (0..48_000).flat_map(|n| [tone(n), 0.0]).collect();
    let _ = encode.take(&samples).unwrap();
    let track = encode.finish().unwrap().unwrap();
    let mut decoder = OpusDecoder::new(2).unwrap();
    let (mut left, mut right) = (0.0, 0.0);
    for frame in &track.frames {
        for moment in decoder.decode(&frame.payloads[0]).unwrap().chunks_exact(2) {
            left += moment[0] * moment[0];
            right += moment[1] * moment[1];
        }
    }
    assert!(left > 100.0 * right, "{left} {right}");
}

#[test]
fn silence_is_left_out_where_the_far_end_asks_for_that() {
    let packets = |dtx| {
        let settings = OpusSettings {
            dtx,
            ..OpusSettings::default()
        };
        let mut encode = Encode::new(settings, Duration::ZERO).unwrap();
        pour(&"babble#t=0,1".parse().unwrap(), 1, &mut encode).unwrap();
        let _ = pour_silence(Duration::from_secs(4), &mut encode).unwrap();
        encode.finish().unwrap().unwrap()
    };
    let (all, few) = (packets(false), packets(true));
    assert_eq!(all.frames.len(), 251);
    assert!(
        (40..120).contains(&few.frames.len()),
        "{}",
        few.frames.len()
    );
    assert_eq!(all.duration, few.duration);
}

#[test]
fn a_receiver_that_plays_little_gets_little() {
    // White noise reaches as high as it is let through.
    let highest = |playback_rate| {
        let settings = OpusSettings {
            playback_rate,
            fec: false,
            ..OpusSettings::default()
        };
        let mut encode = Encode::new(settings, Duration::ZERO).unwrap();
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<f32> = (0..48_000 * CHANNELS).map(|_| random.f32() - 0.5).collect();
        let _ = encode.take(&noise).unwrap();
        let track = encode.finish().unwrap().unwrap();
        opus::packet::get_bandwidth(&track.frames[20].payloads[0]).unwrap()
    };
    assert_eq!(highest(48_000), opus::Bandwidth::Fullband);
    assert_eq!(highest(8_000), opus::Bandwidth::Narrowband);
    assert_eq!(SAMPLES_PER_PACKET, BLOCK);
}

#[test]
fn other_rates_are_resampled_to_the_sample_and_in_both_channels() {
    for rate in [8_000u32, 22_050, 44_100, 96_000] {
        let tone = |n: usize| {
            let turns = 300.0 * n as f64 / f64::from(rate);
            (std::f64::consts::TAU * turns).sin() as f32
        };
        let mut kept = Kept::default();
        let mut resample = Resample::new(rate).unwrap();
        for piece in 0..10usize {
            let length = rate as usize / 10;
            let samples: Vec<f32> = (piece * length..(piece + 1) * length)
                .flat_map(|n| [tone(n), -tone(n)])
                .collect();
            let _ = resample.take(&samples, &mut kept).unwrap();
        }
        let _ = resample.finish(&mut kept).unwrap();
        assert_eq!(kept.0.len(), 48_000 * CHANNELS, "{rate}");
        let off = (4_800..43_200).map(|n| {
            let wanted = (std::f64::consts::TAU * 300.0 * n as f64 / 48_000.0).sin() as f32;
            (kept.0[n * 2] - wanted)
                .abs()
                .max((kept.0[n * 2 + 1] + wanted).abs())
        });
        let off = off.fold(0.0, f32::max);
        // A sample off is 0.04 at this pitch.
        assert!(off < 0.05, "{rate}: {off}");
    }
    assert!(Resample::new(1000).is_err());
}
