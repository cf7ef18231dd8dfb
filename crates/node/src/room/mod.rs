//! The media of one conference: a mix for everyone, the speaker's video for everyone.
//!
//! | Module | Holds |
//! |---|---|
//! | `mixer` | who hears what, 20 ms at a time; pure |
//! | `voice`, `stage` | who speaks, who spoke last, whom everyone sees; pure |
//! | `view` | what one receiver sees, and its timestamps; pure |
//! | `hearing`, `encoding` | Opus in, Opus out |
//! | `transcode` | a picture in the codecs of those who have another one |
//! | `pictures`, `babble` | the room's own pictures, and its faults' |
//! | `far_end`, `tones` | far ends that are simulated, and what they sound like |
//! | `call`, `state`, `sound`, `tell` | the room itself: its calls, its ticks, its events |
//! | `inbound` | tasks that read packets and peers' events |
//! | `counters` | figures for an operator |
//! | `plan` | rooms that look the same, painted once |
//! | `types` | settings, refusals and events |
//!
//! A room lives on one shard. Its state stands behind one lock, held for a tick's work at most;
//! nothing that holds it waits for a network. Queues and what they do when full: a jitter buffer
//! drops its oldest packet; a connection that takes no more loses the frame; an event that finds
//! no place is told at a later tick, as things are then.

mod babble;
mod call;
mod counters;
mod encoding;
mod far_end;
mod hearing;
mod inbound;
mod mix_age;
mod mixer;
mod pictures;
mod plan;
mod sound;
mod stage;
mod state;
mod tell;
mod tones;
mod transcode;
mod types;
mod view;
mod voice;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantUuid, Present};
use media::{Codec, MediaError};
use peer::{Direction, Impairment, Peer, PeerConfig, Shard};
use tokio::sync::mpsc;

pub use counters::{BitRates, CallCounters, VideoCounts};
pub use plan::RoomPlan;
pub use types::{
    Admission, CallRefused, CallSettings, FarEndMedia, MediaFaults, RoomError, RoomEvent,
    RoomSettings,
};

use counters::Rates;
use encoding::TICK;
use pictures::Pictures;
use state::State;

/// Calls in one room at most.
const MAX_CALLS: usize = 500;

/// Events that wait to be taken.
const EVENTS: usize = 256;

/// How often peers are told what arrives of theirs, so that they learn soon that they are heard.
const REPORT_INTERVAL: Duration = Duration::from_millis(400);

/// After a stall longer than this the room goes on from the present instead of making up for it.
const LONGEST_STALL: Duration = Duration::from_millis(200);

/// Stalls are reported no more often than this.
const STALL_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The media of one conference. Cheap to clone; ends with the last clone.
#[derive(Clone)]
pub struct Room {
    shared: Arc<Shared>,
}

struct Shared {
    shard: Shard,
    settings: RoomSettings,
    pictures: Pictures,
    state: Mutex<State>,
    rates: Mutex<Rates>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A tick that panicked has left a state that the next one can work with: calls and views
        // are consistent each by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that the room's own pictures are there in the codec of a call, without making
    /// anybody wait who is in the room.
    async fn paint(&self, peer: &Peer) -> Result<(), MediaError> {
        let Some(video) = peer.negotiated().video else {
            return Ok(());
        };
        let pictures = self.pictures.clone();
        if pictures.are_painted(video.codec) {
            return Ok(());
        }
        let painted =
            tokio::task::spawn_blocking(move || pictures.of(video.codec).map(|_painted| ()));
        // An error here is a panic there, which its own thread has told about.
        painted.await.unwrap_or(Ok(()))
    }

    fn close(&self, peer: Peer) {
        self.shard.spawn(async move { peer.close().await });
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let calls = std::mem::take(
            &mut self
                .state
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .calls,
        );
        for call in calls.into_values() {
            self.close(call.peer.clone());
        }
    }
}

impl Room {
    /// Opens a room on `shard`. Its events tell the roster and the stage what the media knows.
    ///
    /// # Errors
    ///
    /// Fails if a codec cannot be set up.
    pub fn new(
        shard: Shard,
        settings: RoomSettings,
    ) -> Result<(Self, mpsc::Receiver<RoomEvent>), RoomError> {
        RoomPlan::new(settings)?.open(shard)
    }

