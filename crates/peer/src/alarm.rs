//! One timer a peer, set again only when it has to ring earlier.
//!
//! webrtc's driver makes a new sleep in every turn of its loop, for media some hundred times a
//! second. Registering each with the runtime and taking it out again costs more than the few
//! rings too early that come of leaving the old time standing.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use tokio::time::Sleep;

/// The timer of one driver.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When `sleep` rings; `None` once it has rung.
    rings: Option<Instant>,
}

impl Alarm {
    /// Ready at `deadline`. Always polled by the one task that owns it, inside its runtime.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            if self.rings.is_none_or(|rings| rings > deadline) {
                match &mut self.sleep {
                    Some(sleep) => sleep.as_mut().reset(deadline.into()),
                    None => {
                        self.sleep = Some(Box::pin(tokio::time::sleep_until(deadline.into())));
                    }
                }
                self.rings = Some(deadline);
            }
            let Some(sleep) = &mut self.sleep else {
                return Poll::Pending;
            };
            match sleep.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                // It rang for an earlier deadline; set it for this one.
                Poll::Ready(()) => self.rings = None,
            }
        }
    }
}
