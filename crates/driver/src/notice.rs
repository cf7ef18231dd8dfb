//! What a caller tells about itself while it runs.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use infinity::event::Message;
use infinity::{ConferenceAlias, ParticipantUuid, Role};
use media::{Codec, Kind, RecordNews};
use serde::Serialize;
use url::Url;

use crate::{Answer, Figures, InboundStats, MediaPath, SinkNews};

/// Something worth telling about a caller, and when it was.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Notice {
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub kind: NoticeKind,
}

impl Notice {
    /// Returns the notice of something that happened at `at`.
    pub fn new(at: Instant, kind: NoticeKind) -> Self {
        Self { at, kind }
    }
}

/// What happened to a caller.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The caller got somewhere else on its way into, through or out of the conference.
    State(State),
    /// A step of joining was reached, so long after this join was begun.
    Step(JoinStep, Duration),
    /// The answer settled what is sent; `None` where the node rejected the m-line.
    Negotiated {
        /// What audio is sent as.
        audio: Option<Codec>,
        /// What video is sent as.
        video: Option<Codec>,
    },
    /// The clip's first sample was sent.
    ClipStarted {
        /// Which program it belongs to: the number of [`crate::Caller::change_program`], 0 before that.
        program: u32,
        /// False when no report named our streams in time: its first words may not have been heard.
        reported: bool,
    },
    /// The clip's last sample was sent.
    ClipFinished {
        /// Which program it belongs to.
        program: u32,
        /// How many packets of it were sent as audio.
        audio_packets: u64,
        /// How many packets of it were sent as video.
        video_packets: u64,
    },
    /// The far end reported on one of our streams.
    Report(Report),
    /// The roster changed.
    Roster(RosterFacts),
    /// What we may do in the conference: with each token, and whenever it has changed.
    Role(Role),
    /// The token was refreshed.
    Refreshed,
    /// The node sends us on to another conference; we leave this one and join that.
    Referred(ConferenceAlias),
    /// Somebody wrote a chat message.
    Message(Message),
    /// Another participant began to speak, or ceased to, as the node sees it.
    Speech {
        /// Who.
        participant: Other,
        /// Whether it began.
        speaks: bool,
    },
    /// There is a new picture of the presentation, to be fetched by who wants to see it.
    PresentationFrame,
    /// Media takes this path.
    Path(MediaPath),
    /// What was received so far; told where [`crate::CallerSettings::stats`] asks for it.
    Stats(Box<InboundStats>),
    /// Something happened to the recording.
    Recording(RecordNews),
    /// Something happened to a sink.
    Sink {
        /// Which, as it was written.
        sink: String,
        /// What happened.
        news: SinkNews,
    },
    /// Something is not as it should be, and the caller goes on.
    Warning(Warning),
    /// A request ended; told where [`crate::CallerSettings::figures`] asks for it, as are those
    /// below.
    Request {
        /// What was asked for, as the API spells it.
        verb: &'static str,
        /// From the first byte out to the last one in, connecting included.
        took: Duration,
        /// How it ended.
        answer: Answer,
    },
    /// An event stream opened.
    EventStreamOpened,
    /// The event stream was lost; it is opened again.
    EventStreamLost,
    /// What was measured so far.
    Figures(Box<Figures>),
}

/// Where a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It asks this node for a token.
    Joining(Url),
    /// It has a token; the roster does not show it in the conference yet, or no media flows.
    Connecting,
    /// It has a token and waits for a host to let it in.
    WaitingRoom,
    /// The roster shows it in the conference and media flows.
    InConference,
    /// It is in, and something is missing that is being mended.
    Degraded(String),
    /// It lost the conference and tries again after a pause.
    Rejoining {
        /// Why it is no longer in.
        reason: String,
        /// How long it pauses.
        pause: Duration,
    },
    /// It hangs up and releases its token.
    Leaving,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joining(node) => write!(f, "asking {node} for a token"),
            Self::Connecting => f.write_str("connecting"),
            Self::WaitingRoom => f.write_str("in the waiting room, until a host lets us in"),
            Self::InConference => f.write_str("in the conference"),
            Self::Degraded(why) => write!(f, "in the conference, but {why}"),
            Self::Rejoining { reason, pause } => {
                write!(f, "joining again in {:.1} s: {reason}", pause.as_secs_f64())
            }
            Self::Leaving => f.write_str("leaving"),
        }
    }
}

/// A step of joining, in the order in which they usually come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JoinStep {
    /// The node's name was looked up, where it has one.
    Dns,
    /// The first connection to the node was there, TLS included.
    Connected,
    /// The token was granted.
    Token,
    /// The event stream opened.
    Events,
    /// The answer to our offer came.
    Sdp,
    /// ICE is connected.
    Ice,
    /// `ack` was answered.
    Ack,
    /// DTLS is connected, so that media can be sent.
    Dtls,
    /// The roster shows us.
    Roster,
    /// The first RTP packet with audio came.
    FirstAudio,
    /// The first RTP packet with video came.
    FirstVideo,
    /// The first report named our audio's SSRC: the far end receives us.
    AudioReported,
    /// The first report named our video's SSRC.
    VideoReported,
}

impl JoinStep {
    /// All steps, in the order in which they usually come.
    pub const ALL: [Self; 13] = [
        Self::Dns,
        Self::Connected,
        Self::Token,
        Self::Events,
        Self::Sdp,
        Self::Ice,
        Self::Ack,
        Self::Dtls,
        Self::Roster,
        Self::FirstAudio,
        Self::FirstVideo,
        Self::AudioReported,
        Self::VideoReported,
    ];

