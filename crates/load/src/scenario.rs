//! What a load test is to be: validated, and the same for every shard of it.

use std::time::Duration;

use driver::{ConferenceAlias, Impairment, NodeAddress, Pin};

use crate::Ramp;

/// A load test, as a plan is made of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scenario {
    /// The Conferencing Nodes; callers take them in turn.
    pub nodes: Vec<NodeAddress>,
    /// Hosts and domains that may be loaded though they are not this machine.
    pub allow: Vec<String>,
    /// The conferences; callers fill them evenly.
    pub conferences: Vec<ConferenceAlias>,
    /// The PIN of all conferences.
    pub pin: Option<Pin>,
    /// How many participants each conference gets.
    pub participants: usize,
    /// How many of them do more than to listen.
    pub roles: Roles,
    /// Name in the roster; `{n}` stands for the caller's number.
    pub display_name: String,
    /// Whether callers have video at all.
    pub video: bool,
    /// How callers arrive.
    pub ramp: Ramp,
    /// How long all stay once the last has arrived.
    pub hold: Duration,
    /// How long a churner stays each time.
    pub stay: Duration,
    /// How long a churner is away in between.
    pub away: Duration,
    /// How long one talker of a conference talks before the next does; `None`: all at once.
    pub turn: Option<Duration>,
    /// Whether what talkers and video senders play has marks, see [`crate::Voice`].
    pub marks: bool,
    /// How many callers decode what they receive, listeners before others.
    pub decoded: usize,
    /// What is wrong with the links of some callers, towards the node.
    pub impairment: Impairment,
    /// What is wrong with the same links from the node.
    pub inbound_impairment: Impairment,
    /// The share of callers whose links that are, 0 to 1.
    pub impaired_share: f64,
    /// Seed of all chance.
    pub seed: u64,
    /// More callers than this are refused.
    pub most_callers: usize,
}

/// How many participants of each conference do what; the others listen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles {
    /// Those who play the sound.
    pub talkers: usize,
    /// Those who play sound and picture.
    pub video_senders: usize,
    /// Those who come and go.
    pub churners: usize,
}

/// What a participant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sends silence and a slate, and receives.
    Listener,
    /// Plays the sound.
    Talker,
    /// Plays sound and picture.
    VideoSender,
    /// Listens, leaves, and comes back.
    Churner,
}

impl Role {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Talker => "talker",
            Self::VideoSender => "video sender",
            Self::Churner => "churner",
        }
    }
}

impl Roles {
    /// Returns what the participant at this place of a conference does, first come first.
    pub fn of(self, place: usize) -> Role {
        let video_senders = self.talkers + self.video_senders;
        if place < self.talkers {
            Role::Talker
        } else if place < video_senders {
            Role::VideoSender
        } else if place < video_senders + self.churners {
            Role::Churner
        } else {
            Role::Listener
        }
    }

    fn all(self) -> usize {
        self.talkers + self.video_senders + self.churners
    }
}

/// Why a scenario is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Nowhere to go.
    #[error("no node is given: name one")]
    NoNode,
    /// Nobody to go there.
    #[error("a load test needs at least one conference and one participant in it")]
    Nobody,
    /// More was asked for than the scenario allows.
    #[error(
        "{callers} callers are more than most_callers = {most} allows: raise it if that many are \
         meant"
    )]
    TooMany {
        /// So many.
        callers: usize,
        /// Allowed.
        most: usize,
    },
    /// More roles than participants.
    #[error(
        "{roles} talkers, video senders and churners do not fit into a conference of \
         {participants}: raise participants"
    )]
    TooManyRoles {
        /// Roles asked for.
        roles: usize,
        /// Participants there are.
        participants: usize,
    },
    /// A picture is to be sent in conferences without one.
    #[error("there are video senders in a test without video: set video = true")]
    VideoWithoutVideo,
    /// Churners that never stay.
    #[error("churners must stay for some time: give stay_seconds above 0")]
    ChurnWithoutStay,
    /// Marks that nobody makes or nobody finds.
    #[error(
        "marks are made by talkers and video senders, and found by callers that decode: set talkers \
         or video_senders, and decode_callers, above 0"
    )]
    MarksWithoutBothEnds,
    /// A node that was not meant to be loaded.
    #[error(
        "{host} is not this machine: a load test can hurt it and those who use it. If that is \
         meant, write allow = [\"{host}\"] into the scenario"
    )]
    NotAllowed {
        /// Its name.
        host: String,
    },
}

impl Scenario {
    /// Returns a scenario for one conference on `node`, with every other choice at its default.
    pub fn new(nodes: Vec<NodeAddress>, conferences: Vec<ConferenceAlias>) -> Self {
        Self {
            nodes,
            allow: Vec::new(),
            conferences,
            pin: None,
            participants: 10,
            roles: Roles {
                talkers: 1,
                ..Roles::default()
            },
            display_name: "Load {n}".to_owned(),
            video: false,
            ramp: Ramp::default(),
            hold: Duration::from_secs(30),
            stay: Duration::from_secs(10),
            away: Duration::from_secs(5),
            turn: None,
            marks: false,
            decoded: 0,
            impairment: Impairment::default(),
            inbound_impairment: Impairment::default(),
            impaired_share: 1.0,
            seed: 1,
            most_callers: 1000,
        }
    }

    /// How many callers there are.
    pub fn callers(&self) -> usize {
        self.conferences.len().saturating_mul(self.participants)
    }

