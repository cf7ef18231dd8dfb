//! What open pages are sent (Server-Sent Events): each second what changed, every few what grows.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::response::sse::Event;
use futures_util::stream::{self, Stream};
use load::report;
use tokio::sync::watch;

/// Plots are the larger part of a page and change slowly: they are sent every so many looks.
const PLOTS_EVERY: u64 = 5;

/// The latest of what there is to see; pages that are slow miss what came in between.
#[derive(Clone, Debug)]
pub(super) struct Feed(watch::Sender<Latest>);

/// What there is to see.
#[derive(Clone, Debug, Default)]
struct Latest {
    looks: u64,
    now: Arc<str>,
    /// When the plots were drawn, and they themselves.
    plots: (u64, Arc<str>),
    /// There is nothing more to come.
    is_last: bool,
}

impl Default for Feed {
    fn default() -> Self {
        Self(watch::Sender::new(Latest::default()))
    }
}

impl Feed {
    /// Puts in what is shown now. It is drawn once for all pages, and not where there is none.
    pub(super) fn put(&self, shown: &report::Live, with_plots: bool) {
        self.0.send_modify(|latest| {
            latest.looks += 1;
            if self.0.receiver_count() == 0 && !with_plots {
                return;
            }
            latest.now = shown.now(Instant::now()).into();
            if with_plots || latest.looks >= latest.plots.0 + PLOTS_EVERY {
                latest.plots = (latest.looks, shown.plots().into());
            }
        });
    }

    /// There is nothing more to come.
    pub(super) fn close(&self) {
        self.0.send_modify(|latest| latest.is_last = true);
    }

    /// What one page is sent, until there is nothing more to come.
    pub(super) fn events(&self) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
        let page = Page {
            latest: self.0.subscribe(),
            plots: 0,
            waiting: VecDeque::new(),
            is_over: false,
        };
        stream::unfold(page, |mut page| async move {
            let event = page.next().await?;
            Some((Ok(event), page))
        })
    }
}

/// One open page.
struct Page {
    latest: watch::Receiver<Latest>,
    /// The plots that it has.
    plots: u64,
    waiting: VecDeque<Event>,
    is_over: bool,
}

impl Page {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.is_over || self.latest.changed().await.is_err() {
                return None;
            }
            let latest = self.latest.borrow_and_update().clone();
            let event = |name: &str, data: &str| Event::default().event(name).data(data);
            if !latest.now.is_empty() {
                self.waiting.push_back(event("now", &latest.now));
            }
            if latest.plots.0 > self.plots {
                self.plots = latest.plots.0;
                self.waiting.push_back(event("plots", &latest.plots.1));
            }
            if latest.is_last {
                self.is_over = true;
                self.waiting.push_back(event("end", "ended"));
            }
        }
    }
}
