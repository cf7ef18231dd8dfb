//! Files that were cut, damaged or made to do harm: an error that says what is wrong or a shorter
//! track, never a panic, never memory without bounds. Seeded; the seed of a failure is in its message.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;
use media::{
    Clip, Coding, Kind, MediaError, Recorder, Track, load_clip, read_audio, read_film, read_video,
};

/// Damaged files of each kind.
const ROUNDS: u64 = 400;
/// What reading such small files may take on top, in kB of address space: allocators reserve some.
const MEMORY: u64 = 600_000;
const DAY: Duration = Duration::from_secs(24 * 3600);

fn material(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name)
}

/// The largest address space this process ever had, in kB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}

type Reader = fn(&Path) -> Result<Track, MediaError>;

/// Sound and picture files of every kind: the first seconds of the real ones.
fn whole_files(place: &Path) -> Vec<(&'static str, Vec<u8>, Reader)> {
    let clip = load_clip(
        Some(&material("speech.opus")),
        Some(&material("other-picture.ivf")),
    )
    .unwrap();
    let webm = place.join("whole.webm");
    let (audio, video) = (clip.audio.unwrap(), clip.video.unwrap());
    let mut recorder = Recorder::create(&webm, Some(audio.codec), Some(video.codec)).unwrap();
    for (sound, picture) in audio.frames.iter().zip(&video.frames).take(60) {
        recorder
            .write(Kind::Audio, sound.media_time, sound)
            .unwrap();
        recorder
            .write(Kind::Video, picture.media_time, picture)
            .unwrap();
    }
    recorder.finish().unwrap();
    let webm = fs::read(webm).unwrap();
    let ivf = fs::read(material("other-picture.ivf")).unwrap();
    let samples: Vec<u8> = (0..8000u32)
        .flat_map(|n| (n as i16).to_le_bytes())
        .collect();
    let speech = |name: &str, options: &[&str]| {
        let path = place.join(name);
        let from = material("speech.opus");
        let (from, to) = (from.to_str().unwrap(), path.to_str().unwrap());
        let begin = ["-nostdin", "-v", "error", "-i", from, "-t", "2"];
        let made = Command::new("ffmpeg")
            .args([&begin[..], options, &[to]].concat())
            .status();
        assert!(made.unwrap().success(), "{name}");
        fs::read(path).unwrap()
    };
    let mp3 = speech("x.mp3", &["-c:a", "libmp3lame"]);
    let flac = speech("x.flac", &[]);
    let m4a = speech("x.m4a", &["-c:a", "aac"]);
    let aac = speech("x.aac", &["-c:a", "aac"]);
    let vorbis = speech("v.ogg", &["-c:a", "libvorbis"]);
    let alac = speech("alac.m4a", &["-c:a", "alac"]);
    let mka = speech("x.mka", &["-c:a", "libvorbis"]);
    let aiff = speech("x.aiff", &[]);
    let adpcm = speech("adpcm.wav", &["-c:a", "adpcm_ms"]);
    vec![
        ("mp3", mp3, read_audio),
        ("flac", flac, read_audio),
        ("m4a", m4a, read_audio),
        ("aac", aac, read_audio),
        ("vorbis", vorbis, read_audio),
        ("alac", alac, read_audio),
        ("mka", mka, read_audio),
        ("aiff", aiff, read_audio),
        ("adpcm", adpcm, read_audio),
        (
            "ogg",
            fs::read(material("speech.opus")).unwrap(),
            read_audio,
        ),
        ("wav", wav(8_000, 2, 16, &samples), read_audio),
        ("ivf", ivf, read_video),
        ("webm, its sound", webm.clone(), read_audio),
        ("webm, its picture", webm, read_video),
    ]
}

/// A WAV file of whole numbers.
fn wav(rate: u32, channels: u16, bits: u16, samples: &[u8]) -> Vec<u8> {
    let align = channels.wrapping_mul(bits / 8);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.wrapping_mul(align.into()).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((samples.len() as u32).to_le_bytes());
    bytes.extend(samples);
    bytes
}

/// Does one to four kinds of harm, half of the time near the beginning, where headers are.
fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.usize(1..=4) {
        let reach = if random.bool() { 200 } else { usize::MAX };
        let at = random.usize(0..bytes.len().clamp(1, reach));
        let mut put = |what: &[u8]| {
            let room = bytes.len().saturating_sub(at).min(what.len());
            bytes[at..at + room].copy_from_slice(&what[..room]);
        };
        match random.u8(0..10) {
            0 => bytes.truncate(at),
            1 => put(&[0xff; 4]),
            2 => put(&[0xff; 8]),
            3 => put(&[0; 4]),
            4 => put(&0x7fff_ffffu32.to_le_bytes()),
            5 => put(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            6 => {
                let length = random.usize(0..64).min(bytes.len() - at.min(bytes.len()));
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
            7 => {
                let length = random.usize(0..64).min(bytes.len() - at.min(bytes.len()));
                bytes.drain(at..at + length);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.u8(0..8);
                }
            }
        }
    }
}

