//! Misfortunes a node can be told to have, so that a client can be tested against them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use infinity::{Event, Path, Profile};

use crate::excuse::{Excuse, UnknownExcuse};
use crate::handler::{Handler, UnknownHandler};
use crate::room::MediaFaults;

/// What stands before the name of a handler that is left out.
const WITHOUT: &str = "without=";
/// What stands before the name of an excuse.
const REFUSE: &str = "refuse=";
/// What stands before the share of media that is lost, in percent.
const LOSS: &str = "loss=";
/// What stands before the time that answers take, in milliseconds.
const SLOW: &str = "slow-answers=";

/// One thing that goes wrong on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Participants hear silence instead of each other.
    Silent,
    /// Participants see a black picture instead of each other.
    Black,
    /// Participants hear and see something that nobody sent.
    WrongClip,
    /// The node begins the DTLS handshake only after `ack`.
    LateDtls,
    /// The node never takes part in the DTLS handshake.
    DtlsStalled,
    /// Every event stream is cut in the middle of a line, a few seconds after it opened.
    EventsCut,
    /// Every `refresh_token` is refused with 403 "Invalid token".
    Refresh403,
    /// Every answer comes two seconds late.
    SlowAnswers,
    /// `calls` is answered without SDP.
    NoSdp,
    /// The node takes nobody: `status` and `request_token` say that it is in maintenance.
    Maintenance,
    /// A proxy answers in place of the node, in HTML, that it cannot reach it.
    BadGateway,
    /// `peer_disconnect` is sent a few seconds after a participant's first call began.
    PeerDisconnect,
    /// A participant's first call is hung up a few seconds after it began, with `call_disconnected`.
    CallDisconnected,
    /// Tokens live for a quarter of the time they promise.
    ExpireEarly,
    /// Every few seconds the node forgets all tokens, calls and participants, as if restarted.
    Restart,
    /// This share of the datagrams of media that the node sends is lost, in percent.
    Loss(u8),
    /// Every answer comes so much later, in milliseconds.
    Slow(u32),
    /// The node answers every `request_token` so.
    Refuse(Excuse),
    /// The node does not have this request, or never sends this event.
    Without(Handler),
}

impl Fault {
    /// Every fault that is one word, in the order they are listed to people.
    pub const ALL: [Self; 15] = [
        Self::Silent,
        Self::Black,
        Self::WrongClip,
        Self::LateDtls,
        Self::DtlsStalled,
        Self::EventsCut,
        Self::Refresh403,
        Self::SlowAnswers,
        Self::NoSdp,
        Self::Maintenance,
        Self::BadGateway,
        Self::PeerDisconnect,
        Self::CallDisconnected,
        Self::ExpireEarly,
        Self::Restart,
    ];

    /// The name it goes by on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Black => "black",
            Self::WrongClip => "wrong-clip",
            Self::LateDtls => "late-dtls",
            Self::DtlsStalled => "dtls-stalled",
            Self::EventsCut => "events-cut",
            Self::Refresh403 => "refresh-403",
            Self::SlowAnswers => "slow-answers",
            Self::NoSdp => "no-sdp",
            Self::Maintenance => "maintenance",
            Self::BadGateway => "bad-gateway",
            Self::PeerDisconnect => "peer-disconnect",
            Self::CallDisconnected => "call-disconnected",
            Self::ExpireEarly => "expire-early",
            Self::Restart => "restart",
            Self::Loss(_) => "loss",
            Self::Slow(_) => "slow-answers",
            Self::Refuse(_) => "refuse",
            Self::Without(_) => "without",
        }
    }

    /// What it does, in one line for `--help`.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Silent => "participants hear silence instead of each other",
            Self::Black => "participants see a black picture instead of each other",
            Self::WrongClip => "participants hear and see something that nobody sent",
            Self::LateDtls => "the DTLS handshake begins only after ack",
            Self::DtlsStalled => "the DTLS handshake never begins",
            Self::EventsCut => "event streams are cut in the middle of a line every two seconds",
            Self::Refresh403 => "every refresh_token is refused with 403",
            Self::SlowAnswers => "every answer comes two seconds late",
            Self::NoSdp => "calls is answered with an empty sdp",
            Self::Maintenance => {
                "status and request_token are answered with 503, as in maintenance"
            }
            Self::BadGateway => "a proxy answers every request of the API with 502 and HTML",
            Self::PeerDisconnect => {
                "peer_disconnect is sent three seconds after a participant's first ack"
            }
            Self::CallDisconnected => {
                "a participant's first call is hung up three seconds after its ack"
            }
            Self::ExpireEarly => "tokens live for a quarter of the time they promise",
            Self::Restart => {
                "every ten seconds the node forgets all tokens, calls and participants"
            }
            Self::Loss(_) => "so many percent of the datagrams of media it sends are lost",
            Self::Slow(_) => "every answer comes so many milliseconds late",
            Self::Refuse(_) => "every request_token is refused, for this reason",
            Self::Without(_) => "a request is answered with 404, or an event never sent",
        }
    }
}

