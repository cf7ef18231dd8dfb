//! The requests, as a client makes them: where each goes, what it carries, how its answer is read.

use serde::Serialize;

use crate::{
    CallPath, CallUuid, Calls, Change, ConferenceAlias, ConferencePath, Dial, Dtmf, Failure,
    MessageText, NewCandidate, ParticipantPath, ParticipantUuid, Path, Pin, Refusal, ReleaseToken,
    RequestToken, Response, Statistics, Token, Transfer, Update, envelope,
};

/// A request to a Conferencing Node.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The conference it is about.
    pub conference: ConferenceAlias,
    /// What goes into the `token` header; nothing for `request_token`.
    pub token: Option<Token>,
    /// What is asked for.
    pub command: Command,
}

impl Request {
    /// Returns where the request goes.
    pub fn path(&self) -> Path {
        Path::Conference(self.conference.clone(), self.command.path())
    }
}

/// What can be asked of a Conferencing Node.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Joins.
    RequestToken {
        /// What goes into the `pin` header.
        pin: Option<Pin>,
        /// The rest.
        body: RequestToken,
    },
    /// Lengthens the life of the token.
    RefreshToken,
    /// Leaves.
    ReleaseToken(ReleaseToken),
    /// Asks for the roster.
    Participants,
    /// Asks for the state of the conference.
    ConferenceStatus,
    /// Calls somebody into the conference.
    Dial(Dial),
    /// Holds newcomers in the waiting room.
    Lock,
    /// Lets newcomers in.
    Unlock,
    /// Mutes all guests.
    MuteGuests,
    /// Unmutes all guests.
    UnmuteGuests,
    /// Disconnects everybody, us included.
    DisconnectAll,
    /// Writes a chat message to everybody.
    Message(MessageText),
    /// Writes a chat message to one participant.
    MessageTo(ParticipantUuid, MessageText),
    /// Changes how a participant stands.
    Change(ParticipantUuid, Change),
    /// Begins to present.
    TakeFloor(ParticipantUuid),
    /// Ends presenting.
    ReleaseFloor(ParticipantUuid),
    /// Mutes a participant.
    Mute(ParticipantUuid),
    /// Unmutes a participant.
    Unmute(ParticipantUuid),
    /// Lets a participant in from the waiting room.
    Admit(ParticipantUuid),
    /// Disconnects a participant.
    Disconnect(ParticipantUuid),
    /// Presses telephone keys towards a participant.
    Dtmf(ParticipantUuid, Dtmf),
    /// Moves a participant to another conference.
    Transfer(ParticipantUuid, Transfer),
    /// Starts a call.
    Calls(ParticipantUuid, Calls),
    /// Adds a candidate to a call.
    NewCandidate(ParticipantUuid, CallUuid, NewCandidate),
    /// Starts the media of a call.
    Ack(ParticipantUuid, CallUuid),
    /// Renegotiates a call.
    Update(ParticipantUuid, CallUuid, Update),
    /// Hangs a call up.
    DisconnectCall(ParticipantUuid, CallUuid),
    /// Presses telephone keys towards the far end of a gateway call.
    CallDtmf(ParticipantUuid, CallUuid, Dtmf),
    /// Tells the node what was measured of a call's media.
    Statistics(ParticipantUuid, CallUuid, Box<Statistics>),
}