/// Sets the checksums of all Ogg pages (RFC 3533 §6) right, so that what is within is looked at.
fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(segments) = bytes.get(at + 26).map(|count| usize::from(*count)) {
        let Some(table) = bytes.get(at + 27..at + 27 + segments) else {
            return;
        };
        let length = 27 + segments + table.iter().map(|size| usize::from(*size)).sum::<usize>();
        let Some(page) = bytes.get_mut(at..at + length) else {
            return;
        };
        page[22..26].fill(0);
        let mut checksum = 0u32;
        for byte in page.iter() {
            checksum ^= u32::from(*byte) << 24;
            for _ in 0..8 {
                let carry = checksum >> 31;
                checksum = (checksum << 1) ^ (carry * 0x04c1_1db7);
            }
        }
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        at += length;
    }
}

/// Reads a file and checks what comes of it; tells whether it was a track.
fn check(read: Reader, path: &Path, about: &str) -> bool {
    match read(path) {
        Ok(track) => {
            assert!(!track.frames.is_empty() && track.duration <= DAY, "{about}");
            let times: Vec<_> = track.frames.iter().map(|frame| frame.media_time).collect();
            assert!(
                times.is_sorted() && times.last() < Some(&track.duration),
                "{about}"
            );
            let length: usize = track.frames.iter().map(|frame| frame.payload_bytes()).sum();
            let file = fs::metadata(path).unwrap().len() as usize;
            assert!(
                length <= 2 * file + 20_000,
                "{about}: {length} of {file} bytes"
            );
            true
        }
        Err(error) => {
            let told = error.to_string();
            let name = path.to_str().unwrap();
            assert!(
                told.contains(name) && !told.contains('\n'),
                "{about}: {told}"
            );
            assert!(!told.contains("cannot read"), "{about}: {told}");
            false
        }
    }
}

#[test]
fn damaged_files_end_in_an_error_or_a_track() {
    let place = tempfile::tempdir().unwrap();
    let whole = whole_files(place.path());
    let path = place.path().join("damaged");
    let before = peak();
    for (name, bytes, read) in whole {
        fs::write(&path, &bytes).unwrap();
        assert!(check(read, &path, name), "{name} is whole");
        let (mut tracks, mut errors) = (0, 0);
        // What must be decoded and encoded takes longer.
        let is_encoded = !matches!(name, "ogg" | "ivf") && !name.starts_with("webm");
        let rounds = if is_encoded { ROUNDS / 4 } else { ROUNDS };
        for seed in 0..rounds {
            let mut random = Rng::with_seed(seed);
            let mut bytes = bytes.clone();
            damage(&mut bytes, &mut random);
            if matches!(name, "ogg" | "vorbis") && random.bool() {
                mend_checksums(&mut bytes);
            }
            fs::write(&path, &bytes).unwrap();
            if check(read, &path, &format!("{name}, seed {seed}")) {
                tracks += 1;
            } else {
                errors += 1;
            }
        }
        // The damage is neither all fatal nor all harmless, or little would be tested.
        assert!(
            tracks > rounds / 20 && errors > rounds / 20,
            "{name}: {tracks} tracks, {errors} errors"
        );
        let grown = peak() - before;
        assert!(grown < MEMORY, "{name}: {grown} kB");
    }
}

/// Picture files of every kind, made by ffmpeg: small, and with B-frames where there can be some.
fn films(place: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let made = |name: &'static str, options: &[&str]| {
        let path = place.join(name);
        let source = "testsrc2=size=64x48:rate=25:duration=0.8";
        let begin = ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source];
        let made = Command::new("ffmpeg")
            .args([&begin[..], options, &[path.to_str().unwrap()]].concat())
            .status();
        assert!(made.unwrap().success(), "{name}");
        (name, fs::read(path).unwrap())
    };
    let h264 = [
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "5", "-bf", "2",
    ];
    let fragments = [
        &h264[..],
        &["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
    ];
    let av1 = [
        "-c:v",
        "libaom-av1",
        "-cpu-used",
        "8",
        "-usage",
        "realtime",
        "-g",
        "5",
    ];
    vec![
        made("x.mp4", &h264),
        made("parts.mp4", &fragments.concat()),
        made("av1.mp4", &av1),
        made("x.mkv", &h264),
        made("x.h264", &h264),
        made("vp9.ivf", &["-c:v", "libvpx-vp9", "-g", "5"]),
        made("av1.ivf", &av1),
        made("x.y4m", &["-pix_fmt", "yuv422p"]),
    ]
}

