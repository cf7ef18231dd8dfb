use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use media::{Codec, Track};

use super::*;
use crate::sources::Part;

mod time;

/// What was sent: RTP timestamp and first payload.
type Sent = Rc<RefCell<Vec<(u32, Bytes)>>>;

struct Notebook(Sent);

impl Sink for Notebook {
    fn send(&self, frame: &Frame, timestamp: u32) {
        self.0
            .borrow_mut()
            .push((timestamp, frame.payloads[0].clone()));
    }

    fn next_sequence_number(&self) -> u32 {
        self.0.borrow().len() as u32
    }
}

/// A track of `count` frames of `step`, each with `mark` and its number as payload.
fn track(codec: Codec, mark: u8, count: u32, step: Duration) -> Arc<Track> {
    let frames = (0..count).map(|n| Frame {
        codec,
        payloads: vec![Bytes::from(vec![mark, n as u8])],
        media_time: step * n,
        duration: step,
        is_key: true,
        promise: None,
    });
    Arc::new(Track::new(frames.collect()).unwrap())
}

const PACKET: Duration = Duration::from_millis(20);
const PICTURE: Duration = Duration::from_millis(40);

/// A pump in virtual time: audio clip of 50 packets, video clip of 25 pictures, one second each.
struct Bench {
    pump: Pump<Notebook>,
    audio: Sent,
    video: Sent,
    start: Instant,
    now: Instant,
    told: Vec<PumpEvent>,
}

impl Bench {
    fn new(repeat: Repeat) -> Self {
        let start = Instant::now();
        let (audio, video) = (Sent::default(), Sent::default());
        let sound = Part::Clip(track(Codec::Opus, b'a', 50, PACKET));
        let picture = Part::Clip(track(Codec::Vp8, b'v', 25, PICTURE));
        let silence = track(Codec::Opus, b'-', 1, PACKET);
        let slate = track(Codec::Vp8, b'_', 2, Duration::from_millis(200));
        let audio_lane = Lane::new(
            Notebook(Rc::clone(&audio)),
            silence,
            Some(sound),
            1000,
            start,
        );
        let video_lane = Lane::new(
            Notebook(Rc::clone(&video)),
            slate,
            Some(picture),
            0xffff_ff00,
            start,
        );
        let pump = Pump::new(Some(audio_lane), Some(video_lane), repeat, start);
        Self {
            pump,
            audio,
            video,
            start,
            now: start,
            told: Vec::new(),
        }
    }

    /// Turns whenever the pump asks for it, for so long.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let next = self.pump.turn(self.now);
            self.told
                .extend(std::iter::from_fn(|| self.pump.poll_event()));
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
        }
        self.now = end;
    }

    fn command(&mut self, command: PumpCommand) {
        self.pump.command(self.now, command);
    }

    fn report(&mut self, kind: Kind, highest: u32, lost: u32) {
        self.command(PumpCommand::Report(ReceiverReport {
            kind,
            fraction_lost: 0.0,
            packets_lost: lost,
            highest_sequence_number: highest,
            jitter: Duration::ZERO,
            round_trip_time: None,
        }));
    }

    fn marks(sent: &Sent) -> String {
        sent.borrow()
            .iter()
            .map(|(_, payload)| payload[0] as char)
            .collect()
    }
}

#[test]
fn silence_and_slate_flow_until_both_streams_are_reported() {
    let mut bench = Bench::new(Repeat::Once);
    bench.command(PumpCommand::Release);
    bench.run(Duration::from_millis(500));
    bench.report(Kind::Audio, 3, 0);
    bench.run(Duration::from_millis(500));
    assert!(
        !Bench::marks(&bench.audio).contains('a'),
        "the picture is not received yet"
    );
    assert_eq!(bench.audio.borrow().len(), 51, "silence has no gap");
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_millis(40));
    assert!(Bench::marks(&bench.audio).contains('a'));
    assert!(matches!(bench.told[1], PumpEvent::Report(_)));
    assert!(
        bench
            .told
            .iter()
            .any(|e| matches!(e, PumpEvent::ClipStarted { reported: true, .. }))
    );
}

