use std::time::Duration;

use super::*;
use crate::marks::{Marked, marked_sound};
use crate::{OpusDecoder, OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET, Track};
use crate::{generate, read_audio};

/// Samples at 16 kHz of 20 ms.
const STEP: usize = 320;

fn data(name: &str) -> Track {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    read_audio(&path.join(name)).unwrap()
}

/// Decodes a track so many times over, at 48 kHz.
fn heard(track: &Track, rounds: usize) -> Vec<f32> {
    let mut decoder = OpusDecoder::new(1).unwrap();
    let mut pcm = Vec::new();
    for frame in (0..rounds).flat_map(|_| &track.frames) {
        pcm.extend_from_slice(decoder.decode(&frame.payloads[0]).unwrap());
    }
    pcm
}

/// Encodes at `bits` a second, and decodes as a listener does: at 16 kHz, some packets lost.
fn through_a_node(pcm: &[f32], bits: u32, lost_every: usize) -> Vec<f32> {
    let settings = OpusSettings {
        bit_rate: bits,
        ..OpusSettings::default()
    };
    let mut encoder = OpusEncoder::new(settings).unwrap();
    let mut decoder = OpusDecoder::at_rate(FINDER_RATE, 1).unwrap();
    let mut out = Vec::new();
    for (n, block) in pcm.chunks_exact(SAMPLES_PER_PACKET).enumerate() {
        let packet = encoder.encode(block).unwrap();
        if lost_every > 0 && n % lost_every == lost_every - 1 {
            out.extend_from_slice(decoder.conceal(None).unwrap());
        } else {
            out.extend_from_slice(decoder.decode(&packet).unwrap());
        }
    }
    out
}

fn found(pcm: &[f32], voices: usize) -> Vec<SoundMark> {
    let mut finder = SoundMarks::new(voices);
    for (n, block) in pcm.chunks(STEP).enumerate() {
        finder.push((n * STEP) as i64, block);
    }
    std::iter::from_fn(|| finder.poll()).collect()
}

fn mix(sounds: &[(f32, Vec<f32>)]) -> Vec<f32> {
    let length = sounds.iter().map(|(_, pcm)| pcm.len()).min().unwrap();
    (0..length)
        .map(|n| sounds.iter().map(|(level, pcm)| level * pcm[n]).sum())
        .collect()
}

/// Where marks are said to be, in samples at 16 kHz, over so many rounds, with the lookahead of the
/// node's encoder.
fn said(marked: &Marked, rounds: u32) -> Vec<(u32, f64)> {
    let lookahead = OpusEncoder::new(OpusSettings::default())
        .unwrap()
        .lookahead();
    let lookahead = lookahead as f64 / f64::from(SAMPLE_RATE);
    let mut said = Vec::new();
    for round in 0..rounds {
        for frame in &marked.track.frames {
            if let Some(begun) = marked.mark_of(frame) {
                let at = marked.track.duration * round + frame.media_time + begun.after;
                said.push((
                    begun.count,
                    (at.as_secs_f64() + lookahead) * f64::from(FINDER_RATE),
                ));
            }
        }
    }
    said
}

/// Sets what was found of a voice against what was said; returns how many were found, and the
/// largest error in milliseconds.
fn check(found: &[SoundMark], voice: usize, said: &[(u32, f64)], shift: f64) -> (usize, f64) {
    let (mut count, mut worst) = (0, 0.0f64);
    for mark in found.iter().filter(|mark| mark.voice == voice) {
        let error = said
            .iter()
            .filter(|(said, _)| *said == mark.count)
            .map(|(_, at)| (mark.at as f64 - at - shift) / 16.0)
            .min_by(|a, b| a.abs().total_cmp(&b.abs()))
            .unwrap();
        count += 1;
        worst = worst.max(error.abs());
    }
    (count, worst)
}

/// Returns one second of a tone, to be looped.
fn tone() -> Track {
    let tone = "tone:440".parse().unwrap();
    let track = generate::endless(&tone, OpusSettings::default()).unwrap();
    Track::clone(&track)
}

#[test]
fn marks_are_found_where_they_are_said_to_be() {
    let speech = data("speech.opus");
    let tone = tone();
    for base in [None, Some(&tone), Some(&speech)] {
        for bits in [12_000, 24_000, 48_000] {
            let marked = marked_sound(base, 2, Duration::ZERO).unwrap();
            let rounds = 32 / marked.track.duration.as_secs() as usize;
            let pcm = through_a_node(&heard(&marked.track, rounds), bits, 0);
            let said = said(&marked, rounds as u32);
            let found = found(&pcm, 8);
            assert!(found.iter().all(|mark| mark.voice == 2), "{found:?}");
            let (count, worst) = check(&found, 2, &said, 0.0);
            assert!(count + 1 >= said.len(), "{count} of {}", said.len());
            assert!(worst < 1.0, "{worst} ms");
        }
    }
}