    /// Returns a few words for a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "name",
            Self::Connected => "connection",
            Self::Token => "token",
            Self::Events => "events",
            Self::Sdp => "SDP answer",
            Self::Ice => "ICE",
            Self::Ack => "ack",
            Self::Dtls => "DTLS",
            Self::Roster => "in the roster",
            Self::FirstAudio => "first audio in",
            Self::FirstVideo => "first video in",
            Self::AudioReported => "our audio reported",
            Self::VideoReported => "our video reported",
        }
    }
}

impl fmt::Display for JoinStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When the steps of one join were reached, counted from its beginning.
///
/// Serialised as an object of seconds, by step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinTimes {
    reached: Vec<(JoinStep, Duration)>,
}

impl JoinTimes {
    /// Takes note of a step; the first time counts. Returns false for a step already known.
    pub fn note(&mut self, step: JoinStep, after: Duration) -> bool {
        let new = self.get(step).is_none();
        if new {
            self.reached.push((step, after));
        }
        new
    }

    /// Returns when `step` was reached.
    pub fn get(&self, step: JoinStep) -> Option<Duration> {
        self.reached
            .iter()
            .find(|(known, _)| *known == step)
            .map(|(_, after)| *after)
    }

    /// Returns the steps in the order in which they were reached.
    pub fn iter(&self) -> impl Iterator<Item = (JoinStep, Duration)> + '_ {
        self.reached.iter().copied()
    }
}

impl Serialize for JoinTimes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(step, after)| (step, after.as_secs_f64())))
    }
}

/// What the far end says about one of our streams (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Report {
    /// Which of our streams.
    #[serde(serialize_with = "kind_name")]
    pub kind: Kind,
    /// Share of packets lost since the report before, 0 to 1.
    pub fraction_lost: f32,
    /// Packets lost since the stream began.
    pub packets_lost: i64,
    /// The highest sequence number that arrived, its cycles counted; that it grows shows that packets arrive.
    pub highest_sequence_number: u32,
    /// Interarrival jitter; serialised in seconds, as all times here.
    #[serde(serialize_with = "crate::seconds::of")]
    pub jitter: Duration,
    /// Round-trip time, where the report allows to tell.
    #[serde(serialize_with = "crate::seconds::of_any")]
    pub round_trip_time: Option<Duration>,
    /// Packets of the clip up to the highest sequence number reported.
    pub clip_packets_reached: u64,
    /// Packets lost since the clip was started.
    pub clip_packets_lost: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn kind_name<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// What the roster says that matters to being heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterFacts {
    /// Our own row, once it is there.
    pub own: Option<OwnRow>,
    /// Everyone else who has media and is not waiting.
    pub others_with_media: Arc<[Other]>,
    /// How many rows there are, ours included.
    pub rows: usize,
}

/// Our own row in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnRow {
    /// The node lets nobody hear us.
    pub muted: bool,
    /// We sit in the waiting room.
    pub waiting: bool,
    /// The node sees media of ours.
    pub has_media: bool,
}

/// Another participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its identity.
    pub uuid: ParticipantUuid,
    /// Its name, as it chose it.
    pub display_name: String,
}

/// Something that is not as it should be, while the caller goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The node rejected our video; sound goes alone.
    VideoRejected,
    /// The sound of the material cannot be encoded as the answer asks for; silence is sent.
    NoAudio {
        /// Why not.
        reason: String,
    },
    /// The answer took another codec than the material has; its picture is not sent.
    NoVideoForCodec {
        /// Why there is no picture in this codec.
        reason: String,
    },
    /// The video file has key frames so rarely that a viewer who comes late waits long.
    RareKeyFrames {
        /// The longest time between two of them.
        longest: Duration,
    },
    /// The way to the node carries less than the picture takes, which is made of fewer bits from now on.
    Narrow {
        /// What the picture takes at most, in bits a second.
        bits: u32,
    },
    /// No report named our streams within this time; the clip was started all the same.
    StartedUnreported {
        /// How long was waited.
        waited: Duration,
    },
    /// A STUN or TURN server is of no use; another, or none, may do.
    IceServer {
        /// Its URI.
        server: String,
        /// What is wrong with it.
        why: String,
    },
    /// A request failed and is tried again, or the event stream was lost and is opened again.
    Retrying(String),
    /// The node does not answer while we leave; it is not waited for any more.
    Unanswered,
    /// What the node sent made no sense here and was left aside.
    Ignored(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VideoRejected => f.write_str("the node rejected our video: sound goes alone"),
            Self::NoAudio { reason } => write!(f, "silence is sent: {reason}"),
            Self::NoVideoForCodec { reason } => write!(f, "no picture is sent: {reason}"),
            Self::RareKeyFrames { longest } => write!(
                f,
                "the video file has up to {:.1} s between key frames: who joins late or loses a \
                 packet sees nothing for as long; encode it with a key frame every 2 s",
                longest.as_secs_f32()
            ),
            Self::Narrow { bits } => write!(
                f,
                "the way to the node is narrow: the picture is sent with {} kbit/s at most, and with more where \
                 there is room again",
                bits / 1000
            ),
            Self::StartedUnreported { waited } => write!(
                f,
                "no receiver report named our streams within {:.1} s: the clip was started all \
                 the same, its first words may be lost",
                waited.as_secs_f32()
            ),
            Self::IceServer { server, why } => write!(f, "{server} is of no use: {why}"),
            Self::Unanswered => f.write_str(
                "the node does not answer: we are gone in two seconds at the latest, whether it has \
                 taken the token back or not",
            ),
            Self::Retrying(why) | Self::Ignored(why) => f.write_str(why),
        }
    }
}
