//! From the pictures of a file to those a node takes: decoded and encoded on a thread, ahead of whoever
//! plays them.
//!
//! When every frame is due is known before anything is decoded: it is shown when the file's picture is.
//! So a track of promised frames can be played, looped and cut like any other. Each is made once, for
//! all who play it, some seconds before it is due, and kept as a file's frames are.

mod decoding;
mod plan;
mod raw;
mod work;

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::codec::Codec;
use crate::error::{MediaError, ffmpeg_options};
use crate::film::{Acceptance, Film};
use crate::frame::Frame;
use crate::track::Track;
use crate::video::VideoSettings;

use plan::Planned;
use work::Work;

pub use plan::target;
pub(crate) use plan::target_of;

/// The pictures of a film on their way into another codec.
pub struct Transcoding {
    shared: Arc<Shared>,
    thread: OnceLock<Option<Thread>>,
    /// What is played when this one ends, where that is transcoded too.
    next: OnceLock<Weak<Self>>,
}

/// What players and the thread share.
struct Shared {
    film: Arc<Film>,
    codec: Codec,
    settings: VideoSettings,
    plan: Vec<Planned>,
    /// What became of each planned frame; `None` for one that was left out.
    made: Vec<OnceLock<Option<Arc<Frame>>>>,
    /// The frame that was asked for last.
    wanted: AtomicUsize,
    /// Whether it was not there.
    missed: AtomicBool,
    stopped: AtomicBool,
    /// Why it ended before the last frame, where it did.
    trouble: OnceLock<String>,
    /// How many are made, for those who wait for them.
    progress: Mutex<usize>,
    progressed: Condvar,
}

impl fmt::Debug for Transcoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.shared.made.iter().filter(|slot| slot.get().is_some());
        write!(
            f,
            "Transcoding({} to {}, {} of {} frames)",
            self.shared.film.path.display(),
            self.shared.codec,
            made.count(),
            self.shared.plan.len()
        )
    }
}

/// A frame that is made before it is due.
#[derive(Debug, Clone)]
pub struct Promise {
    transcoding: Arc<Transcoding>,
    number: usize,
}

impl PartialEq for Promise {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.transcoding, &other.transcoding) && self.number == other.number
    }
}

impl Eq for Promise {}

/// What became of a frame when it is due.
#[derive(Debug, Clone)]
pub enum Made {
    /// Here it is.
    Frame(Arc<Frame>),
    /// There is no picture for its time, and what follows does not need it.
    LeftOut,
    /// It is not there: what follows needs it, up to the next key frame.
    NotYet,
}

impl Promise {
    fn made(&self) -> Made {
        let shared = &self.transcoding.shared;
        shared.wanted.store(self.number, Ordering::Relaxed);
        let made = match shared.made[self.number].get() {
            Some(Some(frame)) => Made::Frame(Arc::clone(frame)),
            Some(None) => Made::LeftOut,
            None => {
                shared.missed.store(true, Ordering::Relaxed);
                Made::NotYet
            }
        };
        self.transcoding.wake();
        self.transcoding.wake_next(self.number);
        made
    }

