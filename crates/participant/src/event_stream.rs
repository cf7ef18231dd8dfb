//! The event stream, and keeping it open.

use std::time::{Duration, Instant};

use infinity::{Event, Refusal, Remedy};

use crate::{
    EventStreamCommand, EventStreamInput, Milestone, Notice, Output, StreamEnd, StreamId, Timer,
    back_off::BackOff, outbox::Outbox, token::Membership,
};

/// A stream that was open for this long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// The event stream: one is open, or being opened, for as long as we have a token.
///
/// | In        | On                          | Go        | Do                               |
/// |-----------|-----------------------------|-----------|----------------------------------|
/// | `Closed`  | there is a token            | `Opening` | open                             |
/// | `Opening` | the node answers            | `Open`    | say so                           |
/// | `Open`    | an event, a comment         | `Open`    | listen for another while         |
/// | `Opening`, `Open` | lost                | `Pausing` | back off                         |
/// | `Opening`, `Open` | silent for too long | `Opening` | close, open anew                 |
/// | `Opening`, `Open` | refused for our token | `Refused` | have the token refreshed       |
/// | `Pausing` | the pause is over           | `Opening` | open, with the token of the day  |
/// | `Refused` | the token was refreshed     | `Pausing` | back off                         |
/// | any       | no token any more           | `Closed`  | close                            |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening(StreamId),
    Open { stream: StreamId, since: Instant },
    Pausing,
    Refused,
}

/// What the rest of the participant must know.
#[derive(Debug)]
pub(crate) enum StreamNews {
    /// The stream is open.
    Opened,
    /// Something happened.
    Event(Event),
    /// The node says that our token is not good.
    TokenDoubted,
}

#[derive(Debug)]
pub(crate) struct EventStream {
    state: State,
    silence_limit: Duration,
    back_off: BackOff,
    /// Whether nothing has come since the last failure.
    is_in_trouble: bool,
}

impl EventStream {
    pub(crate) fn new(silence_limit: Duration) -> Self {
        Self {
            state: State::Closed,
            // Without any patience it would never be open.
            silence_limit: silence_limit.max(Duration::from_secs(1)),
            back_off: BackOff::new(Duration::from_millis(500), Duration::from_secs(15)),
            is_in_trouble: false,
        }
    }

    /// Returns whether events are missing, not counting a stream that is renewed for its silence.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.is_in_trouble
    }

    pub(crate) fn open(&mut self, now: Instant, membership: &Membership, outbox: &mut Outbox) {
        self.close(outbox);
        let stream = StreamId(outbox.id());
        outbox.push(Output::EventStream(EventStreamCommand::Open {
            stream,
            node: membership.node,
            conference: membership.conference.clone(),
            token: membership.token.clone(),
        }));
        outbox.start(Timer::Silence, now, self.silence_limit);
        self.state = State::Opening(stream);
    }

    pub(crate) fn close(&mut self, outbox: &mut Outbox) {
        if let Some(stream) = self.stream() {
            outbox.push(Output::EventStream(EventStreamCommand::Close(stream)));
        }
        outbox.timers.stop(Timer::Silence);
        outbox.timers.stop(Timer::Reopen);
        self.state = State::Closed;
    }

    /// Forgets past failures: they were another node's.
    pub(crate) fn reset(&mut self) {
        self.back_off.reset();
        self.is_in_trouble = false;
    }

    /// Takes note that the token has been refreshed, and may be good again.
    pub(crate) fn token_refreshed(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.state == State::Refused {
            self.pause(now, outbox);
        }
    }

    fn stream(&self) -> Option<StreamId> {
        match self.state {
            State::Opening(stream) | State::Open { stream, .. } => Some(stream),
            State::Closed | State::Pausing | State::Refused => None,
        }
    }

    fn pause(&mut self, now: Instant, outbox: &mut Outbox) -> Duration {
        if let State::Open { since, .. } = self.state
            && now.duration_since(since) >= GOOD
        {
            self.back_off.reset();
        }
        self.is_in_trouble = true;
        let after = self.back_off.next(&mut outbox.rng);
        outbox.timers.stop(Timer::Silence);
        outbox.start(Timer::Reopen, now, after);
        self.state = State::Pausing;
        after
    }

    /// Takes a timer of its own.
    pub(crate) fn handle_timer(
        &mut self,
        now: Instant,
        timer: Timer,
        membership: &Membership,
        outbox: &mut Outbox,
    ) {
        match (timer, self.state) {
            (Timer::Silence, State::Opening(_)) => {
                let why = "the node does not answer".to_owned();
                self.close(outbox);
                let after = self.pause(now, outbox);
                outbox.notice(Notice::EventStreamLost { why, after });
            }
            // A token past its life opens nothing; that it is gone is being said elsewhere.
            (Timer::Silence, State::Open { .. }) | (Timer::Reopen, State::Pausing)
                if now < membership.expires_at =>
            {
                self.open(now, membership, outbox);
            }
            _ => {}
        }
    }

    /// Takes what a stream says.
    pub(crate) fn handle_input(
        &mut self,
        now: Instant,
        stream: StreamId,
        input: EventStreamInput,
        outbox: &mut Outbox,
    ) -> Option<StreamNews> {
        if self.stream() != Some(stream) {
            outbox.ignore("the last words of an old event stream");
            return None;
        }
        if !matches!(input, EventStreamInput::Ended(_)) {
            outbox.start(Timer::Silence, now, self.silence_limit);
        }
        match input {
            EventStreamInput::Opened => {
                self.state = State::Open { stream, since: now };
                outbox.milestone(Milestone::EventsOpened);
                Some(StreamNews::Opened)
            }
            EventStreamInput::Event(event) => {
                self.is_in_trouble = false;
                Some(StreamNews::Event(event))
            }
            EventStreamInput::Malformed(error) => {
                outbox.notice(Notice::Malformed(error));
                None
            }
            EventStreamInput::Alive => {
                self.is_in_trouble = false;
                None
            }
            EventStreamInput::Ended(end) => self.ended(now, end, outbox),
        }
    }

    fn ended(&mut self, now: Instant, end: StreamEnd, outbox: &mut Outbox) -> Option<StreamNews> {
        let why = match end {
            StreamEnd::Refused(refusal) if is_about_the_token(&refusal) => {
                outbox.timers.stop(Timer::Silence);
                self.is_in_trouble = true;
                self.state = State::Refused;
                return Some(StreamNews::TokenDoubted);
            }
            StreamEnd::Refused(refusal) => refusal.to_string(),
            StreamEnd::Lost(why) => why,
        };
        let after = self.pause(now, outbox);
        outbox.notice(Notice::EventStreamLost { why, after });
        None
    }
}

/// Returns whether asking again with the same token is pointless.
fn is_about_the_token(refusal: &Refusal) -> bool {
    match refusal.remedy() {
        Remedy::Retry | Remedy::NextNode => false,
        Remedy::JoinAgain | Remedy::Ask | Remedy::GiveUp => true,
    }
}
