//! The event stream: server-sent events of one token, from opening to end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use infinity::{ConferenceAlias, ConferencePath, Event, Failure, Path, Refusal, Token};
use participant::{EventStreamInput, StreamEnd, StreamId};
use tokio::sync::mpsc;
use url::Url;

use crate::http::{HttpClient, Unreachable};
use crate::rest::{self, RequestError};
use crate::run::Wakeup;

/// The largest single event that is read, in bytes; a layout of a large conference fits.
const LARGEST_EVENT: usize = 1 << 20;

/// How much of a refusal is read, in bytes.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Reads the event stream until it ends and passes everything on through `queue`.
///
/// The queue is bounded; when it is full, reading waits and the node is held up by TCP: nothing
/// is lost. What the events come to is added to `bytes`. Returns when the stream has ended or nobody reads the queue any more.
pub(crate) async fn read(
    client: HttpClient,
    node: Url,
    conference: ConferenceAlias,
    token: Token,
    id: StreamId,
    queue: mpsc::Sender<Wakeup>,
    bytes: Arc<AtomicU64>,
) {
    let queue = Queue {
        id,
        wakeups: queue,
        bytes,
    };
    let end = stream(&client, &node, &conference, &token, &queue).await;
    // A reader that has gone has asked for the end.
    let _ = queue.send(EventStreamInput::Ended(end)).await;
}

/// Where an event stream delivers to.
struct Queue {
    id: StreamId,
    wakeups: mpsc::Sender<Wakeup>,
    /// Bytes of the names of events, and of what they said.
    bytes: Arc<AtomicU64>,
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

/// An event stream that the node has begun to send.
pub(crate) struct Opened {
    events: Pin<Box<dyn Stream<Item = Read> + Send>>,
    /// Bytes read since the last event.
    since_event: Arc<AtomicUsize>,
}

type Read = Result<eventsource_stream::Event, EventStreamError<ReadError>>;

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// Opens the event stream of `token`.
pub(crate) async fn open(
    client: &HttpClient,
    node: &Url,
    conference: &ConferenceAlias,
    token: &Token,
) -> Result<Opened, RequestError> {
    let path = Path::conference(conference, ConferencePath::Events);
    let mut url = rest::api_url(node, &path.encode());
    // As the guide has it and browsers must do it: an EventSource cannot set headers.
    url.query_pairs_mut().append_pair("token", token.expose());
    let request = client
        .request(reqwest::Method::GET, url)
        .map_err(RequestError::Unreachable)?
        .header(reqwest::header::ACCEPT, "text/event-stream");
    let mut response = request.send().await.map_err(rest::failed)?;
    let code = response.status();
    if !code.is_success() {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_REFUSAL {
                break;
            }
        }
        let refusal = Refusal::decode(code.as_u16(), &body);
        return Err(RequestError::Answered(refusal.into()));
    }

    let since_event = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&since_event);
    let chunks = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(ReadError::Http)?;
        let pending = counter.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
        if pending > LARGEST_EVENT {
            Err(ReadError::TooLarge)
        } else {
            Ok(chunk)
        }
    });
    let pieces = chunks.map_ok(|chunk| stream::iter(Pieces(chunk).map(Ok)));
    Ok(Opened {
        events: Box::pin(pieces.try_flatten().eventsource()),
        since_event,
    })
}

impl Opened {
    /// Returns the next event, or why there is none.
    pub(crate) async fn next(&mut self) -> Result<eventsource_stream::Event, String> {
        let event = self.events.next().await;
        self.since_event.store(0, Ordering::Relaxed);
        match event {
            Some(Ok(event)) => Ok(event),
            Some(Err(EventStreamError::Transport(ReadError::Http(error)))) => {
                Err(Unreachable::from_client(error).reason())
            }
            Some(Err(EventStreamError::Transport(ReadError::TooLarge))) => {
                Err("an event was larger than a mebibyte".to_owned())
            }
            Some(Err(EventStreamError::Utf8(_))) => Err("what came is not UTF-8".to_owned()),
            Some(Err(EventStreamError::Parser(_))) => {
                Err("what came are no server-sent events".to_owned())
            }
            None => Err("the node ended it".to_owned()),
        }
    }
}

/// What came, cut behind the end of each event.
///
/// The parser moves all that is left of its buffer with every line that it takes: with a whole
/// roster in it, what that costs would grow with the square of the roster.
struct Pieces(Bytes);

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let end = self.0.windows(2).position(|pair| pair == b"\n\n");
        let piece = self.0.split_to(end.map_or(self.0.len(), |at| at + 2));
        (!piece.is_empty()).then_some(piece)
    }
}

async fn stream(
    client: &HttpClient,
    node: &Url,
    conference: &ConferenceAlias,
    token: &Token,
    queue: &Queue,
) -> StreamEnd {
    let mut opened = match open(client, node, conference, token).await {
        Ok(opened) => opened,
        Err(RequestError::Answered(Failure::Refused(refusal))) => {
            return StreamEnd::Refused(refusal);
        }
        Err(error) => return StreamEnd::Lost(error.to_failure().to_string()),
    };
    if queue.send(EventStreamInput::Opened).await.is_err() {
        return abandoned();
    }
    loop {
        let event = match opened.next().await {
            Ok(event) => event,
            Err(why) => return StreamEnd::Lost(why),
        };
        let bytes = event.event.len() + event.data.len();
        queue.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let message = match Event::decode(&event.event, &event.data) {
            Ok(event) => EventStreamInput::Event(event),
            Err(error) => EventStreamInput::Malformed(error),
        };
        if queue.send(message).await.is_err() {
            return abandoned();
        }
    }
}

fn abandoned() -> StreamEnd {
    StreamEnd::Lost("nobody reads it any more".to_owned())
}

#[derive(Debug)]
enum ReadError {
    Http(reqwest::Error),
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_cut_behind_each_event_and_nothing_is_lost() {
        let pieces = |text: &'static str| -> Vec<Bytes> {
            Pieces(Bytes::from_static(text.as_bytes())).collect()
        };
        let all = "event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: ha";
        let cut = pieces(all);
        assert_eq!(
            cut,
            ["event: a\ndata: 1\n\n", "event: b\ndata: 2\n\n", "data: ha"]
        );
        assert_eq!(cut.concat(), all.as_bytes());
        // Nobody must end lines so; such a stream is read as it comes.
        assert_eq!(pieces("data: 1\r\n\r\n").len(), 1);
        assert!(pieces("").is_empty());
    }
}
