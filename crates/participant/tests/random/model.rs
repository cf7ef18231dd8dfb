//! What must hold of the outputs of a participant, whatever happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use infinity::Command;
use participant::{
    EventStreamCommand, Notice, Outgoing, Output, PeerCommand, PeerId, RequestId, StreamId,
};

/// What has been seen so far, and what must hold of it.
#[derive(Default)]
pub(crate) struct Model {
    /// When each token that was given out expires.
    pub(crate) tokens: BTreeMap<String, Instant>,
    /// Tokens that were given out and have not been given back, replaced, refused or expired.
    pub(crate) owed: BTreeSet<String>,
    /// The `request_token`s and `refresh_token`s under way.
    pub(crate) token_requests: usize,
    /// When the latest of them was made: a token's life is counted from there.
    pub(crate) asked_at: Option<Instant>,
    /// Calls that the node has accepted and that have seen neither `ack` nor `disconnect`.
    pub(crate) calls: BTreeSet<String>,
    /// The `calls` under way whose token has not been given back: that ends a call too.
    pub(crate) calling: BTreeSet<RequestId>,
    pub(crate) acks: BTreeMap<String, usize>,
    pub(crate) lost_acks: BTreeMap<String, usize>,
    pub(crate) open_peers: BTreeSet<PeerId>,
    pub(crate) open_streams: BTreeSet<StreamId>,
    pub(crate) has_ended: bool,
    pub(crate) counts: BTreeMap<&'static str, usize>,
}

impl Model {
    pub(crate) fn check(&mut self, now: Instant, output: &Output) {
        assert!(!self.has_ended, "an output after the end: {output:?}");
        if self.owed.iter().any(|token| self.tokens[token] <= now) {
            // The node has forgotten the token by the clock, and its calls with it.
            self.calls.clear();
            self.calling.clear();
        }
        match output {
            Output::Request(outgoing) => self.check_request(now, outgoing),
            Output::EventStream(EventStreamCommand::Open { stream, token, .. }) => {
                assert!(
                    self.tokens[token.expose()] > now,
                    "events with an expired token"
                );
                self.open_streams.insert(*stream);
                assert!(self.open_streams.len() <= 1, "two event streams");
            }
            Output::EventStream(EventStreamCommand::Close(stream)) => {
                self.open_streams.remove(stream);
            }
            Output::Peer(peer, PeerCommand::Open { .. }) => {
                self.open_peers.insert(*peer);
                assert!(self.open_peers.len() <= 1, "two peer connections");
            }
            Output::Peer(peer, PeerCommand::Close) => {
                assert!(self.open_peers.remove(peer), "closed what was not open");
            }
            Output::Peer(peer, _) | Output::Media(peer, _) => {
                assert!(
                    self.open_peers.contains(peer),
                    "a word to a closed peer: {output:?}"
                );
            }
            Output::Notice(Notice::Ended(_)) => self.has_ended = true,
            Output::Notice(_) => {}
        }
    }

    /// Checks that nothing is owed to the node any more.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.owed.retain(|token| self.tokens[token] > now);
        assert!(self.owed.is_empty(), "never released: {:?}", self.owed);
        assert!(
            self.calls.is_empty(),
            "neither acked nor hung up: {:?}",
            self.calls
        );
    }

    /// Takes note that the node has forgotten a token, and its calls with it.
    pub(crate) fn forget(&mut self, token: &str) {
        self.owed.remove(token);
        self.calls.clear();
        self.calling.clear();
    }

    pub(crate) fn check_request(&mut self, now: Instant, outgoing: &Outgoing) {
        let command = &outgoing.request.command;
        *self.counts.entry(command.name()).or_default() += 1;
        if let Some(token) = &outgoing.request.token {
            assert!(
                self.tokens[token.expose()] > now,
                "{} too late",
                command.name()
            );
        }
        match command {
            Command::RequestToken { .. } | Command::RefreshToken => {
                self.token_requests += 1;
                assert_eq!(self.token_requests, 1, "two token requests at once");
                self.asked_at = Some(now);
                if matches!(command, Command::RequestToken { .. }) {
                    self.settle(now);
                }
            }
            Command::ReleaseToken(_) => {
                let token = outgoing.request.token.as_ref().expect("a token");
                self.owed.remove(token.expose());
                self.calling.clear();
            }
            Command::Calls(..) => {
                self.calling.insert(outgoing.id);
            }
            Command::Ack(_, call) => {
                let acks = self.acks.entry(call.to_string()).or_default();
                *acks += 1;
                let lost = self
                    .lost_acks
                    .get(call.as_str())
                    .copied()
                    .unwrap_or_default();
                assert_eq!(
                    *acks,
                    lost + 1,
                    "a second ack although the first was not lost"
                );
                self.calls.remove(call.as_str());
            }
            Command::DisconnectCall(_, call) => {
                self.calls.remove(call.as_str());
            }
            _ => {}
        }
    }
}
