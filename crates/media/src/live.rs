//! Pictures drawn and encoded as time goes by, once for everyone who watches.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::codec::Codec;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::picture::Picture;
use crate::video::{VideoEncoder, VideoSettings};

/// The least time between two key frames that are asked for.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(500);

/// Frames a subscriber may be behind before it loses some: about two seconds.
const BACKLOG: usize = 64;

/// A picture encoded live by one thread and shared by all its listeners.
///
/// The thread ends when this is dropped. While nobody listens it draws and encodes nothing.
pub struct Live {
    codec: Codec,
    epoch: Instant,
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    frames: broadcast::Sender<Arc<Frame>>,
    wants_key: AtomicBool,
    stopped: AtomicBool,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({}, {} listeners)", self.codec, self.listeners())
    }
}

impl Live {
    /// Starts encoding what `draw` paints; it is given the picture's number and its time since the start.
    ///
    /// # Errors
    ///
    /// Fails if the encoder refuses the settings or no thread can be started.
    pub fn start(
        codec: Codec,
        settings: VideoSettings,
        draw: impl FnMut(u64, Duration) -> Picture + Send + 'static,
    ) -> Result<Arc<Self>, MediaError> {
        let encoder = VideoEncoder::new(codec, settings)?;
        let shared = Arc::new(Shared {
            frames: broadcast::Sender::new(BACKLOG),
            wants_key: AtomicBool::new(true),
            stopped: AtomicBool::new(false),
        });
        let epoch = Instant::now();
        let work = Work {
            encoder,
            draw,
            frame_duration: settings.frame_duration(),
            epoch,
            shared: Arc::clone(&shared),
            last_key: None,
        };
        let handle = thread::Builder::new()
            .name("picture".into())
            .spawn(move || work.run())
            .map_err(|error| MediaError::Coder {
                codec,
                reason: format!("no thread to encode in: {error}"),
            })?;
        Ok(Arc::new(Self {
            codec,
            epoch,
            shared,
            thread: handle.thread().clone(),
        }))
    }

    /// Returns the codec of its frames.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns the moment of media time zero.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// Returns how many listen.
    pub fn listeners(&self) -> usize {
        self.shared.frames.receiver_count()
    }

    /// Returns the frames from now on, and asks for a key frame; start at the first one.
    ///
    /// A listener that falls two seconds behind loses frames: it then waits for a key frame.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Frame>> {
        let receiver = self.shared.frames.subscribe();
        self.request_key_frame();
        receiver
    }

    /// Makes the next picture a key frame, or the first one half a second after the last key frame.
    pub fn request_key_frame(&self) {
        self.shared.wants_key.store(true, Ordering::Relaxed);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

/// What the thread holds.
struct Work<D> {
    encoder: VideoEncoder,
    draw: D,
    frame_duration: Duration,
    epoch: Instant,
    shared: Arc<Shared>,
    last_key: Option<Duration>,
}

impl<D: FnMut(u64, Duration) -> Picture> Work<D> {
    fn run(mut self) {
        let mut count: u64 = 0;
        loop {
            let media_time = times(self.frame_duration, count);
            if !self.wait_until(media_time) {
                return;
            }
            if self.shared.frames.receiver_count() > 0 {
                if let Err(error) = self.make(count, media_time) {
                    tracing::error!(%error, "the picture stops");
                    return;
                }
            } else {
                // Whoever comes next starts with a key frame, whenever the last one was.
                self.last_key = None;
                self.shared.wants_key.store(true, Ordering::Relaxed);
            }
            // Moments that passed while encoding are left out; the clock goes on.
            let passed = self.epoch.elapsed().as_nanos() / self.frame_duration.as_nanos().max(1);
            count = (count + 1).max(u64::try_from(passed).unwrap_or(u64::MAX));
        }
    }

    fn make(&mut self, count: u64, media_time: Duration) -> Result<(), MediaError> {
        let picture = (self.draw)(count, media_time);
        let may = self
            .last_key
            .is_none_or(|last| media_time >= last + KEY_FRAME_PAUSE);
        let key = may && self.shared.wants_key.swap(false, Ordering::Relaxed);
        if key {
            self.last_key = Some(media_time);
        }
        for encoded in self.encoder.encode(&picture, media_time, key)? {
            let frame = encoded.packetize(self.encoder.codec(), self.frame_duration)?;
            // An error means that the last listener has just left.
            let _ = self.shared.frames.send(Arc::new(frame));
        }
        Ok(())
    }

    /// Sleeps until `media_time`; `false` if this is to end.
    fn wait_until(&self, media_time: Duration) -> bool {
        loop {
            if self.shared.stopped.load(Ordering::Relaxed) {
                return false;
            }
            match media_time.checked_sub(self.epoch.elapsed()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return true,
            }
        }
    }
}

/// Multiplies beyond the 32 bits that `Duration` allows.
fn times(duration: Duration, count: u64) -> Duration {
    let nanos = duration.as_nanos() * u128::from(count);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::tests::moving;
    use tokio::sync::broadcast::error::TryRecvError;

    const SETTINGS: VideoSettings = VideoSettings {
        width: 64,
        height: 64,
        frame_rate: 50,
        bit_rate: 100_000,
        key_interval: 10_000,
    };

    fn live() -> Arc<Live> {
        Live::start(Codec::Vp8, SETTINGS, |n, _| moving(64, 64, n as u32)).unwrap()
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

    #[test]
    fn key_frames_come_at_once_and_not_too_often() {
        let live = live();
        let mut frames = live.subscribe();
        // Asked for with every frame: one in 500 ms comes.
        let mut keys = Vec::new();
        while keys.len() < 4 {
            let frame = next(&mut frames);
            if frame.is_key {
                keys.push(frame.media_time);
            }
            live.request_key_frame();
        }
        for pair in keys.windows(2) {
            let between = pair[1] - pair[0];
            assert!(between >= KEY_FRAME_PAUSE, "{between:?}");
            assert!(between <= KEY_FRAME_PAUSE * 3, "{between:?}");
        }
        // Unasked, none comes; the request left over from the loop is served first.
        let rest = (0..60).filter(|_| next(&mut frames).is_key).count();
        assert!(rest <= 1, "{rest}");
        assert_eq!((0..30).filter(|_| next(&mut frames).is_key).count(), 0);
        // Asked again, it is the next picture or the one in work.
        live.request_key_frame();
        assert!((0..3).any(|_| next(&mut frames).is_key));
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
        let live = Live::start(Codec::Vp8, SETTINGS, move |n, _| {
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
}