#[test]
fn damaged_pictures_end_in_an_error_or_a_film() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("damaged");
    let before = peak();
    for (name, whole) in films(place.path()) {
        let (mut good, mut errors) = (0, 0);
        for seed in 0..ROUNDS {
            let mut random = Rng::with_seed(seed);
            let mut bytes = whole.clone();
            if seed > 0 {
                damage(&mut bytes, &mut random);
            }
            fs::write(&path, &bytes).unwrap();
            let about = format!("{name}, seed {seed}");
            match read_film(&path) {
                Ok(film) => {
                    assert!(
                        film.duration <= DAY && film.width > 0 && film.height > 0,
                        "{about}"
                    );
                    let length: usize = film.frames().iter().map(|frame| frame.bytes.len()).sum();
                    assert!(!film.frames().is_empty(), "{about}");
                    assert!(length <= 3 * bytes.len() + 20_000, "{about}: {length}");
                    if matches!(film.coding, Coding::Coded(_)) && !film.character.is_reordered {
                        let _ = film.track();
                    }
                    good += 1;
                }
                Err(error) => {
                    let told = error.to_string();
                    assert!(
                        told.contains("damaged") && !told.contains('\n'),
                        "{about}: {told}"
                    );
                    assert!(seed > 0, "{about}: {told}");
                    errors += 1;
                }
            }
        }
        assert!(
            good > ROUNDS / 20 && errors > ROUNDS / 40,
            "{name}: {good}, {errors}"
        );
        let grown = peak() - before;
        assert!(grown < MEMORY, "{name}: {grown} kB");
    }
}

#[test]
fn boxes_and_tables_of_mp4_that_promise_too_much_cost_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let all = films(place.path());
    let of = |wanted: &str| {
        all.iter()
            .find(|(name, _)| *name == wanted)
            .unwrap()
            .1
            .clone()
    };
    let before = peak();
    // The place of a box's kind in the file.
    let find =
        |bytes: &[u8], kind: &[u8; 4]| bytes.windows(4).position(|four| four == kind).unwrap();
    let told = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        read_film(&path).unwrap_err().to_string()
    };
    // Four thousand million samples, of one byte each, in one chunk.
    let mut many = of("x.mp4");
    let (stts, stsc, stsz) = (
        find(&many, b"stts"),
        find(&many, b"stsc"),
        find(&many, b"stsz"),
    );
    many[stts + 12..stts + 16].fill(0xff);
    many[stsc + 16..stsc + 20].fill(0xff);
    many[stsz + 8..stsz + 12].copy_from_slice(&1u32.to_be_bytes());
    many[stsz + 12..stsz + 16].fill(0xff);
    told(&many);
    // A box of 4 GB, and one of 2^63 bytes.
    let mut large = of("x.mp4");
    let moov = find(&large, b"moov");
    large[moov - 4..moov].fill(0xff);
    assert!(told(&large).contains("moov"));
    let mut larger = of("x.mp4");
    larger[moov - 4..moov].copy_from_slice(&1u32.to_be_bytes());
    larger[moov + 4..moov + 12].fill(0x7f);
    told(&larger);
    // A fragment that speaks of more samples than it has bytes.
    let mut run = of("parts.mp4");
    let trun = find(&run, b"trun");
    run[trun + 4..trun + 8].fill(0);
    run[trun + 8..trun + 12].copy_from_slice(&16_000_000u32.to_be_bytes());
    told(&run);
    // A picture of 16 384 × 16 384 that is not there, and one that cannot be.
    let y4m = |size: &str| format!("YUV4MPEG2 {size} F25:1 C420\nFRAME\nabc").into_bytes();
    assert!(told(&y4m("W16384 H16384")).contains("has 402653184 bytes and only 3 are left"));
    assert!(told(&y4m("W99999999 H99999999")).contains("no size that can be"));
    assert!(told(&y4m("W64 H48 Xabc").repeat(3)).contains("bytes and only"));
    let grown = peak() - before;
    assert!(grown < MEMORY, "{grown} kB");
}

#[test]
fn promises_that_are_not_kept_cost_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let before = peak();
    let told = |read: Reader, bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };
    let ivf = fs::read(material("other-picture.ivf")).unwrap();

    let mut large = ivf.clone();
    large[32..36].fill(0xff);
    let large = told(read_video, &large);
    assert!(large.contains("frame 0 has 4294967295 bytes"), "{large}");

    let mut sound = wav(48_000, 1, 16, &[0; 960]);
    sound[40..44].copy_from_slice(&0xffff_fffeu32.to_le_bytes());
    let sound = told(read_audio, &sound);
    assert!(sound.contains("4294967294 bytes of sound"), "{sound}");

    // A segment, tracks and a block that go on for 2^56 bytes.
    let webm =
        b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xfe\
        \x16\x54\xae\x6b\x01\xff\xff\xff\xff\xff\xff\xfe\xa3\x01\xff\xff\xff\xff\xff\xff\xfe";
    let webm = told(read_video, webm);
    assert!(webm.contains("copy or convert it again"), "{webm}");

    let grown = peak() - before;
    assert!(grown < MEMORY, "{grown} kB");
}