#[test]
fn sound_and_picture_start_at_the_same_moment_with_their_first_frames() {
    let mut bench = Bench::new(Repeat::Once);
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.run(Duration::from_millis(777));
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_secs(2));
    let first = |sent: &Sent, mark| {
        let sent = sent.borrow();
        let (timestamp, payload) = sent
            .iter()
            .find(|(_, payload)| payload[0] == mark)
            .cloned()
            .unwrap();
        assert_eq!(payload[1], 0, "the first sample is there");
        timestamp
    };
    let sound = first(&bench.audio, b'a').wrapping_sub(1000) * 1000 / 48_000;
    let picture = first(&bench.video, b'v').wrapping_sub(0xffff_ff00) * 1000 / 90_000;
    assert_eq!(sound, picture, "in milliseconds of one clock");
    assert_eq!(Bench::marks(&bench.audio).matches('a').count(), 50);
    assert_eq!(Bench::marks(&bench.video).matches('v').count(), 25);
    let finished = bench.told.iter().filter(|e| {
        matches!(
            e,
            PumpEvent::ClipFinished {
                program: 0,
                audio_packets: 50,
                video_packets: 25
            }
        )
    });
    assert_eq!(finished.count(), 1);
}

#[test]
fn without_reports_it_starts_after_two_seconds_and_says_so() {
    let mut bench = Bench::new(Repeat::Once);
    bench.command(PumpCommand::Release);
    bench.run(Duration::from_millis(1990));
    assert!(!Bench::marks(&bench.audio).contains('a'));
    bench.run(Duration::from_millis(50));
    assert!(Bench::marks(&bench.audio).contains('a'));
    assert!(bench.told.iter().any(|e| matches!(
        e,
        PumpEvent::ClipStarted {
            reported: false,
            ..
        }
    )));
}

#[test]
fn nothing_is_played_before_it_is_released() {
    let mut bench = Bench::new(Repeat::Once);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_secs(10));
    assert!(!Bench::marks(&bench.audio).contains('a'));
    bench.command(PumpCommand::Release);
    bench.run(Duration::from_millis(50));
    assert!(Bench::marks(&bench.audio).contains('a'));
}

/// Another program of sound alone: a second of `mark`.
fn sound_of(program: u32, mark: u8) -> PumpCommand {
    PumpCommand::Program {
        program,
        audio: Some(Part::Clip(track(Codec::Opus, mark, 50, PACKET))),
        video: None,
        repeat: Repeat::Once,
    }
}

#[test]
fn another_program_takes_over_at_once_and_is_told_apart() {
    let mut bench = Bench::new(Repeat::Forever);
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_millis(510));
    bench.command(sound_of(1, b'b'));
    bench.run(Duration::from_secs(2));
    let heard = Bench::marks(&bench.audio);
    let (before, after) = heard.split_at(heard.find('b').expect("it is heard"));
    assert_eq!(before.matches('a').count(), 26);
    assert!(after.starts_with(&"b".repeat(50)), "all of it");
    assert!(after[50..].chars().all(|mark| mark == '-'), "then silence");
    let seen = Bench::marks(&bench.video);
    assert!(seen.ends_with("____"), "and the slate");
    let timestamps: Vec<u32> = bench.audio.borrow().iter().map(|(at, _)| *at).collect();
    let is_steady = |pair: &[u32]| pair[1].wrapping_sub(pair[0]) == 960;
    assert!(timestamps.windows(2).all(is_steady), "no gap in between");
    let clips: Vec<(u32, bool)> = bench
        .told
        .iter()
        .filter_map(|event| match event {
            PumpEvent::ClipStarted { program, .. } => Some((*program, false)),
            PumpEvent::ClipFinished { program, .. } => Some((*program, true)),
            PumpEvent::Report(_) => None,
        })
        .collect();
    assert_eq!(clips, [(0, false), (1, false), (1, true)]);
}

#[test]
fn a_program_that_comes_before_the_start_is_what_starts() {
    let mut bench = Bench::new(Repeat::Once);
    bench.command(sound_of(7, b'b'));
    bench.run(Duration::from_millis(500));
    assert!(!Bench::marks(&bench.audio).contains('b'), "not released");
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_secs(2));
    let heard = Bench::marks(&bench.audio);
    assert_eq!(heard.matches('b').count(), 50);
    assert_eq!(heard.matches('a').count(), 0);
}

/// Another encoding of the picture: half as many, with a key frame each second one.
fn narrow() -> PumpCommand {
    let track = track(Codec::Vp8, b'w', 13, PICTURE * 2);
    let frames = track.frames.iter().enumerate().map(|(n, frame)| Frame {
        is_key: n % 2 == 0,
        duration: PICTURE,
        ..Frame::clone(frame)
    });
    let track = Track::new(frames.collect()).unwrap();
    PumpCommand::Picture(Part::Clip(Arc::new(track)))
}

