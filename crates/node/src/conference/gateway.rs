//! Gateway calls: one caller, one far end, and neither without the other.

use std::time::Instant;

use infinity::{Protocol, Role};

use super::Conference;
use super::dialling::{Call, FarEnd};
use super::participant::Participant;
use crate::conference_settings::Service;
use crate::room::FarEndMedia;

/// What the caller is told when the far end did not answer.
const FAILED: &str = "Gateway dial out failed";

/// What the caller is told when the far end is gone.
const HUNG_UP: &str = "Remote disconnect";

impl Conference {
    /// Whether this is a gateway call.
    pub(super) fn is_gateway(&self) -> bool {
        matches!(self.settings.service, Service::Gateway(_))
    }

    /// Whether this is a gateway call that everybody has left: another caller has another call.
    pub fn is_over(&self) -> bool {
        self.is_gateway() && self.was_entered && self.participants.is_empty()
    }

    /// Takes note that the one for whom a gateway call was opened was not let in.
    pub fn nobody_came(&mut self) {
        self.was_entered = true;
    }

    /// Calls the far end of a gateway, now that there is somebody to talk to it.
    pub(super) fn call_far_end(&mut self, now: Instant) {
        let Service::Gateway(destination) = self.settings.service.clone() else {
            return;
        };
        let call = Call {
            destination: &destination,
            role: Role::Guest,
            protocol: Protocol::Sip,
            is_streaming: false,
        };
        for far_end in self.ring(now, call) {
            self.play(far_end, FarEndMedia::Ringing);
        }
    }

    /// What is heard and seen of a far end that has answered.
    pub(super) fn answering(&self, destination: &str) -> FarEndMedia {
        match super::dialling::name(destination) {
            name if self.is_gateway() && name.starts_with("echo") => FarEndMedia::Echo,
            _ if self.is_gateway() => FarEndMedia::Greeting,
            // In a conference they listen, and play the keys that are pressed.
            _ => FarEndMedia::Silent,
        }
    }

    /// Ends a gateway call whose last far end is gone, for the reason that was given to it.
    pub(super) fn end_gateway_call(&mut self, gone: &Participant, reason: Option<&str>) {
        let Some(far_end) = gone.far_end.as_ref().filter(|_| self.is_gateway()) else {
            return;
        };
        if self.participants.iter().any(|one| one.far_end.is_some()) {
            return;
        }
        let reason = reason.unwrap_or(if FarEnd::is_connecting(far_end) {
            FAILED
        } else {
            HUNG_UP
        });
        while let Some(caller) = self.participants.first() {
            let caller = caller.uuid.clone();
            self.remove(&caller, Some(reason));
        }
    }
}
