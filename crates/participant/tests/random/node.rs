//! What a random node answers, how it fails, and what it tells.

use std::time::Duration;

use infinity::{
    CallAccepted, CallUuid, Capacity, Command, Event, NewCandidate, ParticipantRow, PinWanted,
    Refusal, Response, Role, ServiceType, Token, TokenGranted, TokenRefreshed, UpdateAccepted,
    Version,
    event::{CallDisconnected, Disconnect, Refer},
};
use participant::{Outgoing, RequestFailure};

use crate::world::{World, pick};

impl World {
    pub(crate) fn good_reply(&mut self, outgoing: &Outgoing) -> Response {
        let expires = Duration::from_secs(*pick(&mut self.rng, &[5, 30, 120, 120]));
        match &outgoing.request.command {
            Command::RequestToken { .. } => {
                let token = Token::new(self.name("t"));
                let waits = self.rng.u8(..8) == 0;
                let service_type = if waits {
                    ServiceType::WaitingRoom
                } else {
                    ServiceType::Conference
                };
                Response::TokenGranted(Box::new(TokenGranted {
                    token,
                    expires,
                    participant_uuid: "us".into(),
                    display_name: String::new(),
                    version: Version {
                        version_id: (*pick(&mut self.rng, &["10", "39"])).into(),
                        pseudo_version: String::new(),
                    },
                    role: Role::Guest,
                    service_type: ServiceType::Conference,
                    current_service_type: service_type,
                    conference_name: None,
                    chat_enabled: false,
                    analytics_enabled: false,
                    stun: Vec::new(),
                    turn: Vec::new(),
                    use_relay_candidates_only: false,
                    bandwidth_in: None,
                    bandwidth_out: None,
                    call_type: None,
                    direct_media: false,
                    trickle_ice_enabled: None,
                    client_stats_update_interval: None,
                }))
            }
            Command::RefreshToken => {
                let token = Token::new(self.name("t"));
                Response::TokenRefreshed(TokenRefreshed {
                    token,
                    expires,
                    role: None,
                    client_stats_update_interval: None,
                })
            }
            Command::Calls(..) => {
                let sdp = (*pick(&mut self.rng, &["v=0", "v=0", "v=0", ""])).to_owned();
                let call_uuid = CallUuid::from(self.name("c"));
                Response::CallAccepted(CallAccepted {
                    call_uuid,
                    sdp,
                    url: None,
                    secure_url: None,
                    turn: Vec::new(),
                })
            }
            Command::Update(..) => Response::UpdateAccepted(UpdateAccepted {
                call_uuid: None,
                sdp: "v=0".into(),
            }),
            Command::NewCandidate(..) => Response::CandidateTaken,
            Command::Ack(..) => Response::Acked,
            Command::DisconnectCall(..) => Response::CallDisconnected,
            Command::ReleaseToken(_) => Response::TokenReleased,
            other => panic!("a participant has no reason for {}", other.name()),
        }
    }

    pub(crate) fn failure(&mut self) -> RequestFailure {
        let pins = PinWanted {
            host_required: self.rng.bool(),
            guest_required: self.rng.bool(),
        };
        pick(
            &mut self.rng,
            &[
                RequestFailure::Unreachable("reset".into()),
                RequestFailure::Unreachable("refused".into()),
                RequestFailure::TimedOut(Duration::from_secs(10)),
                RequestFailure::Refused(Refusal::Unavailable(503)),
                RequestFailure::Refused(Refusal::InvalidToken),
                RequestFailure::Refused(Refusal::PinWanted(pins)),
                RequestFailure::Refused(Refusal::NotFound("gone".into())),
                RequestFailure::Refused(Refusal::Denied("hosts only".into())),
                RequestFailure::Refused(Refusal::CapacityReached(Capacity::Resource)),
            ],
        )
        .clone()
    }

    pub(crate) fn event(&mut self) -> Event {
        let uuid = *pick(&mut self.rng, &["us", "us", "ann", "ben"]);
        let mut row = ParticipantRow::new(uuid.into(), uuid, Role::Guest);
        row.has_media = self.rng.bool();
        row.is_muted = self.rng.bool();
        if self.rng.u8(..8) == 0 {
            row.service_type = ServiceType::WaitingRoom;
        }
        let candidate = NewCandidate {
            candidate: "x".into(),
            mid: "0".into(),
            ufrag: None,
            pwd: None,
        };
        match self.rng.u8(..30) {
            0..4 => Event::ParticipantSyncBegin,
            4..8 => Event::ParticipantSyncEnd,
            8..16 => Event::ParticipantCreate(Box::new(row)),
            16..20 => Event::ParticipantUpdate(Box::new(row)),
            20 => Event::ParticipantDelete(uuid.into()),
            21 => Event::RefreshToken,
            22 => Event::PeerDisconnect,
            23 => Event::NewCandidate(candidate),
            24 if self.rng.u8(..8) == 0 => Event::Disconnect(Disconnect {
                reason: "a host's will".into(),
            }),
            25 if self.rng.u8(..4) == 0 => Event::Refer(Refer {
                alias: "other".parse().expect("a good alias"),
                token: self.rng.bool().then(|| Token::new("once")),
            }),
            26 => Event::CallDisconnected(CallDisconnected {
                call_uuid: CallUuid::from(format!("c{}", self.next)),
                reason: String::new(),
            }),
            27 => Event::Unknown {
                name: "news".into(),
            },
            _ => Event::Ping,
        }
    }
}
