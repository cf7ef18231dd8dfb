//! Why a request did not succeed, for whoever makes one.

use std::time::Duration;

use infinity::{Failure, Malformed, Refusal, Remedy};
use url::Url;

use crate::DiscoveryError;
use crate::rest::RequestError;

/// Why a request did not succeed; each text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The node refused.
    #[error("{request}: {refusal}")]
    Refused {
        /// The request, as the API spells it.
        request: &'static str,
        /// Why.
        refusal: Refusal,
    },
    /// The node answered that it did not do it.
    #[error("{request}: the node did not do it and does not say why; look at the roster")]
    NotDone {
        /// The request, as the API spells it.
        request: &'static str,
    },
    /// The node cannot be reached, or cannot be trusted.
    #[error("{0}")]
    Unreachable(String),
    /// The node did not answer in time.
    #[error("{request}: no answer within {} s; check the network, or try again", limit.as_secs_f64())]
    TimedOut {
        /// The request, as the API spells it.
        request: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The answer is not one of this API.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The domain has no node for us.
    #[error(transparent)]
    NoNode(#[from] DiscoveryError),
    /// There is no token to make the request with.
    #[error("{request}: there is no token; ask for one with request_token first")]
    NoToken {
        /// The request, as the API spells it.
        request: &'static str,
    },
    /// The running participant is not in a conference, or no longer.
    #[error("{request}: the participant is not in a conference at the moment")]
    NotIn {
        /// The request, as the API spells it.
        request: &'static str,
    },
    /// The running participant looks after its token by itself.
    #[error("{request}: the running participant sees to its token itself; stop it instead")]
    NotOurs {
        /// The request, as the API spells it.
        request: &'static str,
    },
    /// The event stream is over.
    #[error("the event stream ended: {0}")]
    StreamEnded(String),
}

impl ApiError {
    /// Returns what became of `request` to `node`.
    pub(crate) fn of(node: &Url, request: &'static str, error: RequestError) -> Self {
        match error {
            RequestError::Unreachable(why) => Self::Unreachable(why.at(node)),
            RequestError::TimedOut(limit) => Self::TimedOut { request, limit },
            RequestError::Answered(Failure::Refused(refusal)) => Self::Refused { request, refusal },
            RequestError::Answered(Failure::Malformed(malformed)) => Self::Malformed(malformed),
        }
    }

    /// An answer that does not belong to the request.
    pub(crate) fn mismatch(request: &'static str) -> Self {
        Self::Malformed(Malformed {
            request,
            detail: "it belongs to another request".to_owned(),
        })
    }

    /// Returns the node's refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Returns what is worth doing about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Refused { refusal, .. } => refusal.remedy(),
            Self::Unreachable(_) | Self::Malformed(_) | Self::TimedOut { .. } => Remedy::NextNode,
            Self::StreamEnded(_) => Remedy::Retry,
            Self::NoToken { .. } => Remedy::JoinAgain,
            Self::NotDone { .. } | Self::NoNode(_) | Self::NotIn { .. } | Self::NotOurs { .. } => {
                Remedy::GiveUp
            }
        }
    }
}
