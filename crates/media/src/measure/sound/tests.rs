use super::*;

const HZ: u32 = 48_000;

/// Decodes an Ogg Opus file of tests/data.
fn decoded(name: &str) -> Vec<f32> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name);
    let mut reader = ogg::PacketReader::new(std::fs::File::open(path).unwrap());
    let mut decoder = opus::Decoder::new(HZ, opus::Channels::Mono).unwrap();
    let (mut pcm, mut block) = (Vec::new(), [0.0; 5_760]);
    while let Some(packet) = reader.read_packet().unwrap() {
        if packet.data.starts_with(b"Opus") {
            continue;
        }
        let length = decoder
            .decode_float(&packet.data, &mut block, false)
            .unwrap();
        pcm.extend_from_slice(&block[..length]);
    }
    pcm
}

/// Sends `pcm` through Opus once more, as the node's mixer does, at `bits` a second.
fn recoded(pcm: &[f32], bits: i32) -> Vec<f32> {
    let mut encoder =
        opus::Encoder::new(HZ, opus::Channels::Mono, opus::Application::Voip).unwrap();
    encoder.set_bitrate(opus::Bitrate::Bits(bits)).unwrap();
    let mut decoder = opus::Decoder::new(HZ, opus::Channels::Mono).unwrap();
    let (mut out, mut block) = (Vec::new(), [0.0; 960]);
    for frame in pcm.chunks_exact(960) {
        let packet = encoder.encode_vec_float(frame, 1_500).unwrap();
        let length = decoder.decode_float(&packet, &mut block, false).unwrap();
        out.extend_from_slice(&block[..length]);
    }
    out
}

fn silence(milliseconds: usize) -> Vec<f32> {
    vec![0.0; milliseconds * HZ as usize / 1000]
}

/// `pcm` as part of a recording: something before, something after, and at half its level.
fn in_a_recording(pcm: &[f32]) -> Vec<f32> {
    let mut heard = silence(1_370);
    heard.extend(pcm.iter().map(|s| s * 0.5));
    heard.extend(silence(900));
    heard
}

fn of_speech(heard: &[f32]) -> SoundSimilarity {
    compare(&decoded("speech.opus"), &in_a_recording(heard), HZ)
}

#[test]
fn a_quiet_copy_is_all_there_and_found_where_it_lies() {
    let found = of_speech(&decoded("speech.opus"));
    assert!(
        found.overall > 0.99 && found.first_200_ms > 0.99 && found.last_word > 0.99,
        "{found:?}"
    );
    assert!((found.offset - 1.37).abs() < 0.002, "{found:?}");
    assert!(found.heard > Duration::from_secs(8), "{found:?}");
    assert!(found.is_heard());
}

#[test]
fn passes_through_opus_once_and_twice() {
    let once = recoded(&decoded("speech.opus"), 12_000);
    let twice = recoded(&recoded(&decoded("speech.opus"), 32_000), 32_000);
    for heard in [once, twice] {
        let found = of_speech(&heard);
        assert!(found.overall > 0.9 && found.is_heard(), "{found:?}");
    }
}

#[test]
fn follows_a_jitter_buffer_that_shortens_the_sound() {
    let clip = decoded("speech.opus");
    let shortened: Vec<f32> = clip
        .chunks(48_000)
        .flat_map(|part| &part[..part.len() - 336])
        .copied()
        .collect();
    let found = of_speech(&shortened);
    assert!(found.overall > 0.9 && found.is_heard(), "{found:?}");
}

/// A quiet time fills the buffer of a receiver that is late; then it takes a pitch period out here and there.
#[test]
fn finds_first_sounds_that_came_shortened() {
    let clip = decoded("speech.opus");
    let [from, to] = [7_700, 9_600];
    let shortened = [&clip[..from], &clip[from + 620..to], &clip[to + 620..]].concat();
    let found = of_speech(&shortened);
    assert!(found.is_heard(), "{found:?}");
}

#[test]
fn other_sounds_are_not_the_clip() {
    let clip = decoded("speech.opus");
    let mut random = fastrand::Rng::with_seed(1);
    let others: [(&str, Vec<f32>); 5] = [
        ("other words", decoded("other-speech.opus")),
        ("backwards", clip.iter().rev().copied().collect()),
        ("noise", clip.iter().map(|_| random.f32() - 0.5).collect()),
        (
            "a tone",
            (0..clip.len()).map(|i| (i as f32 * 0.0576).sin()).collect(),
        ),
        ("silence", vec![0.0; clip.len()]),
    ];
    for (name, heard) in others {
        let found = of_speech(&heard);
        assert!(
            found.overall < 0.2 && !found.is_heard(),
            "{name}: {found:?}"
        );
        assert!(found.heard < Duration::from_secs(1), "{name}: {found:?}");
    }
    assert!(!compare(&clip, &[], HZ).is_heard());
    assert!(!compare(&[], &clip, HZ).is_heard());
}

#[test]
fn misses_the_first_200_ms() {
    let mut heard = decoded("speech.opus");
    heard[..HZ as usize / 5].fill(0.0);
    let found = of_speech(&heard);
    assert!(
        found.overall > HEARD && found.first_200_ms < 0.5 && found.last_word > PRESENT,
        "{found:?}"
    );
}

#[test]
fn misses_the_last_word() {
    let mut heard = decoded("speech.opus");
    heard.truncate(heard.len() - 30_000);
    let found = of_speech(&heard);
    assert!(
        found.overall > HEARD && found.last_word < 0.5 && found.first_200_ms > PRESENT,
        "{found:?}"
    );
}

#[test]
fn misses_a_second_half() {
    let mut heard = decoded("speech.opus");
    heard.truncate(heard.len() / 2);
    let found = of_speech(&heard);
    assert!(
        found.overall < 0.7 && found.heard < Duration::from_secs(5),
        "{found:?}"
    );
}

#[test]
fn says_when_the_recording_began_too_late() {
    let clip = decoded("speech.opus");
    let found = compare(&clip, &clip[HZ as usize..], HZ);
    assert!((found.offset + 1.0).abs() < 0.01, "{found:?}");
    assert!(found.first_200_ms < 0.5 && !found.is_heard(), "{found:?}");
}
