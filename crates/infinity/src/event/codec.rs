//! From and to the wire.

use serde::Deserialize;
use serde_json::{Value, json};

use super::later::BreakoutEventWritten;
use super::{BreakoutEvent, Deleted, Event, EventError, EventText};
use crate::{ParticipantRow, Profile, conference::STATUS_V10, envelope};

/// Reads `data` as a `T`. Data that is absent, `null` or `{}` reads as the empty object.
fn read<T: for<'de> Deserialize<'de>>(name: &str, data: &str) -> Result<T, EventError> {
    let data = data.trim();
    let data = if data.is_empty() || data == "null" {
        "{}"
    } else {
        data
    };
    serde_json::from_str(data).map_err(|error| EventError {
        name: name.to_owned(),
        // Not serde's own words, which quote what it found: a `refer` carries a token.
        detail: format!(
            "{} at line {} column {}",
            if error.is_data() {
                "a field is missing or of the wrong type"
            } else {
                "not JSON"
            },
            error.line(),
            error.column()
        ),
    })
}

fn is_nothing(data: &str) -> bool {
    matches!(data.trim(), "" | "null" | "{}")
}

impl Event {
    /// Reads an event.
    ///
    /// Where an event carries nothing, whatever came as its data is passed over.
    ///
    /// # Errors
    /// When the data of a known event is not what it should be. The event stream lives on.
    pub fn decode(name: &str, data: &str) -> Result<Self, EventError> {
        Ok(match name {
            "participant_sync_begin" => Self::ParticipantSyncBegin,
            "participant_sync_end" => Self::ParticipantSyncEnd,
            "participant_create" => Self::ParticipantCreate(read(name, data)?),
            "participant_update" => Self::ParticipantUpdate(read(name, data)?),
            "participant_delete" => Self::ParticipantDelete(read::<Deleted>(name, data)?.uuid),
            "conference_update" => Self::ConferenceUpdate(read(name, data)?),
            "message_received" | "message" => Self::MessageReceived(read(name, data)?),
            "stage" if is_nothing(data) => Self::Stage(Vec::new()),
            "stage" => Self::Stage(read(name, data)?),
            "layout" => Self::Layout(read(name, data)?),
            "presentation_start" => Self::PresentationStart(read(name, data)?),
            "presentation_stop" | "presentation_ended" => Self::PresentationStop,
            "presentation_frame" => Self::PresentationFrame,
            "call_disconnected" => Self::CallDisconnected(read(name, data)?),
            "disconnect" => Self::Disconnect(read(name, data)?),
            "refer" => Self::Refer(read(name, data)?),
            "cancel_refer" => Self::CancelRefer,
            "on_hold" => Self::OnHold(read(name, data)?),
            "refresh_token" => Self::RefreshToken,
            "peer_disconnect" => Self::PeerDisconnect,
            "new_offer" => Self::NewOffer(read(name, data)?),
            "update_sdp" => Self::UpdateSdp(read(name, data)?),
            "new_candidate" => Self::NewCandidate(read(name, data)?),
            "splash_screen" if is_nothing(data) => Self::SplashScreen(None),
            "splash_screen" => Self::SplashScreen(Some(read(name, data)?)),
            "fecc" => Self::Fecc(read(name, data)?),
            "live_captions" => Self::LiveCaptions(read(name, data)?),
            "breakout_begin" => Self::BreakoutBegin(read(name, data)?),
            "breakout_end" => Self::BreakoutEnd(read(name, data)?),
            "breakout_event" => Self::BreakoutEvent(BreakoutEvent::read(name, data)?),
            "breakout_refer" => Self::BreakoutRefer(read(name, data)?),
            "incoming" => Self::Incoming(read(name, data)?),
            "incoming_cancelled" => Self::IncomingCancelled(read(name, data)?),
            "hello" => Self::Hello,
            "ping" => Self::Ping,
            "bye" => Self::Bye,
            _ => Self::Unknown {
                name: name.to_owned(),
            },
        })
    }

