//! What is made out of text and lists: speech, cards and playlists, as the far end has them.

use std::process::Command;

use media::measure::{decode, sound, ssim};
use media::{SAMPLE_RATE, SourceSpec, card_picture};

use crate::support::{A_CLIP, Process, Recorded, SOON, SPEECH, Stage, clip_sound, material, turn};

const SAID: &str = "say:Attention please. The fire drill begins at three o'clock.#gain=-3";
const SHOWN: &str = "Fire drill at three";

fn announce(node: &str, sources: &[&str]) -> Process {
    let arguments = ["announce", "--json", "--node", node, "--conference", "meet"];
    Process::start(&[&arguments[..], sources].concat())
}

fn heard(recorded: &Recorded) -> Vec<f32> {
    decode::sound(&media::read_audio(&recorded.file).unwrap()).unwrap()
}

/// What is sent of a source of sound that ends.
fn sent(source: &str) -> Vec<f32> {
    let source = media::open_audio(&source.parse::<SourceSpec>().unwrap()).unwrap();
    decode::sound(source.track().unwrap()).unwrap()
}

/// How like a card the likest picture of a recording is, and how like another card the same one is.
fn likest(recorded: &Recorded, card: &str, other: &str) -> (f64, f64) {
    let (width, height) = (1280, 720);
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", recorded.file.to_str().unwrap()])
        .args([
            "-r", "2", "-s", "1280x720", "-pix_fmt", "gray", "-f", "rawvideo", "-",
        ])
        .output()
        .unwrap_or_else(|error| panic!("{error}. Install it: apt-get install ffmpeg"));
    let (card, other) = (
        card_picture(card, width, height),
        card_picture(other, width, height),
    );
    let pictures = output.stdout.chunks_exact(width * height);
    // Grey of 0 to 255 is luma of 16 to 235.
    let pictures = pictures.map(|grey| {
        let limited = grey.iter().map(|g| 16 + (u32::from(*g) * 219 / 255) as u8);
        limited.collect::<Vec<u8>>()
    });
    let alike = pictures.map(|picture| {
        let to = |samples| {
            let luma = |samples| ssim::Luma::new(samples, width, height).unwrap();
            ssim::ssim(luma(&picture), luma(samples))
        };
        (to(card.luma()), to(other.luma()))
    });
    alike.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

#[tokio::test]
async fn text_is_spoken_and_shown() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let card = format!("card:{SHOWN}");
    announce(&stage.node.http, &[SAID, &card])
        .ended(A_CLIP)
        .await
        .expect(0, "");
    let recorded = stage.recorded().await;

    let heard = heard(&recorded);
    let alike = sound::compare(&sent(SAID), &heard, SAMPLE_RATE);
    assert!(alike.is_heard(), "{alike:?}");
    let control = sent("say:The conference of tomorrow was moved to another building.");
    let control = sound::compare(&control, &heard, SAMPLE_RATE).overall;
    assert!(control < sound::HEARD - 0.2, "{control}");
    let (seen, control) = likest(&recorded, SHOWN, "Meeting of the board");
    assert!(seen > 0.97 && control < 0.95, "{seen}, {control}");
}

#[tokio::test]
async fn a_playlist_has_no_gap_between_its_items() {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let speech = material(SPEECH);
    let list = directory.path().join("list.m3u");
    let lines = format!("#EXTM3U\n{0}#t=0,2.3456\n{0}#t=2.3456\n", speech.display());
    std::fs::write(&list, lines).unwrap();
    let list = format!("playlist:{}", list.display());
    let stage = Stage::set(&[]).await;
    announce(&stage.node.http, &[&list])
        .ended(A_CLIP)
        .await
        .expect(0, "");

    // In two halves it is heard as in one piece.
    let whole = clip_sound(SPEECH);
    let heard = heard(&stage.recorded().await);
    let alike = sound::compare(&whole, &heard, SAMPLE_RATE);
    assert!(alike.is_heard() && alike.overall > 0.9, "{alike:?}");
    // The control: a gap of a tenth of a second would be noticed.
    let gap = sound::compare(&whole, &sent(&format!("{list}#gap=0.1")), SAMPLE_RATE);
    assert!(
        gap.overall < alike.overall - 0.1,
        "{gap:?} against {alike:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_said_or_played_is_told_before_anybody_joins() {
    // Nobody listens at port 9: whoever asked it would fail otherwise.
    let node = [
        "announce",
        "--node",
        "http://127.0.0.1:9",
        "--conference",
        "meet",
    ];
    let without = |source: &str, variables: &[(&str, &str)]| {
        Process::start_with(&[&node[..], &[source]].concat(), variables)
    };
    without("say:Hello", &[("PATH", "/nowhere")])
        .ended(SOON)
        .await
        .expect_one_line(2, "espeak-ng is not installed");
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.m3u");
    std::fs::write(&list, "tone#t=0,1\n\nmissing.ogg\n").unwrap();
    without(&format!("playlist:{}", list.display()), &[])
        .ended(SOON)
        .await
        .expect_one_line(2, "list.m3u:3: cannot read");
    without("tone:440", &[])
        .ended(SOON)
        .await
        .expect_one_line(2, "source that ends");
}
