//! Pictures of a presentation, as JPEG files.
//!
//! No presentation is decoded here, so that the picture is one of the node's own making: it says who
//! presents, and for how long.

use std::sync::Mutex;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use infinity::Refusal;
use media::{jpeg, slate_picture};
use tracing::warn;

/// Width, height and quality of `presentation.jpeg`, and of `presentation_high.jpeg`.
const SIZES: [(usize, usize, u8); 2] = [(640, 360, 75), (1280, 720, 90)];

/// The pictures made last, each with what stands on it: many viewers fetch the same.
#[derive(Default)]
pub(super) struct Latest([Mutex<Option<(String, Bytes)>>; 2]);

impl Latest {
    /// Answers with the picture that says `text`.
    pub(super) async fn serve(&self, text: String, high: bool) -> Result<Response, Refusal> {
        let file = match self.find(&text, high) {
            Some(file) => file,
            None => self.make(text, high).await?,
        };
        let headers = [
            (header::CONTENT_TYPE, "image/jpeg"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        Ok((headers, file).into_response())
    }

    fn find(&self, text: &str, high: bool) -> Option<Bytes> {
        let latest = self.0[usize::from(high)].lock().ok()?;
        let (_, file) = latest.as_ref().filter(|(made, _)| made == text)?;
        Some(file.clone())
    }

    async fn make(&self, text: String, high: bool) -> Result<Bytes, Refusal> {
        let (width, height, quality) = SIZES[usize::from(high)];
        let words = text.clone();
        let made = tokio::task::spawn_blocking(move || {
            jpeg(&slate_picture(&words, width, height), quality)
        });
        let file: Bytes = match made.await {
            Ok(Ok(file)) => file.into(),
            Ok(Err(error)) => return Err(not_made(&error.to_string())),
            Err(error) => return Err(not_made(&error.to_string())),
        };
        if let Ok(mut latest) = self.0[usize::from(high)].lock() {
            *latest = Some((text, file.clone()));
        }
        Ok(file)
    }
}

fn not_made(why: &str) -> Refusal {
    warn!(why, "no picture of the presentation");
    Refusal::Unavailable(503)
}