    /// Writes the event as a node of `profile` does; nothing if such a node has no such event.
    ///
    /// `ping` exists in every profile: clients of every age pass over names they do not know.
    pub fn encode(&self, profile: Profile) -> Option<EventText> {
        let row = |name, row: &ParticipantRow| {
            let data = row.to_text(profile);
            Some(EventText { name, data })
        };
        let (name, data) = match self {
            Self::ParticipantCreate(created) => return row("participant_create", created),
            Self::ParticipantUpdate(updated) => return row("participant_update", updated),
            Self::ParticipantSyncBegin => ("participant_sync_begin", Value::Null),
            Self::ParticipantSyncEnd => ("participant_sync_end", Value::Null),
            Self::ParticipantDelete(uuid) => ("participant_delete", json!({ "uuid": uuid })),
            Self::ConferenceUpdate(status) => (
                "conference_update",
                envelope::to_json(status, profile, STATUS_V10),
            ),
            Self::MessageReceived(message) => match profile {
                Profile::V10 => ("message", json!(message)),
                Profile::Modern => ("message_received", json!(message)),
            },
            Self::Stage(entries) => ("stage", json!(entries)),
            Self::PresentationStart(start) => (
                "presentation_start",
                envelope::to_json(start, profile, &["presenter_name", "presenter_uri"]),
            ),
            Self::PresentationStop => match profile {
                Profile::V10 => ("presentation_stop", Value::Null),
                Profile::Modern => ("presentation_stop", json!({})),
            },
            Self::PresentationFrame => ("presentation_frame", Value::Null),
            Self::CallDisconnected(call) => ("call_disconnected", json!(call)),
            Self::Disconnect(disconnect) => ("disconnect", json!(disconnect)),
            Self::Ping => ("ping", Value::Null),
            _ if profile == Profile::V10 => return None,
            Self::Layout(layout) => ("layout", json!(layout)),
            Self::Refer(refer) => ("refer", json!(refer)),
            Self::CancelRefer => ("cancel_refer", Value::Null),
            Self::OnHold(hold) => ("on_hold", json!(hold)),
            Self::RefreshToken => ("refresh_token", Value::Null),
            Self::PeerDisconnect => ("peer_disconnect", Value::Null),
            Self::NewOffer(offer) => ("new_offer", json!(offer)),
            Self::UpdateSdp(sdp) => ("update_sdp", json!(sdp)),
            Self::NewCandidate(candidate) => ("new_candidate", json!(candidate)),
            Self::SplashScreen(screen) => ("splash_screen", json!(screen)),
            Self::Fecc(fecc) => ("fecc", json!(fecc)),
            Self::LiveCaptions(captions) => ("live_captions", json!(captions)),
            Self::BreakoutBegin(breakout) => ("breakout_begin", json!(breakout)),
            Self::BreakoutEnd(breakout) => ("breakout_end", json!(breakout)),
            Self::BreakoutEvent(event) => ("breakout_event", event.write(profile)?),
            Self::BreakoutRefer(refer) => ("breakout_refer", json!(refer)),
            Self::Incoming(incoming) => ("incoming", json!(incoming)),
            Self::IncomingCancelled(cancelled) => ("incoming_cancelled", json!(cancelled)),
            Self::Hello => ("hello", Value::Null),
            Self::Bye => ("bye", Value::Null),
            Self::Unknown { .. } => return None,
        };
        Some(EventText {
            name,
            data: data.to_string(),
        })
    }
}

impl BreakoutEvent {
    fn read(name: &str, data: &str) -> Result<Self, EventError> {
        let written: BreakoutEventWritten = read(name, data)?;
        // A room in a room is none: a node would have to nest without end.
        let event = match written.event.as_str() {
            "breakout_event" => Event::Unknown {
                name: written.event,
            },
            event => {
                Event::decode(event, &written.data.to_string()).map_err(|error| EventError {
                    detail: format!("{} within: {}", error.name, error.detail),
                    name: name.to_owned(),
                })?
            }
        };
        Ok(Self {
            breakout_uuid: written.breakout_uuid,
            id: written.id,
            event: Box::new(event),
        })
    }

    fn write(&self, profile: Profile) -> Option<Value> {
        let event = self.event.encode(profile)?;
        let written = BreakoutEventWritten {
            breakout_uuid: self.breakout_uuid.clone(),
            event: event.name.to_owned(),
            id: self.id.clone(),
            data: serde_json::from_str(&event.data).unwrap_or_default(),
        };
        Some(json!(written))
    }
}
