//! Event streams: opening them, and who listens on which.

use std::time::Instant;

use infinity::{Event, ParticipantUuid, Refusal};

use super::effect::{Effect, StreamId};
use super::timers::PING_EVERY;
use super::{Conference, Requester};

/// The event streams that are open. One participant may have several: on a reconnect the old one
/// lingers for a while.
#[derive(Default)]
pub(super) struct Streams {
    open: Vec<(StreamId, ParticipantUuid)>,
    last: u64,
    pub(super) next_ping: Option<Instant>,
}

impl Streams {
    pub(super) fn all(&self) -> Vec<StreamId> {
        self.open.iter().map(|(stream, _)| *stream).collect()
    }

    pub(super) fn of(&self, who: &ParticipantUuid) -> Vec<StreamId> {
        self.of_any(|uuid| uuid == who)
    }

    pub(super) fn of_any(&self, wanted: impl Fn(&ParticipantUuid) -> bool) -> Vec<StreamId> {
        let wanted = self.open.iter().filter(|(_, uuid)| wanted(uuid));
        wanted.map(|(stream, _)| *stream).collect()
    }

    pub(super) fn listener(&self, stream: StreamId) -> Option<&ParticipantUuid> {
        let open = self.open.iter().find(|(open, _)| *open == stream);
        open.map(|(_, uuid)| uuid)
    }

    fn add(&mut self, who: &ParticipantUuid) -> StreamId {
        self.last += 1;
        let stream = StreamId(self.last);
        self.open.push((stream, who.clone()));
        stream
    }

    pub(super) fn forget(&mut self, stream: StreamId) {
        self.open.retain(|(open, _)| *open != stream);
        if self.open.is_empty() {
            self.next_ping = None;
        }
    }
}

impl Conference {
    /// Opens an event stream, and returns what is to be written on it first: the whole roster in
    /// its bracket, however often the client comes back.
    ///
    /// # Errors
    /// When the token is not valid.
    pub fn open_events(
        &mut self,
        now: Instant,
        by: Requester<'_>,
    ) -> Result<(StreamId, Vec<Event>), Refusal> {
        let me = self.requester(now, by.token)?;
        let stream = self.streams.add(&me);
        self.streams.next_ping.get_or_insert(now + PING_EVERY);
        let mut burst = vec![
            Event::Hello,
            Event::ConferenceUpdate(self.status()),
            Event::ParticipantSyncBegin,
        ];
        burst.extend(
            self.rows()
                .into_iter()
                .map(|row| Event::ParticipantCreate(Box::new(row))),
        );
        burst.push(Event::ParticipantSyncEnd);
        burst.push(Event::Stage(self.stage.clone()));
        burst.extend(self.presentation_for(&me));
        burst.retain(|event| !self.leaves_out(event));
        Ok((stream, burst))
    }

    /// Takes note that a stream has ended: the client went away, or did not read.
    pub fn events_closed(&mut self, stream: StreamId) {
        self.streams.forget(stream);
    }

    pub(super) fn close_streams_of(&mut self, who: &ParticipantUuid) {
        for stream in self.streams.of(who) {
            self.streams.forget(stream);
            self.effects.push_back(Effect::CloseStream(stream));
        }
    }
}
