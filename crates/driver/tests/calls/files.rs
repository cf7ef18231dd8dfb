//! Every kind of file, passed through and transcoded, against the practice node: what the far end hears
//! and sees of it, and how far sound and picture are apart. The table is printed.
#![expect(clippy::print_stdout, reason = "a table for people")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use driver::{Material, NoticeKind, Program};
use futures_util::future::join_all;
use infinity::ConferenceAlias;
use media::measure::decode;
use media::measure::picture::{self, PictureSimilarity, Pictures};
use media::measure::sound::{self, HEARD, OTHER, SoundSimilarity};
use media::{
    Acceptance, Codec, RecordSettings, SAMPLE_RATE, SourceSpec, read_audio, read_film, read_video,
};
use node::ConferenceSettings;

use crate::scene::{Scene, data, is_in};

/// How far sound and picture may be apart, in milliseconds; people notice 125 (ITU-R BT.1359).
const APART: f64 = 40.0;
/// How many calls run at the same time.
const ABREAST: usize = 4;
/// Seconds of speech and film.
const LENGTH: &str = "3.5";

/// One row: a file, and the codec of the call.
struct Row {
    name: &'static str,
    /// What ffmpeg is told to make of picture and sound; `None` where the file holds no such thing.
    video: Option<&'static str>,
    audio: Option<&'static str>,
    codec: Codec,
    passes: bool,
}

const VP8: &str = "-c:v libvpx -b:v 800k -g 16 -auto-alt-ref 0 -deadline realtime -cpu-used 8";
const VP9: &str = "-c:v libvpx-vp9 -b:v 800k -g 16 -deadline realtime -cpu-used 8";
const AV1: &str = "-c:v libaom-av1 -b:v 800k -g 16 -usage realtime -cpu-used 8 -threads 2";
const H264: &str =
    "-c:v libx264 -preset veryfast -profile:v baseline -pix_fmt yuv420p -g 16 -b:v 800k";
const PARTS: &str = "-c:v libx264 -preset veryfast -profile:v baseline -pix_fmt yuv420p -g 16 -b:v 800k \
                     -movflags +frag_keyframe+empty_moov";
const B_FRAMES: &str =
    "-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p -bf 2 -g 16 -b:v 800k";
const RARE: &str = "-c:v libx264 -preset veryfast -profile:v baseline -pix_fmt yuv420p -g 96 -sc_threshold 0 -b:v 800k";
const RAW: &str = "-pix_fmt yuv420p";
const OPUS: Option<&str> = Some("-c:a libopus -b:a 48k");
const VORBIS: Option<&str> = Some("-c:a libvorbis");
const AAC: Option<&str> = Some("-c:a aac -b:a 96k");
const FLAC: Option<&str> = Some("-c:a flac");
const MP3: Option<&str> = Some("-c:a libmp3lame");
const WAV: Option<&str> = Some("-c:a pcm_s16le");

/// One of each way, for every test run.
#[rustfmt::skip]
const SOME: [Row; 8] = [
    row("aac-h264.mp4", Some(H264), AAC, Codec::H264, true),
    row("opus-vp8.webm", Some(VP8), OPUS, Codec::Vp8, true),
    row("mp3.mp3", None, MP3, Codec::Vp8, false),
    row("vp9.ivf", Some(VP9), None, Codec::Vp9, true),
    row("aac-b-frames.mp4", Some(B_FRAMES), AAC, Codec::Vp8, false),
    row("opus-av1.mkv", Some(AV1), OPUS, Codec::Vp9, false),
    row("raw.y4m", Some(RAW), None, Codec::Vp8, false),
    row("rare.mp4", Some(RARE), MP3, Codec::H264, false),
];

