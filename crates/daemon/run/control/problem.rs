//! Why something asked of a running service was not done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use driver::api::ApiError;
use media::MediaError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::run::company::CompanyError;
use crate::run::playing::NotPlayed;

/// Why something was not done.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    said: Said,
}

/// Why something was not done, for people.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Said {
    /// One sentence that says what is wrong and, where it is known, what to do.
    pub(crate) error: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: impl ToString) -> Self {
        let error = error.to_string();
        Self {
            status,
            said: Said { error },
        }
    }

    pub(super) fn wrong(error: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.said)).into_response()
    }
}

impl From<CompanyError> for Problem {
    fn from(error: CompanyError) -> Self {
        let status = match error {
            CompanyError::Unknown(_) => StatusCode::NOT_FOUND,
            CompanyError::Wrong(_) => StatusCode::CONFLICT,
        };
        Self::new(status, error)
    }
}

impl From<NotPlayed> for Problem {
    fn from(error: NotPlayed) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }
}

impl From<MediaError> for Problem {
    fn from(error: MediaError) -> Self {
        Self::wrong(error)
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let status = match &error {
            ApiError::NotIn { .. } | ApiError::NotDone { .. } => StatusCode::CONFLICT,
            ApiError::NotOurs { .. } => StatusCode::BAD_REQUEST,
            // It is the node that would not or could not; nothing is wrong with the service that says so.
            _ => StatusCode::FAILED_DEPENDENCY,
        };
        Self::new(status, error)
    }
}
