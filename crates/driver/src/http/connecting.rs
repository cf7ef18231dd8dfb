//! How long connecting takes: the name, and all of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use reqwest::dns::{Name, Resolve, Resolving};
use tower_layer::Layer;
use tower_service::Service;

use super::Connecting;
use crate::names::Names;

/// Looks up names as [`Names`] does, and takes note of how long the first time took.
#[derive(Debug, Clone)]
pub(super) struct TimedNames {
    pub(super) names: Names,
    pub(super) connecting: Arc<Mutex<Connecting>>,
}

impl Resolve for TimedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolving, connecting) = (self.names.resolve(name), Arc::clone(&self.connecting));
        Box::pin(async move {
            let began = Instant::now();
            let resolved = resolving.await;
            lock(&connecting).name.get_or_insert(began.elapsed());
            resolved
        })
    }
}

/// Takes note of how long the first connection took.
#[derive(Debug, Clone)]
pub(super) struct Timing(pub(super) Arc<Mutex<Connecting>>);

impl<S> Layer<S> for Timing {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed {
            inner,
            connecting: Arc::clone(&self.0),
        }
    }
}

/// A connector that is timed.
#[derive(Debug, Clone)]
pub(super) struct Timed<S> {
    inner: S,
    connecting: Arc<Mutex<Connecting>>,
}

impl<S, R> Service<R> for Timed<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let began = Instant::now();
        let (connected, connecting) = (self.inner.call(request), Arc::clone(&self.connecting));
        Box::pin(async move {
            let connected = connected.await?;
            lock(&connecting).whole.get_or_insert(began.elapsed());
            Ok(connected)
        })
    }
}

fn lock(connecting: &Mutex<Connecting>) -> std::sync::MutexGuard<'_, Connecting> {
    connecting.lock().unwrap_or_else(PoisonError::into_inner)
}
