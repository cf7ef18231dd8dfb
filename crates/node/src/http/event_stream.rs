//! Server-sent events: how one is written, and the body of an event stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{FutureExt, Stream};
use infinity::{Event, Profile};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::served::OpenStream;

/// When [`crate::Fault::EventsCut`] strikes, from the opening of the stream.
const CUT_AFTER: Duration = Duration::from_secs(2);

/// How long the half event takes to be on its way: the cut would overtake it.
const HALF_IS_OUT: Duration = Duration::from_millis(50);

/// What is left of an event when the stream is cut.
const HALF_AN_EVENT: &[u8] = b"event: participant_update\ndata: {\"uuid\": \"half";

/// An event as it goes out on a stream.
#[derive(Clone)]
pub(super) struct Rendered {
    pub(super) name: &'static str,
    pub(super) data_bytes: usize,
    pub(super) text: Bytes,
}

/// Writes an event; nothing if a node of `profile` has no such event. Ids look as those of real
/// nodes do: base64 of `<something>_<n>`. JSON has no line breaks, so one `data:` line is enough.
pub(super) fn render(event: &Event, profile: Profile, number: u64) -> Option<Rendered> {
    let text = event.encode(profile)?;
    let id = STANDARD.encode(format!("standin_{number}"));
    Some(Rendered {
        name: text.name,
        data_bytes: text.data.len(),
        text: format!("event: {}\nid: {id}\ndata: {}\n\n", text.name, text.data).into(),
    })
}

/// The body of an event stream.
pub(crate) struct EventBody {
    first: Option<Bytes>,
    rest: mpsc::Receiver<Bytes>,
    cut: Option<Pin<Box<Sleep>>>,
    is_cut: bool,
    _open: OpenStream,
}

impl EventBody {
    pub(super) fn new(first: Bytes, rest: mpsc::Receiver<Bytes>, open: OpenStream) -> Self {
        Self {
            first: Some(first),
            rest,
            cut: None,
            is_cut: false,
            _open: open,
        }
    }

    /// Lets the stream be cut in the middle of a line after a while.
    pub(super) fn cut_after_a_while(mut self) -> Self {
        self.cut = Some(Box::pin(tokio::time::sleep(CUT_AFTER)));
        self
    }
}

impl Stream for EventBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if self
            .cut
            .as_mut()
            .is_some_and(|cut| cut.poll_unpin(cx).is_ready())
        {
            if self.is_cut {
                return Poll::Ready(Some(Err(io::Error::other("cut on purpose"))));
            }
            self.is_cut = true;
            self.cut = Some(Box::pin(tokio::time::sleep(HALF_IS_OUT)));
            return Poll::Ready(Some(Ok(Bytes::from_static(HALF_AN_EVENT))));
        }
        if self.is_cut {
            return Poll::Pending;
        }
        self.rest.poll_recv(cx).map(|event| event.map(Ok))
    }
}
