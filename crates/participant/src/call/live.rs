//! A call that the node has answered.

use std::time::Instant;

use infinity::{CallUuid, Command};

use super::FLOW_LIMIT;
use crate::{
    MediaCommand, Milestone, Output, PeerId, RequestId, Timer, outbox::Outbox, token::Membership,
};

/// A call that the node has answered.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) peer: PeerId,
    pub(super) call: CallUuid,
    pub(super) ice: Ice,
    pub(super) ack: Ack,
    /// How often `ack` got lost.
    pub(super) lost_acks: u32,
    pub(super) restart: Restart,
    /// The candidate that is on its way.
    pub(super) candidate: Option<RequestId>,
    /// Whether that candidate is on its way for the second time.
    pub(super) is_second_try: bool,
    /// The node named TURN servers with its answer, which ICE has not tried yet.
    pub(super) has_untried_servers: bool,
    pub(super) media_started: bool,
    pub(super) flows: bool,
    pub(super) has_flowed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ice {
    /// It has not found a way.
    Checking,
    Connected,
    /// It has found a way and lost it.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ack {
    Due,
    Sent(RequestId),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    None,
    /// The peer makes an offer.
    Offering,
    /// The offer is with the node.
    Requested(RequestId),
}

impl Live {
    pub(super) fn new(peer: PeerId, call: CallUuid) -> Self {
        Self {
            peer,
            call,
            ice: Ice::Checking,
            ack: Ack::Due,
            lost_acks: 0,
            restart: Restart::None,
            candidate: None,
            is_second_try: false,
            has_untried_servers: false,
            media_started: false,
            flows: false,
            has_flowed: false,
        }
    }

    pub(super) fn ice_connected(
        &mut self,
        now: Instant,
        membership: &Membership,
        outbox: &mut Outbox,
    ) {
        if self.ice == Ice::Checking {
            outbox.milestone(Milestone::IceConnected);
        }
        self.ice = Ice::Connected;
        if self.flows {
            outbox.timers.stop(Timer::Media);
        } else {
            outbox.start(Timer::Media, now, FLOW_LIMIT);
        }
        self.send_ack(now, membership, outbox);
        self.start_media(outbox);
    }

    pub(super) fn send_ack(&mut self, now: Instant, membership: &Membership, outbox: &mut Outbox) {
        if self.ack != Ack::Due {
            return;
        }
        outbox.timers.stop(Timer::Ack);
        let command = Command::Ack(membership.participant.clone(), self.call.clone());
        if let Some(request) = outbox.request_as(now, membership, command) {
            self.ack = Ack::Sent(request);
            outbox.milestone(Milestone::AckSent);
            self.start_media(outbox);
        }
    }

    /// Has media started once both sides are ready. The reply to `ack` is not waited for: it may
    /// come only when the node has our media.
    fn start_media(&mut self, outbox: &mut Outbox) {
        if !self.media_started && self.ack != Ack::Due && self.ice == Ice::Connected {
            self.media_started = true;
            outbox.push(Output::Media(self.peer, MediaCommand::Start));
        }
    }

    pub(super) fn media_flows(&mut self, outbox: &mut Outbox) {
        outbox.timers.stop(Timer::Media);
        self.flows = true;
        if !self.has_flowed {
            self.has_flowed = true;
            outbox.milestone(Milestone::MediaFlowing);
        }
    }

    pub(super) fn what_is_missing(&self) -> &'static str {
        match self.ice {
            Ice::Checking => "ICE found no way to the node in time",
            Ice::Lost => "ICE lost its way to the node",
            Ice::Connected => "no media flows although ICE has found its way",
        }
    }
}
