use super::*;
use crate::track::tests::{audio, video};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A timeline and the moment it starts.
fn timeline(idle: Track) -> (Timeline, Instant) {
    let start = Instant::now();
    (Timeline::new(Arc::new(idle), start), start)
}

fn drain(timeline: &mut Timeline, now: Instant) -> Vec<Due> {
    std::iter::from_fn(|| timeline.poll(now)).collect()
}

/// Polls exactly when told to, until `end`.
fn run(timeline: &mut Timeline, end: Instant) -> Vec<Due> {
    let mut all = Vec::new();
    while timeline.next_due() <= end {
        let now = timeline.next_due();
        let due = drain(timeline, now);
        assert!(!due.is_empty(), "next_due() promised a frame");
        all.extend(due);
    }
    all
}

fn boundaries(due: &[Due]) -> Vec<(u128, Boundary)> {
    due.iter()
        .filter_map(|d| Some((d.stream_time.as_millis(), d.boundary?)))
        .collect()
}

fn assert_rises(due: &[Due]) {
    for pair in due.windows(2) {
        assert!(pair[0].stream_time < pair[1].stream_time);
    }
}

#[test]
fn nothing_before_the_start() {
    let start = Instant::now() + ms(100);
    let mut line = Timeline::new(Arc::new(audio(1)), start);
    assert!(line.poll(start - ms(1)).is_none());
    assert_eq!(line.poll(start).unwrap().stream_time, ms(0));
}

#[test]
fn sound_and_picture_start_together() {
    let (mut sound, start) = timeline(audio(50));
    let mut picture = Timeline::new(Arc::new(video(4, ms(250), 4)), start);
    drain(&mut sound, start + ms(1010));
    drain(&mut picture, start + ms(1010));
    let at = start + ms(1033);
    sound.play(Arc::new(audio(3)), at, Repeat::Once);
    picture.play(Arc::new(video(2, ms(33), 2)), at, Repeat::Once);
    let heard = run(&mut sound, start + ms(1400));
    let seen = run(&mut picture, start + ms(1400));
    use Boundary::{Finished, Started};
    assert_eq!(boundaries(&heard), [(1040, Started), (1100, Finished)]);
    assert_eq!(boundaries(&seen), [(1040, Started), (1106, Finished)]);
    assert_rises(&heard);
    assert_rises(&seen);
}

#[test]
fn a_clip_goes_on_in_another_encoding_at_the_same_time() {
    let (mut line, start) = timeline(video(1, ms(200), 1));
    assert_eq!(line.clip_position(), None, "the idle track is no clip");
    line.play(Arc::new(video(25, ms(40), 25)), start, Repeat::Times(2));
    assert_eq!(line.clip_position(), None, "it does not play yet");
    let mut all = run(&mut line, start + ms(430));
    assert_eq!(line.clip_position(), Some(ms(440)));
    // Half as many pictures.
    line.go_on_in(Arc::new(video(13, ms(80), 13)), 6);
    all.extend(run(&mut line, start + ms(1200)));
    assert_rises(&all);
    let times: Vec<u128> = all.iter().map(|due| due.stream_time.as_millis()).collect();
    let at = times.iter().position(|at| *at == 480).unwrap();
    assert_eq!(times[at - 2..=at + 1], [360, 400, 480, 560]);
    assert_eq!(boundaries(&all), [(0, Boundary::Started)]);
    // The control: what is no frame of it is not gone to.
    line.go_on_in(Arc::new(video(1, ms(40), 1)), 1);
    assert_eq!(line.clip_position(), Some(ms(240)));
}

#[test]
fn twelve_hours_of_loops_do_not_drift() {
    // 30 pictures a second, rounded to nanoseconds: 999.99999 ms against a second of sound.
    let (mut sound, start) = timeline(audio(1));
    let mut picture = Timeline::new(Arc::new(video(1, ms(1000), 1)), start);
    let clip = crate::Clip::new(
        "loop",
        Some(Arc::new(audio(50))),
        Some(Arc::new(video(30, Duration::from_nanos(33_333_333), 30))),
    );
    sound.play(clip.audio.unwrap(), start, Repeat::Forever);
    picture.play(clip.video.unwrap(), start, Repeat::Forever);
    let end = start + Duration::from_secs(12 * 3600);
    // Polled by a coarse and late clock.
    let mut now = start;
    let (mut packets, mut pictures) = (0u64, 0u64);
    let (mut last_sound, mut last_picture) = (Duration::ZERO, Duration::ZERO);
    loop {
        while let Some(due) = sound.poll(now) {
            assert_eq!(due.stream_time, ms(20) * u32::try_from(packets).unwrap());
            packets += 1;
            last_sound = due.stream_time;
        }
        while let Some(due) = picture.poll(now) {
            pictures += 1;
            last_picture = due.stream_time;
        }
        if now == end {
            break;
        }
        now = end.min(now + ms(47));
    }
    assert_eq!(packets, 12 * 3600 * 50 + 1);
    assert_eq!(pictures, 12 * 3600 * 30 + 1);
    assert_eq!(last_sound, last_picture);
}

#[test]
fn a_late_poll_skips_no_frame_of_a_clip() {
    let (mut line, start) = timeline(audio(1));
    line.play(Arc::new(audio(100)), start, Repeat::Once);
    assert_eq!(drain(&mut line, start).len(), 1);
    // A whole second passes unseen.
    let due = drain(&mut line, start + ms(1000));
    assert_eq!(due.len(), 50);
    assert_eq!(due[0].stream_time, ms(20));
    assert_eq!(due[49].frame.media_time, ms(1000));
}