#[test]
fn marks_survive_a_mix_of_talkers_a_low_level_and_loss() {
    let speech = data("speech.opus");
    let marked: Vec<_> = (0..4)
        .map(|voice| marked_sound(Some(&speech), voice, Duration::ZERO).unwrap())
        .collect();
    let sounds: Vec<_> = marked.iter().map(|m| (0.1, heard(&m.track, 2))).collect();
    let pcm = through_a_node(&mix(&sounds), 48_000, 20);
    let found = found(&pcm, 8);
    assert!(found.iter().all(|mark| mark.voice < 4), "{found:?}");
    for (voice, marked) in marked.iter().enumerate() {
        let said = said(marked, 2);
        let (count, worst) = check(&found, voice, &said, 0.0);
        assert!(count * 10 >= said.len() * 8, "{count} of {}", said.len());
        assert!(worst < 1.0, "{worst} ms");
    }
}

#[test]
fn what_is_late_is_found_late_by_as_much() {
    let late = Duration::from_millis(80);
    let marked = marked_sound(None, 0, late).unwrap();
    let pcm = through_a_node(&heard(&marked.track, 2), 48_000, 0);
    let said = said(&marked, 2);
    let (count, worst) = check(&found(&pcm, 1), 0, &said, 80.0 * 16.0);
    assert!(count >= 15 && worst < 1.0, "{count}, {worst} ms");
    let (_, wrong) = check(&found(&pcm, 1), 0, &said, 0.0);
    assert!(wrong > 79.0, "{wrong}");
}

#[test]
fn sound_without_marks_has_none() {
    let mut seconds = 0;
    let mut random = fastrand::Rng::with_seed(3);
    let speech = heard(&data("speech.opus"), 1);
    let other = heard(&data("other-speech.opus"), 1);
    let tone = heard(&tone(), 30);
    // Babble: many talkers at chance times; and what has no meaning at all.
    let babble: Vec<f32> = (0..60 * SAMPLE_RATE as usize)
        .scan([0usize; 12], |at, n| {
            let mut sum = 0.0;
            for (talker, at) in at.iter_mut().enumerate() {
                if n == 0 {
                    *at = random.usize(..speech.len());
                }
                let voice = if talker % 2 == 0 { &speech } else { &other };
                *at = (*at + 1) % voice.len();
                sum += voice[*at] * 0.2;
            }
            Some(sum)
        })
        .collect();
    let noise: Vec<f32> = (0..60 * SAMPLE_RATE)
        .map(|_| random.f32() * 0.4 - 0.2)
        .collect();
    for pcm in [speech, other, tone, babble, noise] {
        let pcm = through_a_node(&pcm, 48_000, 25);
        seconds += pcm.len() / FINDER_RATE as usize;
        assert_eq!(found(&pcm, 8), [], "in sound without marks");
    }
    assert!(seconds > 160, "{seconds} s is too little to say so");
}

#[test]
fn gaps_are_silence_and_a_jump_is_a_new_beginning() {
    let marked = marked_sound(None, 1, Duration::ZERO).unwrap();
    let pcm = through_a_node(&heard(&marked.track, 1), 48_000, 0);
    let mut finder = SoundMarks::new(2);
    for (n, block) in pcm.chunks(STEP).enumerate() {
        // Half a second is missing, once; and from the fifth second on numbers are others.
        let at = (n * STEP) as i64 + if n >= 250 { 1_000_000 } else { 0 };
        if !(100..125).contains(&n) {
            finder.push(at, block);
            // The same once more changes nothing.
            finder.push(at, block);
        }
    }
    let found: Vec<_> = std::iter::from_fn(|| finder.poll()).collect();
    assert!((5..=7).contains(&found.len()), "{found:?}");
    assert!(found.iter().any(|mark| mark.at > 1_000_000));
}

#[test]
fn what_is_decoded_of_the_finders_own_rate_is_in_its_place() {
    let at = |rate: u32| {
        let mut decoder = OpusDecoder::at_rate(rate, 1).unwrap();
        let marked = marked_sound(None, 0, Duration::ZERO).unwrap();
        let mut pcm = Vec::new();
        for frame in &marked.track.frames[..25] {
            pcm.extend_from_slice(decoder.decode(&frame.payloads[0]).unwrap());
        }
        // Where the first burst begins: at 50 ms.
        let loud = pcm.iter().position(|s| s.abs() > 0.1).unwrap();
        loud as f64 / f64::from(rate) * 1e3
    };
    let (wide, narrow) = (at(48_000), at(16_000));
    assert!((wide - narrow).abs() < 0.5, "{wide} ms and {narrow} ms");
    assert!((50.0..53.0).contains(&wide), "{wide} ms");
}
