//! A conference whose clock is moved by the test.

use std::time::{Duration, Instant};

use infinity::{
    CallUuid, Calls, Command, Event, ParticipantUuid, Pin, Refusal, ReleaseToken, RequestToken,
    Response, Token, TokenGranted,
};
use node::conference::{Conference, Effect, Requester, RoomRequest, Rules, StreamId, Verdict};
use node::{Fault, Faults};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) struct Meeting {
    pub(crate) conference: Conference,
    pub(crate) now: Instant,
}

impl Meeting {
    pub(crate) fn new(conference: &str, faults: impl IntoIterator<Item = Fault>) -> Self {
        let rules = Rules {
            faults: Faults::from_iter(faults),
            ..Rules::default()
        };
        Self::with_rules(conference, rules)
    }

    pub(crate) fn with_rules(conference: &str, rules: Rules) -> Self {
        let now = Instant::now();
        let settings = conference.parse().expect("a good conference");
        Self {
            conference: Conference::new(settings, rules, now, secs(1_700_000_000), 7),
            now,
        }
    }

    pub(crate) fn ask(
        &mut self,
        token: Option<&Token>,
        command: &Command,
    ) -> Result<Verdict, Refusal> {
        self.conference.handle(
            self.now,
            Requester {
                token,
                vendor: "test",
            },
            command,
        )
    }

    pub(crate) fn answer(&mut self, token: &Token, command: &Command) -> Result<Response, Refusal> {
        match self.ask(Some(token), command)? {
            Verdict::Answer(response) => Ok(response),
            other => panic!("{other:?} is no answer"),
        }
    }

    pub(crate) fn join(&mut self, name: &str, pin: Option<&str>) -> TokenGranted {
        let body = RequestToken {
            display_name: name.to_owned(),
            ..RequestToken::default()
        };
        match self.ask(
            None,
            &Command::RequestToken {
                pin: pin.map(Pin::new),
                body,
            },
        ) {
            Ok(Verdict::Answer(Response::TokenGranted(granted))) => *granted,
            other => panic!("{other:?} is no token"),
        }
    }

    pub(crate) fn refresh(&mut self, token: &Token) -> Result<Token, Refusal> {
        match self.answer(token, &Command::RefreshToken)? {
            Response::TokenRefreshed(refreshed) => Ok(refreshed.token),
            other => panic!("{other:?} is no token"),
        }
    }

    pub(crate) fn release(&mut self, token: &Token) {
        self.answer(token, &Command::ReleaseToken(ReleaseToken::default()))
            .expect("a good token");
    }

    pub(crate) fn open_events(&mut self, token: &Token) -> StreamId {
        let by = Requester {
            token: Some(token),
            vendor: "test",
        };
        self.conference
            .open_events(self.now, by)
            .expect("a good token")
            .0
    }

    /// Calls, and lets the room answer with `sdp`.
    pub(crate) fn call(&mut self, who: &TokenGranted, sdp: &str) -> CallUuid {
        let command = Command::Calls(who.participant_uuid.clone(), Calls::offer("v=0".to_owned()));
        match self.ask(Some(&who.token), &command) {
            Ok(Verdict::AskRoom(RoomRequest::Call {
                participant, call, ..
            })) => {
                self.conference
                    .call_answered(&participant, &call, sdp.to_owned())
                    .expect("it is there");
                call
            }
            other => panic!("{other:?} is no call"),
        }
    }

    pub(crate) fn ack(&mut self, who: &TokenGranted, call: &CallUuid) {
        let command = Command::Ack(who.participant_uuid.clone(), call.clone());
        assert_eq!(self.answer(&who.token, &command), Ok(Response::Acked));
    }

    /// Lets time pass, with every time-out at its moment.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some((at, _)) = self.conference.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.conference.handle_timeout(self.now);
        }
        self.now = end;
    }

    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        std::iter::from_fn(|| self.conference.poll_effect()).collect()
    }

    /// What was sent on `stream` since the last look, and whether it was closed after that.
    pub(crate) fn sent(&mut self, stream: StreamId) -> (Vec<Event>, bool) {
        let mut closed = false;
        let mut events = Vec::new();
        for effect in self.effects() {
            match effect {
                Effect::Send { to, event } if to.contains(&stream) => {
                    assert!(!closed, "{event:?} after the end");
                    events.push(event);
                }
                Effect::CloseStream(one) if one == stream => closed = true,
                _ => {}
            }
        }
        (events, closed)
    }

    pub(crate) fn present(&self) -> Vec<ParticipantUuid> {
        self.conference
            .participants()
            .map(|(uuid, _)| uuid.clone())
            .collect()
    }
}
