//! Carries out what the participant wants done.

use std::sync::Arc;
use std::time::Instant;

use media::Repeat;
use participant::{EventStreamCommand, MediaCommand, Outgoing, PeerCommand, PeerId};
use tracing::debug;

use super::Driving;
use crate::pump::Manner;
use crate::run::leg::{Leg, LegCommand, Opening, turn_server};
use crate::run::wakeup::{Answered, Wakeup};
use crate::sinks::Sink;
use crate::{Program, events, rest};

impl Driving {
    pub(super) fn request(&mut self, now: Instant, outgoing: Outgoing) {
        let Outgoing {
            id,
            node: index,
            request,
            time_limit,
        } = outgoing;
        debug!(request = request.command.name(), node = index, "out");
        let Some(node) = self.nodes.get(index).cloned() else {
            return;
        };
        let is_join = matches!(request.command, infinity::Command::RequestToken { .. });
        if is_join {
            self.node = index;
            // A guest is asked for the PIN it does not have: the same join goes on.
            if !request.command.pin().is_some_and(infinity::Pin::is_none) {
                self.story.joining(now, &node);
            }
        }
        let client = self.settings.client.clone();
        let wakeups = self.wakeups.clone();
        let lease = self.lease.clone();
        lease.begun(now, &request);
        let ask = async move {
            let began = Instant::now();
            let result = rest::execute(&client, &node, &request, time_limit).await;
            lease.ended(Instant::now(), &node, &request, &result);
            let took = began.elapsed();
            let answered = Answered {
                id,
                node: index,
                request,
                result,
                took,
            };
            if wakeups
                .send(Wakeup::Reply(Box::new(answered)))
                .await
                .is_err()
                && is_join
            {
                // The caller gave up before the token came: nobody else will release it.
                lease.release(&client).await;
            }
        };
        if is_join {
            // Lives on when the loop ends, since a token may still come of it.
            self.shard.spawn(ask);
        } else {
            self.requests.spawn_on(ask, self.shard.handle());
        }
    }

    pub(super) fn event_stream(&mut self, command: EventStreamCommand) {
        match command {
            EventStreamCommand::Open {
                stream,
                node,
                conference,
                token,
            } => {
                debug!(?stream, node, "opening the event stream");
                let Some(node) = self.nodes.get(node).cloned() else {
                    return;
                };
                let client = self.settings.client.clone();
                let wakeups = self.wakeups.clone();
                let bytes = Arc::clone(&self.event_bytes);
                let reading = self.shard.spawn(events::read(
                    client, node, conference, token, stream, wakeups, bytes,
                ));
                self.streams.push((stream, reading.abort_handle()));
            }
            EventStreamCommand::Close(stream) => {
                debug!(?stream, "closing the event stream");
                self.streams.retain(|(known, reading)| {
                    if *known == stream {
                        reading.abort();
                    }
                    *known != stream
                });
            }
        }
    }

    pub(super) fn peer(&mut self, id: PeerId, command: PeerCommand) {
        let leg = self.leg.as_ref().filter(|leg| leg.id == id);
        match (command, leg) {
            (
                PeerCommand::Open {
                    ice,
                    gather,
                    media_type,
                    bandwidth_out,
                },
                _,
            ) => {
                debug!(
                    ?id,
                    ?gather,
                    ?media_type,
                    ?bandwidth_out,
                    "opening a peer connection"
                );
                self.close_leg();
                let mut ice = ice;
                ice.relay_only |= self.settings.network.relay_only;
                self.story.ice_servers(&ice);
                let Some(node) = self.nodes.get(self.node).cloned() else {
                    return;
                };
                let video_codecs = self
                    .settings
                    .video
                    .then(|| self.settings.offered_video_codecs());
                let listen = self.settings.listen;
                let opening = Opening {
                    id,
                    names: self.settings.client.names().clone(),
                    network: self.settings.network.clone(),
                    turn_tls: self.settings.client.turn_tls(),
                    node,
                    ice,
                    gather,
                    media_type,
                    video_codecs,
                    listen,
                    bandwidth_out,
                };
                let mut leg = Leg::open(&self.shard, opening, self.wakeups.clone());
                if self.settings.levels {
                    leg.inflow.measure_level();
                }
                self.leg = Some(leg);
            }
            (PeerCommand::SetAnswer(answer), Some(leg)) => {
                leg.command(LegCommand::SetAnswer(answer));
            }
            (PeerCommand::AddCandidate(candidate), Some(leg)) => {
                leg.command(LegCommand::AddCandidate(candidate));
            }
            (PeerCommand::AddTurnServers(servers), Some(leg)) => {
                let servers = servers.into_iter().map(turn_server).collect();
                leg.command(LegCommand::AddIceServers(servers));
            }
            (PeerCommand::Measure, Some(leg)) => leg.measure(&self.shard, &self.wakeups),
            (PeerCommand::RestartIce, Some(leg)) => leg.command(LegCommand::RestartIce),
            (PeerCommand::Close, Some(_)) => self.close_leg(),
            // A connection that is gone has nothing more to do.
            (
                PeerCommand::SetAnswer(_)
                | PeerCommand::AddCandidate(_)
                | PeerCommand::AddTurnServers(_)
                | PeerCommand::RestartIce
                | PeerCommand::Measure
                | PeerCommand::Close,
                None,
            ) => {}
        }
    }

    pub(super) fn media(&mut self, now: Instant, id: PeerId, command: MediaCommand) {
        debug!(?id, ?command, "media");
        if let Some(leg) = self.leg.as_mut().filter(|leg| leg.id == id) {
            leg.may_send = command == MediaCommand::Start;
            if !leg.may_send {
                leg.pump = None;
            }
        }
        self.start_pump(now);
    }

    /// Returns how often the program is played.
    pub(super) fn repeat(&self) -> Repeat {
        let repeat = match self.settings.program {
            Program::Loop(_) => Repeat::Forever,
            Program::Once(_) | Program::Idle => Repeat::Once,
        };
        let material = self.settings.program.material();
        material.map_or(repeat, |material| material.repeat(repeat))
    }

    pub(super) fn start_pump(&mut self, now: Instant) {
        let repeat = self.repeat();
        let Self {
            leg,
            shard,
            random,
            wakeups,
            settings,
            is_hushed,
            program,
            ..
        } = self;
        let manner = Manner {
            program: *program,
            repeat,
            is_hushed: *is_hushed,
            gauge: settings.gauge.clone(),
        };
        if leg
            .as_mut()
            .is_some_and(|leg| leg.start_pump(shard, manner, random, now, wakeups))
        {
            self.release_clip();
        }
    }

    /// Closes the leg, on the side: the loop goes on.
    pub(super) fn close_leg(&mut self) {
        if let Some(mut leg) = self.leg.take() {
            self.story.received.add(&leg.inflow.received());
            leg.pump = None;
            self.closing.spawn_on(close(leg), self.shard.handle());
        }
    }
}

/// Closes a leg, and completes its recording. Returns why that failed.
async fn close(leg: Leg) -> Option<String> {
    let (recording, sinks) = leg.close().await;
    let sinks = futures_util::future::join_all(sinks.into_iter().map(Sink::finish));
    let recorded = async { recording?.finish().await.err() };
    let (_, incomplete) = futures_util::future::join(sinks, recorded).await;
    incomplete
}
