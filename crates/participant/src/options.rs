//! What a participant wants.

use std::time::Duration;

use infinity::{ConferenceAlias, Pin, Token};

/// What to do when the way into the conference, or out of it, was not the one wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejoin {
    /// Each node is tried once; whatever is lost afterwards beyond a call ends it.
    Never,
    /// Joins again after loss of the node, the network or the token, for ever; a host's removal
    /// ends it.
    AfterLoss,
    /// Joins again after a host's removal too.
    Always,
}

/// What a participant wants.
#[derive(Clone, Debug)]
pub struct Options {
    /// The conference to join.
    pub conference: ConferenceAlias,
    /// The name to be known by.
    pub display_name: String,
    /// The PIN of the conference; without one, a guest's way in is tried.
    pub pin: Option<Pin>,
    /// What a Virtual Reception shall connect to.
    pub conference_extension: Option<String>,
    /// A one-time token to join with the first time, as a `refer` brings one.
    pub one_time_token: Option<Token>,
    /// A text for the node's records.
    pub call_tag: Option<String>,
    /// Whether a call is wanted. Without one, being listed in the roster is being in.
    pub media: bool,
    /// How many nodes there are to choose from; [`crate::Outgoing::node`] counts from 0.
    pub nodes: usize,
    /// What to do after refusals and losses.
    pub rejoin: Rejoin,
    /// The first pause before joining again; each one after it is twice as long.
    pub first_pause: Duration,
    /// No pause before joining again is longer than this.
    pub longest_pause: Duration,
    /// How long the event stream may be silent before it is opened anew.
    pub silence_limit: Duration,
    /// How long it may take from the token until we are in the conference, not counting the time
    /// in the waiting room.
    pub join_limit: Duration,
    /// How long to sit in the waiting room; nothing: until let in.
    pub waiting_room_limit: Option<Duration>,
}

impl Options {
    /// Returns the options for joining `conference` once, on one node, as `display_name`.
    pub fn new(conference: ConferenceAlias, display_name: &str) -> Self {
        Self {
            conference,
            display_name: display_name.to_owned(),
            pin: None,
            conference_extension: None,
            one_time_token: None,
            call_tag: None,
            media: true,
            nodes: 1,
            rejoin: Rejoin::Never,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            silence_limit: Duration::from_secs(60),
            join_limit: Duration::from_secs(30),
            waiting_room_limit: None,
        }
    }
}
