//! What stands before the node as a reverse proxy may: it wants a password, or has lost the node.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Site;
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
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"Conferencing\"")];
        return (StatusCode::UNAUTHORIZED, challenge, Html(UNAUTHORIZED)).into_response();
    }
    if site.faults.has(Fault::BadGateway) && request.uri().path().starts_with("/api/") {
        return (StatusCode::BAD_GATEWAY, Html(BAD_GATEWAY)).into_response();
    }
    next.run(request).await
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
