use std::fs;
use std::path::PathBuf;

use super::*;
use crate::measure::{decode, sound as measured};
use crate::{Codec, SAMPLE_RATE, open_audio, open_video};

fn data(name: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    data.join(name).canonicalize().unwrap()
}

/// A playlist with these lines; `{}` stands for the directory of the test data.
fn list(lines: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("list.m3u");
    let parent = data("speech.opus").parent().unwrap().display().to_string();
    fs::write(&path, lines.replace("{}", &parent)).unwrap();
    (directory, path)
}

fn spec(path: &Path, options: &str) -> SourceSpec {
    format!("playlist:{}{options}", path.display())
        .parse()
        .unwrap()
}

/// Keeps the left channel.
#[derive(Default)]
struct Left(Vec<f32>);

impl Sink for Left {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        self.0.extend(
            samples
                .chunks_exact(sound::CHANNELS)
                .map(|moment| moment[0]),
        );
        Ok(Flow::Continue(()))
    }
}

fn samples_of(path: &Path, options: &str) -> Vec<f32> {
    let mut left = Left::default();
    sound::pour(&spec(path, options), 1, &mut left).unwrap();
    left.0
}

#[test]
fn items_follow_each_other_to_the_sample() {
    let (_kept, path) =
        list("#EXTM3U\n#EXTINF:1,One\ntone:997#t=0,0.3217\n\ntone:997#t=0.3217,1\n");
    let (_whole, one) = list("tone:997#t=0,1\n");
    assert_eq!(samples_of(&path, ""), samples_of(&one, ""));
    // The control: with a gap they do not.
    let gap = samples_of(&path, "#gap=0.1");
    assert_eq!(gap.len(), 52_800);
    assert!(gap[15_500..20_000].iter().all(|s| *s == 0.0));
}

#[test]
fn a_file_in_two_halves_is_the_file() {
    let (_kept, path) = list("{}/speech.opus#t=0,1.2345\n{}/speech.opus#t=1.2345\n");
    let Source::Track(track) = open_audio(&spec(&path, "")).unwrap() else {
        panic!("a playlist ends");
    };
    let heard = decode::sound(&track).unwrap();
    let whole = open_audio(&SourceSpec::file(data("speech.opus"))).unwrap();
    let whole = decode::sound(whole.track().unwrap()).unwrap();
    let alike = measured::compare(&whole, &heard, SAMPLE_RATE).overall;
    assert!(alike > 0.95, "{alike}");
}

#[test]
fn sound_and_picture_of_a_playlist_keep_together() {
    let (_kept, path) = list(
        "tone:440#t=0,0.513\n\
         card:Pause#t=0,0.7&size=64x36\n\
         {}/bunny.ivf#t=0,0.5\n\
         tone:880#t=0,0.25&loop=3&gap=0.1\n",
    );
    let length = 0.513 + 0.7 + 0.5 + 3.0 * 0.25 + 2.0 * 0.1;
    let sound = samples_of(&path, "");
    assert!(
        sound.len().abs_diff((length * 48_000.0) as usize) <= 4,
        "{}",
        sound.len()
    );
    let options = SourceOptions::default();
    let items = open(&path, &options).unwrap();
    let pictures = pictures(&items, &options, &Acceptance::of(Codec::Vp8)).unwrap();
    assert!(
        (pictures.duration.as_secs_f64() - length).abs() < 1e-3,
        "{:?}",
        pictures.duration
    );
    // Where the card and the film are, there is no sound; each begins with a key frame of its size.
    assert!(sound[25_000..82_000].iter().all(|s| *s == 0.0));
    let mut sizes = Vec::new();
    for frame in pictures.frames.iter().filter(|frame| frame.is_key) {
        let size = frame.codec.dimensions(&frame.encoded().unwrap());
        if sizes.last() != Some(&size) {
            sizes.push(size);
        }
    }
    // The quiet picture is as large as the film.
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    let at = |n: f64| {
        pictures
            .frame_at(Duration::from_secs_f64(n))
            .media_time
            .as_secs_f64()
    };
    assert!((at(0.515) - 0.513).abs() < 0.001 && (at(1.215) - 1.213).abs() < 0.001);
}

#[test]
fn what_cannot_be_played_is_told_with_its_line() {
    for (lines, says) in [
        ("tone#t=0,1\n\nmissing.ogg\n", "list.m3u:3: cannot read"),
        (
            "tone\n",
            "list.m3u:1: `tone:440` is no media source: it never ends",
        ),
        (
            "http://example.com/a.mp3\n",
            "list.m3u:1: `http://example.com/a.mp3`",
        ),
        ("playlist:list.m3u\n", "list.m3u:1: "),
        ("tone#t=0,1\ncard:x#speed=1\n", "list.m3u:2: "),
        ("{}/page.png\n", "list.m3u:1: "),
        ("{}/README.md\n", "list.m3u:1: "),
        ("# nothing\n", "names no source"),
    ] {
        let (_kept, path) = list(lines);
        let error = open_audio(&spec(&path, "")).unwrap_err().to_string();
        assert!(
            error.contains(says) && !error.contains('\n'),
            "{lines}: {error}"
        );
        assert!(open_video(&spec(&path, ""), Codec::Vp8).is_err(), "{lines}");
    }
    let (_kept, path) = list("tone#t=0,1\n");
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let error = open_audio(&spec(&path, "")).unwrap_err().to_string();
    assert!(error.contains("UTF-8"), "{error}");
}
