//! Rooms to come.

use peer::Shard;
use tokio::sync::mpsc;

use super::Room;
use super::pictures::Pictures;
use super::types::{RoomError, RoomEvent, RoomSettings};

/// Rooms to come that look the same: their pictures are painted and encoded once.
#[derive(Clone)]
pub struct RoomPlan {
    settings: RoomSettings,
    pictures: Pictures,
}

impl RoomPlan {
    /// Paints the pictures.
    ///
    /// # Errors
    ///
    /// Fails if there is no codec, or no encoder for the first one.
    pub fn new(settings: RoomSettings) -> Result<Self, RoomError> {
        let pictures = Pictures::new(
            &settings.name,
            settings.far_end.as_deref(),
            &settings.video_codecs,
            settings.faults,
        )?;
        Ok(Self { settings, pictures })
    }

    /// Opens a room on `shard`.
    ///
    /// # Errors
    ///
    /// Fails if a codec cannot be set up.
    pub fn open(&self, shard: Shard) -> Result<(Room, mpsc::Receiver<RoomEvent>), RoomError> {
        Room::with_pictures(shard, self.settings.clone(), self.pictures.clone())
    }
}
