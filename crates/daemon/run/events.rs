//! What happens to the participants of a service, for whoever listens: one JSON object a line.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use driver::NoticeKind;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{Notify, broadcast};

use super::standing::{Standing, State};
use crate::telling;

/// How many lines may wait for a listener that is slow; what is older is lost to it.
const LINES: usize = 1024;

/// Something that happened to a participant.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) participant: String,
    /// What, by the name it has in the line.
    pub(crate) event: String,
    /// How it stands with it from now on, where that has changed.
    pub(crate) state: Option<State>,
    /// All of it, with the end of the line.
    pub(crate) line: String,
}

/// Tells what happens. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    told: broadcast::Sender<Arc<Told>>,
    changed: Arc<Notify>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            told: broadcast::Sender::new(LINES),
            changed: Arc::default(),
        }
    }

    /// Listens from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.told.subscribe()
    }

    /// Waits until it stands otherwise with some participant.
    pub(super) async fn until_changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Tells how it stands with a participant.
    pub(super) fn standing(&self, name: &str, standing: &Standing) {
        self.tell(name, Some(standing.state), || {
            json!({
                "event": "standing",
                "state": standing.state,
                "since": moment(standing.since),
                "why": standing.why,
                "reason": standing.reason,
                "next": standing.next,
            })
        });
    }

    /// Tells what the participant's caller tells; not what comes each second.
    pub(super) fn notice(&self, name: &str, kind: &NoticeKind) {
        let is_told = !matches!(
            kind,
            NoticeKind::Report(_)
                | NoticeKind::Stats(_)
                | NoticeKind::Figures(_)
                | NoticeKind::Request { .. }
                | NoticeKind::EventStreamOpened
                | NoticeKind::EventStreamLost
                | NoticeKind::Refreshed
                // Told as the standing it leads to.
                | NoticeKind::State(_)
        );
        if is_told {
            self.tell(name, None, || {
                let mut value = telling::as_json(kind);
                if let Some(fields) = value.as_object_mut()
                    && let Some(notice) = fields.remove("notice")
                {
                    fields.insert("event".to_owned(), notice);
                }
                value
            });
        }
    }

    fn tell(&self, name: &str, state: Option<State>, value: impl FnOnce() -> Value) {
        if self.told.receiver_count() == 0 {
            return;
        }
        let mut value = value();
        value["participant"] = json!(name);
        value["at"] = json!(moment(Instant::now()));
        // Somebody who listened may have gone.
        let _ = self.told.send(Arc::new(Told {
            participant: name.to_owned(),
            event: value["event"].as_str().unwrap_or_default().to_owned(),
            state,
            line: format!("{value}\n"),
        }));
    }
}

/// Writes a moment as RFC 3339 has it, by the clock on the wall.
pub(crate) fn moment(at: Instant) -> String {
    let wall = OffsetDateTime::from(SystemTime::now() - at.elapsed());
    wall.replace_nanosecond(u32::from(wall.millisecond()) * 1_000_000)
        .unwrap_or(wall)
        .format(&Rfc3339)
        .unwrap_or_default()
}
