//! What an operator, or the service, wants of one participant.

use std::time::Duration;

use driver::StopReason;
use driver::api::Conference;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::playing::{Ask, NotPlayed};
use super::standing::Reason;
use crate::settings::RunSettings;

/// How long a loop may take to say that it turns.
pub(super) const TURN_LIMIT: Duration = Duration::from_secs(5);

/// What the operator wants, and whom to tell when it is done.
#[derive(Debug)]
pub(super) enum Order {
    Join(oneshot::Sender<()>),
    Leave(oneshot::Sender<()>),
    Restart(Box<RunSettings>, Reason, oneshot::Sender<()>),
    Lend(oneshot::Sender<Option<Conference>>),
    Media(Ask, oneshot::Sender<Result<(), NotPlayed>>),
    Turn(oneshot::Sender<()>),
    End(StopReason),
}

/// Gives orders to whoever attends to a participant.
#[derive(Clone, Debug)]
pub(crate) struct Remote(mpsc::Sender<Order>);

impl Remote {
    pub(super) fn new(orders: mpsc::Sender<Order>) -> Self {
        Self(orders)
    }

    /// Lets it join, if it is not there.
    pub(crate) async fn join(&self) {
        self.done(Order::Join).await;
    }

    /// Lets it leave and stay out; returns once its token is given back.
    pub(crate) async fn leave(&self) {
        self.done(Order::Leave).await;
    }

    /// Lets it leave, and begin anew with these settings; returns once it has begun.
    pub(crate) async fn restart(&self, settings: RunSettings, reason: Reason) {
        self.done(|told| Order::Restart(Box::new(settings), reason, told))
            .await;
    }

    /// Returns its conference, to make requests with its token; `None` while it is not there.
    pub(crate) async fn lend(&self) -> Option<Conference> {
        self.done(Order::Lend).await.flatten()
    }

    /// Has it play something, or something else, or nothing.
    pub(crate) async fn media(&self, ask: Ask) -> Result<(), NotPlayed> {
        let answer = self.done(|told| Order::Media(ask, told)).await;
        answer.unwrap_or(Err(NotPlayed::NotThere))
    }

    /// Lets it leave for good.
    pub(super) async fn end(&self, reason: StopReason) {
        // One that is over needs no order.
        let _ = self.0.send(Order::End(reason)).await;
    }

    /// Returns whether it gets round to what is to be done.
    pub(super) async fn turns(&self) -> bool {
        matches!(
            timeout(TURN_LIMIT, self.done(Order::Turn)).await,
            Ok(Some(()))
        )
    }

    async fn done<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (told, done) = oneshot::channel();
        self.0.send(order(told)).await.ok()?;
        done.await.ok()
    }
}
