use std::time::Duration;

use super::*;
use crate::SAMPLE_RATE;
use crate::measure::{decode, sound};

fn spec(text: &str) -> SourceSpec {
    text.parse().unwrap()
}

#[test]
fn sound_is_no_picture() {
    assert!(open_audio(&spec("bars")).is_err());
    assert!(open_video(&spec("silence"), Codec::Vp8).is_err());
    assert_eq!(open_audio(&spec("silence")).unwrap().codec(), Codec::Opus);
    let missing = SourceSpec::file("/nowhere/x.ivf");
    let error = open_video(&missing, Codec::Vp8).unwrap_err().to_string();
    assert!(error.contains("/nowhere/x.ivf"), "{error}");
}

#[test]
fn bars_come_in_either_codec() {
    for codec in [Codec::Vp8, Codec::Av1] {
        let Source::Live(live) = open_video(&spec("bars:64x64"), codec).unwrap() else {
            panic!("bars are live");
        };
        let mut frames = live.subscribe();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        loop {
            if let Ok(frame) = frames.try_recv() {
                assert!(frame.is_key && frame.codec == codec);
                assert_eq!(codec.dimensions(&frame.encoded().unwrap()), Some((64, 64)));
                break;
            }
            assert!(std::time::Instant::now() < deadline);
        }
    }
}

/// What is heard of a source, 48 000 samples a second.
fn heard(text: &str) -> Vec<f32> {
    match open_audio(&spec(text)).unwrap_or_else(|error| panic!("{error}")) {
        Source::Track(track) => decode::sound(&track).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn level(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    10.0 * power.max(1e-12).log10()
}

fn data(name: &str) -> String {
    format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_part_is_cut_out_of_sound() {
    let whole = heard(&data("speech.opus"));
    // As it is, and decoded: 1.5 s from 1 s on.
    for options in ["t=1,2.5", "t=1,2.5&gain=0"] {
        let part = heard(&format!("{}#{options}", data("speech.opus")));
        assert!(
            part.len().abs_diff(72_000) < 1400,
            "{options}: {}",
            part.len()
        );
        let at = sound::compare(&whole[48_000..120_000], &part, SAMPLE_RATE).overall;
        let control = sound::compare(&whole[..48_000], &part, SAMPLE_RATE).overall;
        assert!(
            at > sound::HEARD && control < sound::OTHER,
            "{options}: {at}, {control}"
        );
    }
    let late = open_audio(&spec(&format!("{}#t=100", data("speech.opus"))));
    assert!(
        late.unwrap_err()
            .to_string()
            .contains("ends before `t` begins")
    );
}

#[test]
fn gain_and_fades_do_what_they_say() {
    let (plain, quiet) = (heard("tone:1000#t=0,2"), heard("tone:1000#t=0,2&gain=-12"));
    let middle = 24_000..72_000;
    let difference = level(&plain[middle.clone()]) - level(&quiet[middle]);
    assert!((11.5..12.5).contains(&difference), "{difference}");
    let faded = heard("tone:1000#t=0,2&fade=0.5,1");
    let at = |seconds: f32| {
        let begin = (seconds * 48_000.0) as usize;
        level(&faded[begin..begin + 2400])
    };
    let full = at(0.7);
    // Half as high halfway: 6 dB.
    for (half, end) in [(0.22, 0.01), (1.48, 1.93)] {
        let (half, end) = (full - at(half), full - at(end));
        assert!((5.0..8.0).contains(&half) && end > 20.0, "{half} {end}");
    }
}

#[test]
fn loudness_is_brought_to_its_target_and_peaks_stay_below_theirs() {
    use crate::sound::tests::loudness;
    let measured =
        |options: &str| loudness(&heard(&format!("{}#{options}", data("other-speech.wav"))));
    let (before, after) = (measured("gain=0"), measured("loudness=-27"));
    let lufs = after.loudness.unwrap();
    assert!((lufs + 27.0).abs() < 0.7, "{after:?}, before {before:?}");
    assert!(
        (before.loudness.unwrap() + 27.0).abs() > 1.0,
        "nothing to do: {before:?}"
    );
    // As loud as its peaks allow: coding moves them a little.
    let loudest = measured("loudness=-5");
    assert!((-2.0..0.5).contains(&loudest.peak), "{loudest:?}");
    assert!(loudest.loudness.unwrap() < -8.0, "{loudest:?}");
}

#[test]
fn what_has_an_end_is_a_track_and_what_has_none_is_not() {
    assert!(matches!(
        open_audio(&spec("babble")).unwrap(),
        Source::Endless(_)
    ));
    let Source::Track(track) = open_audio(&spec("babble#t=0,1")).unwrap() else {
        panic!("it ends");
    };
    assert_eq!(track.duration, Duration::from_millis(1020));
    assert!(matches!(
        open_video(&spec("card:Hi"), Codec::Vp8).unwrap(),
        Source::Live(_)
    ));
    let Source::Track(card) = open_video(&spec("card:Hi#t=0,3"), Codec::Vp8).unwrap() else {
        panic!("it ends");
    };
    assert_eq!(card.duration, Duration::from_secs(3));
    assert_eq!(card.frames.len(), 15);
    assert!(
        card.longest_key_interval <= Duration::from_secs(2),
        "{card:?}"
    );
}

#[test]
fn opus_with_more_bits_than_the_far_end_takes_is_encoded_anew() {
    let file = spec(&data("speech.opus"));
    let bit_rate = |limit| {
        let settings = OpusSettings {
            limit,
            ..OpusSettings::default()
        };
        let source = open_audio_as(&file, settings).unwrap();
        let track = source.track().unwrap();
        let bytes: usize = track.frames.iter().map(|f| f.payloads[0].len()).sum();
        bytes as f64 * 8.0 / track.duration.as_secs_f64()
    };
    let own = bit_rate(None);
    assert!((bit_rate(Some(200_000)) - own).abs() < 1.0, "as it is");
    let limited = bit_rate(Some(12_000));
    assert!(limited < 14_000.0 && own > 20_000.0, "{limited} {own}");
}

#[test]
fn what_has_nothing_to_be_heard_is_told_apart_from_what_is_wrong() {
    let (file, picture) = (spec(&data("speech.opus")), spec(&data("page.png")));
    assert!(missing(&file, Kind::Audio).unwrap().is_none());
    assert!(missing(&file, Kind::Video).unwrap().is_some());
    assert!(missing(&picture, Kind::Audio).unwrap().is_some());
    assert!(missing(&picture, Kind::Video).unwrap().is_none());
    assert!(missing(&spec("say:x"), Kind::Video).unwrap().is_some());
    assert!(missing(&spec("/nowhere/x.ogg"), Kind::Audio).is_err());
}