impl Fault {
    /// Says whether one conference can have it while others do not.
    pub(crate) fn fits_a_conference(&self) -> bool {
        matches!(
            self,
            Self::Silent
                | Self::Black
                | Self::WrongClip
                | Self::LateDtls
                | Self::DtlsStalled
                | Self::PeerDisconnect
                | Self::CallDisconnected
                | Self::Loss(_)
                | Self::Refuse(_)
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(percent) => write!(f, "{LOSS}{percent}"),
            Self::Slow(milliseconds) => write!(f, "{SLOW}{milliseconds}"),
            Self::Refuse(excuse) => write!(f, "{REFUSE}{excuse}"),
            Self::Without(handler) => write!(f, "{WITHOUT}{handler}"),
            _ => f.write_str(self.name()),
        }
    }
}

/// A fault was asked for that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownFault {
    /// No fault has this name.
    #[error(
        "no fault is called {name:?}: choose from {}, loss=PERCENT, slow-answers=MILLISECONDS, \
         refuse=REASON, without=REQUEST, without=event/EVENT",
        list()
    )]
    Name {
        /// What was asked for.
        name: String,
    },
    /// A fault is worse than anything can be.
    #[error("{name:?} says no number that it can be: {range}")]
    Number {
        /// What was asked for.
        name: String,
        /// What may stand there.
        range: &'static str,
    },
    /// Newcomers were to be refused for a reason that no node has.
    #[error(transparent)]
    Excuse(#[from] UnknownExcuse),
    /// A handler was to be left out that no node has.
    #[error(transparent)]
    Handler(#[from] UnknownHandler),
}

fn list() -> String {
    Fault::ALL.each_ref().map(Fault::name).join(", ")
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        if let Some(handler) = name.strip_prefix(WITHOUT) {
            return Ok(Self::Without(handler.parse::<Handler>()?));
        }
        if let Some(excuse) = name.strip_prefix(REFUSE) {
            return Ok(Self::Refuse(excuse.parse::<Excuse>()?));
        }
        let wrong = |range| UnknownFault::Number {
            name: name.to_owned(),
            range,
        };
        if let Some(percent) = name.strip_prefix(LOSS) {
            let percent = percent
                .parse()
                .ok()
                .filter(|percent| (1..=100).contains(percent));
            return percent
                .map(Self::Loss)
                .ok_or_else(|| wrong("1 to 100, in percent"));
        }
        if let Some(time) = name.strip_prefix(SLOW) {
            let time = time.parse().ok().filter(|time| (1..=60_000).contains(time));
            return time
                .map(Self::Slow)
                .ok_or_else(|| wrong("1 to 60000, in milliseconds"));
        }
        Self::ALL
            .into_iter()
            .find(|fault| fault.name() == name)
            .ok_or_else(|| UnknownFault::Name {
                name: name.to_owned(),
            })
    }
}