#[test]
fn the_picture_goes_on_in_another_encoding_at_a_key_frame_ahead() {
    let mut bench = Bench::new(Repeat::Times(2));
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_millis(90));
    bench.command(narrow());
    bench.run(Duration::from_secs(4));
    let seen = Bench::marks(&bench.video);
    let sent = bench.video.borrow();
    let (at, first) = (
        seen.find('w').expect("it is seen"),
        seen.find('v').expect("so was that"),
    );
    // 400 ms ahead or a little more, where the key frame is due: no picture before it is missing.
    assert_eq!(at - first, 16, "{seen}");
    assert_eq!(sent[at].1[..], [b'w', 8]);
    assert_eq!(sent[at].0.wrapping_sub(sent[at - 1].0), 3600);
    // The rest of this round, and the whole of the next one.
    assert_eq!(seen.matches('w').count(), 5 + 13, "{seen}");
    assert!(seen.ends_with('_') && !seen[at..].contains('v'));
    let finished = |event: &&PumpEvent| matches!(event, PumpEvent::ClipFinished { .. });
    assert_eq!(bench.told.iter().filter(finished).count(), 1);
}

#[test]
fn an_encoding_that_comes_too_late_for_this_round_is_seen_in_the_next() {
    let mut bench = Bench::new(Repeat::Times(2));
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_millis(800));
    bench.command(narrow());
    bench.run(Duration::from_secs(4));
    let seen = Bench::marks(&bench.video);
    assert_eq!(seen.matches('v').count(), 25 + 12, "{seen}");
    assert_eq!(seen.matches('w').count(), 7, "{seen}");
}

#[test]
fn nothing_is_a_program_and_something_after_it_as_well() {
    let mut bench = Bench::new(Repeat::Forever);
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_millis(200));
    bench.command(PumpCommand::Program {
        program: 1,
        audio: None,
        video: None,
        repeat: Repeat::Once,
    });
    bench.run(Duration::from_secs(1));
    assert!(Bench::marks(&bench.audio).ends_with("-----"));
    bench.command(sound_of(2, b'b'));
    bench.run(Duration::from_secs(2));
    assert_eq!(Bench::marks(&bench.audio).matches('b').count(), 50);
    let finished = |event: &&PumpEvent| matches!(event, PumpEvent::ClipFinished { .. });
    assert_eq!(bench.told.iter().filter(finished).count(), 1);
}

#[test]
fn a_loop_goes_on_and_its_clock_rises_for_an_hour() {
    let mut bench = Bench::new(Repeat::Forever);
    bench.command(PumpCommand::Release);
    bench.report(Kind::Audio, 3, 0);
    bench.report(Kind::Video, 3, 0);
    bench.run(Duration::from_secs(3600));
    assert_eq!(
        bench.audio.borrow().len(),
        180_001,
        "50 a second and the first"
    );
    let steps = |sent: &Sent| {
        let sent = sent.borrow();
        sent.windows(2)
            .map(|pair| pair[1].0.wrapping_sub(pair[0].0))
            .collect::<Vec<_>>()
    };
    assert!(steps(&bench.audio).iter().all(|step| *step == 960));
    // The slate gives way within its frame; the clip and its loops are even.
    assert!(steps(&bench.video)[2..].iter().all(|step| *step == 3600));
    assert!(
        !bench
            .told
            .iter()
            .any(|e| matches!(e, PumpEvent::ClipFinished { .. }))
    );
    assert_eq!(bench.now, bench.start + Duration::from_secs(3600));
}

#[test]
fn reports_are_set_against_the_clip() {
    let mut bench = Bench::new(Repeat::Once);
    bench.command(PumpCommand::Release);
    bench.run(Duration::from_millis(199));
    bench.report(Kind::Audio, 9, 2);
    bench.report(Kind::Video, 0, 0);
    bench.run(Duration::from_secs(2));
    let first = bench
        .audio
        .borrow()
        .iter()
        .position(|(_, p)| p[0] == b'a')
        .unwrap() as u32;
    for (highest, lost, reached, of_clip) in [
        (first - 1, 2, 0, 0),
        (first, 2, 1, 0),
        (first + 20, 5, 21, 3),
        (first + 70, 5, 50, 3),
    ] {
        bench.told.clear();
        bench.report(Kind::Audio, highest, lost);
        bench.run(Duration::ZERO);
        let Some(PumpEvent::Report(report)) = bench.told.first() else {
            panic!("no report in {:?}", bench.told)
        };
        assert_eq!(
            (report.clip_packets_reached, report.clip_packets_lost),
            (reached, of_clip)
        );
    }
    // What is lost of the silence afterwards was not the clip's.
    bench.told.clear();
    bench.report(Kind::Audio, first + 90, 40);
    bench.run(Duration::ZERO);
    assert!(matches!(&bench.told[0], PumpEvent::Report(r) if r.clip_packets_lost == 3));
}

