//! What the roster says of us, and whether anybody is there to hear us.

use infinity::{ParticipantUuid, Role, ServiceType};

use crate::Roster;

/// What the roster says of us, and whether anybody is there to hear us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Whether the roster shows us.
    pub is_listed: bool,
    /// Whether we sit in the waiting room.
    pub is_waiting: bool,
    /// Whether a host, or `muteguests`, has muted us.
    pub is_muted: bool,
    /// What we may do.
    pub role: Role,
    /// How many others have a call with media.
    pub others_with_media: usize,
}

impl Presence {
    pub(crate) fn of(roster: &Roster, us: &ParticipantUuid) -> Self {
        let own = roster.get(us);
        Self {
            is_listed: own.is_some(),
            is_waiting: own.is_some_and(|row| row.service_type == ServiceType::WaitingRoom),
            is_muted: own.is_some_and(|row| row.is_muted),
            role: own.map(|row| row.role).unwrap_or_default(),
            others_with_media: roster.others_with_media(us),
        }
    }
}