    fn with_pictures(
        shard: Shard,
        settings: RoomSettings,
        pictures: Pictures,
    ) -> Result<(Self, mpsc::Receiver<RoomEvent>), RoomError> {
        let (events, receiver) = mpsc::channel(EVENTS);
        let state = State::new(settings.faults, pictures.clone(), events)?;
        let shared = Arc::new(Shared {
            shard,
            settings,
            pictures,
            state: Mutex::new(state),
            rates: Mutex::new(Rates::default()),
        });
        shared.shard.spawn(tick(Arc::downgrade(&shared)));
        Ok((Self { shared }, receiver))
    }

    /// Answers an offer. A participant's earlier call of the same use is let go.
    ///
    /// # Errors
    ///
    /// Refuses what cannot be answered, and says why.
    pub async fn call(
        &self,
        participant: &ParticipantUuid,
        call: &CallUuid,
        offer: &str,
        settings: CallSettings,
    ) -> Result<String, CallRefused> {
        if let Some(Present::Send | Present::Receive) = settings.present {
            return Err(CallRefused::NoPresentation);
        }
        if self.shared.lock().calls.len() >= MAX_CALLS {
            return Err(CallRefused::Full);
        }
        let room = &self.shared.settings;
        let config = PeerConfig {
            addresses: room.addresses.clone(),
            audio: Some(Direction::SendRecv),
            video: Some(Direction::SendRecv),
            video_codecs: room.video_codecs.clone(),
            hold_dtls: room.faults.late_dtls || room.faults.stalled_dtls,
            impairment: (room.faults.loss_percent > 0).then(|| Impairment {
                loss: f64::from(room.faults.loss_percent) / 100.0,
                seed: fastrand::u64(..),
                ..Impairment::default()
            }),
            report_interval: REPORT_INTERVAL,
            ..PeerConfig::default()
        };
        let (peer, events, answer) = Peer::answerer(&self.shared.shard, config, offer).await?;
        if peer.negotiated().video.is_none() && offer.contains("m=video") {
            tracing::info!(
                call = %call,
                "takes part without video: this conference has {} and the offer none of it",
                names(&room.video_codecs)
            );
        }
        self.shared.paint(&peer).await?;
        let now = Instant::now();
        let mut state = self.shared.lock();
        for earlier in state.calls_of(participant) {
            if let Some(peer) = state.remove(now, earlier) {
                self.shared.close(peer);
            }
        }
        let key = state.add(now, call.clone(), participant.clone(), peer)?;
        if let Some(added) = state.calls.get_mut(&key) {
            let (ear, inflow) = (added.hearing.ear().clone(), Arc::clone(&added.inflow));
            let serve = inbound::serve(Arc::downgrade(&self.shared), key, events, ear, inflow);
            added.set_task(self.shared.shard.spawn(serve).abort_handle());
        }
        Ok(answer)
    }

    /// Answers a further offer in a call: an ICE restart, or a change of direction.
    ///
    /// # Errors
    ///
    /// Refuses if there is no such call, or the offer cannot be answered.
    pub async fn update(&self, call: &CallUuid, offer: &str) -> Result<String, CallRefused> {
        let peer = self.peer(call)?;
        let answer = peer.accept_update(offer).await?;
        self.shared.paint(&peer).await?;
        self.shared.lock().renegotiated(Instant::now(), call)?;
        Ok(answer)
    }

    /// Takes a trickled candidate; an empty one says that there are no more.
    ///
    /// # Errors
    ///
    /// Refuses if there is no such call, or the candidate makes no sense.
    pub async fn candidate(
        &self,
        call: &CallUuid,
        candidate: &str,
        mid: Option<&str>,
        ufrag: Option<&str>,
    ) -> Result<(), CallRefused> {
        Ok(self
            .peer(call)?
            .add_candidate(candidate, mid, ufrag)
            .await?)
    }

    /// The client is ready: media may go to it, and what it sends counts.
    pub fn ack(&self, call: &CallUuid) {
        let mut state = self.shared.lock();
        let with_dtls = !state.faults.stalled_dtls;
        if let Some(call) = state.find(call).and_then(|key| state.calls.get_mut(&key)) {
            call.acknowledge(Instant::now(), with_dtls);
        }
    }

    /// Ends a call.
    pub fn hang_up(&self, call: &CallUuid) {
        let mut state = self.shared.lock();
        if let Some(peer) = state
            .find(call)
            .and_then(|key| state.remove(Instant::now(), key))
        {
            self.shared.close(peer);
        }
    }

