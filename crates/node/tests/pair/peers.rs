//! Peer connections that always come about, after a while.

use std::time::Duration;

use infinity::NewCandidate;
use participant::{Input, PeerCommand, PeerId, PeerInput};

use super::World;

impl World {
    pub(super) fn carry_out_peer(&mut self, from: usize, peer: PeerId, command: &PeerCommand) {
        let soon = Duration::from_millis(20);
        match command {
            PeerCommand::Open { .. } => {
                self.callers[from].peer = Some(peer);
                self.callers[from].call = None;
                let offer = PeerInput::Offer("v=0\r\nm=audio 9 x\r\n".into());
                self.send_input(from, soon, Input::Peer(peer, offer));
                let candidate = NewCandidate {
                    candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host".into(),
                    mid: "0".into(),
                    ufrag: None,
                    pwd: None,
                };
                self.send_input(
                    from,
                    soon,
                    Input::Peer(peer, PeerInput::Candidate(candidate)),
                );
                let complete = PeerInput::GatheringComplete { mid: "0".into() };
                self.send_input(from, 2 * soon, Input::Peer(peer, complete));
            }
            PeerCommand::RestartIce => {
                let offer = PeerInput::Offer("v=0\r\nm=audio 9 y\r\n".into());
                self.send_input(from, soon, Input::Peer(peer, offer));
            }
            PeerCommand::SetAnswer(_) => {
                self.send_input(from, 5 * soon, Input::Peer(peer, PeerInput::IceConnected));
                self.send_input(from, 20 * soon, Input::Peer(peer, PeerInput::MediaFlowing));
            }
            PeerCommand::AddCandidate(_) | PeerCommand::AddTurnServers(_) => {}
            PeerCommand::Measure => {
                let figures = PeerInput::Measured(Box::default());
                self.send_input(from, soon, Input::Peer(peer, figures));
            }
            PeerCommand::Close => self.callers[from].peer = None,
        }
    }
}
