use bytes::Bytes;
use media::Codec;

use super::*;

fn frame(n: u8, is_key: bool) -> Arc<Frame> {
    Arc::new(Frame {
        codec: Codec::Vp8,
        payloads: vec![Bytes::copy_from_slice(&[n])],
        media_time: Duration::ZERO,
        duration: ms(100),
        is_key,
        promise: None,
    })
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A picture of the room's own: ten frames a second, told apart by `n`.
fn track(n: u8) -> Arc<Track> {
    let frames = (0..10_u32).map(|i| Frame {
        media_time: ms(100) * i,
        ..(*frame(n, i == 0)).clone()
    });
    Arc::new(Track::new(frames.collect()).expect("frames of one codec"))
}

const SPLASH: u8 = 200;
const OTHER: u8 = 201;

struct Bench {
    view: View<char>,
    now: Instant,
    sent: Vec<(u8, u32)>,
}

impl Bench {
    fn new(replacement: Option<Arc<Track>>) -> Self {
        let now = Instant::now();
        Self {
            view: View::new(now, track(SPLASH), replacement),
            now,
            sent: Vec::new(),
        }
    }
    fn note(&mut self, shown: Option<Shown>) -> bool {
        let Some(shown) = shown else { return false };
        self.sent
            .push((shown.frame.payloads[0][0], shown.timestamp));
        true
    }
    fn forward(&mut self, from: char, n: u8, is_key: bool, timestamp: u32) -> bool {
        let shown = self
            .view
            .forward(self.now, &from, &frame(n, is_key), timestamp);
        self.note(shown)
    }
    fn wait(&mut self, time: Duration) {
        self.now += time;
        while let Some(shown) = self.view.poll(self.now) {
            self.note(Some(shown));
        }
    }
}

#[test]
fn shows_the_splash_picture_while_nobody_is_wanted() {
    let mut b = Bench::new(None);
    b.wait(ms(250));
    assert_eq!(b.sent, [(SPLASH, 0), (SPLASH, 9_000), (SPLASH, 18_000)]);
    assert!(!b.forward('a', 1, true, 5));
}

#[test]
fn switches_at_a_key_frame_and_timestamps_go_on() {
    let mut b = Bench::new(None);
    b.wait(ms(0));
    b.view.want(b.now, Some(&'a'));
    assert_eq!(b.view.awaits(), Some(&'a'));
    assert!(!b.forward('a', 1, false, 70_000));
    b.now += ms(50);
    assert!(b.forward('a', 2, true, 73_000));
    assert_eq!(b.view.awaits(), None);
    b.now += ms(33);
    assert!(b.forward('a', 3, false, 76_000));
    assert_eq!(b.sent, [(SPLASH, 0), (2, 4_500), (3, 7_500)]);
    b.view.want(b.now, Some(&'b'));
    b.now += ms(33);
    assert!(
        b.forward('a', 4, false, 79_000),
        "the old picture goes on until the new one comes"
    );
    b.now += ms(10);
    assert!(b.forward('b', 9, true, 4_000_000_000));
    assert!(!b.forward('a', 5, true, 82_000));
    assert_eq!(b.sent[3..], [(4, 10_500), (9, 11_400)]);
}

#[test]
fn a_source_that_drops_out_is_covered_and_comes_back_at_a_key_frame() {
    let mut b = Bench::new(None);
    b.view.want(b.now, Some(&'a'));
    assert!(b.forward('a', 1, true, 0));
    b.wait(ms(1_400));
    assert_eq!(b.sent.len(), 1);
    b.wait(ms(200));
    assert_eq!(b.sent[1].0, SPLASH);
    assert_eq!(b.view.awaits(), Some(&'a'));
    assert!(!b.forward('a', 2, false, 0));
    assert!(b.forward('a', 3, true, 0));
}

#[test]
fn a_source_that_leaves_is_covered_at_once() {
    let mut b = Bench::new(None);
    b.view.want(b.now, Some(&'a'));
    assert!(b.forward('a', 1, true, 0));
    b.view.forget(b.now, &'a');
    b.wait(ms(0));
    assert_eq!(b.sent[1].0, SPLASH);
    assert_eq!(b.view.awaits(), None);
}

#[test]
fn timestamps_rise_whatever_a_source_does_with_its_own() {
    let mut b = Bench::new(None);
    b.view.want(b.now, Some(&'a'));
    for (n, timestamp) in [(1, 1_000), (2, 1_000), (3, 500), (4, 3_000_000_000), (5, 7)] {
        b.now += ms(33);
        assert!(b.forward('a', n, n == 1, timestamp));
    }
    let steps: Vec<u32> = b
        .sent
        .windows(2)
        .map(|pair| pair[1].1.wrapping_sub(pair[0].1))
        .collect();
    assert_eq!(steps, [2_970; 4]);
}

#[test]
fn a_request_for_a_key_frame_starts_the_splash_picture_again() {
    let mut b = Bench::new(None);
    b.wait(ms(150));
    assert!(b.view.restart_own(b.now));
    let shown = b.view.poll(b.now).expect("a frame is due at once");
    assert!(shown.frame.is_key);
    assert_eq!(shown.timestamp, 13_500);
}

#[test]
fn a_replacement_stands_where_a_source_would() {
    let mut b = Bench::new(Some(track(OTHER)));
    b.view.want(b.now, Some(&'a'));
    assert!(!b.forward('a', 1, true, 0));
    assert_eq!(b.view.awaits(), None);
    b.wait(ms(150));
    assert_eq!(b.sent, [(OTHER, 0), (OTHER, 9_000)]);
    b.view.want(b.now, None);
    b.wait(ms(0));
    assert_eq!(b.sent[2].0, SPLASH);
}
