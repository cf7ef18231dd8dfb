//! Where each request goes: every path of the API, both ways.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{CallUuid, ConferenceAlias, ParticipantUuid, Token};

const PREFIX: &str = "/api/client/v2";

/// What stays as it is in a path segment: the set of `encodeURIComponent`, which browsers use.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
}

/// A path of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Whether the node is well.
    Status, // /api/client/v2/status
    /// Something of a conference.
    Conference(ConferenceAlias, ConferencePath), // /api/client/v2/conferences/<alias>/…
}

/// Defines the paths that are one word below another, and their spelling.
macro_rules! words {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)+ => $parse:ident, $word_of:ident) => {
        fn $parse(word: &str) -> Option<Self> {
            match word {
                $($word => Some(Self::$variant),)+
                _ => None,
            }
        }

        fn $word_of(&self) -> Option<&'static str> {
            match self {
                $(Self::$variant => Some($word),)+
                #[allow(unreachable_patterns, reason = "the last level has words alone")]
                _ => None,
            }
        }
    };
}

/// What stands after the conference alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConferencePath {
    /// Joins.
    RequestToken, // request_token
    /// Lengthens the life of a token.
    RefreshToken, // refresh_token
    /// Leaves.
    ReleaseToken, // release_token
    /// The event stream.
    Events, // events
    /// The roster.
    Participants, // participants
    /// The state of the conference.
    ConferenceStatus, // conference_status
    /// Dials out.
    Dial, // dial
    /// Holds newcomers in the waiting room.
    Lock, // lock
    /// Lets newcomers in.
    Unlock, // unlock
    /// Mutes all guests.
    MuteGuests, // muteguests
    /// Unmutes all guests.
    UnmuteGuests, // unmuteguests
    /// Disconnects everybody.
    Disconnect, // disconnect
    /// Sends a chat message to everybody.
    Message, // message
    /// Starts the conference for waiting guests.
    StartConference, // start_conference
    /// The latest picture of the presentation, JPEG.
    PresentationJpeg, // presentation.jpeg
    /// The same, at its full size.
    PresentationHighJpeg, // presentation_high.jpeg
    /// The texts of splash screens.
    Theme, // theme/
    /// Something of a participant.
    Participant(ParticipantUuid, ParticipantPath), // participants/<uuid>/…
}

/// What stands after the participant's uuid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParticipantPath {
    /// Disconnects the participant.
    Disconnect, // disconnect
    /// Mutes the participant.
    Mute, // mute
    /// Unmutes the participant.
    Unmute, // unmute
    /// Tells that the participant muted itself.
    ClientMute, // client_mute
    /// Tells that the participant unmuted itself.
    ClientUnmute, // client_unmute
    /// Tells or demands that the participant sends no picture.
    VideoMuted, // video_muted
    /// Tells or demands that the participant sends its picture.
    VideoUnmuted, // video_unmuted
    /// Lets the participant in from the waiting room.
    Unlock, // unlock
    /// Puts the participant into the first place of the layout.
    SpotlightOn, // spotlighton
    /// Takes the participant out of the first place.
    SpotlightOff, // spotlightoff
    /// Lets the participant see presentations.
    AllowRxPresentation, // allowrxpresentation
    /// Keeps presentations from the participant.
    DenyRxPresentation, // denyrxpresentation
    /// Raises the hand.
    Buzz, // buzz
    /// Lowers the hand.
    ClearBuzz, // clearbuzz
    /// Changes the role.
    Role, // role
    /// Changes the text below the picture.
    OverlayText, // overlaytext
    /// Sends a chat message to the participant.
    Message, // message
    /// Sends digits to the participant.
    Dtmf, // dtmf
    /// Moves the participant to another conference.
    Transfer, // transfer
    /// Takes the floor for a presentation.
    TakeFloor, // take_floor
    /// Gives the floor back.
    ReleaseFloor, // release_floor
    /// Starts a call.
    Calls, // calls
    /// Something of a call.
    Call(CallUuid, CallPath), // calls/<uuid>/…
}

/// What stands after the call's uuid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPath {
    /// Starts media.
    Ack, // ack
    /// Adds an ICE candidate.
    NewCandidate, // new_candidate
    /// Renegotiates.
    Update, // update
    /// Hangs up.
    Disconnect, // disconnect
    /// Sends digits.
    Dtmf, // dtmf
    /// Tells the node what the client measured.
    Statistics, // statistics
}

impl Path {
    /// Returns the path of `rest` in `conference`.
    pub fn conference(conference: &ConferenceAlias, rest: ConferencePath) -> Self {
        Self::Conference(conference.clone(), rest)
    }

