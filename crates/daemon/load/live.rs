//! The live page of a load test, and its figures for Prometheus, served while it runs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::response::sse::{KeepAlive, Sse};
use axum::routing::get;
use axum_server::Handle;
use load::{Progress, RunResult, report};
use tokio::task::JoinHandle;
use tracing::warn;

mod feed;

use feed::Feed;

const SCRIPT: &str = include_str!("live/page.js");

/// The page has nothing from elsewhere, and nobody may put it into theirs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long pages that are open have to take in the end of it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the page shows, shared with whoever serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    shown: Arc<Mutex<report::Live>>,
    feed: Feed,
}

/// The page being served.
#[derive(Debug)]
pub(super) struct Serving {
    /// Where.
    pub(super) address: SocketAddr,
    feed: Feed,
    handle: Handle<SocketAddr>,
    server: JoinHandle<()>,
}

impl Live {
    /// Begins to serve it at `address`.
    pub(super) fn serve(&self, address: SocketAddr) -> std::io::Result<Serving> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let app = Router::new()
            .route("/", get(page))
            .route("/page.js", get(script))
            .route("/events", get(events))
            .route("/metrics", get(metrics))
            .with_state(self.clone());
        let handle = Handle::new();
        let server = axum_server::from_tcp(listener)?.handle(handle.clone());
        let server = tokio::spawn(async move {
            if let Err(error) = server.serve(app.into_make_service()).await {
                warn!(%error, "the live page ended");
            }
        });
        Ok(Serving {
            address,
            feed: self.feed.clone(),
            handle,
            server,
        })
    }

    /// Takes note of how far the test has come.
    pub(super) fn shows(&self, progress: &Progress) {
        let mut shown = self.lock();
        shown.shows(progress);
        self.feed.put(&shown, false);
    }

    /// Takes note of what became of the test.
    pub(super) fn ended(&self, result: &RunResult) {
        let mut shown = self.lock();
        shown.ended(result);
        self.feed.put(&shown, true);
    }

    fn lock(&self) -> MutexGuard<'_, report::Live> {
        // A page that was half drawn is drawn anew.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Serving {
    /// Ends it, once every page that is open shows what there is to see last.
    pub(super) async fn close(self) {
        self.feed.close();
        self.handle.graceful_shutdown(Some(LAST_WORDS));
        // It ends by itself, and what it had to say is said.
        let _ = self.server.await;
    }
}

/// What every answer says of itself.
fn headers(content_type: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}

async fn page(State(live): State<Live>) -> impl IntoResponse {
    let (now, plots) = {
        let shown = live.lock();
        (shown.now(Instant::now()), shown.plots())
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Standin load test, live</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{}</style>\n\
         <main>\n<p class=\"over\" id=\"over\" role=\"status\" hidden></p>\n<div id=\"now\">\n{now}</div>\n\
         <div id=\"plots\">\n{plots}</div>\n</main>\n<script src=\"page.js\"></script>\n</html>\n",
        report::STYLE,
    );
    (headers("text/html; charset=utf-8"), page)
}

async fn script() -> impl IntoResponse {
    (headers("text/javascript; charset=utf-8"), SCRIPT)
}

async fn events(State(live): State<Live>) -> impl IntoResponse {
    let events = Sse::new(live.feed.events()).keep_alive(KeepAlive::default());
    ([(header::CACHE_CONTROL, "no-store")], events)
}

async fn metrics(State(live): State<Live>) -> impl IntoResponse {
    let latest = live.lock().latest().map(|latest| latest.so_far.clone());
    let text = latest.and_then(|so_far| so_far.read(report::open_metrics));
    let text = text.unwrap_or_else(|| report::Exposition::default().end());
    (headers(report::CONTENT_TYPE), text)
}
