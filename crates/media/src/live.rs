//! Pictures drawn and encoded as time goes by, once for everyone who watches.

mod effort;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::broadcast;

use crate::codec::Codec;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::picture::{Picture, fit};
use crate::video::{Encoded, VideoEncoder, VideoSettings};

use effort::{Change, Effort};

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
    /// Who draws; nobody where frames are pushed.
    thread: Option<Thread>,
    /// What pushes frames, which lives as long as somebody may want them.
    _keeps: Option<Arc<dyn Send + Sync>>,
}

/// Where frames are pushed that somebody else makes as time goes by, for one [`Live`].
#[derive(Clone)]
pub(crate) struct Pusher {
    codec: Codec,
    epoch: Instant,
    shared: Arc<Shared>,
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
    /// Starts encoding what `draw` paints; it is given the picture's number, its time since the start
    /// and what clocks on the wall will show then.
    ///
    /// An encoder that holds pictures back is given them so much ahead of time, so that each frame is
    /// there at its own.
    ///
    /// # Errors
    ///
    /// Fails if the encoder refuses the settings or no thread can be started.
    pub fn start(
        codec: Codec,
        settings: VideoSettings,
        draw: impl FnMut(u64, Duration, SystemTime) -> Picture + Send + 'static,
    ) -> Result<Arc<Self>, MediaError> {
        let work = Work::new(codec, settings, draw)?;
        let (epoch, shared) = (work.epoch, Arc::clone(&work.shared));
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
            thread: Some(handle.thread().clone()),
            _keeps: None,
        }))
    }

    /// Returns a source whose frames are pushed, and where to push them; `keeps` is what pushes.
    pub(crate) fn pushed(codec: Codec, keeps: Arc<dyn Send + Sync>) -> (Arc<Self>, Pusher) {
        let (epoch, shared) = (Instant::now(), Arc::new(Shared::new()));
        let pusher = Pusher {
            codec,
            epoch,
            shared: Arc::clone(&shared),
        };
        let live = Self {
            codec,
            epoch,
            shared,
            thread: None,
            _keeps: Some(keeps),
        };
        (Arc::new(live), pusher)
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

    /// Makes the next frame a key frame, or the first one half a second after the last key frame.
    pub fn request_key_frame(&self) {
        self.shared.wants_key.store(true, Ordering::Relaxed);
        // So that it is begun now, and ready when its time comes.
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

impl Shared {
    fn new() -> Self {
        Self {
            frames: broadcast::Sender::new(BACKLOG),
            wants_key: AtomicBool::new(true),
            stopped: AtomicBool::new(false),
        }
    }
}

impl Pusher {
    /// Returns the codec its frames must have.
    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// Says whether its [`Live`] is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.stopped.load(Ordering::Relaxed)
    }

    /// Says whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.shared.frames.receiver_count() > 0
    }

    /// Says once whether a key frame has been asked for since the last time.
    pub(crate) fn take_key_request(&self) -> bool {
        self.shared.wants_key.swap(false, Ordering::Relaxed)
    }

    /// Passes on a frame that plays at `at`; its media time is set to that.
    pub(crate) fn push(&self, mut frame: Frame, at: Instant) {
        frame.media_time = at.saturating_duration_since(self.epoch);
        // An error means that nobody listens.
        let _ = self.shared.frames.send(Arc::new(frame));
    }
}

/// What the thread holds.
struct Work<D> {
    encoder: VideoEncoder,
    draw: D,
    effort: Effort,
    has_warned: bool,
    frame_duration: Duration,
    epoch: Instant,
    shared: Arc<Shared>,
    /// Media time of the last key frame since somebody has been listening.
    last_key: Option<Duration>,
    /// Whether the encoder has the pictures before the next one.
    runs: bool,
}

impl<D: FnMut(u64, Duration, SystemTime) -> Picture> Work<D> {
    fn new(codec: Codec, settings: VideoSettings, draw: D) -> Result<Self, MediaError> {
        Ok(Self {
            encoder: VideoEncoder::new(codec, settings)?,
            draw,
            effort: Effort::new(settings),
            has_warned: false,
            frame_duration: settings.frame_duration(),
            epoch: Instant::now(),
            shared: Arc::new(Shared::new()),
            last_key: None,
            runs: false,
        })
    }

