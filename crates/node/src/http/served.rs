//! A conference being served: its logic, its event streams, its media, and the task that wakes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use infinity::event::StageEntry;
use infinity::{
    CallUuid, ConferenceAlias, Event, NewCandidate, ParticipantUuid, Present, Profile, Refusal,
    Response, Token,
};
use tokio::sync::{Notify, mpsc};
use tracing::{debug, info, warn};

use super::event_stream::{self, EventBody};
use super::figures::Figures;
use super::is_among;
use super::journal::Journal;
use super::listener::{EVENTS_WAITING, Listener, ListenerOverview};
use crate::conference::{Conference, Effect, Overview, Requester, RoomRequest, StreamId, Timer};
use crate::room::{CallCounters, CallRefused, CallSettings, Room, RoomEvent};

/// A conference being served.
pub(crate) struct Served {
    alias: ConferenceAlias,
    aliases: Vec<ConferenceAlias>,
    profile: Profile,
    state: Mutex<State>,
    /// Something happened, and the next time-out may be another one.
    changed: Notify,
    room: Room,
    journal: Arc<Journal>,
    figures: Figures,
}

struct State {
    conference: Conference,
    streams: HashMap<StreamId, Listener>,
    events: u64,
}

impl Served {
    pub(crate) fn new(
        alias: ConferenceAlias,
        profile: Profile,
        conference: Conference,
        room: Room,
        journal: Arc<Journal>,
    ) -> Self {
        let aliases = conference.aliases().cloned().collect();
        let state = State {
            conference,
            streams: HashMap::new(),
            events: 0,
        };
        Self {
            alias,
            aliases,
            profile,
            state: Mutex::new(state),
            changed: Notify::new(),
            room,
            journal,
            figures: Figures::default(),
        }
    }

    pub(crate) fn alias(&self) -> &ConferenceAlias {
        &self.alias
    }

    /// Every alias that leads here, the first one first.
    pub(super) fn aliases(&self) -> &[ConferenceAlias] {
        &self.aliases
    }

    /// Whether this conference is meant by `alias`.
    pub(super) fn is_called(&self, alias: &str) -> bool {
        is_among(&self.aliases, alias)
    }

    /// Whether somebody here has this token, or had it lately.
    pub(super) fn knows(&self, token: &Token) -> bool {
        self.lock().conference.knows_token(token)
    }

