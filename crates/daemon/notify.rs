//! What systemd is told: readiness, a line of status, and signs of life (sd_notify(3)).
//!
//! Without systemd every function here does nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::debug;

/// Tells that the service is up.
pub(crate) fn ready() {
    send(&[NotifyState::Ready]);
}

/// Tells that the start takes longer, by so much from now on, and is not stuck.
pub(crate) fn still_starting(by: Duration) {
    let micros = u32::try_from(by.as_micros()).unwrap_or(u32::MAX);
    send(&[NotifyState::ExtendTimeoutUsec(micros)]);
}

/// Tells that the configuration is being read again; [`ready`] tells that this is over.
pub(crate) fn reloading() {
    // Later versions of systemd want to know when.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(_) => send(&[NotifyState::Reloading]),
    }
}

/// Tells in a few words what the service is doing, for `systemctl status`.
pub(crate) fn status(text: &str) {
    send(&[NotifyState::Status(text)]);
}

/// Tells that the service is on its way down.
pub(crate) fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Tells that the service is alive; due at least every [`watchdog_interval`].
pub(crate) fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// Returns how often [`alive`] is due, half of what the unit's `WatchdogSec` allows.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!(%error, "systemd did not take a notification");
    }
}
