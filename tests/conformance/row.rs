//! What a row of the table is, and what a run of it comes to.

use std::pin::Pin;

use node::NodeSettings;

use crate::scene::Scene;

/// What a story comes to: nothing, or why it stopped.
pub(crate) type Told = Result<(), Stop>;

/// A story while it is told. It stays on one thread: the calls of rows are closures that borrow.
pub(crate) type Telling<'a> = Pin<Box<dyn Future<Output = Told> + 'a>>;

/// Tells a story in a scene.
pub(crate) type Story = for<'a> fn(&'a mut Scene) -> Telling<'a>;

/// Why a story stopped.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// The caller did not get what it asked for.
    Asked(String),
    /// The others did not see what they should have.
    Observed(String),
    /// The node does not have this request (404).
    NotThere(String),
}

impl Stop {
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Asked(why) | Self::Observed(why) | Self::NotThere(why) => why,
        }
    }
}

/// What a node of version 10 makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum V10 {
    /// The same.
    Same,
    /// It has no such request: 404.
    NotFound,
    /// There is nothing that a client could ask for.
    Nothing,
}

/// How far a row goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it: what the room hears and sees included, where the request is about that.
    Full,
    /// Request, rights and events; its media is not observed.
    Wire,
}

/// By whose hand the calls of a story are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    /// The library's handles.
    Library,
    /// `standin api`.
    Api,
}

/// How a TURN server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Udp,
    Tcp,
    Tls,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    pub(crate) story: Story,
    /// What the node cannot do without if the row is to hold, each by itself.
    pub(crate) handlers: Vec<&'static str>,
    /// Names of fixtures, such as `event/stage`, without ending.
    pub(crate) fixtures: Vec<&'static str>,
    /// The conferences of its node; the first is where the story plays.
    pub(crate) conferences: Vec<&'static str>,
    pub(crate) faults: Vec<&'static str>,
    /// What else is special about its node.
    pub(crate) node: fn(&mut NodeSettings),
    /// The TURN server through which alone media goes, as a URI without its port.
    pub(crate) turn: Option<Turn>,
    /// How long tokens live, in seconds.
    pub(crate) token_life: u64,
    /// How long guests wait, in seconds.
    pub(crate) waiting_room_life: u64,
    pub(crate) v10: V10,
    pub(crate) extent: Extent,
    /// Whether sound or pictures flow: such rows take turns.
    pub(crate) has_media: bool,
    /// Whether the request is one that scripts make; what a participant does by itself is not.
    pub(crate) has_api: bool,
}

impl Row {
    pub(crate) fn new(group: &'static str, name: &'static str, story: Story) -> Self {
        Self {
            group,
            name,
            story,
            handlers: Vec::new(),
            fixtures: Vec::new(),
            conferences: vec!["meet,pin=1234,guest_pin=none"],
            faults: Vec::new(),
            node: |_| (),
            turn: None,
            token_life: 120,
            waiting_room_life: 900,
            v10: V10::Same,
            extent: Extent::Full,
            has_media: false,
            has_api: true,
        }
    }

    /// Names what the node cannot do without.
    pub(crate) fn needs(mut self, handlers: &[&'static str]) -> Self {
        self.handlers.extend(handlers);
        self
    }

    pub(crate) fn fixtures(mut self, fixtures: &[&'static str]) -> Self {
        self.fixtures.extend(fixtures);
        self
    }

    pub(crate) fn conferences(mut self, conferences: &[&'static str]) -> Self {
        self.conferences = conferences.to_vec();
        self
    }

    pub(crate) fn fault(mut self, fault: &'static str) -> Self {
        self.faults.push(fault);
        self
    }

    pub(crate) fn node(mut self, adjust: fn(&mut NodeSettings)) -> Self {
        self.node = adjust;
        self
    }

    /// Media goes through a TURN server alone.
    pub(crate) fn turn(mut self, turn: Turn) -> Self {
        self.turn = Some(turn);
        self
    }

    pub(crate) fn token_life(mut self, seconds: u64) -> Self {
        self.token_life = seconds;
        self
    }

    pub(crate) fn waiting_room_life(mut self, seconds: u64) -> Self {
        self.waiting_room_life = seconds;
        self
    }

    /// Version 10 answers 404.
    pub(crate) fn later(mut self) -> Self {
        self.v10 = V10::NotFound;
        self
    }

    /// Version 10 knows nothing of the kind, and nobody could ask.
    pub(crate) fn unknown_to_v10(mut self) -> Self {
        self.v10 = V10::Nothing;
        self
    }

    pub(crate) fn wire(mut self) -> Self {
        self.extent = Extent::Wire;
        self
    }

    pub(crate) fn media(mut self) -> Self {
        self.has_media = true;
        self
    }

    pub(crate) fn by_participants_alone(mut self) -> Self {
        self.has_api = false;
        self
    }

    pub(crate) fn title(&self) -> String {
        format!("{}::{}", self.group, self.name)
    }
}

/// Makes rows of a group out of stories of the same names.
macro_rules! rows {
    ($group:literal: $($story:ident $(. $how:ident($($what:expr),*))*;)+) => {
        pub(crate) fn rows() -> Vec<$crate::row::Row> {
            vec![$(
                $crate::row::Row::new($group, stringify!($story), |scene| Box::pin($story(scene)))
                    $(.$how($($what),*))*,
            )+]
        }
    };
}
pub(crate) use rows;
