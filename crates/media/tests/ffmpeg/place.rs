//! ffmpeg as maker and as judge of files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use media::{Kind, Recorder, Track};

/// Runs ffmpeg and returns what it writes to standard output; fails with what it says.
pub(crate) fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    run(
        "ffmpeg",
        &[&["-nostdin", "-v", "error", "-y"], arguments].concat(),
    )
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("these tests need {program} (apt: ffmpeg): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    assert_eq!(said, "", "{arguments:?}");
    output.stdout
}

/// A directory that vanishes with the test.
pub(crate) struct Place(pub(crate) tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a file with ffmpeg from a lavfi source.
    pub(crate) fn make(&self, name: &str, source: &str, options: &[&str]) -> PathBuf {
        let path = self.path(name);
        let end = [path.to_str().unwrap()];
        ffmpeg(&[&["-f", "lavfi", "-i", source], options, &end].concat());
        path
    }

    pub(crate) fn vp8(&self, name: &str) -> PathBuf {
        let options = [
            "-c:v",
            "libvpx",
            "-b:v",
            "400k",
            "-g",
            "20",
            "-auto-alt-ref",
            "0",
        ];
        self.make(name, PICTURE, &options)
    }

    pub(crate) fn av1(&self, name: &str) -> PathBuf {
        let options = [
            "-c:v",
            "libaom-av1",
            "-cpu-used",
            "8",
            "-usage",
            "realtime",
            "-g",
            "20",
        ];
        self.make(name, PICTURE, &options)
    }
}

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const PICTURE: &str = "testsrc2=size=320x180:rate=25:duration=2";
pub(crate) const TONE: &str = "sine=frequency=440:duration=2";

/// The bytes of all packets of a file, as ffmpeg's demuxer gives them.
pub(crate) fn packets(path: &Path, kind: Kind) -> Vec<u8> {
    let map = match kind {
        Kind::Audio => "0:a",
        Kind::Video => "0:v",
    };
    let path = path.to_str().unwrap();
    ffmpeg(&["-i", path, "-map", map, "-c", "copy", "-f", "data", "-"])
}

/// The checksums of all decoded pictures of a file.
pub(crate) fn pictures(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let text = ffmpeg(&[
        "-i",
        path,
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-f",
        "framemd5",
        "-",
    ]);
    String::from_utf8(text)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

pub(crate) fn encoded(track: &Track) -> Vec<u8> {
    let bytes = track.frames.iter().map(|frame| frame.encoded().unwrap());
    bytes.flat_map(|bytes| bytes.to_vec()).collect()
}

pub(crate) fn record(path: &Path, audio: Option<&Track>, video: Option<&Track>) {
    let codec = |track: Option<&Track>| track.map(|track| track.codec);
    let mut recorder = Recorder::create(path, codec(audio), codec(video)).unwrap();
    let of = |track: Option<&Track>| track.map(|t| t.frames.clone()).unwrap_or_default();
    let mut all: Vec<_> = of(audio).into_iter().chain(of(video)).collect();
    all.sort_by_key(|frame| frame.media_time);
    for frame in all {
        recorder
            .write(frame.codec.kind(), frame.media_time, &frame)
            .unwrap();
    }
    assert_eq!(recorder.finish().unwrap().left_out, 0);
}