    /// Asks or tells the conference something, and carries out what comes of it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Conference, Instant) -> T) -> T {
        let mut state = self.lock();
        let result = act(&mut state.conference, Instant::now());
        self.carry_out(&mut state);
        drop(state);
        self.changed.notify_one();
        result
    }

    /// Opens an event stream.
    pub(crate) fn open_events(self: &Arc<Self>, by: Requester<'_>) -> Result<EventBody, Refusal> {
        let mut state = self.lock();
        let (stream, burst) = state.conference.open_events(Instant::now(), by)?;
        let (mut first, mut events) = (Vec::new(), 0);
        for event in &burst {
            state.events += 1;
            if let Some(event) = event_stream::render(event, self.profile, state.events) {
                first.extend_from_slice(&event.text);
                events += 1;
            }
        }
        let who = state.conference.listener(stream).cloned();
        let who = who.ok_or(Refusal::InvalidToken)?;
        let bytes = first.len();
        let opened = format!("event stream opened: the roster in {events} events, {bytes} bytes");
        self.journal.stream(&who, opened);
        let (listener, receiver) = Listener::open(who, Instant::now());
        state.streams.insert(stream, listener);
        self.carry_out(&mut state);
        drop(state);
        self.changed.notify_one();
        debug!(conference = %self.alias, ?stream, "event stream open");
        Ok(EventBody::new(
            first.into(),
            receiver,
            OpenStream {
                served: Arc::clone(self),
                stream,
            },
        ))
    }

    /// Has the room answer what the conference let through.
    ///
    /// It is answered even if the client has gone in the meantime: otherwise the room and the
    /// conference would not agree on which calls there are.
    pub(crate) async fn ask_room(
        self: &Arc<Self>,
        request: RoomRequest,
    ) -> Result<Response, Refusal> {
        let served = Arc::clone(self);
        let answer = tokio::spawn(async move { served.answer_from_room(request).await });
        answer.await.unwrap_or(Err(Refusal::Unavailable(503)))
    }

    async fn answer_from_room(&self, request: RoomRequest) -> Result<Response, Refusal> {
        match request {
            RoomRequest::Call {
                participant,
                call,
                offer,
                present,
            } => self.call(participant, call, &offer, present).await,
            RoomRequest::Update { call, offer } => {
                let answer = self.room.update(&call, &offer).await.map_err(refusal)?;
                Ok(self.with(|conference, _| conference.update_answered(&call, answer)))
            }
            RoomRequest::Candidate { call, candidate } => {
                let NewCandidate {
                    candidate,
                    mid,
                    ufrag,
                    ..
                } = candidate;
                let taken = self
                    .room
                    .candidate(&call, &candidate, Some(&mid), ufrag.as_deref());
                match taken.await {
                    Ok(()) => Ok(Response::CandidateTaken),
                    Err(CallRefused::NoSuchCall) => Err(refusal(CallRefused::NoSuchCall)),
                    Err(refused) => {
                        // One that cannot be used is no reason to lose the call: clients end it
                        // when this request fails.
                        debug!(call_uuid = %call, %refused, "candidate passed over");
                        Ok(Response::CandidateTaken)
                    }
                }
            }
        }
    }

    async fn call(
        &self,
        participant: ParticipantUuid,
        call: CallUuid,
        offer: &str,
        present: Option<Present>,
    ) -> Result<Response, Refusal> {
        let settings = CallSettings { present };
        match self.room.call(&participant, &call, offer, settings).await {
            Ok(answer) => {
                info!(conference = %self.alias, %participant, call_uuid = %call, "call answered");
                self.with(|conference, _| conference.call_answered(&participant, &call, answer))
            }
            Err(refused) => {
                warn!(conference = %self.alias, %participant, %refused, "call refused");
                self.with(|conference, _| conference.call_refused(&participant, &call));
                Err(refusal(refused))
            }
        }
    }

    /// Wakes the conference when its time has come, and tells it what its room reports. Ends with
    /// the room.
    pub(crate) async fn run(self: Arc<Self>, mut reports: mpsc::Receiver<RoomEvent>) {
        loop {
            let timeout = self.lock().conference.poll_timeout();
            tokio::select! {
                report = reports.recv() => match report {
                    Some(report) => self.hear(report),
                    None => return,
                },
                () = self.changed.notified() => {}
                timer = until(timeout) => {
                    debug!(conference = %self.alias, ?timer, "time-out");
                    self.with(Conference::handle_timeout);
                }
            }
        }
    }

    /// Ends all streams and calls, as a restart of the node would.
    pub(crate) fn end(&self) {
        self.with(|conference, _| conference.forget_everything());
    }

    /// Returns how the conference and its event streams stand.
    pub(super) fn overview(&self) -> (Overview, HashMap<StreamId, ListenerOverview>) {
        let (state, now) = (self.lock(), Instant::now());
        let streams = state.streams.iter();
        let streams = streams.map(|(stream, listener)| (*stream, listener.overview(now)));
        (state.conference.overview(now), streams.collect())
    }

    /// Returns the figures of all calls, measured now or a moment ago.
    pub(super) async fn figures(&self) -> Arc<[CallCounters]> {
        self.figures.of(&self.room).await
    }

    fn hear(&self, report: RoomEvent) {
        match report {
            // The stage, which follows, says the same and the order besides.
            RoomEvent::Voice { participant, vad } => debug!(%participant, vad, "voice"),
            RoomEvent::Stage(stage) => {
                let entries = (0..)
                    .zip(stage)
                    .map(|(stage_index, (participant_uuid, vad))| StageEntry {
                        participant_uuid,
                        stage_index,
                        vad: vad.into(),
                    });
                let entries = entries.collect();
                self.with(|conference, _| conference.stage_changed(entries));
            }
            RoomEvent::MediaFlowing {
                participant,
                audio,
                video,
            } => {
                info!(conference = %self.alias, %participant, audio, video, "media flowing");
                self.with(|conference, _| conference.media_flowing(&participant, audio, video));
            }
            RoomEvent::CallFailed { call, why } => {
                warn!(conference = %self.alias, call_uuid = %call, why, "call failed");
                self.with(|conference, _| conference.call_failed(&call, &why));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The conference does not panic half-way through a change; what it holds stays good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(&self, state: &mut State) {
        while let Some(effect) = state.conference.poll_effect() {
            match effect {
                Effect::Send { to, event } => self.send(state, &to, &event),
                Effect::CloseStream(stream) => drop(state.streams.remove(&stream)),
                Effect::SetMuted(who, muted) => self.room.set_muted(&who, muted),
                Effect::SetVideoMuted(who, muted) => self.room.set_video_muted(&who, muted),
                Effect::SetSpotlights(lit) => self.room.set_spotlights(lit),
                Effect::SetAdmission(who, admission) => self.room.set_admission(&who, admission),
                Effect::StartMedia(call) => self.room.ack(&call),
                Effect::HangUp(call) => self.room.hang_up(&call),
                Effect::Forget(who) => {
                    self.room.remove(&who);
                    self.journal.left(&who);
                }
            }
        }
    }

    fn send(&self, state: &mut State, to: &[StreamId], event: &Event) {
        state.events += 1;
        let Some(event) = event_stream::render(event, self.profile, state.events) else {
            return;
        };
        let now = Instant::now();
        for stream in to {
            let Some(listener) = state.streams.get_mut(stream) else {
                continue;
            };
            if listener.send(now, &event) {
                self.journal
                    .event(&listener.who, event.name, event.data_bytes);
            } else {
                let text = format!("event stream ended: {EVENTS_WAITING} events were not read");
                self.journal.stream(&listener.who, text);
                debug!(conference = %self.alias, ?stream, "event stream ended: its client does not read");
                state.streams.remove(stream);
                state.conference.events_closed(*stream);
            }
        }
    }
}

/// An event stream as long as its client is there.
pub(super) struct OpenStream {
    served: Arc<Served>,
    stream: StreamId,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut state = self.served.lock();
        if let Some(listener) = state.streams.remove(&self.stream) {
            let text = "event stream closed by the client".to_owned();
            self.served.journal.stream(&listener.who, text);
        }
        state.conference.events_closed(self.stream);
        debug!(conference = %self.served.alias, stream = ?self.stream, "event stream closed");
    }
}

async fn until(timeout: Option<(Instant, Timer)>) -> Timer {
    match timeout {
        Some((at, timer)) => {
            tokio::time::sleep_until(at.into()).await;
            timer
        }
        None => std::future::pending().await,
    }
}

fn refusal(refused: CallRefused) -> Refusal {
    match refused {
        CallRefused::NoSuchCall => Refusal::NotFound("Call not found".to_owned()),
        CallRefused::Full => Refusal::CapacityReached(infinity::Capacity::Transcoding),
        CallRefused::Peer(_) | CallRefused::NoPresentation => Refusal::Other {
            code: 400,
            text: refused.to_string(),
        },
        _ => Refusal::Other {
            code: 500,
            text: refused.to_string(),
        },
    }
}
