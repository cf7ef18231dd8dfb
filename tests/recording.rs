//! Recordings as people make them: in every kind of file, cut off by `kill -9`, in parts.

use std::path::Path;
use std::time::Duration;

use media::measure::decode;
use media::measure::sound::{PRESENT, compare};
use media::{SAMPLE_RATE, read_audio, read_video};
use tokio::process::Command;

use crate::support::{PracticeNode, Process, SOON, SPEECH, clip_sound, material, turn, wait_for};

fn speaker(node: &PracticeNode) -> Process {
    let (speech, picture) = (material(SPEECH), material("bunny.ivf"));
    let media = [
        "--name",
        "Speaker",
        "--audio",
        speech.to_str().unwrap(),
        "--video",
        picture.to_str().unwrap(),
    ];
    Process::start(&node.join(&media))
}

fn listener(node: &PracticeNode, record: &Path, more: &[&str]) -> Process {
    let record = ["--record", record.to_str().unwrap()];
    Process::start(&node.join(&[&record, more].concat()))
}

/// Duration in seconds, and what ffmpeg complains of while it decodes all of it.
async fn judged(path: &Path) -> (f64, String) {
    let path = path.to_str().unwrap();
    let entries = [
        "-v",
        "error",
        "-show_entries",
        "format=duration",
        "-of",
        "csv=p=0",
        path,
    ];
    let probed = Command::new("ffprobe")
        .args(entries)
        .output()
        .await
        .unwrap();
    let duration = String::from_utf8_lossy(&probed.stdout)
        .trim()
        .parse()
        .unwrap_or(0.0);
    // By the file's own times: rounded to those of a steady picture, two that are close would be one.
    let times = ["-fps_mode", "passthrough", "-enc_time_base", "-1"];
    let arguments = [
        &["-nostdin", "-v", "error", "-i", path][..],
        &times,
        &["-f", "null", "-"],
    ]
    .concat();
    let decoded = Command::new("ffmpeg")
        .args(arguments)
        .output()
        .await
        .unwrap();
    (
        duration,
        String::from_utf8_lossy(&decoded.stderr).into_owned(),
    )
}

#[tokio::test]
async fn a_recording_that_is_killed_plays_up_to_the_last_second_in_every_kind_of_file() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[]).await;
    let speaker = speaker(&node);
    let directory = tempfile::tempdir().unwrap();
    let mut listeners = Vec::new();
    for ending in ["webm", "mkv", "mp4", "ogg", "ivf", "wav"] {
        let path = directory.path().join(format!("room.{ending}"));
        listeners.push((listener(&node, &path, &[]), path, 0.0, 0.0));
    }
    let at = |line: &serde_json::Value, event: &str| {
        (line["event"] == event).then(|| line["at"].as_f64().unwrap())
    };
    for (listener, _, began, _) in &mut listeners {
        *began = listener
            .until("a file", SOON, |line| at(line, "began"))
            .await;
    }
    // Six seconds of sound: 16 bits, one channel, 48 kHz.
    let wav = directory.path().join("room.wav");
    wait_for("six seconds of sound", SOON, async || {
        let size = std::fs::metadata(&wav).map_or(0, |found| found.len());
        (size > 6 * 96_000).then_some(())
    })
    .await;
    for (listener, path, _, recorded) in &mut listeners {
        listener.signal("KILL").await;
        *recorded = std::fs::metadata(&path).unwrap().len() as f64;
    }
    for (listener, path, _, bytes) in listeners {
        let ended = listener.ended(SOON).await;
        assert_eq!(ended.code, None, "{ended:?}");
        let (duration, complaints) = judged(&path).await;
        println!("{}: {duration:.2} s, {bytes} bytes", path.display());
        assert_eq!(complaints, "", "{}", path.display());
        assert!(duration > 4.0, "{}: {duration} s", path.display());
    }
    let webm = directory.path().join("room.webm");
    let (sound, picture) = (read_audio(&webm).unwrap(), read_video(&webm).unwrap());
    let apart = sound.duration.abs_diff(picture.duration);
    assert!(apart < Duration::from_millis(600), "{apart:?}");
    speaker.terminated().await.expect(0, "");
}

