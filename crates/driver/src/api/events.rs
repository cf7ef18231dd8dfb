//! The event stream, for whoever wants to listen.

use infinity::{Event, EventError};

use super::{Access, ApiError};
use crate::events;
use crate::http::HttpClient;

/// An open event stream. Dropping it closes it.
#[derive(Debug)]
pub struct EventStream(events::Opened);

/// Something that was heard on an event stream.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What stood behind `id:`, if anything.
    pub id: Option<String>,
    /// What stood behind `event:`.
    pub name: String,
    /// What stood behind `data:`. That of a `refer` has a token in it.
    pub data: String,
    /// What it means.
    pub event: Result<Event, EventError>,
}

pub(super) async fn open(client: &HttpClient, access: &Access) -> Result<EventStream, ApiError> {
    events::open(client, &access.node, &access.conference, &access.token)
        .await
        .map(EventStream)
        .map_err(|error| ApiError::of(&access.node, "events", error))
}

impl EventStream {
    /// Waits for the next event. May be dropped and called again without losing any.
    ///
    /// # Errors
    /// [`ApiError::StreamEnded`] once the stream is over, which nothing but opening another one
    /// mends; the new one begins with the complete roster.
    pub async fn next(&mut self) -> Result<Heard, ApiError> {
        let event = self.0.next().await.map_err(ApiError::StreamEnded)?;
        Ok(Heard {
            event: Event::decode(&event.event, &event.data),
            id: Some(event.id).filter(|id| !id.is_empty()),
            name: event.event,
            data: event.data,
        })
    }
}
