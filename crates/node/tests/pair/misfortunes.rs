//! What goes wrong between the participants and the node.

use std::time::Duration;

use infinity::Event;
use participant::{Input, PeerInput};

use super::{Parcel, World};

/// How often something goes wrong between the participants and the node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misfortunes {
    pub(super) every: Option<Duration>,
}

impl Misfortunes {
    pub(crate) fn none() -> Self {
        Self { every: None }
    }

    pub(crate) fn every(every: Duration) -> Self {
        Self { every: Some(every) }
    }
}

/// What is kept from happening, to see that a check notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// No `refresh_token` arrives.
    Refresh,
    /// No `release_token` arrives.
    Release,
    /// No event arrives.
    Events,
    /// No `participant_delete` is listened to.
    Deletes,
    /// No `participant_sync_end` is listened to.
    SyncEnds,
}

impl Withheld {
    /// Whether an event is kept from those it is for.
    pub(super) fn keeps(self, event: &Event) -> bool {
        match self {
            Self::Refresh | Self::Release => false,
            Self::Events => true,
            Self::Deletes => matches!(event, Event::ParticipantDelete(_)),
            Self::SyncEnds => matches!(event, Event::ParticipantSyncEnd),
        }
    }
}

impl World {
    pub(super) fn plan_misfortune(&mut self) {
        if let (Some(every), false) = (self.misfortunes.every, self.has_misfortune_planned) {
            self.has_misfortune_planned = true;
            let after = every.mul_f64(2.0 * self.rng.f64());
            self.send(after, Parcel::Misfortune);
        }
    }

    pub(super) fn misfortune_strikes(&mut self) {
        self.has_misfortune_planned = false;
        if self.misfortunes.every.is_none() {
            return;
        }
        match self.rng.u8(..10) {
            0 => self.restart_node(),
            1..6 => self.cut_streams(),
            _ => {
                self.tally.lost_media += 1;
                let caller = self.rng.usize(..self.callers.len());
                if let Some(peer) = self.callers[caller].peer {
                    let input = [
                        PeerInput::IceDisconnected,
                        PeerInput::IceFailed,
                        PeerInput::MediaStopped,
                    ][self.rng.usize(..3)]
                    .clone();
                    self.input(caller, Input::Peer(peer, input));
                }
            }
        }
    }

    pub(super) fn restart_node(&mut self) {
        self.tally.restarts += 1;
        self.node_is_up = false;
        self.conference.forget_everything();
        self.carry_out_effects();
        let after = Duration::from_secs(self.rng.u64(1..20));
        self.send(after, Parcel::NodeUp);
    }

    pub(super) fn cut_streams(&mut self) {
        let cut: Vec<_> = self
            .streams
            .keys()
            .copied()
            .filter(|_| self.rng.bool())
            .collect();
        for node_stream in cut {
            self.tally.cut_streams += 1;
            self.end_stream(node_stream);
            // The node notices later than the participant.
            let after = Duration::from_secs(self.rng.u64(..30));
            self.send(after, Parcel::CloseEvents(node_stream));
        }
    }
}
