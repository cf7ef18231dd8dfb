//! Gateways: aliases whose callers each have a call of their own to a far end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Instant, SystemTime};

use fastrand::Rng;
use infinity::{Capacity, ConferenceAlias, ConferencePath, Refusal, Token};
use peer::Shard;
use tokio::task::JoinSet;
use tracing::warn;

use super::{Journal, Served, is_among};
use crate::conference::{Conference, Rules};
use crate::conference_settings::ConferenceSettings;
use crate::room::RoomPlan;

/// So many calls has a gateway at a time and no more.
const CALLS_AT_MOST: usize = 200;

/// A gateway, and the calls that go through it.
pub(crate) struct Gateway {
    aliases: Vec<ConferenceAlias>,
    settings: ConferenceSettings,
    rules: Rules,
    plan: RoomPlan,
    shard: Shard,
    journal: Arc<Journal>,
    calls: Mutex<Calls>,
}

struct Calls {
    open: Vec<Arc<Served>>,
    seeds: Rng,
    /// One for each call; they end with the gateway at the latest.
    tasks: JoinSet<()>,
}

impl Gateway {
    pub(crate) fn new(
        settings: ConferenceSettings,
        rules: Rules,
        plan: RoomPlan,
        shard: Shard,
        seed: u64,
        journal: Arc<Journal>,
    ) -> Self {
        Self {
            aliases: settings.all_aliases().cloned().collect(),
            settings,
            rules,
            plan,
            shard,
            journal,
            calls: Mutex::new(Calls {
                open: Vec::new(),
                seeds: Rng::with_seed(seed),
                tasks: JoinSet::new(),
            }),
        }
    }

    pub(super) fn alias(&self) -> &ConferenceAlias {
        &self.settings.alias
    }

    pub(super) fn is_called(&self, alias: &str) -> bool {
        is_among(&self.aliases, alias)
    }

    /// Returns the calls that are going on.
    pub(crate) fn calls(&self) -> Vec<Arc<Served>> {
        self.lock().open.clone()
    }

    /// Finds the call that a request is for: a new one for a newcomer, or the one of its token.
    ///
    /// # Errors
    /// When nobody in a call has this token, or there are too many calls.
    pub(super) fn connect(
        self: &Arc<Self>,
        path: &ConferencePath,
        token: Option<&Token>,
    ) -> Result<Arc<Served>, Refusal> {
        if *path == ConferencePath::RequestToken {
            return self.open();
        }
        let calls = self.lock();
        let call = calls
            .open
            .iter()
            .find(|served| token.is_some_and(|token| served.knows(token)));
        call.cloned().ok_or(Refusal::InvalidToken)
    }

    fn open(self: &Arc<Self>) -> Result<Arc<Served>, Refusal> {
        let mut calls = self.lock();
        if calls.open.len() >= CALLS_AT_MOST {
            return Err(Refusal::CapacityReached(Capacity::Transcoding));
        }
        let (room, reports) = self.plan.open(self.shard.clone()).map_err(|error| {
            warn!(gateway = %self.settings.alias, %error, "no room for a call");
            Refusal::CapacityReached(Capacity::Transcoding)
        })?;
        let unix_time = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let conference = Conference::new(
            self.settings.clone(),
            self.rules.clone(),
            Instant::now(),
            unix_time,
            calls.seeds.u64(..),
        );
        let served = Arc::new(Served::new(
            self.settings.alias.clone(),
            self.rules.profile,
            conference,
            room,
            Arc::clone(&self.journal),
        ));
        calls.open.push(Arc::clone(&served));
        // Tasks that have ended are taken from the set, or it would grow with every call.
        while calls.tasks.try_join_next().is_some() {}
        let (gateway, call) = (Arc::downgrade(self), Arc::clone(&served));
        calls.tasks.spawn(async move {
            Arc::clone(&call).run(reports).await;
            if let Some(gateway) = Weak::upgrade(&gateway) {
                let mut calls = gateway.lock();
                calls.open.retain(|one| !Arc::ptr_eq(one, &call));
            }
        });
        Ok(served)
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // Nothing here panics half-way through a change.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
