//! An event stream, read line by line.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use super::DEADLINE;

/// One event, its data read as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SseEvent {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

/// An event stream that is open.
pub(crate) struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            response,
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` when the stream ended in good order, `Err` when it was cut.
    pub(crate) async fn next(&mut self) -> Result<Option<SseEvent>, String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Ok(Some(parse(std::str::from_utf8(&block).expect("UTF-8"))));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) if self.buffer.is_empty() => return Ok(None),
                Ok(None) => return Err("ended within an event".to_owned()),
                Err(error) => {
                    return Err(format!(
                        "{error} after {:?}",
                        String::from_utf8_lossy(&self.buffer)
                    ));
                }
            }
        }
    }

    async fn next_in_time(&mut self, wanted: &str) -> SseEvent {
        let next = tokio::time::timeout(DEADLINE, self.next()).await;
        let next = next.unwrap_or_else(|_| panic!("no {wanted} came in time"));
        next.expect("an unbroken stream")
            .unwrap_or_else(|| panic!("the stream ended before {wanted} came"))
    }

    /// Reads up to and including the next event called `name`, and returns its data.
    pub(crate) async fn until(&mut self, name: &str) -> Value {
        self.until_some(name, |_| true).await
    }

    /// Reads up to the next event called `name` whose data is as `wanted`.
    pub(crate) async fn until_some(
        &mut self,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        loop {
            let event = self.next_in_time(name).await;
            if event.name == name && wanted(&event.data) {
                return event.data;
            }
        }
    }

    /// Reads up to and including `name`, and returns everything.
    pub(crate) async fn all_until(&mut self, name: &str) -> Vec<SseEvent> {
        let mut all = Vec::new();
        loop {
            all.push(self.next_in_time(name).await);
            if all.last().is_some_and(|event| event.name == name) {
                return all;
            }
        }
    }

    /// Reads until the stream has ended in good order, and returns what came before.
    pub(crate) async fn all_until_end(&mut self) -> Vec<SseEvent> {
        let mut all = Vec::new();
        let read = async {
            while let Some(event) = self.next().await.expect("an unbroken stream") {
                all.push(event);
            }
        };
        tokio::time::timeout(DEADLINE, read)
            .await
            .expect("the stream ends in time");
        all
    }

    /// Checks that nothing called `name` comes for a while. Only for what must never come: the
    /// test waits it out.
    pub(crate) async fn none_of(&mut self, name: &str, during: Duration) {
        let came = tokio::time::timeout(during, self.until(name)).await;
        assert!(came.is_err(), "{name} came: {came:?}");
    }
}

fn parse(block: &str) -> SseEvent {
    let field = |name: &str| {
        let lines: Vec<_> = block
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .collect();
        assert_eq!(lines.len(), 1, "one {name} in {block:?}");
        lines[0].to_owned()
    };
    let data = field("data");
    assert!(
        !data.is_empty(),
        "official clients skip events without data: {block:?}"
    );
    SseEvent {
        name: field("event"),
        id: field("id"),
        data: serde_json::from_str(&data).expect("data is JSON"),
    }
}
