//! The token, held where it can be released whatever happens to the loop.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use infinity::{Command, Failure, Refusal, ReleaseToken, Request, Response};
use tracing::{info, warn};
use url::Url;

use crate::http::{HttpClient, shown};
use crate::rest::{self, RequestError};

/// How long releasing a token may take when nobody waits for it in good order any more.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);
/// With less time than this left, another try is not worth it.
const LEAST_LIMIT: Duration = Duration::from_millis(200);

/// The token in force, if there is one; shared by the loop and whoever watches over it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lease(Arc<Mutex<Option<Held>>>);

struct Held {
    node: Url,
    release: Request,
    expires_at: Instant,
    /// When the node was first told to take it back; it has not answered that yet.
    since: Option<Instant>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("node", &shown(&self.node))
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Lease {
    /// Takes note that a request is being made: it may be one to release the token.
    pub(crate) fn begun(&self, now: Instant, request: &Request) {
        if matches!(request.command, Command::ReleaseToken(_))
            && let Some(held) = &mut *self.lock()
            && held.release.token == request.token
        {
            held.since.get_or_insert(now);
        }
    }

    /// Takes note of how a request ended: it may have granted a token, replaced it, or ended it.
    pub(crate) fn ended(
        &self,
        now: Instant,
        node: &Url,
        request: &Request,
        result: &Result<Response, RequestError>,
    ) {
        let (token, life) = match result {
            Ok(Response::TokenGranted(granted)) => (granted.token.clone(), granted.expires),
            Ok(Response::TokenRefreshed(refreshed)) => (refreshed.token.clone(), refreshed.expires),
            Ok(Response::TokenReleased) => return self.forget(request),
            Err(error) if is_forgotten(error) => return self.forget(request),
            _ => return,
        };
        let release = Request {
            conference: request.conference.clone(),
            token: Some(token),
            command: Command::ReleaseToken(ReleaseToken::default()),
        };
        let expires_at = now + life;
        *self.lock() = Some(Held {
            node: node.clone(),
            release,
            expires_at,
            since: None,
        });
    }

    /// The token of `request` is good for nothing any more.
    fn forget(&self, request: &Request) {
        let mut held = self.lock();
        // A late answer about an older token says nothing about the one in force.
        if held
            .as_ref()
            .is_some_and(|held| held.release.token == request.token)
        {
            *held = None;
        }
    }

    /// Releases the token if there is one. Returns whether none is left behind.
    pub(crate) async fn release(&self, client: &HttpClient) -> bool {
        let Some(held) = self.lock().take() else {
            return true;
        };
        if Instant::now() >= held.expires_at {
            return true;
        }
        // A node that has had its time does not get it twice.
        let tried_for = held.since.map_or(Duration::ZERO, |since| since.elapsed());
        let limit = RELEASE_LIMIT.saturating_sub(tried_for);
        let result = if limit < LEAST_LIMIT {
            Err(RequestError::TimedOut(RELEASE_LIMIT))
        } else {
            rest::execute(client, &held.node, &held.release, Some(limit)).await
        };
        match result {
            Ok(_) => {
                info!("token released at last");
                true
            }
            Err(error) if is_forgotten(&error) => true,
            Err(error) => {
                let left = held.expires_at.saturating_duration_since(Instant::now());
                warn!(
                    ?error,
                    ?left,
                    "the token could not be released and will expire"
                );
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        // The value is replaced as a whole, so it is good after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says whether the node does not know the token any more, so that there is nothing to release.
fn is_forgotten(error: &RequestError) -> bool {
    matches!(
        error,
        RequestError::Answered(Failure::Refused(Refusal::InvalidToken))
    )
}
