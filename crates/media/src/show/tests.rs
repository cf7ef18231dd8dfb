use std::path::Path;

use super::*;
use crate::measure::decode::each_picture;
use crate::measure::ssim::{Luma, ssim};

fn track(text: &str) -> Track {
    let spec: SourceSpec = text.parse().unwrap();
    let show = Show::open(&spec, Codec::Vp8).unwrap();
    show.track(&spec.options, Codec::Vp8, show.settings())
        .unwrap()
}

fn likeness(one: &Picture, other: &Picture) -> f64 {
    let luma = |p| Luma::new(Picture::luma(p), p.width(), p.height()).unwrap();
    ssim(luma(one), luma(other))
}

#[test]
fn a_card_is_seen_as_it_is_drawn() {
    let (card, other) = (
        "Fire drill at 3 o\u{2019}clock",
        "Fire drill at 4 o\u{2019}clock",
    );
    let shown = track(&format!("card:{card}#t=0,3"));
    let (card, other) = (
        card_picture(card, 1280, 720),
        card_picture(other, 1280, 720),
    );
    let mut seen = 0;
    each_picture(&shown, |_, picture| {
        seen += 1;
        let (same, control) = (likeness(picture, &card), likeness(picture, &other));
        assert!(same > 0.98 && same > control + 0.002, "{same}, {control}");
    })
    .unwrap();
    assert_eq!(seen, 15);
    let bytes: usize = shown
        .frames
        .iter()
        .flat_map(|f| &f.payloads)
        .map(|p| p.len())
        .sum();
    assert!(bytes < 3 * 60_000, "a still costs little: {bytes} bytes");
}

#[test]
fn slides_begin_with_key_frames_and_fade_in_small_steps() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.txt");
    std::fs::write(&list, "card:One\ncard:Two\n").unwrap();
    let shown = |options: &str| track(&format!("slides:{}{options}", list.display()));
    let cut = shown("#each=2&size=320x180");
    assert_eq!(cut.duration, Duration::from_secs(4));
    let keys: Vec<_> = cut.frames.iter().filter(|f| f.is_key).collect();
    let at_the_cut = |f: &&&Arc<crate::Frame>| f.media_time == Duration::from_secs(2);
    assert!(keys.iter().any(|f| at_the_cut(&f)), "{keys:?}");
    assert!(cut.frames.len() < 30, "{}", cut.frames.len());
    let faded = shown("#each=2&size=320x180&crossfade=0.4");
    let during = faded.frames.iter().filter(|f| {
        let at = f.media_time.as_millis();
        (2000..2400).contains(&at)
    });
    assert_eq!(during.count(), 10);
    assert!(faded.frames.len() < 42, "{}", faded.frames.len());
    assert!(faded.longest_key_interval <= Duration::from_secs(2));
}

#[test]
fn what_is_too_large_for_av1_is_drawn_smaller() {
    assert_eq!(size((1280, 720), Codec::Av1), (640, 360));
    assert_eq!(size((720, 1080), Codec::Av1), (240, 360));
    assert_eq!(size((1280, 720), Codec::Vp8), (1280, 720));
    assert_eq!(size((320, 180), Codec::Av1), (320, 180));
}

#[test]
fn a_still_without_end_cannot_be_repeated() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/page.png");
    let spec: SourceSpec = format!("{}#loop=2", page.display()).parse().unwrap();
    let error = crate::open_video(&spec, Codec::Vp8)
        .unwrap_err()
        .to_string();
    assert!(error.contains("never ends"), "{error}");
    let spec: SourceSpec = format!("{}#t=0,1", page.display()).parse().unwrap();
    let shown = crate::open_video(&spec, Codec::Vp8).unwrap();
    assert_eq!(shown.track().unwrap().duration, Duration::from_secs(1));
}
