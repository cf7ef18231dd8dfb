//! Carries out one request to a Conferencing Node.

use std::time::Duration;

use infinity::{Failure, Malformed, Method, Path, Refusal, Request, Response, Token};
use participant::RequestFailure;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use crate::Answer;
use crate::http::{HttpClient, Unreachable};

/// The largest answer that is read, in bytes; a roster of thousands fits.
const LARGEST_ANSWER: usize = 8 << 20;

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// The node could not be reached, or went away before it had answered.
    Unreachable(Unreachable),
    /// The node did not answer in time.
    TimedOut(Duration),
    /// The node answered, and not with success.
    Answered(Failure),
}

impl RequestError {
    /// Returns the kind of the error alone.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Unreachable(_) => Answer::Unreachable,
            Self::TimedOut(_) => Answer::TimedOut,
            Self::Answered(_) => Answer::Refused,
        }
    }

    /// Returns the error as the participant takes it.
    pub(crate) fn to_failure(&self) -> RequestFailure {
        match self {
            Self::Unreachable(why) if why.is_distrust() => RequestFailure::Untrusted(why.reason()),
            Self::Unreachable(why) => RequestFailure::Unreachable(why.reason()),
            Self::TimedOut(limit) => RequestFailure::TimedOut(*limit),
            Self::Answered(failure) => failure.clone().into(),
        }
    }
}

/// How long anything may take that has no other limit, such as `ack`, which may block until media
/// flows: a guard against a node that died without a word.
const LONGEST: Duration = Duration::from_secs(300);

/// How long a request that was passed on as it is written may take.
const AS_WRITTEN_LIMIT: Duration = Duration::from_secs(30);

/// How long a picture of the presentation may take.
pub(crate) const PICTURE_LIMIT: Duration = Duration::from_secs(15);

/// Sends `request` to `node` and reads the answer, within `limit`.
pub(crate) async fn execute(
    client: &HttpClient,
    node: &Url,
    request: &Request,
    limit: Option<Duration>,
) -> Result<Response, RequestError> {
    let limit = limit.unwrap_or(LONGEST);
    match tokio::time::timeout(limit, exchange(client, node, request)).await {
        Ok(result) => result,
        Err(_) => Err(RequestError::TimedOut(limit)),
    }
}

async fn exchange(
    client: &HttpClient,
    node: &Url,
    request: &Request,
) -> Result<Response, RequestError> {
    let path = request.path();
    let method = match path.method() {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let mut builder = client
        .request(method, api_url(node, &path.encode()))
        .map_err(RequestError::Unreachable)?;
    if let Some(token) = &request.token {
        builder = builder.header("token", token_header(token));
    }
    if let Some(pin) = request.command.pin() {
        builder = builder.header("pin", sensitive(pin.expose()));
    }
    if let Some(body) = request.command.body() {
        builder = builder.header(CONTENT_TYPE, "application/json").body(body);
    }
    let (code, body) = read(builder).await?;
    request
        .command
        .decode_response(code, &body)
        .map_err(RequestError::Answered)
}

/// Sends a request as it is written in the API guide, and returns the result as it came.
pub(crate) async fn as_written(
    client: &HttpClient,
    node: &Url,
    path: &Path,
    token: &Token,
    body: Option<&serde_json::Value>,
) -> Result<serde_json::Value, RequestError> {
    let method = match path.method() {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let mut builder = client
        .request(method, api_url(node, &path.encode()))
        .map_err(RequestError::Unreachable)?
        .header("token", token_header(token));
    if let Some(body) = body {
        builder = builder
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
    }
    let (code, body) = fetch(builder, AS_WRITTEN_LIMIT).await?;
    if !(200..300).contains(&code) {
        return Err(RequestError::Answered(Refusal::decode(code, &body).into()));
    }
    let answer = serde_json::from_slice::<serde_json::Value>(&body);
    answer
        .ok()
        .and_then(|mut answer| answer.get_mut("result").map(serde_json::Value::take))
        .ok_or_else(|| {
            let malformed = Malformed {
                request: "the request",
                detail: "it has no result".to_owned(),
            };
            RequestError::Answered(malformed.into())
        })
}

/// Sends a request that is not answered in JSON, and returns the HTTP status code and the body.
pub(crate) async fn fetch(
    builder: reqwest::RequestBuilder,
    limit: Duration,
) -> Result<(u16, Vec<u8>), RequestError> {
    match tokio::time::timeout(limit, read(builder)).await {
        Ok(result) => result,
        Err(_) => Err(RequestError::TimedOut(limit)),
    }
}

async fn read(builder: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), RequestError> {
    let mut response = builder.send().await.map_err(failed)?;
    let code = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            let detail = format!("the answer has more than {LARGEST_ANSWER} bytes");
            return Err(RequestError::Unreachable(Unreachable::Closed { detail }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((code, body))
}

/// Returns what went wrong while a request was made.
pub(crate) fn failed(error: reqwest::Error) -> RequestError {
    if error.is_timeout() {
        // The one time limit set in the client itself.
        return RequestError::TimedOut(crate::http::CONNECT_TIMEOUT);
    }
    RequestError::Unreachable(Unreachable::from_client(error))
}

/// Returns the address of `path` on `node`; a user name and password of the node's address stay.
pub(crate) fn api_url(node: &Url, path: &str) -> Url {
    let mut url = node.clone();
    // Already percent-encoded; `set_path` leaves that as it is.
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Returns the `token` header.
pub(crate) fn token_header(token: &Token) -> HeaderValue {
    sensitive(token.expose())
}

/// A header value that logs do not show; whatever cannot stand in a header is sent as an empty
/// one, which the node refuses as it would refuse the original.
fn sensitive(text: &str) -> HeaderValue {
    let mut value =
        HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_alias_reaches_the_wire_as_it_is() {
        let node = Url::parse("https://user:word@node.example:8443/?x#y").expect("valid");
        let url = api_url(&node, "/api/client/v2/conferences/a%2Fb%20%25/events");
        assert_eq!(
            url.as_str(),
            "https://user:word@node.example:8443/api/client/v2/conferences/a%2Fb%20%25/events"
        );
    }

    #[test]
    fn secrets_do_not_print_from_headers() {
        assert_eq!(format!("{:?}", sensitive("t0p-secret")), "Sensitive");
        assert_eq!(sensitive("line\nbreak"), "");
    }
}
