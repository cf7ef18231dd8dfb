//! What every answer is wrapped in: `{"status": …, "result": …}`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Profile, Refusal};

/// An answer as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status code.
    pub code: u16,
    /// The body, JSON.
    pub body: String,
}

impl Reply {
    /// Returns the answer to a request that was done.
    pub(crate) fn success(result: &Value) -> Self {
        Self {
            code: 200,
            body: json!({ "status": "success", "result": result }).to_string(),
        }
    }

    /// Returns the answer to a request that was refused.
    ///
    /// A 403 says "success" as real nodes do, meaning that the request was processed; official
    /// clients demand "failed" with every other code, and none accepts the guide's "failure".
    pub(crate) fn refused(code: u16, result: &Value) -> Self {
        let status = if code == 403 { "success" } else { "failed" };
        Self {
            code,
            body: json!({ "status": status, "result": result }).to_string(),
        }
    }
}

/// Why a request that was answered did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The node said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The node said something that the API does not allow.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// An answer that is not what the API promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the answer to {request} is not what a Conferencing Node sends ({detail}): \
     check that the address is one"
)]
pub struct Malformed {
    /// The request that was answered so.
    pub request: &'static str,
    /// What is wrong with it.
    pub detail: String,
}

impl Malformed {
    /// Returns the error for an answer to `request` that serde could not read.
    pub(crate) fn new(request: &'static str, error: &serde_json::Error) -> Self {
        // Not serde's own words, which quote what it found: it may be a token.
        let detail = format!(
            "{} at line {} column {}",
            match error.classify() {
                serde_json::error::Category::Io => "cannot be read",
                serde_json::error::Category::Syntax => "not JSON",
                serde_json::error::Category::Data => "a field is missing or of the wrong type",
                serde_json::error::Category::Eof => "it ends in the middle",
            },
            error.line(),
            error.column()
        );
        Self { request, detail }
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    result: T,
}

/// Reads the `result` of a successful answer, whatever its `status` says.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(
    request: &'static str,
    body: &[u8],
) -> Result<T, Malformed> {
    serde_json::from_slice(body)
        .map(|envelope: Envelope<T>| envelope.result)
        .map_err(|error| Malformed::new(request, &error))
}

/// Returns `value` as JSON; in version 10 with the fields `v10` alone.
pub(crate) fn to_json<T: Serialize>(value: &T, profile: Profile, v10: &[&str]) -> Value {
    // Only maps with keys other than texts could fail, and there are none in the API.
    let mut json = serde_json::to_value(value).unwrap_or_default();
    if let (Profile::V10, Value::Object(fields)) = (profile, &mut json) {
        fields.retain(|name, _| v10.contains(&name.as_str()));
    }
    json
}
