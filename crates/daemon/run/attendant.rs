//! One participant of a service: started, watched, stopped and started again, without regard to others.

use driver::{Outcome, RosterFacts};
use infinity::Role;
use peer::Shard;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{Instrument as _, info_span};

use super::events::Events;
use super::measured::Measured;
use super::playing::Played;
use super::remote::{Order, Remote};
use super::standing::Standing;
use crate::settings::RunSettings;

mod attending;

use attending::Attending;
pub(super) use attending::caller;

/// How many orders may wait.
const ORDERS: usize = 16;

/// A participant that is attended to.
#[derive(Debug)]
pub(crate) struct Attendant {
    /// What it is attended to with.
    pub(crate) settings: RunSettings,
    orders: mpsc::Sender<Order>,
    seen: watch::Receiver<Seen>,
    task: JoinHandle<Option<Outcome>>,
}

/// What a participant is to its service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Its end is the end of the service.
    pub(super) is_alone: bool,
    /// What it hears is decoded for its level.
    pub(super) is_measured: bool,
}

/// What is known of a participant, for whoever asks.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) standing: Standing,
    pub(crate) conference: String,
    pub(crate) display_name: String,
    /// The node it has asked for a token last.
    pub(crate) node: Option<String>,
    /// Who it is in the roster.
    pub(crate) participant_uuid: Option<String>,
    pub(crate) role: Option<Role>,
    pub(crate) roster: RosterFacts,
    /// It has been in the conference at some time.
    pub(crate) was_in: bool,
    /// Nobody attends to it any more.
    pub(crate) is_over: bool,
    pub(crate) measured: Measured,
    pub(crate) played: Played,
}

impl Attendant {
    /// Begins to attend to a participant.
    pub(super) fn begin(
        name: String,
        settings: RunSettings,
        shard: Shard,
        events: Events,
        part: Part,
    ) -> Self {
        let (give, orders) = mpsc::channel(ORDERS);
        let span = info_span!("participant", %name);
        let (attending, seen) = Attending::new(name, settings.clone(), shard, events, part);
        Self {
            settings,
            orders: give,
            seen,
            task: tokio::spawn(attending.run(orders).instrument(span)),
        }
    }

    /// Returns what is known of it.
    pub(crate) fn seen(&self) -> watch::Ref<'_, Seen> {
        self.seen.borrow()
    }

    /// Returns a way to give orders that outlives a look at this.
    pub(crate) fn remote(&self) -> Remote {
        Remote::new(self.orders.clone())
    }

    /// Waits for its end.
    pub(super) async fn ended(self) -> Option<Outcome> {
        self.task.await.ok().flatten()
    }
}
