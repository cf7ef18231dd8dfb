//! What a running service is asked and what it answers, as JSON.

use std::time::Instant;

use infinity::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run::attendant::Seen;
use crate::run::events::moment;
use crate::run::playing::Played;
use crate::run::standing::{Reason, State};

/// How it stands with a participant.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// What the operator calls it.
    name: String,
    /// The conference, by the alias it dials.
    conference: String,
    /// Its name in the roster.
    display_name: String,
    /// How it stands, from the roster and from media.
    state: State,
    /// Since when (RFC 3339).
    since: String,
    /// How long that is, in seconds.
    seconds: u64,
    /// Why, for people.
    why: String,
    /// Why, where it is not as it should be.
    reason: Option<Reason>,
    /// What happens next, for people.
    next: String,
    /// The node it has asked for a token last.
    node: Option<String>,
    /// Who it is in the roster.
    participant_uuid: Option<String>,
    /// What it may do there: `host` or `guest`.
    role: Option<&'static str>,
    /// Whether the node lets nobody hear it, as the roster says.
    muted: Option<bool>,
    /// How many others the roster has.
    others: usize,
    /// How often it was begun anew.
    restarts: u64,
    /// What is played.
    #[serde(flatten)]
    played: Played,
}

impl Status {
    pub(super) fn of(name: &str, seen: &Seen) -> Self {
        let standing = &seen.standing;
        let elapsed = Instant::now().saturating_duration_since(standing.since);
        Self {
            name: name.to_owned(),
            conference: seen.conference.clone(),
            display_name: seen.display_name.clone(),
            state: standing.state,
            since: moment(standing.since),
            seconds: elapsed.as_secs(),
            why: standing.why.clone(),
            reason: standing.reason,
            next: standing.next.clone(),
            node: seen.node.clone(),
            participant_uuid: seen.participant_uuid.clone(),
            role: match seen.role {
                Some(Role::Host) => Some("host"),
                Some(Role::Guest) => Some("guest"),
                Some(Role::Unknown) | None => None,
            },
            muted: seen.roster.own.map(|own| own.muted),
            others: seen.roster.rows.saturating_sub(1),
            restarts: seen.measured.restarts.values().sum(),
            played: seen.played.clone(),
        }
    }
}

/// It was done.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    /// True.
    pub(super) done: bool,
}

impl Done {
    pub(super) const YES: Self = Self { done: true };
}

/// Telephone keys to press.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    /// The keys: 0 to 9, *, # and A to D.
    pub(super) digits: String,
    /// Towards which participant, by its UUID; the participant itself unless given.
    #[serde(default)]
    pub(super) to: Option<String>,
}

/// A chat message to write.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    /// What is said.
    pub(super) text: String,
    /// To which participant alone, by its UUID; to everybody unless given.
    #[serde(default)]
    pub(super) to: Option<String>,
}

/// What to play: sources, as the command line and the configuration write them.
///
/// Paths are taken from where the configuration is. Commands and standard input belong into the configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sources {
    /// What is heard.
    #[serde(default)]
    pub(super) audio: Option<String>,
    /// What is seen, and heard as well, if it has sound and nothing else is to be heard.
    #[serde(default)]
    pub(super) video: Option<String>,
    /// Whether it is played over and over.
    #[serde(default, rename = "loop")]
    pub(super) loops: bool,
}

/// A text to speak.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Speech {
    /// What is said.
    pub(super) text: String,
    /// The voice or language, such as `de`.
    #[serde(default)]
    pub(super) voice: Option<String>,
}

/// A request of the client API, made with the participant's own token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AsWritten {
    /// Its path below the conference, such as `muteguests` or `participants/UUID/mute`; `me` stands for
    /// the participant itself.
    pub(super) request: String,
    /// Its body, where it has one.
    #[serde(default)]
    pub(super) body: Option<Value>,
}

/// What to listen to.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// The events of this participant alone.
    pub(super) participant: Option<String>,
}
