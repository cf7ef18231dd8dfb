//! The operator's view of the node: a page, and the JSON that it reads. No part of the client REST
//! API, and open to this machine alone or with the operator's token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, extract::Path};
use infinity::ParticipantUuid;
use serde_json::{Value, json};

use super::Site;

mod access;
mod call;
mod view;

/// One document, so that one request needs the token: what it loads besides is JSON.
const PAGE: &str = concat!(
    include_str!("../../../page/operator/head.html"),
    "<style>\n",
    include_str!("../../../page/operator/operator.css"),
    "</style>\n",
    include_str!("../../../page/operator/body.html"),
    "<script>\n",
    include_str!("../../../page/operator/operator.js"),
    "</script>\n</body>\n</html>\n",
);

/// Scripts and styles are the page's own, and what it shows was chosen by strangers.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Returns what is served below `/node/`, but for what the lobby of the page for everybody reads.
pub(super) fn routes(site: &Arc<Site>) -> Router<Arc<Site>> {
    Router::new()
        .route("/node", get(to_page))
        .route("/node/", get(page))
        .route("/node/state.json", get(state))
        .route("/node/log.json", get(nobodys_log))
        .route("/node/participants/{uuid}/log.json", get(log))
        .layer(middleware::from_fn_with_state(Arc::clone(site), guard))
}

/// Lets pass who may see it, and keeps what they see out of caches.
async fn guard(
    State(site): State<Arc<Site>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let admitted = access::admit(from, request.uri(), request.headers(), &site.operator);
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(refused) => return *refused,
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        // The token may stand in the address.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page's own addresses are relative to the folder.
async fn to_page(uri: Uri) -> Redirect {
    let query = uri.query().map(|query| format!("?{query}"));
    Redirect::permanent(&format!("/node/{}", query.unwrap_or_default()))
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, PAGE)
}

async fn state(State(site): State<Arc<Site>>) -> Json<Value> {
    Json(view::site(&site).await)
}

async fn log(State(site): State<Arc<Site>>, Path(uuid): Path<String>) -> Response {
    match site.journal.record(&ParticipantUuid::from(uuid)) {
        Some(record) => Json(view::log(&record)).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            "This node has no log of such a participant: it was never here, or left long ago.\n",
        )
            .into_response(),
    }
}

async fn nobodys_log(State(site): State<Arc<Site>>) -> Json<Value> {
    Json(json!({ "entries": site.journal.nobodys() }))
}