    /// Reads the path of a request as it came, percent-encoded or not, without the query.
    ///
    /// Returns nothing for a path that is not of this API.
    pub fn decode(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(PREFIX)?.strip_prefix('/')?;
        if rest == "status" {
            return Some(Self::Status);
        }
        let (alias, rest) = rest.strip_prefix("conferences/")?.split_once('/')?;
        let alias = segment(alias)?.parse().ok()?;
        Some(Self::Conference(alias, ConferencePath::decode(rest)?))
    }

    /// Writes the path, from the first `/`, percent-encoded as browsers do.
    pub fn encode(&self) -> String {
        match self {
            Self::Status => format!("{PREFIX}/status"),
            Self::Conference(alias, rest) => {
                format!(
                    "{PREFIX}/conferences/{}/{}",
                    escape(alias.as_str()),
                    rest.encode()
                )
            }
        }
    }

    /// Returns how the path is to be requested.
    pub fn method(&self) -> Method {
        match self {
            Self::Status
            | Self::Conference(
                _,
                ConferencePath::Events
                | ConferencePath::Participants
                | ConferencePath::ConferenceStatus
                | ConferencePath::PresentationJpeg
                | ConferencePath::PresentationHighJpeg
                | ConferencePath::Theme,
            ) => Method::Get,
            Self::Conference(..) => Method::Post,
        }
    }
}

impl ConferencePath {
    words! {
        RequestToken = "request_token",
        RefreshToken = "refresh_token",
        ReleaseToken = "release_token",
        Events = "events",
        Participants = "participants",
        ConferenceStatus = "conference_status",
        Dial = "dial",
        Lock = "lock",
        Unlock = "unlock",
        MuteGuests = "muteguests",
        UnmuteGuests = "unmuteguests",
        Disconnect = "disconnect",
        Message = "message",
        StartConference = "start_conference",
        PresentationJpeg = "presentation.jpeg",
        PresentationHighJpeg = "presentation_high.jpeg",
        Theme = "theme/",
        => from_word, word
    }

    fn decode(path: &str) -> Option<Self> {
        if let Some(path) = Self::from_word(path) {
            return Some(path);
        }
        let (uuid, rest) = path.strip_prefix("participants/")?.split_once('/')?;
        Some(Self::Participant(
            segment(uuid)?.into(),
            ParticipantPath::decode(rest)?,
        ))
    }

    fn encode(&self) -> String {
        match self {
            Self::Participant(uuid, rest) => {
                format!("participants/{}/{}", escape(uuid.as_str()), rest.encode())
            }
            _ => self.word().unwrap_or_default().to_owned(),
        }
    }
}

impl ParticipantPath {
    words! {
        Disconnect = "disconnect",
        Mute = "mute",
        Unmute = "unmute",
        ClientMute = "client_mute",
        ClientUnmute = "client_unmute",
        VideoMuted = "video_muted",
        VideoUnmuted = "video_unmuted",
        Unlock = "unlock",
        SpotlightOn = "spotlighton",
        SpotlightOff = "spotlightoff",
        AllowRxPresentation = "allowrxpresentation",
        DenyRxPresentation = "denyrxpresentation",
        Buzz = "buzz",
        ClearBuzz = "clearbuzz",
        Role = "role",
        OverlayText = "overlaytext",
        Message = "message",
        Dtmf = "dtmf",
        Transfer = "transfer",
        TakeFloor = "take_floor",
        ReleaseFloor = "release_floor",
        Calls = "calls",
        => from_word, word
    }

    fn decode(path: &str) -> Option<Self> {
        if let Some(path) = Self::from_word(path) {
            return Some(path);
        }
        let (uuid, rest) = path.strip_prefix("calls/")?.split_once('/')?;
        Some(Self::Call(
            segment(uuid)?.into(),
            CallPath::from_word(rest)?,
        ))
    }

    fn encode(&self) -> String {
        match self {
            Self::Call(uuid, rest) => {
                format!(
                    "calls/{}/{}",
                    escape(uuid.as_str()),
                    rest.word().unwrap_or_default()
                )
            }
            _ => self.word().unwrap_or_default().to_owned(),
        }
    }
}

impl CallPath {
    words! {
        Ack = "ack",
        NewCandidate = "new_candidate",
        Update = "update",
        Disconnect = "disconnect",
        Dtmf = "dtmf",
        Statistics = "statistics",
        => from_word, word
    }
}

/// Returns the token of a query such as `token=abc%3D`, for requests that cannot carry a header.
pub fn token_in_query(query: &str) -> Option<Token> {
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))?;
    segment(value).map(Token::new)
}

fn escape(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, KEPT)
}

/// Returns one segment decoded; nothing if it is empty or not UTF-8.
fn segment(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}
