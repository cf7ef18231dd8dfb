//! One participant as its conference knows it.

use std::time::{Duration, Instant};

use infinity::{
    CallDirection, CallUuid, ParticipantRow, ParticipantUuid, Present, Protocol, Role, ServiceType,
};

use super::dialling::FarEnd;

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
    /// Which presentation it carries; `None` for the participant's own sound and picture.
    fn slot(&self) -> Option<&Present> {
        self.present
            .as_ref()
            .filter(|present| matches!(present, Present::Send | Present::Receive))
    }
}

pub(super) struct Participant {
    pub(super) uuid: ParticipantUuid,
    pub(super) display_name: String,
    pub(super) role: Role,
    pub(super) admission: Admission,
    /// By a host, or as a guest among muted guests.
    pub(super) is_muted: bool,
    /// A guest who was unmuted while guests are muted: muting them once more spares it.
    pub(super) is_spared: bool,
    /// By itself.
    pub(super) is_client_muted: bool,
    pub(super) is_video_muted: bool,
    pub(super) may_see_presentation: bool,
    pub(super) is_presenting: bool,
    /// In the spotlight since when, as Unix time.
    pub(super) spotlight: Option<Duration>,
    /// Its hand is up since when, as Unix time.
    pub(super) buzz: Option<Duration>,
    pub(super) overlay_text: String,
    pub(super) joined: Instant,
    /// The same as Unix time.
    pub(super) start_time: Duration,
    pub(super) vendor: String,
    pub(super) calls: Vec<Call>,
    /// Sound or picture was seen to arrive.
    pub(super) media_flows: bool,
    /// When its first call ends by [`crate::Fault`]: `None` before the first ack and afterwards.
    pub(super) first_call_ends: Option<Instant>,
    /// It has struck.
    pub(super) first_call_ended: bool,
    /// Set for one that the conference has called.
    pub(super) far_end: Option<FarEnd>,
}

impl Participant {
    /// A participant that has just come, at `joined` and `start_time`.
    pub(super) fn new(
        uuid: ParticipantUuid,
        display_name: String,
        role: Role,
        admission: Admission,
        (joined, start_time): (Instant, Duration),
    ) -> Self {
        Self {
            uuid,
            overlay_text: display_name.clone(),
            display_name,
            role,
            admission,
            is_muted: false,
            is_spared: false,
            is_client_muted: false,
            is_video_muted: false,
            may_see_presentation: true,
            is_presenting: false,
            spotlight: None,
            buzz: None,
            joined,
            start_time,
            vendor: String::new(),
            calls: Vec::new(),
            media_flows: false,
            first_call_ends: None,
            first_call_ended: false,
            far_end: None,
        }
    }

    pub(super) fn call(&self, uuid: &CallUuid) -> Option<&Call> {
        self.calls.iter().find(|call| call.uuid == *uuid)
    }

    /// Returns the call with its own sound and picture, if it has one.
    pub(super) fn main_call(&self) -> Option<CallUuid> {
        let main = self.calls.iter().find(|call| call.slot().is_none())?;
        Some(main.uuid.clone())
    }

    pub(super) fn call_mut(&mut self, uuid: &CallUuid) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.uuid == *uuid)
    }

    /// Takes note that a call is answered, and returns those whose place it takes: a participant
    /// has one of each use. Nobody is told of them: clients take a `call_disconnected` for the end
    /// of whatever call they have.
    pub(super) fn answered(&mut self, uuid: &CallUuid, has_video: bool) -> Vec<CallUuid> {
        let Some(call) = self.call_mut(uuid) else {
            return Vec::new();
        };
        call.state = CallState::Answered;
        call.has_video = has_video;
        let slot = call.slot().cloned();
        self.media_flows &= slot.is_some();
        let replaced = self.calls.extract_if(.., |one| {
            one.uuid != *uuid && one.slot() == slot.as_ref() && one.state != CallState::Offered
        });
        replaced.map(|call| call.uuid).collect()
    }

    /// Whether its sound is left out of the mix.
    pub(super) fn is_silenced(&self) -> bool {
        self.is_muted || self.is_client_muted
    }

    pub(super) fn is_host(&self) -> bool {
        self.role == Role::Host
    }

    /// What the roster shows.
    pub(super) fn row(&self, alias: &str) -> ParticipantRow {
        let main = self
            .calls
            .iter()
            .find(|call| call.slot().is_none() && call.state != CallState::Offered);
        let has_started = main.is_some_and(|call| call.state == CallState::Started);
        let far_end = self.far_end.as_ref();
        ParticipantRow {
            call_direction: if far_end.is_some() {
                CallDirection::Out
            } else {
                CallDirection::In
            },
            is_streaming_conference: far_end.is_some_and(|far_end| far_end.is_streaming),
            service_type: match self.admission {
                _ if far_end.is_some_and(FarEnd::is_connecting) => ServiceType::Connecting,
                Admission::Waiting => ServiceType::WaitingRoom,
                Admission::InConference => ServiceType::Conference,
            },
            protocol: if let Some(far_end) = far_end {
                far_end.protocol.clone()
            } else if main.is_some() {
                Protocol::Webrtc
            } else {
                Protocol::Api
            },
            has_media: main.is_some() && (has_started || self.media_flows),
            is_muted: self.is_muted,
            is_client_muted: self.is_client_muted,
            is_video_muted: self.is_video_muted,
            is_presenting: self.is_presenting,
            rx_presentation_policy: if self.may_see_presentation {
                "ALLOW".to_owned()
            } else {
                "DENY".to_owned()
            },
            spotlight: self.spotlight.unwrap_or_default().as_secs_f64(),
            buzz_time: self.buzz.unwrap_or_default().as_secs_f64(),
            overlay_text: self.overlay_text.clone(),
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