    /// Ends what calls a participant has, and forgets how it stood.
    pub fn remove(&self, participant: &ParticipantUuid) {
        let mut state = self.shared.lock();
        state.standings.remove(participant);
        state.spotlights.retain(|lit| lit != participant);
        state.forget_far_end(Instant::now(), participant);
        for key in state.calls_of(participant) {
            if let Some(peer) = state.remove(Instant::now(), key) {
                self.shared.close(peer);
            }
        }
    }

    /// Lets a participant in, or sends it to wait. Whoever is not spoken of is in.
    pub fn set_admission(&self, participant: &ParticipantUuid, admission: Admission) {
        self.shared
            .lock()
            .set_admission(Instant::now(), participant, admission);
    }

    /// Leaves a participant out of the mix, or takes it in again.
    pub fn set_muted(&self, participant: &ParticipantUuid, muted: bool) {
        self.shared.lock().set_muted(participant, muted);
    }

    /// Keeps the picture of a participant from the others, or shows it again.
    pub fn set_video_muted(&self, participant: &ParticipantUuid, muted: bool) {
        self.shared
            .lock()
            .set_video_muted(Instant::now(), participant, muted);
    }

    /// Puts participants before all others on the stage, in this order, whoever speaks.
    pub fn set_spotlights(&self, lit: Vec<ParticipantUuid>) {
        self.shared.lock().spotlights = lit;
    }

    /// Says what is heard and seen of a far end, until the participant is removed.
    pub fn set_far_end(&self, participant: &ParticipantUuid, media: FarEndMedia) {
        self.shared
            .lock()
            .set_far_end(Instant::now(), participant, media);
    }

    /// Lets a far end play telephone keys, for all others to hear.
    pub fn play_digits(&self, participant: &ParticipantUuid, digits: &str) {
        self.shared.lock().play_digits(participant, digits);
    }

    /// Returns every call's figures.
    pub async fn snapshot(&self) -> Vec<CallCounters> {
        let calls = self.shared.lock().counters();
        let mut counters = Vec::with_capacity(calls.len());
        for (peer, mut call) in calls {
            call.stats = peer.stats().await;
            counters.push(call);
        }
        let now = Instant::now();
        let mut rates = self
            .shared
            .rates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for call in &mut counters {
            call.rates = rates.update(now, &call.call, &call.stats);
        }
        let present: Vec<CallUuid> = counters.iter().map(|call| call.call.clone()).collect();
        rates.keep(&present);
        counters
    }

    fn peer(&self, call: &CallUuid) -> Result<Peer, CallRefused> {
        let state = self.shared.lock();
        let call = state.find(call).and_then(|key| state.calls.get(&key));
        call.map(|call| call.peer.clone())
            .ok_or(CallRefused::NoSuchCall)
    }
}

/// Returns the names of codecs, for a sentence.
fn names(codecs: &[Codec]) -> String {
    let names: Vec<&str> = codecs.iter().map(|codec| codec.name()).collect();
    names.join(", ")
}

/// Plays the room, 20 ms at a time, by absolute deadlines, until the room is gone.
async fn tick(room: Weak<Shared>) {
    let mut due = Instant::now();
    let mut stalls = Stalls::default();
    loop {
        due += TICK;
        if Instant::now() < due {
            tokio::time::sleep_until(due.into()).await;
        } else {
            // Before making up for a late tick, packets that came in the meantime are taken in.
            tokio::task::yield_now().await;
        }
        let Some(room) = room.upgrade() else { return };
        let now = Instant::now();
        let mut state = room.lock();
        let behind = now.saturating_duration_since(due);
        if behind > LONGEST_STALL {
            let missed = (behind.as_millis() / TICK.as_millis()) as u32;
            due += TICK * missed;
            state.ticks += u64::from(missed);
            stalls.note(now, behind);
        }
        state.tick_sound(now);
        state.tick_video(now);
        state.tell(now);
    }
}

/// Times the room stood still, reported now and then.
#[derive(Default)]
struct Stalls {
    count: u32,
    longest: Duration,
    reported: Option<Instant>,
}

impl Stalls {
    fn note(&mut self, now: Instant, stall: Duration) {
        self.count += 1;
        self.longest = self.longest.max(stall);
        if self
            .reported
            .is_none_or(|at| now.saturating_duration_since(at) >= STALL_REPORT_INTERVAL)
        {
            tracing::warn!(
                times = self.count,
                longest_ms = self.longest.as_millis() as u64,
                "the room stood still: its thread or this machine is overloaded"
            );
            *self = Self {
                reported: Some(now),
                ..Self::default()
            };
        }
    }
}