#[tokio::test]
async fn parts_play_by_themselves_and_together_are_the_whole() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[]).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("room.webm");
    let mut listener = listener(&node, &path, &["--record-rotate", "3s"]);
    listener.until_media().await;
    let speaker = speaker(&node);
    let third = directory.path().join("room-3.webm");
    wait_for("a third part", Duration::from_secs(30), async || {
        third.exists().then_some(())
    })
    .await;
    listener.terminated().await.expect(0, "");
    for name in ["room.webm", "room-2.webm", "room-3.webm"] {
        let path = directory.path().join(name);
        let (duration, complaints) = judged(&path).await;
        println!("{name}: {duration:.2} s");
        assert_eq!(complaints, "", "{name}");
        assert!(read_video(&path).unwrap().frames[0].is_key, "{name}");
        if name != "room-3.webm" {
            assert!((2.9..6.0).contains(&duration), "{name}: {duration} s");
        }
    }
    speaker.terminated().await.expect(0, "");
}

#[tokio::test]
async fn programs_get_what_is_heard_and_may_die_or_hang_without_the_call() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[]).await;
    let directory = tempfile::tempdir().unwrap();
    let (wav, ogg) = (
        directory.path().join("heard.wav"),
        directory.path().join("heard.ogg"),
    );
    let hung = directory.path().join("hung");
    let sinks = [
        format!("exec:cat > {}", wav.display()),
        format!("exec:ogg:cat > {}", ogg.display()),
        // It ends at once, and again.
        "exec:s16le:head -c 100000 > /dev/null".to_owned(),
        // It takes nothing, and starts something else that does not either.
        format!("exec:sleep 1000 & echo $$ > {}; wait", hung.display()),
    ];
    let flags = sinks.iter().flat_map(|sink| ["--sink", sink.as_str()]);
    let flags: Vec<_> = ["--sink-restart"].into_iter().chain(flags).collect();
    let mut listener = Process::start(&node.join(&flags));
    listener.until_media().await;
    let mut speaker = speaker(&node);
    speaker.until_notice("clip_started", SOON).await;
    let size = || std::fs::metadata(&wav).map_or(0, |found| found.len());
    let before = size();
    for event in ["ended", "restarting"] {
        let found = listener
            .until(event, SOON, |line| {
                (line["event"] == event).then(|| line.clone())
            })
            .await;
        assert!(
            found["sink"].as_str().unwrap().contains("head -c"),
            "{found}"
        );
    }
    // The whole clip, which takes eight and a half seconds.
    wait_for(
        "the clip in the file",
        Duration::from_secs(40),
        async || (size() - before > 48_000 * 2 * 10).then_some(()),
    )
    .await;
    listener.terminated().await.expect(0, "");
    let group = std::fs::read_to_string(&hung).unwrap();
    let alive = Command::new("pgrep")
        .args(["-r", "D,R,S,T", "-g", group.trim()])
        .status()
        .await
        .unwrap();
    assert!(!alive.success(), "what a program started ends with us");

    let clip = clip_sound(SPEECH);
    let heard = std::fs::read(&wav).unwrap();
    let heard: Vec<f32> = heard[44..]
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let alike = compare(&clip, &heard, SAMPLE_RATE);
    println!("{alike:?}");
    assert!(alike.is_heard(), "{alike:?}");
    let ogg = decode::sound(&read_audio(&ogg).unwrap()).unwrap();
    let alike = compare(&clip, &ogg, SAMPLE_RATE);
    assert!(alike.last_word > PRESENT && alike.is_heard(), "{alike:?}");
    speaker.terminated().await.expect(0, "");
}

#[tokio::test]
async fn what_a_file_cannot_hold_is_refused_before_anyone_joins() {
    let directory = tempfile::tempdir().unwrap();
    let refused = async |name: &str, more: &[&str], words: &str| {
        let path = directory.path().join(name);
        let seat = [
            "join",
            "--node",
            "http://127.0.0.1:9",
            "--conference",
            "meet",
            "--record",
        ];
        let all = [&seat[..], &[path.to_str().unwrap()], more].concat();
        Process::start(&all).ended(SOON).await.expect(2, words);
        assert!(!path.exists());
    };
    let vp8 = material("bunny.ivf");
    let vp8 = ["--video", vp8.to_str().unwrap()];
    refused("room.mp4", &vp8, "MP4 files hold no VP8: record to .webm").await;
    refused("room.avi", &[], "choose .webm or .mkv").await;
    refused("no/such/room.webm", &[], "room.webm").await;
    refused("room.webm", &["--record-rotate", "1 hour"], "write 90s").await;
    let sink = ["--codecs", "H264", "--sink", "exec:webm:cat"];
    refused("room.mkv", &sink, "takes no H264: write exec:mkv:COMMAND").await;
}
