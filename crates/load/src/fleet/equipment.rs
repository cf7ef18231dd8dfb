//! What callers are made of, besides the scenario.

use std::sync::Arc;
use std::time::Duration;

use driver::{HttpClient, Material, Network, Shards};

use crate::Voice;
use crate::generator::GeneratorLimits;

/// How HTTP connections are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connections {
    /// Each caller has its own, as callers do.
    #[default]
    PerCaller,
    /// All callers share one pool, which spares the generator and the node handshakes.
    Shared,
}

/// What callers are made of, besides the scenario.
#[derive(Debug, Clone)]
pub struct Equipment {
    /// Whom callers believe to be the node.
    pub client: HttpClient,
    /// How HTTP connections are used.
    pub connections: Connections,
    /// What talkers play; silence without.
    pub sound: Option<Arc<Material>>,
    /// What video senders play, sound included; a slate without.
    pub picture: Option<Arc<Material>>,
    /// What talkers and video senders play where there are marks, by their place in the conference;
    /// those beyond play what others do.
    pub voices: Vec<Voice>,
    /// How media uses the network.
    pub network: Network,
    /// What the generator can take.
    pub limits: GeneratorLimits,
    /// How long hanging up and releasing the token may take.
    pub leave_limit: Duration,
    /// The threads that callers run on.
    pub shards: Arc<Shards>,
}
