//! What is encoded here rather than sent as it is: WAV, tone and bars; AV1 where the node wants it.

use std::process::Command;

use media::SAMPLE_RATE;
use media::measure::{decode, sound};

use crate::support::{
    A_CLIP, OTHER_SPEECH, Process, Recorded, SOON, Stage, clip_sound, material, turn,
};

/// Lets a second participant play these sources until `seconds` after its media flows, and returns what the listener recorded.
async fn recorded_of(node: &[&str], audio: &str, video: &str, seconds: &str) -> Recorded {
    let stage = Stage::set(node).await;
    let arguments = [
        "join",
        "--node",
        &stage.node.http,
        "--conference",
        "meet",
        "--name",
        "Player",
    ];
    let player = Process::start(
        &[
            &arguments[..],
            &["--audio", audio, "--video", video, "--for", seconds],
        ]
        .concat(),
    );
    player.ended(A_CLIP).await.expect(0, "");
    stage.recorded().await
}

/// Returns how many pictures of a recording differ from the one before, as ffmpeg decodes them, and the codec's name.
pub(crate) fn moving_pictures(recorded: &Recorded) -> (usize, String) {
    let file = recorded.file.to_str().unwrap();
    let ffmpeg = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(["-v", "error"])
            .args(arguments)
            .output()
            .unwrap_or_else(|error| {
                panic!("{program}: {error}. Install it: apt-get install ffmpeg")
            });
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let sums = ffmpeg(
        "ffmpeg",
        &["-i", file, "-map", "0:v", "-f", "framemd5", "-"],
    );
    let mut sums: Vec<&str> = sums
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit(',').next())
        .collect();
    sums.dedup();
    let entries = "stream=codec_name";
    let codec = ffmpeg(
        "ffprobe",
        &[
            "-select_streams",
            "v",
            "-show_entries",
            entries,
            "-of",
            "csv=p=0",
            file,
        ],
    );
    (sums.len(), codec.trim().to_owned())
}

#[tokio::test]
async fn a_wav_file_is_heard() {
    let _turn = turn().await;
    let wav = material("other-speech.wav");
    let recorded = recorded_of(&[], wav.to_str().unwrap(), "bars", "8").await;

    let judgement = recorded.judged_by("other-speech.wav", "other-picture.ivf");
    assert!(judgement.sound.is_heard(), "{judgement:#?}");
    // The control: it is not just any speech.
    let control = sound::compare(&clip_sound(OTHER_SPEECH), &heard(&recorded), SAMPLE_RATE);
    assert!(control.overall < sound::OTHER, "{control:?}");
}

#[tokio::test]
async fn a_tone_is_heard_at_its_pitch_and_bars_are_seen_moving() {
    let _turn = turn().await;
    let recorded = recorded_of(&[], "tone:660", "bars", "5").await;

    let likeness =
        |hertz: f32| sound::compare(&tone(hertz), &heard(&recorded), SAMPLE_RATE).overall;
    assert!(likeness(660.0) > sound::HEARD, "{}", likeness(660.0));
    assert!(
        likeness(700.0) < sound::OTHER,
        "another pitch: {}",
        likeness(700.0)
    );
    let (pictures, codec) = moving_pictures(&recorded);
    assert_eq!(codec, "vp8");
    assert!(pictures > 30, "{pictures} different pictures");
}

#[tokio::test]
async fn bars_are_encoded_as_av1_where_the_node_takes_nothing_else() {
    let _turn = turn().await;
    let recorded = recorded_of(&["--video-codecs", "AV1"], "tone", "bars", "6").await;

    let (pictures, codec) = moving_pictures(&recorded);
    assert_eq!(codec, "av1");
    assert!(pictures > 20, "{pictures} different pictures");
}

#[tokio::test]
async fn a_vp8_file_is_transcoded_for_a_node_that_takes_av1_alone() {
    let _turn = turn().await;
    let stage = Stage::set(&["--video-codecs", "AV1"]).await;
    let (speech, picture) = (material("speech.opus"), material("bunny.ivf"));
    let mut player = Process::start(&stage.node.join(&[
        "--for",
        "3",
        "--audio",
        speech.to_str().unwrap(),
        "--video",
        picture.to_str().unwrap(),
    ]));
    player
        .until("a report of the picture that was played", SOON, |line| {
            assert_ne!(line["notice"], "warning", "{line}");
            let report = &line["report"];
            let has_reached = report["clip_packets_reached"].as_u64() > Some(0);
            (report["kind"] == "video" && has_reached).then_some(())
        })
        .await;
    player.ended(SOON).await.expect(0, "");
}

fn heard(recorded: &Recorded) -> Vec<f32> {
    decode::sound(&media::read_audio(&recorded.file).unwrap()).unwrap()
}

fn tone(hertz: f32) -> Vec<f32> {
    let step = hertz * std::f32::consts::TAU / SAMPLE_RATE as f32;
    (0..3 * SAMPLE_RATE)
        .map(|sample| (sample as f32 * step).sin())
        .collect()
}
