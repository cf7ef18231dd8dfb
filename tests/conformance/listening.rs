//! The caller listens to its events: as the library's types, or as what `standin api events` prints.

use std::time::Duration;

use driver::api::EventStream;
use infinity::Event;
use serde_json::Value;
use tokio::io::{BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::row::Stop;

/// Open ears.
pub(crate) enum Listening {
    Library(EventStream),
    Api {
        lines: Lines<BufReader<ChildStdout>>,
        /// Ends with the story.
        _process: Box<Child>,
    },
}

impl Listening {
    /// Waits for an event called `name` with such data: one that the library knows as `typed`.
    pub(crate) async fn hears(
        &mut self,
        patience: Duration,
        name: &str,
        typed: impl Fn(&Event) -> bool,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, Stop> {
        let mut heard = Vec::new();
        let listening = async {
            loop {
                let (event, data) = self.next(&typed).await?;
                if event == name && wanted(&data) {
                    return Ok(data);
                }
                heard.push(event);
            }
        };
        let found = tokio::time::timeout(patience, listening).await;
        found.unwrap_or_else(|_| {
            Err(Stop::Asked(format!(
                "the caller heard no such {name}, but {heard:?}"
            )))
        })
    }

    async fn next(&mut self, typed: impl Fn(&Event) -> bool) -> Result<(String, Value), Stop> {
        match self {
            Self::Library(stream) => {
                let heard = stream
                    .next()
                    .await
                    .map_err(|error| Stop::Asked(error.to_string()))?;
                let data = serde_json::from_str(&heard.data).unwrap_or_default();
                let is_typed = heard.event.as_ref().is_ok_and(typed);
                // An event under the right name that is of another type is none.
                let name = if is_typed {
                    heard.name
                } else {
                    format!("({})", heard.name)
                };
                Ok((name, data))
            }
            Self::Api { lines, .. } => {
                let line = lines.next_line().await.ok().flatten();
                let line =
                    line.ok_or_else(|| Stop::Asked("standin api events ended".to_owned()))?;
                let mut heard: Value = serde_json::from_str(&line)
                    .map_err(|_| Stop::Asked(format!("it printed no JSON: {line}")))?;
                let name = heard["event"].as_str().unwrap_or_default().to_owned();
                Ok((name, heard["data"].take()))
            }
        }
    }
}
