//! What an input gives, and who gets it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::pictures::Pictures;
use super::sound::{Samples, SoundEncoder};
use super::unit::{Form, Unit};
use crate::codec::{Codec, Kind};
use crate::decoder::VideoDecoder;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::live::{Live, Pusher};
use crate::opus::OpusSettings;
use crate::payload;
use crate::picture::Picture;

/// Who waits for a listener looks this often.
const LOOK: Duration = Duration::from_millis(20);

/// Between the first listener and the first unit: sound and picture are listened to one after the
/// other, and none shall miss its beginning.
const GATHER: Duration = Duration::from_millis(100);

/// Between an input, which writes from its own thread, and those who listen.
pub(super) struct Hub {
    /// As it is written.
    pub(super) name: String,
    pub(super) pictures: Arc<Pictures>,
    /// Whether it is the end of it not to be there at the start.
    is_refused: bool,
    state: Mutex<State>,
    changed: Condvar,
    outlets: Mutex<Outlets>,
    stopped: AtomicBool,
}

#[derive(Default)]
struct State {
    found: Option<Result<Form, String>>,
    interrupt: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Default)]
struct Outlets {
    sounds: Vec<SoundOutlet>,
    pictures: Vec<Passing>,
    /// Those who encode the pictures anew.
    drawn: Vec<Weak<Live>>,
    decoder: Option<VideoDecoder>,
    has_complained: bool,
}

struct SoundOutlet {
    pusher: Pusher,
    encoder: SoundEncoder,
}

/// Encoded pictures passed on as they are.
struct Passing {
    pusher: Pusher,
    wants_key: bool,
}