#[test]
fn a_live_picture_answers_a_request_with_its_next_frame() {
    for codec in [Codec::Vp8, Codec::Av1] {
        answers_with_its_next_frame(codec);
    }
}

#[test]
fn a_live_source_that_is_away_is_replaced_until_its_next_key_frame() {
    let source = media::open_video(&"bars:64x64".parse().unwrap(), Codec::Vp8).unwrap();
    let media::Source::Live(live) = source else {
        panic!("bars are live")
    };
    let start = live.epoch();
    let at = |ms| start + Duration::from_millis(ms);
    let sent = Sent::default();
    let slate = track(Codec::Vp8, b'_', 2, Duration::from_millis(200));
    let part = Part::Live(live);
    let lane = Lane::new(Notebook(Rc::clone(&sent)), slate, Some(part), 0, start);
    let mut pump = Pump::new(None, Some(lane), Repeat::Once, start);
    pump.command(start, PumpCommand::Release);
    pump.turn(at(2_500));
    let slates = || {
        sent.borrow()
            .iter()
            .filter(|(_, payload)| payload[0] == b'_')
            .count()
    };
    let before = slates();
    assert!(before > 0);

    let mut comes = |ms, is_key| {
        pump.turn(at(ms));
        let frame = Frame {
            codec: Codec::Vp8,
            payloads: vec![Bytes::from_static(b"live")],
            media_time: Duration::from_millis(ms),
            duration: Duration::ZERO,
            is_key,
            promise: None,
        };
        pump.live_frame(at(ms), Kind::Video, &frame);
        sent.borrow()
            .iter()
            .filter(|(_, payload)| payload[0] == b'l')
            .count()
    };
    assert_eq!(comes(2_540, false), 0, "nobody can begin there");
    assert_eq!(comes(2_560, true), 1);
    assert_eq!(comes(3_400, false), 2);
    assert_eq!(slates(), before, "it sets the pace");
    assert_eq!(
        comes(5_000, false),
        2,
        "it was away, and what was missed is missing"
    );
    assert!(slates() > before);
    let before = slates();
    assert_eq!(comes(5_040, true), 3);
    assert_eq!(comes(5_600, false), 4);
    assert_eq!(slates(), before);
    let times: Vec<u32> = sent.borrow().iter().map(|(time, _)| *time).collect();
    assert!(times.is_sorted());
}

fn answers_with_its_next_frame(codec: Codec) {
    let source = media::open_video(&"bars:64x64".parse().unwrap(), codec).unwrap();
    let media::Source::Live(live) = source else {
        panic!("bars are live")
    };
    let start = Instant::now();
    let sent = Sent::default();
    let slate = track(codec, b'_', 2, Duration::from_millis(200));
    let lane = Lane::new(
        Notebook(Rc::clone(&sent)),
        slate,
        Some(Part::Live(Arc::clone(&live))),
        0,
        start,
    );
    let mut pump = Pump::new(None, Some(lane), Repeat::Once, start);
    pump.command(start, PumpCommand::Release);
    pump.turn(start + Duration::from_secs(2));

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut next = async || {
            let wait = Duration::from_secs(5);
            let frame = tokio::time::timeout(wait, next_live(&mut pump.video)).await;
            let frame = frame.expect("a picture");
            pump.live_frame(Instant::now(), Kind::Video, &frame);
            frame
        };
        // Past the pause between two key frames; unasked, none comes.
        assert!(next().await.is_key, "it begins with one");
        for _ in 0..20 {
            assert!(!next().await.is_key, "nobody asked");
        }
        pump.command(Instant::now(), PumpCommand::KeyFrameRequested);
        let asked = live.epoch().elapsed();
        // Frames that were begun before are no answer; the first one after is.
        let mut keys = 0;
        loop {
            let wait = Duration::from_secs(5);
            let frame = tokio::time::timeout(wait, next_live(&mut pump.video)).await;
            let frame = frame.expect("a picture");
            keys += u32::from(frame.is_key);
            if frame.media_time > asked {
                break;
            }
        }
        assert_eq!(keys, 1, "{codec}");
    });
}
