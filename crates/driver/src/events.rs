//! The event stream: server-sent events of one token, from opening to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::StreamExt as _;
use infinity::{ConferenceAlias, ConferencePath, Event, Path, Refusal, Token};
use participant::{EventStreamInput, StreamEnd, StreamId};
use tokio::sync::mpsc;
use url::Url;

use crate::http::{HttpClient, Unreachable};
use crate::rest;
use crate::run::Wakeup;

/// The largest single event that is read, in bytes; a layout of a large conference fits.
const LARGEST_EVENT: usize = 1 << 20;

/// How much of a refusal is read, in bytes.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Reads the event stream until it ends and passes everything on through `queue`.
///
/// The queue is bounded; when it is full, reading waits and the node is held up by TCP: nothing
/// is lost. Returns when the stream has ended or nobody reads the queue any more.
pub(crate) async fn read(
    client: HttpClient,
    node: Url,
    conference: ConferenceAlias,
    token: Token,
    id: StreamId,
    queue: mpsc::Sender<Wakeup>,
) {
    let queue = Queue { id, wakeups: queue };
    let end = stream(&client, &node, &conference, &token, &queue).await;
    // A reader that has gone has asked for the end.
    let _ = queue.send(EventStreamInput::Ended(end)).await;
}

/// Where an event stream delivers to.
struct Queue {
    id: StreamId,
    wakeups: mpsc::Sender<Wakeup>,
}

impl Queue {
    async fn send(&self, input: EventStreamInput) -> Result<(), Abandoned> {
        self.wakeups
            .send(Wakeup::Event(self.id, input))
            .await
            .map_err(|_| Abandoned)
    }
}

/// Nobody reads the stream any more.
struct Abandoned;

async fn stream(
    client: &HttpClient,
    node: &Url,
    conference: &ConferenceAlias,
    token: &Token,
    queue: &Queue,
) -> StreamEnd {
    let path = Path::conference(conference, ConferencePath::Events);
    let mut url = rest::api_url(node, &path.encode());
    // As the guide has it and browsers must do it: an EventSource cannot set headers.
    url.query_pairs_mut().append_pair("token", token.expose());
    let request = match client.request(reqwest::Method::GET, url) {
        Ok(request) => request.header(reqwest::header::ACCEPT, "text/event-stream"),
        Err(unreachable) => return StreamEnd::Lost(unreachable.reason()),
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return StreamEnd::Lost(rest::failed(error).to_failure().to_string()),
    };
    let code = response.status();
    if !code.is_success() {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_REFUSAL {
                break;
            }
        }
        return StreamEnd::Refused(Refusal::decode(code.as_u16(), &body));
    }
    if queue.send(EventStreamInput::Opened).await.is_err() {
        return closed();
    }

    let since_event = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&since_event);
    let bytes = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(ReadError::Http)?;
        let pending = counter.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
        if pending > LARGEST_EVENT {
            Err(ReadError::TooLarge)
        } else {
            Ok(chunk)
        }
    });
    let mut events = std::pin::pin!(bytes.eventsource());
    while let Some(event) = events.next().await {
        since_event.store(0, Ordering::Relaxed);
        let message = match event {
            Ok(event) => match Event::decode(&event.event, &event.data) {
                Ok(event) => EventStreamInput::Event(event),
                Err(error) => EventStreamInput::Malformed(error),
            },
            Err(EventStreamError::Transport(ReadError::Http(error))) => {
                return StreamEnd::Lost(Unreachable::from_client(error).reason());
            }
            Err(EventStreamError::Transport(ReadError::TooLarge)) => {
                return lost("an event was larger than a mebibyte");
            }
            Err(EventStreamError::Utf8(_)) => {
                return lost("what came is not UTF-8");
            }
            Err(EventStreamError::Parser(_)) => {
                return lost("what came are no server-sent events");
            }
        };
        if queue.send(message).await.is_err() {
            return closed();
        }
    }
    closed()
}

fn closed() -> StreamEnd {
    lost("the node ended it")
}

fn lost(why: &str) -> StreamEnd {
    StreamEnd::Lost(why.to_owned())
}

#[derive(Debug)]
enum ReadError {
    Http(reqwest::Error),
    TooLarge,
}
