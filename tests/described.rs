//! `standin media` says what a file holds, what will become of it and why.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ended, Process, SOON, material};

async fn media(arguments: &[&str]) -> Ended {
    let all = [&["media"][..], arguments].concat();
    Process::start(&all).ended(SOON).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_described_and_what_does_not_suit_is_told_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let film = directory.path().join("film.mp4");
    let options =
        "-c:v libx264 -profile:v high -pix_fmt yuv420p -bf 2 -g 96 -sc_threshold 0 -c:a aac -t 6";
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(material("bunny.ivf"))
        .arg("-i")
        .arg(material("speech.opus"))
        .args(options.split(' '))
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    let film = film.to_str().unwrap();

    let described = media(&[film]).await;
    assert_eq!(described.code, Some(0), "{described:?}");
    let text = described.out.join("\n");
    for said in [
        "film.mp4: MP4,",
        "picture  H.264 High",
        "640x360, 16 pictures a second",
        "B-frames",
        "warning  key frames are up to 6.0 s apart",
        "sound    AAC",
        "LUFS",
        "VP8    transcoded, 640x360 at 16",
        "it is H264 and the node takes VP8",
        "H.264  transcoded",
        "its profile is High, and Constrained Baseline is taken",
        "Opus   transcoded",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }

    let described = media(&[film, "--json"]).await;
    let value: Value = serde_json::from_str(&described.out[0]).unwrap();
    assert_eq!(value["container"], "MP4");
    assert_eq!(value["picture"]["b_frames"], true);
    assert!(value["picture"]["warning"].is_string());
    let sent = value["picture"]["sent"].as_array().unwrap();
    assert!(sent.len() == 4 && sent.iter().all(|sent| sent["passed_through"] == false));
    assert_eq!(value["sound"]["codec"], "AAC");
    assert!(value["sound"]["loudness_lufs"].as_f64().unwrap() < -5.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_suits_is_passed_through() {
    let picture = material("bunny.ivf");
    let described = media(&[picture.to_str().unwrap(), "--json"]).await;
    let value: Value = serde_json::from_str(&described.out[0]).unwrap();
    let sent = value["picture"]["sent"].as_array().unwrap();
    let passed = sent.iter().filter(|sent| sent["passed_through"] == true);
    let passed: Vec<_> = passed.map(|sent| &sent["codec"]).collect();
    assert_eq!(passed, ["VP8"]);
    assert!(value["picture"]["warning"].is_null() && value["sound"].is_null());

    let speech = material("speech.opus");
    let text = media(&[speech.to_str().unwrap()]).await.out.join("\n");
    assert!(text.contains("Opus   passed through"), "{text}");
    let louder = format!("{}#gain=6", speech.display());
    let text = media(&[&louder]).await.out.join("\n");
    assert!(
        text.contains("transcoded") && text.contains("is changed"),
        "{text}"
    );
    let text = media(&["bars"]).await.out.join("\n");
    assert!(text.contains("made here"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_is_an_error() {
    let nowhere = media(&["/nowhere/film.mp4"]).await;
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.err.contains("/nowhere/film.mp4"), "{nowhere:?}");
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = media(&[readme.to_str().unwrap()]).await;
    assert_eq!(readme.code, Some(2), "{readme:?}");
}