impl Hub {
    pub(super) fn new(name: String, is_refused: bool) -> Arc<Self> {
        Arc::new(Self {
            name,
            pictures: Arc::default(),
            is_refused,
            state: Mutex::default(),
            changed: Condvar::new(),
            outlets: Mutex::default(),
            stopped: AtomicBool::new(false),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outlets(&self) -> MutexGuard<'_, Outlets> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the input holds.
    pub(super) fn found(&self, form: Form) {
        self.state().found = Some(Ok(form));
        self.changed.notify_all();
    }

    /// Says why there is nothing. Returns whether that is the end, which whoever opened it tells: there
    /// was nothing before, and that is refused.
    pub(super) fn failed(&self, reason: &str) -> bool {
        let mut state = self.state();
        let was_there = matches!(state.found, Some(Ok(_)));
        if !was_there {
            state.found = Some(Err(reason.into()));
        }
        drop(state);
        self.changed.notify_all();
        self.is_refused && !was_there
    }

    /// Waits until it is known what the input holds or what is in the way; `None` if that takes longer.
    pub(super) fn wait(&self, patience: Duration) -> Option<Result<Form, String>> {
        let state = self.state();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| state.found.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.found.clone()
    }

    /// Returns what the input holds, as far as that is known.
    pub(super) fn form(&self) -> Option<Form> {
        self.state().found.clone()?.ok()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends the input: whatever it waits for.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        let interrupt = self.state().interrupt.take();
        self.changed.notify_all();
        if let Some(interrupt) = interrupt {
            interrupt();
        }
    }

    /// Sets what makes a read that waits come back.
    pub(super) fn interrupt_with(&self, interrupt: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        if self.is_stopped() {
            drop(state);
            interrupt();
        } else {
            state.interrupt = Some(Box::new(interrupt));
        }
    }

    /// Waits; `false` if the input is to end.
    pub(super) fn sleep_until(&self, moment: Instant) -> bool {
        let mut state = self.state();
        loop {
            let left = moment.saturating_duration_since(Instant::now());
            if self.is_stopped() || left.is_zero() {
                return !self.is_stopped();
            }
            let waited = self.changed.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until somebody listens; `false` if the input is to end.
    pub(super) fn wait_for_listener(&self) -> bool {
        while !self.is_heard() {
            if !self.sleep_until(Instant::now() + LOOK) {
                return false;
            }
        }
        self.sleep_until(Instant::now() + GATHER)
    }

    fn is_heard(&self) -> bool {
        let outlets = self.outlets();
        outlets.sounds.iter().any(|sound| sound.pusher.is_heard())
            || outlets
                .pictures
                .iter()
                .any(|passing| passing.pusher.is_heard())
            || outlets
                .drawn
                .iter()
                .any(|live| live.upgrade().is_some_and(|live| live.listeners() > 0))
    }

    pub(super) fn add_sound(
        &self,
        pusher: Pusher,
        settings: OpusSettings,
    ) -> Result<(), MediaError> {
        let encoder = SoundEncoder::new(settings)?;
        self.outlets().sounds.push(SoundOutlet { pusher, encoder });
        Ok(())
    }

    pub(super) fn add_passing(&self, pusher: Pusher) {
        let wants_key = true;
        self.outlets().pictures.push(Passing { pusher, wants_key });
    }

    pub(super) fn add_drawn(&self, live: &Arc<Live>) {
        self.outlets().drawn.push(Arc::downgrade(live));
    }

    /// Says whether pictures are encoded anew, for anybody.
    pub(super) fn draws(&self) -> bool {
        !self.outlets().drawn.is_empty()
    }

    /// Says that nothing comes for a while.
    pub(super) fn absent(&self) {
        self.pictures.clear();
        let mut outlets = self.outlets();
        outlets.decoder = None;
        for passing in &mut outlets.pictures {
            passing.wants_key = true;
        }
    }

    /// Passes a unit on that plays at `at`. What makes no sense is left out and told once.
    pub(super) fn push(&self, unit: Unit, at: Instant) {
        let mut outlets = self.outlets();
        if let Err(error) = outlets.push(unit, at, &self.pictures)
            && !std::mem::replace(&mut outlets.has_complained, true)
        {
            warn!(source = self.name, %error, "something of it cannot be played");
        }
    }
}

impl Outlets {
    fn push(&mut self, unit: Unit, at: Instant, raw: &Pictures) -> Result<(), MediaError> {
        match unit {
            Unit::Opus(packet) => {
                let malformed = || MediaError::Coder {
                    codec: Codec::Opus,
                    reason: "a packet makes no sense".into(),
                };
                let lasts = payload::opus::duration(&packet).ok_or_else(malformed)?;
                let frame = Frame::packetize(Codec::Opus, packet, Duration::ZERO, lasts, true)?;
                self.sounds.retain(|sound| !sound.pusher.is_over());
                for sound in &self.sounds {
                    sound.pusher.push(frame.clone(), at);
                }
                Ok(())
            }
            Unit::Samples {
                rate,
                channels,
                interleaved,
            } => {
                let samples = Samples {
                    rate,
                    channels,
                    interleaved: &interleaved,
                };
                self.sounds.retain(|sound| !sound.pusher.is_over());
                for SoundOutlet { pusher, encoder } in &mut self.sounds {
                    if pusher.is_heard() {
                        encoder.push(samples, at, |frame, at| pusher.push(frame, at))?;
                    }
                }
                Ok(())
            }
            Unit::Picture(picture) => {
                raw.push(at, picture);
                Ok(())
            }
            Unit::Encoded { codec, bytes } => {
                self.drawn.retain(|live| live.strong_count() > 0);
                self.pictures.retain(|passing| !passing.pusher.is_over());
                if !self.drawn.is_empty()
                    && let Some(picture) = self.decode(codec, &bytes)?
                {
                    raw.push(at, picture);
                }
                if self.pictures.is_empty() {
                    return Ok(());
                }
                let is_key = codec.is_key_frame(&bytes);
                let frame = Frame::packetize(codec, bytes, Duration::ZERO, Duration::ZERO, is_key)?;
                for passing in &mut self.pictures {
                    passing.push(&frame, at)?;
                }
                Ok(())
            }
        }
    }

    fn decode(&mut self, codec: Codec, bytes: &[u8]) -> Result<Option<Picture>, MediaError> {
        self.decoder.take_if(|decoder| decoder.codec() != codec);
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            // Without a key frame there is nothing to begin with.
            None if !codec.is_key_frame(bytes) => return Ok(None),
            none => none.insert(VideoDecoder::new(codec)?),
        };
        decoder.decode(bytes)
    }
}

impl Passing {
    fn push(&mut self, frame: &Frame, at: Instant) -> Result<(), MediaError> {
        if frame.codec != self.pusher.codec() {
            return Err(MediaError::Coder {
                codec: frame.codec,
                reason: format!("the call is in {}", self.pusher.codec()),
            });
        }
        if self.pusher.take_key_request() && !frame.is_key {
            debug!("a key frame was asked for: the next one of the input has to do");
        }
        if self.wants_key && !frame.is_key {
            return Ok(());
        }
        self.wants_key = false;
        self.pusher.push(frame.clone(), at);
        Ok(())
    }
}

impl Form {
    pub(super) fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Audio => self.sound,
            Kind::Video => self.picture.is_some(),
        }
    }
}
