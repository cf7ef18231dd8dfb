//! The HTTP shell: requests in, answers and event streams out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderName, Method, header};
use axum::middleware;
use axum::routing::{any, get};
use infinity::{ConferenceAlias, Profile};
use media::Codec;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::fault::Faults;
use crate::operator::OperatorToken;
use crate::settings::HttpCredentials;

mod api;
mod decode;
mod event_stream;
mod figures;
mod front;
mod gateway;
mod journal;
mod listener;
mod operator;
mod page;
mod picture;
mod punctual;
mod reception;
mod served;

pub(crate) use gateway::Gateway;
pub(crate) use journal::Journal;
pub(crate) use punctual::PunctualAcceptor;
pub(crate) use reception::Reception;
pub(crate) use served::Served;

/// An offer with many codecs and candidates has some 20 KB.
const BODY_AT_MOST: usize = 256 * 1024;

/// How long a browser may remember that it is allowed to ask.
const PREFLIGHT_LIFE: Duration = Duration::from_secs(600);

/// What every request needs.
pub(crate) struct Site {
    pub(crate) conferences: Vec<Arc<Served>>,
    pub(crate) gateways: Vec<Arc<Gateway>>,
    pub(crate) receptions: Vec<Reception>,
    pub(crate) profile: Profile,
    pub(crate) faults: Faults,
    /// What a proxy before the node wants of everybody.
    pub(crate) credentials: Option<HttpCredentials>,
    /// How long the body of a request may take to come.
    pub(crate) patience: Duration,
    pub(crate) video_codecs: Vec<Codec>,
    pub(crate) token_life: Duration,
    pub(crate) operator: OperatorToken,
    pub(crate) journal: Arc<Journal>,
    pub(crate) started: Instant,
}

impl Site {
    /// Returns every conference, and every call through a gateway.
    pub(crate) fn all(&self) -> Vec<Arc<Served>> {
        let calls = self.gateways.iter().flat_map(|gateway| gateway.calls());
        self.conferences.iter().cloned().chain(calls).collect()
    }

    /// Finds the conference that `alias` leads to.
    fn conference(&self, alias: &str) -> Option<&Arc<Served>> {
        self.conferences
            .iter()
            .find(|served| served.is_called(alias))
    }
}

/// Whether `alias` is among these; compared without regard to case.
fn is_among(aliases: &[ConferenceAlias], alias: &str) -> bool {
    let alias = alias.to_lowercase();
    aliases
        .iter()
        .any(|one| one.as_str().to_lowercase() == alias)
}

/// Returns everything the node serves.
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/node/conferences.json", get(page::conferences))
        .route("/api/client/v2/{*path}", any(api::serve))
        .fallback(api::nothing_here)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&site),
            front::pass,
        ))
        .layer(cors())
        // Not for pages of other origins.
        .merge(operator::routes(&site))
        .with_state(site)
}

/// Browser clients come from other origins, with headers of their own.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers(AllowHeaders::list([
            HeaderName::from_static("token"),
            HeaderName::from_static("pin"),
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CACHE_CONTROL,
            HeaderName::from_static("last-event-id"),
        ]))
        .max_age(PREFLIGHT_LIFE)
}