#[test]
fn a_late_poll_does_not_make_up_for_idle_time() {
    let (mut line, start) = timeline(audio(50));
    drain(&mut line, start);
    let due = drain(&mut line, start + ms(60_000));
    assert!(due.len() <= 11, "{}", due.len());
    assert_eq!(due.last().unwrap().stream_time, ms(60_000));
    // Video is taken up at a key frame.
    let (mut line, start) = timeline(video(4, ms(250), 4));
    drain(&mut line, start);
    let due = drain(&mut line, start + ms(60_600));
    assert_eq!(due[0].stream_time, ms(60_000));
    assert!(due[0].frame.is_key);
    assert_rises(&due);
}

#[test]
fn a_clip_asked_for_in_a_pause_is_whole() {
    let (mut line, start) = timeline(audio(50));
    drain(&mut line, start);
    line.play(Arc::new(audio(5)), start + ms(5_000), Repeat::Once);
    let due = drain(&mut line, start + ms(9_000));
    let from = due
        .iter()
        .position(|d| d.boundary == Some(Boundary::Started))
        .unwrap();
    assert_eq!(due[from].stream_time, ms(5_000));
    assert_eq!(due[from + 4].frame.media_time, ms(80));
    assert_eq!(due[from + 5].boundary, Some(Boundary::Finished));
    assert_rises(&due);
}

#[test]
fn stops_at_a_packets_end_and_says_so() {
    let (mut line, start) = timeline(audio(1));
    line.play(Arc::new(audio(1)), start + ms(40), Repeat::Forever);
    line.stop(start + ms(95));
    let due = run(&mut line, start + ms(200));
    use Boundary::{Finished, Started};
    assert_eq!(boundaries(&due), [(40, Started), (100, Finished)]);
    assert_eq!(due.len(), 11);
    // Stopping what does not play changes nothing.
    line.stop(start + ms(250));
    assert!(boundaries(&run(&mut line, start + ms(400))).is_empty());
}

#[test]
fn clips_follow_each_other_without_a_gap() {
    let (mut line, start) = timeline(audio(1));
    line.play(Arc::new(audio(2)), start, Repeat::Once);
    let end = line.clip_end().unwrap();
    assert_eq!(end, start + ms(40));
    line.play(Arc::new(audio(3)), end, Repeat::Once);
    assert_eq!(line.clip_end(), Some(start + ms(100)));
    let due = run(&mut line, start + ms(120));
    use Boundary::{Finished, Started};
    assert_eq!(
        boundaries(&due),
        [(0, Started), (40, Started), (100, Finished)]
    );
    assert_eq!(line.clip_end(), None);
}

#[test]
fn a_picture_asked_for_too_late_still_rises() {
    let (mut line, start) = timeline(video(4, ms(250), 4));
    drain(&mut line, start + ms(500));
    line.play(Arc::new(video(3, ms(40), 3)), start + ms(300), Repeat::Once);
    let due = drain(&mut line, start + ms(900));
    assert_eq!(due[0].stream_time, ms(501));
    assert_eq!(due[0].boundary, Some(Boundary::Started));
    assert_rises(&due);
}

#[test]
fn random_use_keeps_its_promises() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let idle = if random.bool() {
            audio(50)
        } else {
            video(4, ms(250), 4)
        };
        let is_audio = idle.codec.kind() == Kind::Audio;
        let (mut line, start) = timeline(idle);
        let mut now = start;
        let mut last = None;
        for _ in 0..400 {
            now += ms(random.u64(0..120));
            let at = now + ms(random.u64(0..300)) - ms(random.u64(0..100));
            let repeat = if random.bool() {
                Repeat::Once
            } else {
                Repeat::Forever
            };
            match random.u8(0..20) {
                0 if is_audio => line.play(Arc::new(audio(random.u32(1..9))), at, repeat),
                0 => line.play(Arc::new(video(random.u32(1..9), ms(33), 3)), at, repeat),
                1 => line.stop(at),
                _ => {}
            }
            while let Some(due) = line.poll(now) {
                assert!(Some(due.stream_time) > last, "seed {seed}");
                assert!(start + due.stream_time <= now, "seed {seed}");
                last = Some(due.stream_time);
            }
            assert!(line.next_due() > now, "seed {seed}");
        }
    }
}

#[test]
fn so_many_rounds_and_no_pause_after_the_last_one() {
    let (mut line, start) = timeline(audio(1));
    let track = Arc::new(audio(3)).pausing(ms(50));
    // Two packets and a half are three.
    assert_eq!((track.duration, track.pause), (ms(120), ms(60)));
    line.play(track, start + ms(100), Repeat::Times(3));
    assert_eq!(line.clip_end(), Some(start + ms(100 + 2 * 120 + 60)));
    let due = run(&mut line, start + ms(500));
    use Boundary::{Finished, Started};
    assert_eq!(boundaries(&due), [(100, Started), (400, Finished)]);
    assert_rises(&due);
    // A packet every 20 ms, whatever it is.
    assert!(
        due.windows(2)
            .all(|d| d[1].stream_time - d[0].stream_time == ms(20))
    );

    let picture = Arc::new(video(2, ms(40), 2)).pausing(ms(100));
    let (mut line, start) = timeline(video(1, ms(1000), 1));
    line.play(picture, start, Repeat::Times(2));
    let due = run(&mut line, start + ms(400));
    let times: Vec<_> = due.iter().map(|d| d.stream_time.as_millis()).collect();
    assert_eq!(times, [0, 40, 180, 220, 260]);
    assert_eq!(line.clip_end(), None);
    assert_eq!(Repeat::Times(0).rounds(), Some(1));
}