#[test]
fn a_wild_time_stamp_does_not_become_silence_without_end() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.ivf");
    let mut bytes = fs::read(material("other-picture.ivf")).unwrap();
    // The time of the second frame, which begins behind the first one.
    let first = u32::from_le_bytes(bytes[32..36].try_into().unwrap()) as usize;
    let time = 44 + first + 4;
    for wild in [u64::MAX, 1 << 40] {
        bytes[time..time + 8].copy_from_slice(&wild.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let told = load_clip(Some(&material("speech.opus")), Some(&path)).unwrap_err();
        let told = told.to_string();
        assert!(told.contains("hours; a day at most"), "{told}");
    }
    // Control: an hour is believed, and the sound is as long.
    let rate = u64::from(u32::from_le_bytes(bytes[16..20].try_into().unwrap()));
    let scale = u64::from(u32::from_le_bytes(bytes[20..24].try_into().unwrap()));
    let hour = 3600 * rate / scale;
    bytes[time..time + 8].copy_from_slice(&hour.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let Clip { audio, video, .. } = load_clip(Some(&material("speech.opus")), Some(&path)).unwrap();
    let (audio, video) = (audio.unwrap().duration, video.unwrap().duration);
    assert!((3600..3610).contains(&video.as_secs()), "{video:?}");
    assert!(audio >= video && audio - video < Duration::from_millis(20));
}

#[test]
fn wav_of_odd_rates_and_many_channels_lasts_as_long_as_it_should() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.wav");
    for (rate, channels, bits) in [
        (4_000, 1, 8),
        (4_001, 3, 16),
        (11_025, 2, 24),
        (22_050, 6, 32),
        (44_100, 1, 16),
        (47_999, 1, 16),
        (48_000, 8, 16),
        (192_000, 2, 24),
        (383_987, 1, 16),
        (384_000, 2, 8),
    ] {
        for milliseconds in [1, 100, 333] {
            let count = rate * milliseconds / 1000 * u32::from(channels * bits / 8);
            let samples = vec![if bits == 8 { 128 } else { 0 }; count as usize];
            fs::write(&path, wav(rate, channels, bits, &samples)).unwrap();
            let track = read_audio(&path).unwrap();
            // The sound, 6.5 ms that the encoder looks ahead, and the rest of a packet.
            let duration = track.duration.as_secs_f64() * 1000.0;
            let over = duration - f64::from(milliseconds);
            assert!(
                (5.0..27.0).contains(&over),
                "{rate}, {channels}: {duration} ms"
            );
        }
    }
    for (rate, channels) in [(0, 1), (3_999, 1), (384_001, 2), (u32::MAX, 1), (8_000, 0)] {
        fs::write(&path, wav(rate, channels, 16, &[0; 960])).unwrap();
        let told = read_audio(&path).unwrap_err().to_string();
        assert!(told.contains("convert it"), "{rate}, {channels}: {told}");
    }
    fs::write(&path, wav(48_000, 1, 16, &[])).unwrap();
    let told = read_audio(&path).unwrap_err().to_string();
    assert!(told.contains("no sound in it"), "{told}");
}

#[test]
fn what_is_no_file_to_play_is_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    let told = |path: &Path| {
        let (audio, video) = (read_audio(path).unwrap_err(), read_video(path).unwrap_err());
        assert_eq!(audio.to_string(), video.to_string());
        audio.to_string()
    };
    let empty = place.path().join("empty");
    fs::write(&empty, b"").unwrap();
    assert!(told(&empty).contains("is empty"), "{}", told(&empty));
    assert!(told(place.path()).contains("not a regular file"));
    // Nobody will ever write to it.
    let pipe = place.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert!(told(&pipe).contains("not a regular file"));
    assert!(told(Path::new("/dev/zero")).contains("not a regular file"));
    // Readable by nobody, root included.
    let memory = told(Path::new("/proc/self/mem"));
    assert!(memory.contains("cannot read /proc/self/mem"), "{memory}");
    let large = place.path().join("large.wav");
    fs::File::create(&large).unwrap().set_len(3 << 30).unwrap();
    assert!(told(&large).contains("more than 2 GB"), "{}", told(&large));
}