/// The faults a node has; none unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(BTreeSet<Fault>);

impl Faults {
    /// A node without faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether this fault is among them.
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// These and those.
    pub(crate) fn with(&self, more: &Self) -> Self {
        self.iter().chain(more.iter()).cloned().collect()
    }

    /// How late answers are; the latest, where that is said more than once.
    pub(crate) fn lateness(&self) -> Duration {
        let of = |fault: &Fault| match fault {
            Fault::SlowAnswers => Some(Duration::from_secs(2)),
            Fault::Slow(milliseconds) => Some(Duration::from_millis(u64::from(*milliseconds))),
            _ => None,
        };
        self.iter().filter_map(of).max().unwrap_or_default()
    }

    /// What the node is to answer newcomers with, if it is to admit nobody.
    pub(crate) fn excuse(&self) -> Option<Excuse> {
        self.iter().find_map(|fault| match fault {
            Fault::Refuse(excuse) => Some(*excuse),
            _ => None,
        })
    }

    /// Whether the node is to do without what answers requests to `path`.
    pub(crate) fn leave_out(&self, path: &Path) -> bool {
        self.leave_anything_out() && self.has(Fault::Without(Handler::of(path)))
    }

    /// Whether the node is to do without such events.
    pub(crate) fn leave_out_event(&self, event: &Event, profile: Profile) -> bool {
        self.leave_anything_out()
            && event
                .encode(profile)
                .is_some_and(|text| self.has(Fault::Without(Handler::of_event(text.name))))
    }

    fn leave_anything_out(&self) -> bool {
        self.iter().any(|fault| matches!(fault, Fault::Without(_)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a fault.
    pub fn insert(&mut self, fault: Fault) {
        self.0.insert(fault);
    }

    /// The faults in the order of [`Fault::ALL`], then how newcomers are refused and what is left
    /// out.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self::from_iter([fault])
    }
}

impl From<&Faults> for MediaFaults {
    fn from(faults: &Faults) -> Self {
        Self {
            silent: faults.has(Fault::Silent),
            black: faults.has(Fault::Black),
            wrong_clip: faults.has(Fault::WrongClip),
            late_dtls: faults.has(Fault::LateDtls),
            stalled_dtls: faults.has(Fault::DtlsStalled),
            loss_percent: faults
                .iter()
                .filter_map(|fault| match fault {
                    Fault::Loss(percent) => Some(*percent),
                    _ => None,
                })
                .max()
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name() {
        let without = Fault::Without("participants/mute".parse().expect("a handler"));
        let refuse = Fault::Refuse(Excuse::Licences);
        let more = [without, refuse, Fault::Loss(5), Fault::Slow(300)];
        for fault in Fault::ALL.into_iter().chain(more) {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }

    #[test]
    fn the_room_is_told_of_those_that_are_its_own() {
        assert_eq!(
            MediaFaults::from(&Faults::from(Fault::Restart)),
            MediaFaults::default()
        );
        let told = MediaFaults::from(&Faults::from_iter([Fault::Black, Fault::LateDtls]));
        assert_eq!(
            (told.silent, told.black, told.wrong_clip, told.late_dtls),
            (false, true, false, true)
        );
    }

    #[test]
    fn an_unknown_fault_is_answered_with_the_list() {
        let error = "noise"
            .parse::<Fault>()
            .expect_err("there is no such fault");

        assert!(error.to_string().contains("late-dtls"), "{error}");
        for name in ["loss=0", "loss=101", "loss=", "slow-answers=x"] {
            let error = name.parse::<Fault>().expect_err("no such number");
            assert!(error.to_string().contains(name), "{error}");
        }
        let error = "without=mute"
            .parse::<Fault>()
            .expect_err("participants are muted, not a conference");
        assert!(error.to_string().contains("participants/mute"), "{error}");
        let error = "refuse=nobody"
            .parse::<Fault>()
            .expect_err("there is no such reason");
        assert!(error.to_string().contains("sign-in-failed"), "{error}");
    }
}
