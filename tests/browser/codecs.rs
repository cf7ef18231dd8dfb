//! The browser decodes every video codec that is encoded here, and sees what was sent.

use std::time::{Duration, Instant};

use media::measure::picture::{Pictures, compare};
use media::measure::ssim::Luma;
use media::{Codec, Picture, Source, VideoDecoder};

use super::chromium::{LOOPBACK_FLAGS, Tab, with_chromium};
use super::{bars_in, join};
use crate::support::{PracticeNode, SOON, the_stage_alone, wait_for};

/// Pictures that are enough to say what is seen.
const ENOUGH: u64 = 20;

/// From this on it is the test picture, whose clock and ball are elsewhere in every picture.
const ALIKE: f64 = 0.85;

/// Up to this it is another one.
const OTHER: f64 = 0.6;

#[tokio::test]
async fn every_video_codec_is_decoded_by_the_browser_and_looks_as_it_was_sent() {
    let _turn = the_stage_alone().await;
    let bars = tokio::task::spawn_blocking(bars).await.expect("pictures");
    let slate = pictures(&[media::slate_picture("Nobody is sending", 640, 360)]);
    with_chromium(&LOOPBACK_FLAGS, async |tab: &Tab| {
        for codec in Codec::VIDEO {
            let node = PracticeNode::start(&["--video-codecs", codec.name()]).await;
            join(tab, &node.http).await;
            let player = bars_in(&node, tab, codec.name()).await;
            tab.start_capture(SOON).await;
            wait_for("pictures kept", SOON, async || {
                (tab.amount().await.1 >= ENOUGH).then_some(())
            })
            .await;
            let seen = tab.pictures().await;
            let found = compare(&bars, &seen);
            assert!(found.median > ALIKE, "{codec}: {found:?}");
            // The control: it is not like any picture.
            let other = compare(&slate, &seen);
            assert!(other.median < OTHER, "{codec}: {other:?}");
            tab.click("#leave").await;
            player.terminated().await.expect(0, "");
        }
    })
    .await;
}

/// Returns a second of the test picture.
fn bars() -> Pictures {
    let spec = "bars".parse().expect("a source");
    let Ok(Source::Live(live)) = media::open_video(&spec, Codec::Vp8) else {
        panic!("bars are live");
    };
    let mut frames = live.subscribe();
    let mut decoder = VideoDecoder::new(Codec::Vp8).expect("a decoder");
    let (mut seen, deadline) = (Vec::new(), Instant::now() + SOON);
    while seen.len() < 25 {
        assert!(Instant::now() < deadline, "{} pictures", seen.len());
        match frames.try_recv() {
            Ok(frame) => {
                let encoded = frame.encoded().expect("a whole frame");
                seen.extend(decoder.decode(&encoded).expect("a picture"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    pictures(&seen)
}

fn pictures(all: &[Picture]) -> Pictures {
    let mut pictures = Pictures::new(640, 360);
    for (n, picture) in all.iter().enumerate() {
        let luma = Luma::new(picture.luma(), picture.width(), picture.height());
        pictures.push(n as f64 / 25.0, luma.expect("pixels"));
    }
    pictures
}
