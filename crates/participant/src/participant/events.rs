//! What a participant makes of the events.

use std::time::{Duration, Instant};

use infinity::{Event, ParticipantRow, ParticipantUuid, Role};

use super::{Participant, Phase};
use crate::{Exit, Notice, Presence, Rejoin, State, Timer, departure::Then};

/// How long the node has to say why it took our row away.
const REMOVAL_PAUSE: Duration = Duration::from_secs(1);

impl Participant {
    pub(super) fn handle_event(&mut self, now: Instant, event: Event) {
        if !matches!(self.phase, Phase::Present) {
            return;
        }
        match event {
            Event::ParticipantSyncBegin => self.roster.sync_begin(),
            Event::ParticipantSyncEnd => {
                for gone in self.roster.sync_end() {
                    self.tell_gone(gone);
                }
                self.look_around(now);
            }
            Event::ParticipantCreate(row) | Event::ParticipantUpdate(row) => {
                self.take_row(now, *row);
            }
            Event::ParticipantDelete(uuid) => {
                if self.roster.delete(&uuid) {
                    self.tell_gone(uuid);
                }
                self.look_around(now);
            }
            Event::ConferenceUpdate(status) => self.outbox.notice(Notice::Conference(status)),
            Event::MessageReceived(message) => self.outbox.notice(Notice::Message(message)),
            Event::Stage(stage) => self.outbox.notice(Notice::Stage(stage)),
            Event::PresentationStart(start) => {
                let presenter = Some(start.presenter_name);
                self.outbox.notice(Notice::Presentation { presenter });
            }
            Event::PresentationStop => {
                self.outbox.notice(Notice::Presentation { presenter: None });
            }
            Event::PresentationFrame => self.outbox.notice(Notice::PresentationFrame),
            Event::CallDisconnected(disconnected) => {
                let why = format!("the node hung up: {}", disconnected.reason);
                self.hung_up(now, Some(&disconnected.call_uuid), why);
            }
            Event::PeerDisconnect => {
                self.hung_up(now, None, "the node asks for a new call".to_owned());
            }
            Event::Disconnect(disconnect) => self.removed(now, disconnect.reason, true),
            Event::Refer(refer) => {
                self.outbox.notice(Notice::Referred(refer.alias.clone()));
                self.depart(
                    now,
                    Then::Follow {
                        conference: refer.alias,
                        token: refer.token,
                    },
                );
            }
            Event::RefreshToken => self.token.refresh(now, &mut self.outbox),
            Event::NewCandidate(candidate) => {
                self.call.remote_candidate(candidate, &mut self.outbox);
            }
            Event::NewOffer(_) | Event::UpdateSdp(_) => {
                self.outbox.ignore("an offer of media from peer to peer");
            }
            // Nothing to do: these are for people, for whoever has a camera that moves, breakout rooms
            // or a registration, or for the watchdog, which has seen them.
            Event::Layout(_)
            | Event::Fecc(_)
            | Event::LiveCaptions(_)
            | Event::BreakoutBegin(_)
            | Event::BreakoutEnd(_)
            | Event::BreakoutEvent(_)
            | Event::BreakoutRefer(_)
            | Event::Incoming(_)
            | Event::IncomingCancelled(_)
            | Event::CancelRefer
            | Event::OnHold(_)
            | Event::SplashScreen(_)
            | Event::Hello
            | Event::Ping
            | Event::Bye
            | Event::Unknown { .. } => {}
        }
    }

    fn hung_up(&mut self, now: Instant, call: Option<&infinity::CallUuid>, why: String) {
        let Some(membership) = self.token.membership() else {
            return;
        };
        let news = self
            .call
            .hung_up(now, call, why, membership, &mut self.outbox);
        self.handle_call_news(now, news);
    }

    fn take_row(&mut self, now: Instant, row: ParticipantRow) {
        let uuid = row.uuid.clone();
        let is_new = self.roster.upsert(row);
        if is_new && self.us.as_ref() != Some(&uuid) {
            self.outbox.notice(Notice::Came(uuid));
        }
        // Within the brackets of a sync every row would be looked at for every row.
        if !self.roster.is_syncing() {
            self.look_around(now);
        }
    }

    fn tell_gone(&mut self, uuid: ParticipantUuid) {
        if self.us.as_ref() != Some(&uuid) {
            self.outbox.notice(Notice::Gone(uuid));
        }
    }

    /// Takes in what the roster says of us and of others.
    fn look_around(&mut self, now: Instant) {
        let Some(us) = &self.us else { return };
        let mut presence = Presence::of(&self.roster, us);
        if presence.role == Role::Unknown {
            // Until the roster says something of us, what came with the token stands.
            presence.role = self.presence.role;
        }
        if !presence.is_listed {
            presence.is_waiting = self.presence.is_waiting && !self.presence.is_listed;
        }
        if presence.is_listed {
            self.outbox.timers.stop(Timer::Removal);
        } else if self.presence.is_listed {
            self.outbox.start(Timer::Removal, now, REMOVAL_PAUSE);
        }
        if presence.role != self.presence.role {
            self.outbox.notice(Notice::Role(presence.role));
        }
        if presence != self.presence {
            self.presence = presence.clone();
            self.outbox.notice(Notice::Presence(presence));
        }
    }

    /// Takes note of the role that the answer to a refresh says we have: the node need not tell it
    /// by an event as well, and our row, if it is older, does not take it back.
    pub(super) fn take_role(&mut self, now: Instant, role: Role) {
        if role == Role::Unknown {
            return;
        }
        if let Some(us) = &self.us
            && self.roster.set_role(us, role)
        {
            self.look_around(now);
        } else if role != self.presence.role {
            self.presence.role = role;
            self.outbox.notice(Notice::Role(role));
            self.outbox.notice(Notice::Presence(self.presence.clone()));
        }
    }

    /// Takes note that the node has put us out. `is_told`: by an event that says so, rather than by
    /// our row being gone.
    pub(super) fn removed(&mut self, now: Instant, reason: String, is_told: bool) {
        if is_waiting_room_timeout(&reason) {
            return self.stop(now, Exit::WaitingRoomTimedOut);
        }
        let is_loss = !is_told || is_expiry(&reason);
        let joins_again = match self.options.rejoin {
            Rejoin::Never => false,
            Rejoin::AfterLoss => is_loss,
            Rejoin::Always => true,
        };
        if joins_again {
            let why = if reason.is_empty() {
                "our row is gone from the roster".into()
            } else {
                reason
            };
            self.set_standing(now, State::Removed, why.clone());
            self.depart(
                now,
                Then::JoinAgain {
                    why,
                    next_node: false,
                },
            );
        } else {
            self.stop(now, Exit::Removed { reason });
        }
    }
}

/// Returns whether a node disconnected us for not refreshing our token: not a host's will.
fn is_expiry(reason: &str) -> bool {
    reason.starts_with("Timer expired awaiting token refresh")
}

/// Returns whether a node disconnected us for having waited too long.
fn is_waiting_room_timeout(reason: &str) -> bool {
    reason.starts_with("Timeout waiting for conference host")
}
