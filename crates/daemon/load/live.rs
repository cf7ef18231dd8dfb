//! The live page of a load test, and its figures for Prometheus, served while it runs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;
use load::{Progress, report};
use tracing::warn;

const SCRIPT: &str = include_str!("live/page.js");

/// The page has nothing from elsewhere, and nobody may put it into theirs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page shows, shared with whoever serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Live(Arc<Mutex<report::Live>>);

impl Live {
    /// Serves it at `address`, for as long as the process lives. Returns where.
    pub(super) fn serve(&self, address: SocketAddr) -> std::io::Result<SocketAddr> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        let app = Router::new()
            .route("/", get(page))
            .route("/page.js", get(script))
            .route("/now", get(now))
            .route("/metrics", get(metrics))
            .with_state(self.clone());
        let server = axum_server::from_tcp(listener)?;
        tokio::spawn(async move {
            if let Err(error) = server.serve(app.into_make_service()).await {
                warn!(%error, "the live page ended");
            }
        });
        Ok(bound)
    }

    /// Takes note of how far the test has come.
    pub(super) fn shows(&self, progress: &Progress) {
        self.lock().shows(progress);
    }

    fn lock(&self) -> MutexGuard<'_, report::Live> {
        // A page that was half drawn is drawn anew.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Standin load test, live</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{}</style>\n\
         <main id=\"live\">\n{}</main>\n<script src=\"page.js\"></script>\n</html>\n",
        report::STYLE,
        live.lock().html()
    );
    (headers("text/html; charset=utf-8"), page)
}

async fn script() -> impl IntoResponse {
    (headers("text/javascript; charset=utf-8"), SCRIPT)
}

async fn now(State(live): State<Live>) -> impl IntoResponse {
    (headers("text/html; charset=utf-8"), live.lock().html())
}

async fn metrics(State(live): State<Live>) -> impl IntoResponse {
    let latest = live.lock().latest().map(|latest| latest.so_far.clone());
    let text = latest.and_then(|so_far| so_far.read(report::open_metrics));
    // Nothing measured yet is an exposition too (OpenMetrics 1.0, Overall Structure).
    let text = text.unwrap_or_else(|| "# EOF\n".to_owned());
    (headers(report::CONTENT_TYPE), text)
}