/// Every kind in both ways, where there are both.
#[rustfmt::skip]
const ALL: [Row; 33] = [
    row("opus.ogg", None, OPUS, Codec::Vp8, true),
    row("opus.ogg#gain=-3", None, OPUS, Codec::Vp8, false),
    row("wav.wav", None, WAV, Codec::Vp8, false),
    row("mp3.mp3", None, MP3, Codec::Vp8, false),
    row("flac.flac", None, FLAC, Codec::Vp8, false),
    row("aac.m4a", None, AAC, Codec::Vp8, false),
    row("aac.aac", None, AAC, Codec::Vp8, false),
    row("vorbis.ogg", None, VORBIS, Codec::Vp8, false),
    row("opus-vp8.webm", Some(VP8), OPUS, Codec::Vp8, true),
    row("opus-vp8.webm", Some(VP8), OPUS, Codec::H264, false),
    row("vorbis-vp9.webm", Some(VP9), VORBIS, Codec::Vp9, true),
    row("vorbis-vp9.webm", Some(VP9), VORBIS, Codec::Vp8, false),
    row("opus-av1.mkv", Some(AV1), OPUS, Codec::Av1, true),
    row("opus-av1.mkv", Some(AV1), OPUS, Codec::Vp9, false),
    row("flac-h264.mkv", Some(H264), FLAC, Codec::H264, true),
    row("flac-h264.mkv", Some(H264), FLAC, Codec::Vp8, false),
    row("aac-h264.mp4", Some(H264), AAC, Codec::H264, true),
    row("aac-h264.mp4", Some(H264), AAC, Codec::Av1, false),
    row("opus-av1.mp4", Some(AV1), OPUS, Codec::Av1, true),
    row("opus-av1.mp4", Some(AV1), OPUS, Codec::Vp8, false),
    row("aac-parts.mp4", Some(PARTS), AAC, Codec::H264, true),
    row("aac-parts.mp4", Some(PARTS), AAC, Codec::Vp9, false),
    row("vp8.ivf", Some(VP8), None, Codec::Vp8, true),
    row("vp8.ivf", Some(VP8), None, Codec::Vp9, false),
    row("vp9.ivf", Some(VP9), None, Codec::Vp9, true),
    row("vp9.ivf", Some(VP9), None, Codec::Vp8, false),
    row("av1.ivf", Some(AV1), None, Codec::Av1, true),
    row("av1.ivf", Some(AV1), None, Codec::H264, false),
    row("h264.h264", Some(H264), None, Codec::H264, true),
    row("h264.h264", Some(H264), None, Codec::Vp8, false),
    row("raw.y4m", Some(RAW), None, Codec::Vp8, false),
    row("aac-b-frames.mp4", Some(B_FRAMES), AAC, Codec::H264, false),
    row("rare.mp4", Some(RARE), MP3, Codec::H264, false),
];

const fn row(
    name: &'static str,
    video: Option<&'static str>,
    audio: Option<&'static str>,
    codec: Codec,
    passes: bool,
) -> Row {
    Row {
        name,
        video,
        audio,
        codec,
        passes,
    }
}

fn ffmpeg(arguments: &[&str]) {
    let begin = ["-nostdin", "-v", "error", "-y"];
    let made = Command::new("ffmpeg")
        .args([&begin[..], arguments].concat())
        .status();
    assert!(made.unwrap().success(), "{arguments:?}");
}

impl Row {
    /// Returns its file, without options.
    fn file(&self, place: &Path) -> PathBuf {
        place.join(self.name.split('#').next().unwrap_or_default())
    }

    /// Makes the file of the first seconds of speech and film, unless another row has.
    fn make(&self, place: &Path) {
        let path = self.file(place);
        if path.exists() {
            return;
        }
        let (film, speech) = (data("bunny.ivf"), data("speech.opus"));
        let mut arguments = Vec::new();
        if self.video.is_some() {
            arguments.extend(["-i", film.to_str().unwrap()]);
        }
        if self.audio.is_some() {
            arguments.extend(["-i", speech.to_str().unwrap()]);
        }
        arguments.extend(["-t", LENGTH]);
        let options = [self.video, self.audio].into_iter().flatten();
        arguments.extend(options.flat_map(|all| all.split_whitespace()));
        arguments.push(path.to_str().unwrap());
        ffmpeg(&arguments);
    }

    /// Tells what will become of it, as it is found out before a call.
    fn is_passed_through(&self, place: &Path) -> bool {
        match self.video {
            Some(_) => {
                let film = read_film(&self.file(place)).unwrap();
                film.unsuitable(&Acceptance::of(self.codec)).is_empty()
            }
            None => {
                let described = media::describe(&self.source(place)).unwrap().unwrap();
                described.sound.unwrap().why_transcoded.is_none()
            }
        }
    }

    fn source(&self, place: &Path) -> SourceSpec {
        place.join(self.name).to_str().unwrap().parse().unwrap()
    }

    /// Plays the file into a conference of its own; returns what somebody there recorded.
    async fn heard_and_seen(&self, scene: &Scene, number: usize, place: &Path) -> PathBuf {
        let file = self.source(place);
        let recording = place.join(format!("heard-{number}.mkv"));
        let mut settings = scene.settings("listener");
        settings.conference = alias(number);
        settings.record = Some(RecordSettings::new(&recording));
        settings.video_codecs = vec![self.codec];
        let mut listener = scene.start(settings);
        listener.until(is_in).await;

        // What a file lacks comes from a file that is read as it is: so each row has both.
        let speech = format!("{}#t=0,{LENGTH}", data("speech.opus").display());
        let speech: SourceSpec = speech.parse().unwrap();
        let audio = self.audio.map_or(&speech, |_| &file);
        let video = self.video.map(|_| &file);
        let material = Material::open(Some(audio), video).unwrap();
        let mut settings = scene.settings("speaker");
        settings.conference = alias(number);
        settings.program = Program::Once(Arc::new(material));
        settings.video_codecs = vec![self.codec];
        let mut speaker = scene.start(settings);
        let patience = Duration::from_secs(60);
        let over = |kind: &NoticeKind| matches!(kind, NoticeKind::ClipFinished { .. });
        speaker.within(patience, over).await;
        // The last packets are still on their way.
        speaker
            .within_or_none(Duration::from_millis(400), |_| false)
            .await;
        speaker.leave().await;
        listener.leave().await;
        recording
    }
}

