//! How an operator reaches a running service: HTTP with JSON, on a Unix socket and by TCP.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use node::OperatorToken;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::company::Company;
use crate::exit::Failure;
use crate::settings::ControlSettings;

mod bodies;
mod metrics;
mod openapi;
mod playing;
mod problem;
mod routes;

pub(crate) use openapi::description;

/// Whoever is in this group may use the socket.
const GROUP: &str = "standin";

/// What is asked without a token: whoever starts and stops services asks it over and over.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// The control being served; it ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Control {
    socket: Option<PathBuf>,
    servers: Vec<JoinHandle<()>>,
}

impl Control {
    /// Begins to serve it.
    pub(super) async fn begin(
        settings: &ControlSettings,
        company: &Arc<Company>,
    ) -> Result<Self, Failure> {
        let mut control = Self::default();
        let routes = || routes::router(Arc::clone(company));
        if let Some(path) = &settings.socket {
            let listener = bind(path).await.map_err(|error| {
                let path = path.display();
                Failure::failed(format!("cannot listen on the socket {path}: {error}"))
            })?;
            control.socket = Some(path.clone());
            info!(path = %path.display(), "control");
            control.spawn(axum::serve(listener, routes()).into_future());
        }
        if let Some((address, token)) = &settings.listen {
            let cannot =
                |error: io::Error| Failure::failed(format!("cannot listen on {address}: {error}"));
            let listener = TcpListener::bind(address).await.map_err(cannot)?;
            let address = listener.local_addr().map_err(cannot)?;
            info!(%address, "control");
            let routes = routes().layer(middleware::from_fn_with_state(token.clone(), guard));
            control.spawn(axum::serve(listener, routes).into_future());
        }
        Ok(control)
    }

    fn spawn(&mut self, server: impl Future<Output = io::Result<()>> + Send + 'static) {
        self.servers.push(tokio::spawn(async move {
            if let Err(error) = server.await {
                warn!(%error, "the control ended");
            }
        }));
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
        if let Some(socket) = &self.socket {
            // Whoever comes next takes a socket that nobody listens on for a stale one.
            let _ = fs::remove_file(socket);
        }
    }
}

/// Binds the socket for its owner and its group, in place of one that nobody listens on.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Ok(found) = fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(io::Error::other("something else than a socket is there"));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::other("another service listens there"));
        }
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    if let Some(group) = group() {
        // Only root, and whoever is in the group, may give it away.
        if let Err(error) = chown(path, None, Some(group)) {
            warn!(%error, "the socket keeps its group: {GROUP} cannot be given it");
        }
    }
    Ok(listener)
}

/// Returns the id of the group, if there is one (group(5)).
fn group() -> Option<u32> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(GROUP)).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// Lets by who brings the token (RFC 6750 §2.1).
async fn guard(State(token): State<OperatorToken>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    if OPEN.contains(&request.uri().path()) || given.is_some_and(|given| token.is(given)) {
        return next.run(request).await;
    }
    let problem = problem::Problem::new(
        StatusCode::UNAUTHORIZED,
        "bring the token of the control: Authorization: Bearer …",
    );
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}