    /// Says whether the caller of this number decodes what it receives: the first listeners do, or
    /// the last callers where there are too few.
    pub fn is_decoded(&self, number: usize) -> bool {
        let listeners = self.roles.all().saturating_mul(self.conferences.len());
        let first = listeners.min(self.callers().saturating_sub(self.decoded));
        (first..first.saturating_add(self.decoded)).contains(&number)
    }

    /// Checks that it makes sense and harms nobody it was not meant for.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), ScenarioError> {
        if self.nodes.is_empty() {
            return Err(ScenarioError::NoNode);
        }
        let callers = self.callers();
        if callers == 0 {
            return Err(ScenarioError::Nobody);
        }
        if callers > self.most_callers {
            return Err(ScenarioError::TooMany {
                callers,
                most: self.most_callers,
            });
        }
        if self.roles.all() > self.participants {
            return Err(ScenarioError::TooManyRoles {
                roles: self.roles.all(),
                participants: self.participants,
            });
        }
        if self.roles.video_senders > 0 && !self.video {
            return Err(ScenarioError::VideoWithoutVideo);
        }
        if self.roles.churners > 0 && self.stay.is_zero() {
            return Err(ScenarioError::ChurnWithoutStay);
        }
        let speakers = self.roles.talkers + self.roles.video_senders;
        if self.marks && (speakers == 0 || self.decoded == 0) {
            return Err(ScenarioError::MarksWithoutBothEnds);
        }
        for node in &self.nodes {
            let host = host(node);
            if !is_this_machine(node) && !self.allow.contains(&host) {
                return Err(ScenarioError::NotAllowed { host });
            }
        }
        Ok(())
    }
}

/// Returns the host or domain of a node, as `allow` spells it.
fn host(node: &NodeAddress) -> String {
    match node {
        NodeAddress::Url(url) => url.host_str().unwrap_or_default().to_owned(),
        NodeAddress::Domain(domain) => domain.clone(),
    }
}

fn is_this_machine(node: &NodeAddress) -> bool {
    let NodeAddress::Url(url) = node else {
        return false;
    };
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761 §6.3: never another machine.
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(node: &str) -> Scenario {
        let node = NodeAddress::Url(node.parse().expect("a URL"));
        Scenario::new(vec![node], vec!["meet".parse().expect("an alias")])
    }

    #[test]
    fn this_machine_may_be_loaded() {
        for node in [
            "http://127.0.0.1:8080",
            "https://[::1]:8443",
            "http://localhost",
        ] {
            assert_eq!(scenario(node).check(), Ok(()), "{node}");
        }
    }

    #[test]
    fn others_must_be_allowed_by_name() {
        for node in ["https://192.0.2.7", "https://node.example.com"] {
            let mut scenario = scenario(node);
            let error = scenario.check().expect_err("not this machine").to_string();
            assert!(error.contains("allow = [\""), "{error}");
            scenario.allow = vec![host(&scenario.nodes[0])];
            assert_eq!(scenario.check(), Ok(()));
        }
        let mut domain = scenario("http://127.0.0.1");
        domain.nodes = vec![NodeAddress::Domain("example.com".into())];
        assert!(domain.check().is_err());
    }

    #[test]
    fn too_many_are_refused_and_the_cap_can_be_raised() {
        let mut scenario = scenario("http://127.0.0.1");
        scenario.participants = 5000;
        assert!(matches!(
            scenario.check(),
            Err(ScenarioError::TooMany { callers: 5000, .. })
        ));
        scenario.most_callers = 5000;
        assert_eq!(scenario.check(), Ok(()));
    }

    #[test]
    fn listeners_decode_before_others() {
        let mut scenario = scenario("http://127.0.0.1");
        (scenario.participants, scenario.roles.talkers) = (4, 2);
        scenario
            .conferences
            .push("other".parse().expect("an alias"));
        let decoded = |scenario: &Scenario| -> Vec<usize> {
            let all = 0..scenario.callers();
            all.filter(|number| scenario.is_decoded(*number)).collect()
        };
        assert_eq!(decoded(&scenario), [0; 0]);
        scenario.decoded = 3;
        assert_eq!(
            decoded(&scenario),
            [4, 5, 6],
            "one in each conference first"
        );
        scenario.decoded = 6;
        assert_eq!(decoded(&scenario), [2, 3, 4, 5, 6, 7]);
        scenario.decoded = 99;
        assert_eq!(decoded(&scenario).len(), 8);
    }

    #[test]
    fn marks_need_somebody_who_makes_them_and_somebody_who_finds_them() {
        let mut scenario = scenario("http://127.0.0.1");
        scenario.marks = true;
        assert_eq!(scenario.check(), Err(ScenarioError::MarksWithoutBothEnds));
        scenario.decoded = 1;
        assert_eq!(scenario.check(), Ok(()));
        scenario.roles.talkers = 0;
        assert_eq!(scenario.check(), Err(ScenarioError::MarksWithoutBothEnds));
    }

    #[test]
    fn roles_fill_a_conference_in_order() {
        let roles = Roles {
            talkers: 1,
            video_senders: 1,
            churners: 1,
        };
        let of = |place| roles.of(place);
        assert_eq!(
            [of(0), of(1), of(2), of(3)],
            [
                Role::Talker,
                Role::VideoSender,
                Role::Churner,
                Role::Listener
            ]
        );
    }
}
