//! Why a request did not succeed.

use std::time::Duration;

use infinity::{Failure, Malformed, Refusal, Remedy};

/// Why a request to the Conferencing Node did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFailure {
    /// The node could not be reached, or went away before its answer was complete.
    #[error("the node cannot be reached ({0}): check its address and the network")]
    Unreachable(String),
    /// The node's certificate is not to be trusted.
    #[error(
        "the certificate of the node is not trusted ({0}): \
         give the certificate of its issuer, or correct the address"
    )]
    Untrusted(String),
    /// The node did not answer in time.
    #[error("the node did not answer within {0:?}: check the network, or try another node")]
    TimedOut(Duration),
    /// The node said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer was not what the API promises.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl From<Failure> for RequestFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal),
            Failure::Malformed(malformed) => Self::Malformed(malformed),
        }
    }
}

impl RequestFailure {
    /// Returns what is worth doing about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) | Self::Malformed(_) => Remedy::NextNode,
            Self::Untrusted(_) => Remedy::GiveUp,
            Self::Refused(refusal) => refusal.remedy(),
        }
    }

    /// Returns whether it says nothing of what we hold: the same may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Untrusted(_) | Self::TimedOut(_) | Self::Malformed(_) => {
                true
            }
            Self::Refused(refusal) => {
                matches!(refusal.remedy(), Remedy::Retry | Remedy::NextNode)
            }
        }
    }

    /// Returns whether it is unknown if the node has heard of the request at all.
    pub(crate) fn is_of_the_network(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::TimedOut(_) | Self::Malformed(_)
        )
    }
}
