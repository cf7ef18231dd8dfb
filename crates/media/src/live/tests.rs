use super::*;
use crate::video::tests::{check_key_frames, moving};
use tokio::sync::broadcast::error::TryRecvError;

const SETTINGS: VideoSettings = VideoSettings {
    width: 64,
    height: 64,
    frame_rate: 50,
    bit_rate: 100_000,
    key_interval: 10_000,
};

fn live() -> Arc<Live> {
    Live::start(Codec::Vp8, SETTINGS, |n, _, _| moving(64, 64, n as u32)).unwrap()
}

/// Waits up to five seconds for the next frame.
fn next(frames: &mut broadcast::Receiver<Arc<Frame>>) -> Arc<Frame> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match frames.try_recv() {
            Ok(frame) => return frame,
            Err(TryRecvError::Lagged(_)) => {}
            Err(error) => {
                assert!(Instant::now() < deadline, "no frame: {error}");
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn all_listeners_share_one_encoding() {
    let live = live();
    let (mut one, mut other) = (live.subscribe(), live.subscribe());
    let first = next(&mut one);
    assert!(first.is_key);
    let same = loop {
        let frame = next(&mut other);
        if frame.media_time >= first.media_time {
            break frame;
        }
    };
    assert!(Arc::ptr_eq(&first, &same));
    assert_eq!(live.listeners(), 2);
}

#[test]
fn times_keep_to_the_grid_and_to_the_clock() {
    let live = live();
    let mut frames = live.subscribe();
    let mut last = None;
    for _ in 0..30 {
        let frame = next(&mut frames);
        assert_eq!(frame.media_time.as_millis() % 20, 0);
        assert!(Some(frame.media_time) > last);
        assert!(live.epoch() + frame.media_time <= Instant::now());
        last = Some(frame.media_time);
    }
}

/// Key frames are asked for before these; half a second is 25 frames.
const REQUESTS: [u64; 4] = [30, 31, 57, 90];
/// The first frame, and the answers, two of them put off; that to 90 would be 105.
const KEYS: [u64; 4] = [0, 30, 55, 80];

/// Goes through what the thread does, without its clock; `late` is for the requests to come just
/// after the frame.
fn step_by_step(codec: Codec, keys: &[u64], late: bool) -> Result<(), String> {
    let mut work = Work::new(codec, SETTINGS, |n, _, _| moving(64, 64, n as u32)).unwrap();
    let shared = Arc::clone(&work.shared);
    let ask = |asked| shared.wants_key.fetch_or(asked, Ordering::Relaxed);
    check_key_frames(&REQUESTS, keys, |n, asked| {
        ask(asked && !late);
        let frames = work.make(n).unwrap();
        ask(asked && late);
        let times: Vec<_> = frames.iter().map(|frame| frame.media_time).collect();
        assert_eq!(times, [SETTINGS.frame_duration() * n as u32], "{codec}");
        frames.iter().map(|frame| frame.is_key).collect()
    })
}

#[test]
fn the_frame_after_a_request_is_a_key_frame_and_none_for_half_a_second() {
    for codec in [Codec::Vp8, Codec::Av1] {
        step_by_step(codec, &KEYS, false).unwrap();
        // Controls: an answer one frame late is noticed, and so are two within half a second.
        let late = step_by_step(codec, &KEYS, true).unwrap_err();
        assert!(late.starts_with("step 30"), "{late}");
        let hasty = step_by_step(codec, &[0, 30, 31, 57, 90], false).unwrap_err();
        assert!(hasty.starts_with("step 31"), "{hasty}");
    }
}

#[test]
fn moments_left_out_are_left_out_and_the_next_request_is_answered() {
    for codec in [Codec::Vp8, Codec::Av1] {
        let mut work = Work::new(codec, SETTINGS, |n, _, _| moving(64, 64, n as u32)).unwrap();
        let mut keys = Vec::new();
        let mut last = None;
        for n in [0, 1, 2, 9, 10, 30, 31, 32] {
            work.shared.wants_key.fetch_or(n == 31, Ordering::Relaxed);
            for frame in work.make(n).unwrap() {
                assert!(Some(frame.media_time) > last, "{codec}: {n}");
                last = Some(frame.media_time);
                keys.extend(frame.is_key.then_some(n));
            }
        }
        assert_eq!(keys, [0, 31], "{codec}");
    }
}

/// The same with the thread and its clock: asked at any moment, the first frame after it is one.
#[test]
fn the_thread_answers_with_the_next_frame() {
    for codec in [Codec::Vp8, Codec::Av1] {
        let live = Live::start(codec, SETTINGS, |n, _, _| moving(64, 64, n as u32)).unwrap();
        let mut frames = live.subscribe();
        assert!(next(&mut frames).is_key);
        for round in 0..3 {
            for _ in 0..30 {
                assert!(!next(&mut frames).is_key, "{codec}: nobody asked");
            }
            thread::sleep(Duration::from_millis(7 * round));
            live.request_key_frame();
            let asked = live.epoch().elapsed();
            // Frames that were begun before are no answer.
            let mut keys = 0;
            loop {
                let frame = next(&mut frames);
                keys += u32::from(frame.is_key);
                if frame.media_time > asked {
                    break;
                }
            }
            assert_eq!(keys, 1, "{codec}, {round}");
        }
    }
}

#[test]
fn clocks_on_the_wall_are_told_when_the_picture_will_be_seen() {
    let work = Work::new(Codec::Av1, SETTINGS, |_, _, _| moving(64, 64, 0)).unwrap();
    let (before, elapsed) = (SystemTime::now(), work.epoch.elapsed());
    let ahead = work.wall_clock(elapsed + Duration::from_secs(3));
    let ahead = ahead.duration_since(before).unwrap();
    assert!((2900..3100).contains(&ahead.as_millis()), "{ahead:?}");
}

#[test]
fn the_thread_ends_with_the_last_owner() {
    let live = live();
    let mut frames = live.subscribe();
    next(&mut frames);
    drop(live);
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match frames.try_recv() {
            Err(TryRecvError::Closed) => break,
            _ => assert!(Instant::now() < deadline, "it goes on"),
        }
    }
}

#[test]
fn nobody_listening_costs_nothing_and_a_newcomer_gets_a_key_frame() {
    let drawn = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = Arc::clone(&drawn);
    let live = Live::start(Codec::Vp8, SETTINGS, move |n, _, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        moving(64, 64, n as u32)
    })
    .unwrap();
    let mut frames = live.subscribe();
    next(&mut frames);
    drop(frames);
    // The thread leaves this mark where it finds no listener.
    live.shared.wants_key.store(false, Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs(5);
    while !live.shared.wants_key.load(Ordering::SeqCst) {
        assert!(Instant::now() < deadline);
        thread::yield_now();
    }
    let before = drawn.load(Ordering::SeqCst);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(drawn.load(Ordering::SeqCst), before);
    assert!(next(&mut live.subscribe()).is_key);
}

#[test]
fn who_cannot_keep_up_does_less() {
    // Whatever the machine: this takes three times as long as it may.
    let live = Live::start(Codec::Vp8, SETTINGS, |n, _, _| {
        thread::sleep(Duration::from_millis(60));
        moving(64, 64, n as u32)
    })
    .unwrap();
    let mut frames = live.subscribe();
    let first = next(&mut frames);
    assert_eq!(first.duration, Duration::from_millis(20));
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let frame = next(&mut frames);
        if frame.duration == Duration::from_millis(40) {
            assert!(frame.is_key, "the encoder is a new one");
            break;
        }
        assert!(Instant::now() < deadline);
    }
}