    fn run(mut self) {
        let mut count: u64 = 0;
        loop {
            let due = times(self.frame_duration, count);
            // A key frame takes longest: it is begun when it is asked for, and sent when it is due.
            if !self.wait_until(due, |work| work.is_key_due(due)) {
                return;
            }
            if self.shared.frames.receiver_count() > 0 {
                let frames = match self.make(count) {
                    Ok(frames) => frames,
                    Err(error) => {
                        tracing::error!(%error, "the picture stops");
                        return;
                    }
                };
                if !self.wait_until(due, |_| false) {
                    return;
                }
                for frame in frames {
                    // An error means that the last listener has just left.
                    let _ = self.shared.frames.send(Arc::new(frame));
                }
            } else if let Err(error) = self.rest() {
                tracing::error!(%error, "the picture stops");
                return;
            } else if !self.wait_until(due, |_| false) {
                return;
            }
            // Moments that passed while encoding are left out; the clock goes on.
            let passed = self.epoch.elapsed().as_nanos() / self.frame_duration.as_nanos().max(1);
            let next = count + self.effort.reduction().stride;
            count = next.max(u64::try_from(passed).unwrap_or(u64::MAX));
            if let Err(error) = self.adapt(due, count > next) {
                tracing::error!(%error, "the picture stops");
                return;
            }
        }
    }

    /// Says whether a frame of this media time is to be a key frame.
    fn is_key_due(&self, media_time: Duration) -> bool {
        self.shared.wants_key.load(Ordering::Relaxed)
            && self
                .last_key
                .is_none_or(|last| media_time >= last + KEY_FRAME_PAUSE)
    }

    /// Returns the frame of picture `count`; frames of earlier pictures where some were left out.
    fn make(&mut self, count: u64) -> Result<Vec<Frame>, MediaError> {
        let key = self.is_key_due(times(self.frame_duration, count));
        if key {
            self.shared.wants_key.store(false, Ordering::Relaxed);
        }
        let stride = self.effort.reduction().stride;
        let last = count.saturating_add(self.encoder.held() * stride);
        let first = if self.runs { last } else { count };
        self.runs = true;
        let mut frames = Vec::new();
        let size = self.effort.settings();
        for number in (first..=last).step_by(stride as usize) {
            let media_time = times(self.frame_duration, number);
            let clock = self.wall_clock(media_time);
            let mut picture = (self.draw)(number, media_time, clock);
            if (picture.width(), picture.height()) != (size.width, size.height) {
                picture = fit(&picture, size.width, size.height);
            }
            for encoded in self.encoder.encode(&picture, media_time, key)? {
                frames.push(self.packetize(encoded)?);
            }
        }
        Ok(frames)
    }

    fn packetize(&mut self, encoded: Encoded) -> Result<Frame, MediaError> {
        if encoded.is_key {
            self.last_key = Some(encoded.media_time);
        }
        let lasts = times(self.frame_duration, self.effort.reduction().stride);
        encoded.packetize(self.encoder.codec(), lasts)
    }

    /// Encodes less where this machine does not keep up, and more again where it does for a while.
    fn adapt(&mut self, media_time: Duration, is_late: bool) -> Result<(), MediaError> {
        if self.last_key.is_none() {
            // Nobody watches, or the first picture is not out yet.
            self.effort.rest();
            return Ok(());
        }
        let Some(change) = self.effort.judge(media_time, is_late) else {
            return Ok(());
        };
        let (codec, now) = (self.encoder.codec(), self.effort.settings());
        if change == Change::Less && !std::mem::replace(&mut self.has_warned, true) {
            let faster = match codec {
                Codec::Vp8 => "",
                _ => ", or VP8, which is encoded fastest",
            };
            tracing::warn!(
                "a picture in {codec} is too much for this machine: it goes on with less; choose a smaller \
                 size or rate{faster}"
            );
        }
        tracing::info!(
            "the picture is {codec} of {}x{} at {} a second",
            now.width,
            now.height,
            now.frame_rate
        );
        self.encoder = VideoEncoder::new(codec, now)?;
        self.last_key = None;
        self.runs = false;
        self.shared.wants_key.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Stops encoding: whoever comes next starts with a key frame, whenever the last one was.
    fn rest(&mut self) -> Result<(), MediaError> {
        self.last_key = None;
        self.runs = false;
        self.shared.wants_key.store(true, Ordering::Relaxed);
        self.encoder.clear()
    }

    /// Returns what clocks on the wall show at `media_time`.
    fn wall_clock(&self, media_time: Duration) -> SystemTime {
        let (now, elapsed) = (SystemTime::now(), self.epoch.elapsed());
        let clock = if media_time >= elapsed {
            now.checked_add(media_time - elapsed)
        } else {
            now.checked_sub(elapsed - media_time)
        };
        clock.unwrap_or(now)
    }

    /// Sleeps until `media_time`, or until `enough`; `false` if this is to end.
    fn wait_until(&self, media_time: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        loop {
            if self.shared.stopped.load(Ordering::Relaxed) {
                return false;
            }
            match media_time.checked_sub(self.epoch.elapsed()) {
                Some(left) if !left.is_zero() && !enough(self) => thread::park_timeout(left),
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
mod tests;
