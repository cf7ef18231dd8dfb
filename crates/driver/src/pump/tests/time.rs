//! How a pump keeps time: for hours of media, and to the millisecond.

use std::cell::Cell;
use std::sync::Mutex;

use media::Clip;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// What was sent of one stream: how many frames, and the RTP time of the last one, its turns counted.
#[derive(Clone, Default)]
struct Clock {
    frames: Rc<Cell<u64>>,
    ticks: Rc<Cell<u64>>,
}

impl Sink for Clock {
    fn send(&self, _frame: &Frame, timestamp: u32) {
        let before = self.ticks.get();
        let step = timestamp.wrapping_sub(before as u32);
        assert!(
            self.frames.get() == 0 || (1..1 << 31).contains(&step),
            "time rises"
        );
        self.ticks.set(before + u64::from(step));
        self.frames.set(self.frames.get() + 1);
    }

    fn next_sequence_number(&self) -> u32 {
        self.frames.get() as u32
    }
}

/// A pump that loops a clip of one second whose pictures have no whole number of nanoseconds.
fn looping(start: Instant) -> (Pump<Clock>, [Clock; 2]) {
    let thirtieth = Duration::from_nanos(33_333_333);
    let clip = Clip::new(
        "loop",
        Some(track(Codec::Opus, b'a', 50, PACKET)),
        Some(track(Codec::Vp8, b'v', 30, thirtieth)),
    );
    let clocks = [Clock::default(), Clock::default()];
    let silence = track(Codec::Opus, b'-', 1, PACKET);
    let slate = track(Codec::Vp8, b'_', 2, Duration::from_millis(200));
    let lane = |clock: &Clock, idle, track: &Option<Arc<Track>>| {
        Some(Lane::new(
            clock.clone(),
            idle,
            track.clone().map(Part::Clip),
            0,
            start,
        ))
    };
    let audio = lane(&clocks[0], silence, &clip.audio);
    let video = lane(&clocks[1], slate, &clip.video);
    let mut pump = Pump::new(audio, video, Repeat::Forever, start);
    pump.command(start, PumpCommand::Release);
    (pump, clocks)
}

#[test]
fn eight_hours_drift_by_less_than_a_frame() {
    let start = Instant::now();
    let (mut pump, [audio, video]) = looping(start);
    let mut random = fastrand::Rng::with_seed(8);
    let mut now = start;
    // Each turn comes up to 15 ms late, as on a busy machine.
    while now < start + 8 * HOUR {
        let due = pump.turn(now).unwrap();
        now = now.max(due) + Duration::from_micros(random.u64(..15_000));
    }
    pump.turn(now);
    let passed = now.duration_since(start).as_secs_f64();
    let heard = audio.ticks.get() as f64 / 48_000.0;
    let seen = video.ticks.get() as f64 / 90_000.0;
    let (late_sound, late_picture) = (passed - heard, passed - seen);
    assert!((0.0..0.020).contains(&late_sound), "{late_sound} s");
    assert!((0.0..0.034).contains(&late_picture), "{late_picture} s");
    // And nothing was left out: 50 packets and 30 pictures a second, but for the two seconds of silence
    // and slate at the beginning.
    let packets = (passed * 50.0) as u64;
    assert!(
        audio.frames.get().abs_diff(packets) <= 1,
        "{}",
        audio.frames.get()
    );
    let pictures = ((passed - 2.0) * 30.0) as u64 + 10;
    assert!(
        video.frames.get().abs_diff(pictures) <= 3,
        "{} {pictures}",
        video.frames.get()
    );
}

/// Keeps how late each frame was.
#[derive(Debug, Default)]
struct Late(Mutex<Vec<Duration>>);

impl Gauge for Late {
    fn sent(&self, late: Duration) {
        self.0.lock().unwrap().push(late);
    }
}

/// Runs a pump in real time; returns how late each frame was handed on, the punctual ones first.
fn lateness(time: Duration) -> Vec<Duration> {
    let gauge = Arc::new(Late::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (mut pump, _clocks) = looping(Instant::now());
    pump.manner.gauge = Some(Arc::clone(&gauge) as Arc<dyn Gauge>);
    let (commands, queue) = mpsc::channel(QUEUE);
    let (events, _told) = mpsc::channel(QUEUE);
    runtime.block_on(async {
        let stop = async {
            tokio::time::sleep(time).await;
            drop(commands);
        };
        tokio::join!(run(pump, queue, events), stop);
    });
    let mut late = std::mem::take(&mut *gauge.0.lock().unwrap());
    late.sort_unstable();
    late
}

#[test]
fn every_frame_leaves_in_real_time() {
    let late = lateness(Duration::from_secs(3));
    // 50 packets of sound a second, and the slate for two seconds.
    assert!(late.len() >= 150, "{}", late.len());
}

#[test]
#[ignore = "ten minutes, on a machine with nothing else to do"]
#[expect(clippy::print_stdout, reason = "a figure for people")]
fn ten_minutes_leave_on_time() {
    let late = lateness(Duration::from_secs(600));
    let at = |share: f64| late[(late.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    let (median, p99, worst) = (at(0.5), at(0.99), at(0.999_999));
    println!(
        "{} frames: late p50 {median:.2}, p99 {p99:.2}, worst {worst:.2} ms",
        late.len()
    );
    assert!(p99 < 5.0, "p99 {p99} ms");
}
