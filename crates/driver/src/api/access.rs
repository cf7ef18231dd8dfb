//! Whose token requests carry, and where they go.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use infinity::{Command, ConferenceAlias, ParticipantUuid, ReleaseToken, Request, Token};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};
use url::Url;

use super::ApiError;
use crate::http::{HttpClient, shown};
use crate::rest;
use crate::run::Order;

/// Who asks, at which node, for which conference.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) node: Url,
    pub(crate) conference: ConferenceAlias,
    pub(crate) participant: ParticipantUuid,
    pub(crate) token: Token,
}

/// A token and what belongs to it, to be kept over the end of the process.
///
/// Its `Debug` hides the token, and a user name and password in the node's address.
#[derive(Clone, PartialEq, Eq)]
pub struct Membership {
    /// The node that gave it; no other one knows it.
    pub node: Url,
    /// The conference it is for.
    pub conference: ConferenceAlias,
    /// The participant that the token stands for.
    pub participant: ParticipantUuid,
    /// The token.
    pub token: Token,
    /// When it expires, as far as this clock can tell.
    pub expires_at: SystemTime,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("node", &shown(&self.node))
            .field("conference", &self.conference)
            .field("participant", &self.participant)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("node", &shown(&self.node))
            .field("conference", &self.conference)
            .field("participant", &self.participant)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("node", &shown(&self.node))
            .field("conference", &self.conference)
            .field("membership", &self.membership())
            .finish_non_exhaustive()
    }
}

/// Where the token comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// It is ours.
    Own(Box<Own>),
    /// It is that of a running caller, which is asked each time.
    Caller(mpsc::WeakUnboundedSender<Order>),
}

/// A place to ask, and a token of our own once there is one.
pub(super) struct Own {
    pub(super) client: HttpClient,
    pub(super) node: Url,
    pub(super) conference: ConferenceAlias,
    held: Mutex<Option<Held>>,
    /// Whatever changes the token does so alone.
    pub(super) changing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
struct Held {
    membership: Membership,
    /// Whether somebody else sees to its release.
    is_borrowed: bool,
}

impl Own {
    pub(super) fn new(client: HttpClient, node: Url, conference: ConferenceAlias) -> Self {
        Self {
            client,
            node,
            conference,
            held: Mutex::new(None),
            changing: Arc::default(),
        }
    }

    pub(super) fn borrow(&self, membership: Membership) {
        *self.lock() = Some(Held {
            membership,
            is_borrowed: true,
        });
    }

    /// Takes a new token, which lives for `life` from now on, in place of what there was.
    pub(super) fn hold(&self, participant: ParticipantUuid, token: Token, life: Duration) {
        let now = SystemTime::now();
        let membership = Membership {
            node: self.node.clone(),
            conference: self.conference.clone(),
            participant,
            token,
            expires_at: now.checked_add(life).unwrap_or(now),
        };
        let mut held = self.lock();
        let is_borrowed = held.as_ref().is_some_and(|held| held.is_borrowed);
        *held = Some(Held {
            membership,
            is_borrowed,
        });
    }

    /// Leaves the release of the token to somebody else, and returns it.
    pub(super) fn lend(&self) -> Option<Membership> {
        let mut held = self.lock();
        let held = held.as_mut()?;
        held.is_borrowed = true;
        Some(held.membership.clone())
    }

    pub(super) fn membership(&self) -> Option<Membership> {
        self.lock().as_ref().map(|held| held.membership.clone())
    }

    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        // The value is replaced as a whole, so it is good after a panic elsewhere.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token that nobody released and nobody else sees to is released when its last handle goes.
impl Drop for Own {
    fn drop(&mut self) {
        let Some(held) = self.lock().take().filter(|held| !held.is_borrowed) else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            warn!("no runtime to release the token on; it will expire");
            return;
        };
        let client = self.client.clone();
        let node = self.node.clone();
        let command = Command::ReleaseToken(ReleaseToken::default());
        let limit = participant::time_limit(&command);
        let request = Request {
            conference: self.conference.clone(),
            token: Some(held.membership.token),
            command,
        };
        runtime.spawn(async move {
            if let Err(error) = rest::execute(&client, &node, &request, limit).await {
                debug!(?error, "the token could not be released; it will expire");
            }
        });
    }
}

impl Source {
    /// Returns what `request` is to be made with.
    pub(super) async fn access(&self, request: &'static str) -> Result<Access, ApiError> {
        match self {
            Self::Own(own) => {
                let Membership {
                    participant, token, ..
                } = own.membership().ok_or(ApiError::NoToken { request })?;
                Ok(Access {
                    node: own.node.clone(),
                    conference: own.conference.clone(),
                    participant,
                    token,
                })
            }
            Self::Caller(orders) => {
                let (answer, asked) = oneshot::channel();
                let not_in = || ApiError::NotIn { request };
                let orders = orders.upgrade().ok_or_else(not_in)?;
                orders
                    .send(Order::Introduce(answer))
                    .map_err(|_| not_in())?;
                drop(orders);
                asked.await.map_err(|_| not_in())
            }
        }
    }
}