    /// Waits until the frame is made.
    fn wait(&self) -> Option<Arc<Frame>> {
        let shared = &self.transcoding.shared;
        shared.wanted.store(self.number, Ordering::Relaxed);
        self.transcoding.wake();
        let mut made = shared
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(frame) = shared.made[self.number].get() {
                return frame.clone();
            }
            made = shared
                .progressed
                .wait(made)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Film {
    /// Returns a track of a part of these pictures as a far end takes them that accepts `accepted`.
    /// Nothing is decoded before the track is played, or [prepared](Track::prepare).
    ///
    /// # Errors
    ///
    /// Fails if there is no picture in this part.
    pub fn transcoded(
        self: &Arc<Self>,
        accepted: &Acceptance,
        part: Range<Duration>,
    ) -> Result<Track, MediaError> {
        let settings = target(self, accepted);
        let most = plan::most_of(self, accepted, &settings);
        let plan = plan::plan(self, &part, most);
        let shared = Shared {
            film: Arc::clone(self),
            codec: accepted.codec,
            settings,
            made: plan.iter().map(|_| OnceLock::new()).collect(),
            plan,
            wanted: AtomicUsize::new(0),
            missed: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            trouble: OnceLock::new(),
            progress: Mutex::new(0),
            progressed: Condvar::new(),
        };
        let transcoding = Arc::new(Transcoding {
            shared: Arc::new(shared),
            thread: OnceLock::new(),
            next: OnceLock::new(),
        });
        let promised = |(number, planned): (usize, &Planned)| Frame {
            codec: accepted.codec,
            payloads: Vec::new(),
            media_time: planned.at,
            duration: planned.duration,
            is_key: planned.is_key,
            promise: Some(Promise {
                transcoding: Arc::clone(&transcoding),
                number,
            }),
        };
        let plan = &transcoding.shared.plan;
        let frames = plan.iter().enumerate().map(promised).collect();
        Track::lasting(frames, part.end.saturating_sub(part.start))
    }

    /// Decodes the first picture, to find out whether that can be done.
    ///
    /// # Errors
    ///
    /// Fails with what the decoder says.
    pub fn decode_first(&self) -> Result<crate::Picture, MediaError> {
        let unsupported = |reason: String| MediaError::Unsupported {
            path: self.path.clone(),
            found: format!("cannot be decoded here ({reason})"),
            remedy: format!(
                "convert it, for example with `ffmpeg -i FILE {} OUT.ivf`",
                ffmpeg_options(Codec::Vp8)
            ),
        };
        let mut decoding = decoding::Decoding::new(self)?;
        match decoding.next() {
            Some((_, picture)) => Ok(picture),
            None => Err(unsupported(
                decoding
                    .trouble()
                    .unwrap_or_else(|| "there is no picture in it".into()),
            )),
        }
    }
}

impl Transcoding {
    /// Begins to work, where that was not begun, and looks again at what is wanted.
    fn wake(&self) {
        let begin = || {
            let work = Work::new(Arc::clone(&self.shared));
            let thread = thread::Builder::new().name("transcode".into());
            match thread.spawn(move || work.run()) {
                Ok(handle) => Some(handle.thread().clone()),
                Err(error) => {
                    tracing::error!(%error, "no thread to transcode in");
                    None
                }
            }
        };
        if let Some(thread) = self.thread.get_or_init(begin) {
            thread.unpark();
        }
    }

    /// Begins what is played after this one, where frame `number` is near the end.
    fn wake_next(&self, number: usize) {
        let plan = &self.shared.plan;
        let Some(next) = self.next.get().and_then(Weak::upgrade) else {
            return;
        };
        let near = plan.last().map(|last| last.at.saturating_sub(work::AHEAD));
        if near.is_some_and(|near| plan[number].at >= near) {
            next.wake();
        }
    }
}

impl Drop for Transcoding {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        if let Some(Some(thread)) = self.thread.get() {
            thread.unpark();
        }
    }
}

impl Track {
    /// Has the first frames made, where they are promised, so that they are there when it is played;
    /// waits until `count` are, or for `patience`. Blocks.
    pub fn prepare(&self, count: usize, patience: Duration) {
        let Some(Promise { transcoding, .. }) = self.promises().next() else {
            return;
        };
        transcoding.wake();
        if self
            .frames
            .first()
            .is_none_or(|frame| frame.promise.is_none())
        {
            // Something else is played first.
            return;
        }
        let shared = &transcoding.shared;
        let deadline = Instant::now() + patience;
        let mut made = shared
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while *made < count.min(shared.plan.len()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            made = shared
                .progressed
                .wait_timeout(made, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Returns this track with all its frames made. Blocks for as long as that takes.
    ///
    /// # Errors
    ///
    /// Fails if one could not be.
    pub fn whole(&self) -> Result<Self, MediaError> {
        if self.promises().next().is_none() {
            return Ok(self.clone());
        }
        let made = self.frames.iter().filter_map(|frame| {
            let made = match &frame.promise {
                None => Some(Arc::clone(frame)),
                Some(promise) => promise.wait(),
            };
            made.map(|made| Frame {
                media_time: frame.media_time,
                ..Frame::clone(&made)
            })
        });
        let made = made.collect();
        for Promise { transcoding, .. } in self.promises() {
            if let Some(reason) = transcoding.shared.trouble.get() {
                return Err(MediaError::Coder {
                    codec: transcoding.shared.codec,
                    reason: reason.clone(),
                });
            }
        }
        Self::lasting(made, self.duration)
    }

    /// Lets each transcoding in this track begin when the one before it nears its end.
    pub(crate) fn chain(&self) {
        let mut promises = self.promises();
        let Some(mut last) = promises.next() else {
            return;
        };
        for promise in promises {
            if !Arc::ptr_eq(&last.transcoding, &promise.transcoding) {
                // One that is played twice is made already when it ends again.
                let _ = last
                    .transcoding
                    .next
                    .set(Arc::downgrade(&promise.transcoding));
            }
            last = promise;
        }
    }

    fn promises(&self) -> impl Iterator<Item = &Promise> {
        self.frames
            .iter()
            .filter_map(|frame| frame.promise.as_ref())
    }
}

impl Frame {
    /// Returns the frame to send: this one, or the one that was promised.
    pub fn made(self: &Arc<Self>) -> Made {
        match &self.promise {
            None => Made::Frame(Arc::clone(self)),
            Some(promise) => promise.made(),
        }
    }

    /// Has it made, where it is promised, for whoever plays it soon.
    pub fn ask(&self) {
        if let Some(Promise {
            transcoding,
            number,
        }) = &self.promise
        {
            transcoding.shared.wanted.store(*number, Ordering::Relaxed);
            transcoding.wake();
        }
    }

    /// Returns the same where it is there already; asks for nothing.
    pub fn known(self: &Arc<Self>) -> Option<Arc<Self>> {
        match &self.promise {
            None => Some(Arc::clone(self)),
            Some(Promise {
                transcoding,
                number,
            }) => transcoding.shared.made[*number].get()?.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