/// The conference of a row.
fn alias(number: usize) -> ConferenceAlias {
    format!("row-{number}").parse().unwrap()
}

/// What the files were made of.
struct Original {
    sound: Vec<f32>,
    pictures: Pictures,
}

impl Original {
    fn of(sound: &Path, pictures: &Path) -> Self {
        Self {
            sound: decode::sound(&read_audio(sound).unwrap()).unwrap(),
            pictures: decode::pictures(&read_video(pictures).unwrap(), None).unwrap(),
        }
    }

    fn compare(&self, recording: &Path) -> (SoundSimilarity, PictureSimilarity) {
        let heard = read_audio(recording).ok();
        let heard = heard.and_then(|track| decode::sound(&track).ok());
        let size = Some(self.pictures.size());
        let seen = read_video(recording).ok();
        let seen = seen.and_then(|track| decode::pictures(&track, size).ok());
        (
            sound::compare(&self.sound, &heard.unwrap_or_default(), SAMPLE_RATE),
            picture::compare(&self.pictures, &seen.unwrap_or_default()),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_heard_and_seen_in_sync_passed_through_or_transcoded() {
    table(&SOME).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes about a minute"]
async fn every_kind_of_file_is_heard_and_seen_in_sync_passed_through_and_transcoded() {
    table(&ALL).await;
}

/// Plays each file, and prints a line about each.
async fn table(rows: &[Row]) {
    let conferences = (0..rows.len()).map(|n| ConferenceSettings::open(alias(n)));
    let scene = Scene::with(|node| node.conferences = conferences.collect()).await;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let (wav, ivf) = (place.join("original.wav"), place.join("original.ivf"));
    let speech = data("speech.opus");
    ffmpeg(&[
        "-i",
        speech.to_str().unwrap(),
        "-t",
        LENGTH,
        wav.to_str().unwrap(),
    ]);
    let film = data("bunny.ivf");
    let copied = ["-i", film.to_str().unwrap(), "-t", LENGTH, "-c", "copy"];
    ffmpeg(&[&copied[..], &[ivf.to_str().unwrap()]].concat());
    let original = Original::of(&wav, &ivf);

    println!(
        "{:<18}{:<8}{:<16}{:>7}{:>7}{:>9}",
        "file", "call", "", "sound", "SSIM", "A/V, ms"
    );
    let mut wrong = Vec::new();
    let mut last = PathBuf::new();
    for (batch, rows) in rows.chunks(ABREAST).enumerate() {
        for row in rows {
            row.make(place);
            assert_eq!(row.is_passed_through(place), row.passes, "{}", row.name);
        }
        let calls = rows.iter().enumerate();
        let calls = calls.map(|(at, row)| row.heard_and_seen(&scene, batch * ABREAST + at, place));
        for (row, recording) in rows.iter().zip(join_all(calls).await) {
            let (heard, seen) = original.compare(&recording);
            let apart = (heard.offset - seen.offset) * 1000.0;
            let how = if row.passes {
                "passed through"
            } else {
                "transcoded"
            };
            let (ssim, shift) = match row.video {
                Some(_) => (format!("{:.3}", seen.median), format!("{apart:.0}")),
                None => ("-".into(), "-".into()),
            };
            println!(
                "{:<18}{:<8}{how:<16}{:>7.3}{ssim:>7}{shift:>9}",
                row.name,
                row.codec.name(),
                heard.overall
            );
            let is_right = heard.overall >= HEARD
                && (row.video.is_none() || seen.is_seen() && apart.abs() <= APART);
            if !is_right {
                wrong.push(format!("{}: {heard:?}, {seen:?}", row.name));
            }
            last = recording;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    // The control: the same recording is not like other words, nor like another film.
    let other = Original::of(&data("other-speech.opus"), &data("other-picture.ivf"));
    let (heard, seen) = other.compare(&last);
    println!(
        "{:<42}{:>7.3}{:>7.3}",
        "control: another file", heard.overall, seen.median
    );
    assert!(
        heard.overall <= OTHER && !seen.is_seen(),
        "{heard:?}, {seen:?}"
    );
}
