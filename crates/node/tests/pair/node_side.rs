//! The node's side of the world: requests answered, events sent, effects carried out.

use std::time::Duration;

use infinity::{
    CallUuid, Command, Event, Failure, ParticipantUuid, Refusal, Response, Token, Version,
};
use node::conference::{
    Conference, Effect, Requester, RoomRequest, StreamId as NodeStream, Verdict,
};
use participant::{
    EventStreamInput, Input, Outgoing, PeerInput, RequestFailure, StreamEnd, StreamId,
};

use super::{ANSWER, Withheld, World};

impl World {
    pub(super) fn request_arrives(&mut self, from: usize, outgoing: &Outgoing) {
        if !self.node_is_up {
            let failure = RequestFailure::Unreachable("connection refused".into());
            let after = self.latency();
            self.send_input(from, after, Input::Reply(outgoing.id, Err(failure)));
            return;
        }
        let command = &outgoing.request.command;
        let verdict = self.answer(outgoing.request.token.as_ref(), command);
        self.carry_out_effects();
        let wire = match &verdict {
            Ok(response) => response.encode(self.profile),
            Err(refusal) => refusal.encode(self.profile, &Version::default()),
        };
        if let Ok(Response::CallAccepted(accepted)) = &verdict {
            self.callers[from].call = Some(accepted.call_uuid.clone());
        }
        if self.is_lost() {
            self.tally.lost_replies += 1;
            self.lose(from, outgoing);
            return;
        }
        let reply = command
            .decode_response(wire.code, wire.body.as_bytes())
            .map_err(|failure: Failure| RequestFailure::from(failure));
        let after = self.latency();
        self.send_input(from, after, Input::Reply(outgoing.id, reply));
    }

    fn answer(&mut self, token: Option<&Token>, command: &Command) -> Result<Response, Refusal> {
        let path = command.path();
        if !Conference::knows(self.profile, &path) {
            return Err(Refusal::NotFound("no such request".into()));
        }
        let by = Requester {
            token,
            vendor: "pair",
        };
        match self.conference.handle(self.now, by, command)? {
            Verdict::Answer(response) => Ok(response),
            Verdict::AskRoom(RoomRequest::Call {
                participant, call, ..
            }) => self
                .conference
                .call_answered(&participant, &call, ANSWER.into()),
            Verdict::AskRoom(RoomRequest::Update { call, .. }) => {
                Ok(self.conference.update_answered(&call, ANSWER.into()))
            }
            Verdict::AskRoom(RoomRequest::Candidate { .. }) => Ok(Response::CandidateTaken),
            // There is one conference here.
            Verdict::AskConference(..) => Err(Refusal::NoSuchConference),
        }
    }

    pub(super) fn open_events(&mut self, from: usize, stream: StreamId, token: &Token) {
        let by = Requester {
            token: Some(token),
            vendor: "pair",
        };
        let after = self.latency();
        if !self.node_is_up {
            let input = EventStreamInput::Ended(StreamEnd::Lost("connection refused".into()));
            self.send_input(from, after, Input::EventStream(stream, input));
            return;
        }
        match self.conference.open_events(self.now, by) {
            Ok((node_stream, burst)) => {
                self.streams.insert(node_stream, (from, stream, self.now));
                self.send_on(node_stream, EventStreamInput::Opened);
                for event in burst {
                    self.send_event(node_stream, &event);
                }
            }
            Err(refusal) => {
                let input = EventStreamInput::Ended(StreamEnd::Refused(refusal));
                self.send_input(from, after, Input::EventStream(stream, input));
            }
        }
        self.carry_out_effects();
    }

    fn send_event(&mut self, node_stream: NodeStream, event: &Event) {
        if self.withheld == Some(Withheld::Events) {
            return;
        }
        if let Some(text) = event.encode(self.profile) {
            let event = Event::decode(text.name, &text.data).expect("a node's own event");
            self.send_on(node_stream, EventStreamInput::Event(event));
        }
    }

    fn send_on(&mut self, node_stream: NodeStream, input: EventStreamInput) {
        let latency = self.latency();
        let Some((to, stream, last)) = self.streams.get_mut(&node_stream) else {
            return;
        };
        let at = (self.now + latency).max(*last);
        *last = at;
        let (to, stream, after) = (*to, *stream, at - self.now);
        self.send_input(to, after, Input::EventStream(stream, input));
    }

    pub(super) fn carry_out_effects(&mut self) {
        while let Some(effect) = self.conference.poll_effect() {
            match effect {
                Effect::Send { to, event } => {
                    for node_stream in to {
                        self.send_event(node_stream, &event);
                    }
                }
                Effect::CloseStream(node_stream) => self.end_stream(node_stream),
                Effect::StartMedia(call) => {
                    if let Some(who) = self.whose(&call) {
                        self.conference.media_flowing(&who, true, true);
                    }
                }
                Effect::HangUp(call) => self.media_dies(&call),
                _ => {}
            }
        }
    }

    fn whose(&self, call: &CallUuid) -> Option<ParticipantUuid> {
        let caller = self
            .callers
            .iter()
            .find(|caller| caller.call.as_ref() == Some(call))?;
        caller.participant.uuid().cloned()
    }

    /// The node has stopped a call without a word to whose it was: ICE finds out.
    fn media_dies(&mut self, call: &CallUuid) {
        let caller = self
            .callers
            .iter()
            .position(|caller| caller.call.as_ref() == Some(call));
        let Some(caller) = caller else { return };
        if let Some(peer) = self.callers[caller].peer {
            let input = Input::Peer(peer, PeerInput::IceFailed);
            self.send_input(caller, Duration::from_secs(6), input);
        }
    }
}
