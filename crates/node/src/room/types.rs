//! What goes in and comes out of a [`Room`](super::Room): settings, refusals, events.

use std::net::IpAddr;

use infinity::{CallUuid, ParticipantUuid, Present};
use media::{Codec, MediaError};
use peer::PeerError;

/// Misfortunes of the room's media, on purpose: what a check that listens and looks must notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaFaults {
    /// Everyone hears silence, whoever speaks.
    pub silent: bool,
    /// Everyone sees black where they would see a participant.
    pub black: bool,
    /// Everyone hears and sees something other than what the participants send.
    pub wrong_clip: bool,
    /// DTLS starts only after `ack`, as real nodes may do it.
    pub late_dtls: bool,
    /// DTLS never starts.
    pub stalled_dtls: bool,
    /// Share of the datagrams sent that are lost, 0 to 100.
    pub loss_percent: u8,
}

/// How the media of one conference is to be.
#[derive(Clone, Debug)]
pub struct RoomSettings {
    /// The conference's name, as it stands on the splash picture.
    pub name: String,
    /// What stands on the picture of its far end, if it is a gateway's.
    pub far_end: Option<String>,
    /// The codecs of main video. Each participant has the one of them that it prefers; who has none
    /// of them takes part without video. There is one at least.
    pub video_codecs: Vec<Codec>,
    /// Misfortunes on purpose.
    pub faults: MediaFaults,
    /// Addresses to bind media to and to offer as host candidates.
    pub addresses: Vec<IpAddr>,
}

/// What is heard and seen of a far end that is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FarEndMedia {
    /// Nothing, but for the keys that are pressed towards it.
    Silent,
    /// It rings, as the one who called hears it.
    Ringing,
    /// Three notes, then a beep every second, and the room's picture of a far end.
    Greeting,
    /// What it hears, a second later; and the picture.
    Echo,
}

/// What a client asked of a call besides its SDP.
#[derive(Clone, Debug, Default)]
pub struct CallSettings {
    /// What the call does with a presentation.
    pub present: Option<Present>,
}

/// Why a room cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RoomError(#[from] MediaError);

/// Whether a participant takes part in the conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// In the waiting room: sees a splash picture, hears silence, is neither heard nor seen.
    Waiting,
    /// In the conference.
    InConference,
}

/// Why a call was refused or cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallRefused {
    /// The offer or the candidate makes no call.
    #[error("the call cannot be made: {0}")]
    Peer(#[from] PeerError),
    /// There is no codec for it.
    #[error("the call cannot be heard: {0}")]
    Media(#[from] MediaError),
    /// A call of its own for presentations, which this node does not serve.
    #[error("presentation is not supported here")]
    NoPresentation,
    /// No such call, or it has ended.
    #[error("no such call")]
    NoSuchCall,
    /// The room has as many calls as it takes.
    #[error("Participant limit reached")]
    Full,
}

/// Something the roster, the stage or a client should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoomEvent {
    /// A participant began or ended to speak.
    Voice {
        /// Who.
        participant: ParticipantUuid,
        /// Voice activity as the API spells it: 0 or 100.
        vad: u8,
    },
    /// Who stands in the spotlight, then who has spoken, most recent first, each with its voice activity, 0 or 100.
    Stage(Vec<(ParticipantUuid, u8)>),
    /// Whether media flows between the room and a participant, per kind and in either direction:
    /// packets come in, or the participant reports that it receives ours.
    MediaFlowing {
        /// Who.
        participant: ParticipantUuid,
        /// Whether sound flows.
        audio: bool,
        /// Whether video flows.
        video: bool,
    },
    /// A call broke down: ICE or DTLS failed, or its peer went away.
    CallFailed {
        /// Which call.
        call: CallUuid,
        /// What happened, in words for a person.
        why: String,
    },
}
