//! What stands before the node as a reverse proxy may: it wants a password, or has lost the node. What
//! it answers in the node's place stands in the journal all the same.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::journal::Answered;
use super::{Site, api};
use crate::fault::Fault;
use crate::settings::HttpCredentials;

/// What proxies say, in the form they say it: HTML, where clients of the API expect JSON.
const UNAUTHORIZED: &str =
    "<html><head><title>401 Authorization Required</title></head><body></body></html>\r\n";
const BAD_GATEWAY: &str =
    "<html><head><title>502 Bad Gateway</title></head><body></body></html>\r\n";

/// Lets a request through to the node, or answers in its place.
pub(super) async fn pass(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if let Some(credentials) = &site.credentials
        && !credentials.admit(request.headers())
    {
        note(&site, &request, StatusCode::UNAUTHORIZED, UNAUTHORIZED);
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"Conferencing\"")];
        return (StatusCode::UNAUTHORIZED, challenge, Html(UNAUTHORIZED)).into_response();
    }
    if site.faults.has(Fault::BadGateway) && request.uri().path().starts_with("/api/") {
        note(&site, &request, StatusCode::BAD_GATEWAY, BAD_GATEWAY);
        return (StatusCode::BAD_GATEWAY, Html(BAD_GATEWAY)).into_response();
    }
    next.run(request).await
}

/// Writes down a request to the API that did not reach the node. Its body has not been read.
fn note(site: &Site, request: &Request, status: StatusCode, body: &str) {
    let path = request.uri().path();
    if !path.starts_with("/api/") {
        return;
    }
    let token = api::token(request.headers(), request.uri());
    site.journal.request(Answered {
        who: token.and_then(|token| site.journal.whose(&token)),
        method: request.method().as_str(),
        path,
        status: status.as_u16(),
        took: Duration::ZERO,
        body: &[],
        body_out: Some(body.len() as u64),
        refusal: Some(
            match status {
                StatusCode::UNAUTHORIZED => {
                    "the user name and password of HTTP Basic are missing or wrong"
                }
                _ => "answered by a proxy in the node's place",
            }
            .to_owned(),
        ),
    });
}

impl HttpCredentials {
    /// Whether these are the ones a request comes with (RFC 7617 §2).
    fn admit(&self, headers: &HeaderMap) -> bool {
        let given = || {
            let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
            let (scheme, encoded) = value.split_once(' ')?;
            let decoded = STANDARD.decode(encoded.trim()).ok()?;
            scheme.eq_ignore_ascii_case("basic").then_some(decoded)
        };
        let wanted = format!("{}:{}", self.user, self.password.expose());
        given().is_some_and(|given| given == wanted.as_bytes())
    }
}