impl Command {
    /// Returns the name of the request as the API spells it, for logs and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RequestToken { .. } => "request_token",
            Self::RefreshToken => "refresh_token",
            Self::ReleaseToken(_) => "release_token",
            Self::Participants => "participants",
            Self::ConferenceStatus => "conference_status",
            Self::Dial(_) => "dial",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::MuteGuests => "muteguests",
            Self::UnmuteGuests => "unmuteguests",
            Self::DisconnectAll => "disconnect",
            Self::Message(_) => "message",
            Self::MessageTo(..) => "participants/…/message",
            Self::Change(_, change) => change.name(),
            Self::TakeFloor(_) => "take_floor",
            Self::ReleaseFloor(_) => "release_floor",
            Self::Mute(_) => "participants/…/mute",
            Self::Unmute(_) => "participants/…/unmute",
            Self::Admit(_) => "participants/…/unlock",
            Self::Disconnect(_) => "participants/…/disconnect",
            Self::Dtmf(..) => "participants/…/dtmf",
            Self::Transfer(..) => "transfer",
            Self::Calls(..) => "calls",
            Self::NewCandidate(..) => "new_candidate",
            Self::Ack(..) => "ack",
            Self::Update(..) => "update",
            Self::DisconnectCall(..) => "calls/…/disconnect",
            Self::CallDtmf(..) => "calls/…/dtmf",
            Self::Statistics(..) => "statistics",
        }
    }

    /// Returns where the request goes within its conference.
    pub fn path(&self) -> ConferencePath {
        let participant =
            |uuid: &ParticipantUuid, path| ConferencePath::Participant(uuid.clone(), path);
        let call = |uuid: &ParticipantUuid, call: &CallUuid, path| {
            participant(uuid, ParticipantPath::Call(call.clone(), path))
        };
        match self {
            Self::RequestToken { .. } => ConferencePath::RequestToken,
            Self::RefreshToken => ConferencePath::RefreshToken,
            Self::ReleaseToken(_) => ConferencePath::ReleaseToken,
            Self::Participants => ConferencePath::Participants,
            Self::ConferenceStatus => ConferencePath::ConferenceStatus,
            Self::Dial(_) => ConferencePath::Dial,
            Self::Lock => ConferencePath::Lock,
            Self::Unlock => ConferencePath::Unlock,
            Self::MuteGuests => ConferencePath::MuteGuests,
            Self::UnmuteGuests => ConferencePath::UnmuteGuests,
            Self::DisconnectAll => ConferencePath::Disconnect,
            Self::Message(_) => ConferencePath::Message,
            Self::MessageTo(p, _) => participant(p, ParticipantPath::Message),
            Self::Change(p, change) => participant(p, change.path()),
            Self::TakeFloor(p) => participant(p, ParticipantPath::TakeFloor),
            Self::ReleaseFloor(p) => participant(p, ParticipantPath::ReleaseFloor),
            Self::Mute(p) => participant(p, ParticipantPath::Mute),
            Self::Unmute(p) => participant(p, ParticipantPath::Unmute),
            Self::Admit(p) => participant(p, ParticipantPath::Unlock),
            Self::Disconnect(p) => participant(p, ParticipantPath::Disconnect),
            Self::Dtmf(p, _) => participant(p, ParticipantPath::Dtmf),
            Self::Transfer(p, _) => participant(p, ParticipantPath::Transfer),
            Self::Calls(p, _) => participant(p, ParticipantPath::Calls),
            Self::NewCandidate(p, c, _) => call(p, c, CallPath::NewCandidate),
            Self::Ack(p, c) => call(p, c, CallPath::Ack),
            Self::Update(p, c, _) => call(p, c, CallPath::Update),
            Self::DisconnectCall(p, c) => call(p, c, CallPath::Disconnect),
            Self::CallDtmf(p, c, _) => call(p, c, CallPath::Dtmf),
            Self::Statistics(p, c, _) => call(p, c, CallPath::Statistics),
        }
    }

    /// Returns the body, JSON; nothing for a request that has none and no content type either.
    pub fn body(&self) -> Option<String> {
        fn json<T: Serialize>(body: &T) -> Option<String> {
            // Only maps with keys other than texts could fail, and there are none in the API.
            serde_json::to_string(body).ok()
        }
        match self {
            Self::RequestToken { body, .. } => json(body),
            Self::ReleaseToken(body) => body.reason.is_some().then(|| json(body)).flatten(),
            Self::Message(body) | Self::MessageTo(_, body) => json(body),
            Self::Change(_, Change::Role(body)) => json(body),
            Self::Change(_, Change::OverlayText(body)) => json(body),
            Self::Dial(body) => json(body),
            Self::Calls(_, body) => json(body),
            Self::NewCandidate(_, _, body) => json(body),
            Self::Update(_, _, body) => json(body),
            Self::Dtmf(_, body) | Self::CallDtmf(_, _, body) => json(body),
            Self::Transfer(_, body) => json(body),
            Self::Statistics(_, _, body) => json(body),
            _ => None,
        }
    }

    /// Returns what goes into the `pin` header.
    pub fn pin(&self) -> Option<&Pin> {
        match self {
            Self::RequestToken { pin, .. } => pin.as_ref(),
            _ => None,
        }
    }

    /// Reads the answer, going by the HTTP status `code` and the shape of the result.
    ///
    /// # Errors
    /// When the node refused, or when the answer is not one of the API.
    pub fn decode_response(&self, code: u16, body: &[u8]) -> Result<Response, Failure> {
        if !(200..300).contains(&code) {
            return Err(Refusal::decode(code, body).into());
        }
        let name = self.name();
        Ok(match self {
            Self::RequestToken { .. } => {
                Response::TokenGranted(Box::new(envelope::decode(name, body)?))
            }
            Self::RefreshToken => Response::TokenRefreshed(envelope::decode(name, body)?),
            Self::Calls(..) => Response::CallAccepted(envelope::decode(name, body)?),
            Self::Update(..) => Response::UpdateAccepted(envelope::decode(name, body)?),
            Self::Participants => Response::Participants(envelope::decode(name, body)?),
            Self::Dial(_) => Response::Dialled(envelope::decode(name, body)?),
            Self::ConferenceStatus => Response::ConferenceStatus(envelope::decode(name, body)?),
            // Nodes of different ages answer these with true, null or nothing at all; that they
            // answered is what counts.
            Self::ReleaseToken(_) => Response::TokenReleased,
            Self::TakeFloor(_) | Self::ReleaseFloor(_) => Response::FloorChanged,
            Self::NewCandidate(..) => Response::CandidateTaken,
            Self::Ack(..) => Response::Acked,
            Self::DisconnectCall(..) => Response::CallDisconnected,
            Self::Statistics(..) => Response::StatisticsTaken,
            // `null` from a node that has nothing to say is as good as true.
            Self::Lock
            | Self::Unlock
            | Self::MuteGuests
            | Self::UnmuteGuests
            | Self::DisconnectAll
            | Self::Message(_)
            | Self::MessageTo(..)
            | Self::Change(..)
            | Self::Mute(_)
            | Self::Unmute(_)
            | Self::Admit(_)
            | Self::Dtmf(..)
            | Self::CallDtmf(..)
            | Self::Transfer(..)
            | Self::Disconnect(_) => {
                let done: Option<bool> = envelope::decode(name, body)?;
                Response::Done(done.unwrap_or(true))
            }
        })
    }
}
