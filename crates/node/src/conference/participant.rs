//! One participant as its conference knows it.

use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantRow, ParticipantUuid, Present, Protocol, Role, ServiceType};

use crate::room::Admission;

/// The life of a call.
///
/// | In         | On              | Go         |
/// |------------|-----------------|------------|
/// | –          | `calls`         | `Offered`  |
/// | `Offered`  | room answered   | `Answered` |
/// | `Offered`  | room refused    | –          |
/// | `Answered` | first `ack`     | `Started`  |
/// | any        | disconnect      | –          |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallState {
    Offered,
    Answered,
    Started,
}

pub(super) struct Call {
    pub(super) uuid: CallUuid,
    pub(super) state: CallState,
    /// Whether the answer takes main video.
    pub(super) has_video: bool,
    pub(super) present: Option<Present>,
}

impl Call {
    /// Whether it carries the participant's own sound and picture, and not a presentation.
    fn is_main(&self) -> bool {
        !matches!(self.present, Some(Present::Send | Present::Receive))
    }
}

pub(super) struct Participant {
    pub(super) uuid: ParticipantUuid,
    pub(super) display_name: String,
    pub(super) role: Role,
    pub(super) admission: Admission,
    pub(super) is_muted: bool,
    pub(super) joined: Instant,
    /// The same as Unix time.
    pub(super) start_time: Duration,
    pub(super) vendor: String,
    pub(super) calls: Vec<Call>,
    /// Sound or picture was seen to arrive.
    pub(super) media_flows: bool,
    /// When [`crate::Fault::PeerDisconnect`] strikes: `None` before the first ack and afterwards.
    pub(super) peer_disconnect: Option<Instant>,
    /// It has struck.
    pub(super) was_disconnected: bool,
}

impl Participant {
    pub(super) fn call(&self, uuid: &CallUuid) -> Option<&Call> {
        self.calls.iter().find(|call| call.uuid == *uuid)
    }

    pub(super) fn call_mut(&mut self, uuid: &CallUuid) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.uuid == *uuid)
    }

    pub(super) fn is_host(&self) -> bool {
        self.role == Role::Host
    }

    /// What the roster shows.
    pub(super) fn row(&self, alias: &str) -> ParticipantRow {
        let main = self
            .calls
            .iter()
            .find(|call| call.is_main() && call.state != CallState::Offered);
        let has_started = main.is_some_and(|call| call.state == CallState::Started);
        ParticipantRow {
            service_type: match self.admission {
                Admission::Waiting => ServiceType::WaitingRoom,
                Admission::InConference => ServiceType::Conference,
            },
            protocol: if main.is_some() {
                Protocol::Webrtc
            } else {
                Protocol::Api
            },
            has_media: main.is_some() && (has_started || self.media_flows),
            is_muted: self.is_muted,
            is_video_call: main.is_some_and(|call| call.has_video),
            is_audio_only_call: main.is_some_and(|call| !call.has_video),
            start_time: self.start_time.as_secs_f64(),
            local_alias: alias.to_owned(),
            uri: self.display_name.clone(),
            vendor: self.vendor.clone(),
            ..ParticipantRow::new(self.uuid.clone(), &self.display_name, self.role)
        }
    }
}
