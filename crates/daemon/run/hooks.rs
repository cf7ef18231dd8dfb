//! What is done when something happens to a participant: programs are run, web servers are told.
//!
//! Each hook has a worker of its own, and does one thing after the other: that of somebody who is slow keeps
//! nobody waiting, least of all a participant.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tracing::{Instrument as _, debug, info_span, warn};

use super::events::{Events, Told};
use crate::exit::Failure;
use crate::settings::{Action, HookSettings, Occasion, Posting};

mod occasions;
mod program;
mod webhook;

use occasions::Occasions;
use webhook::NotTaken;

/// How much may wait for one hook.
const WAITING: usize = 256;

/// How long the end of the service waits for what is still to be told.
const PARTING: Duration = Duration::from_secs(5);

/// All hooks of a service.
#[derive(Debug)]
pub(super) struct Hooks {
    end: oneshot::Sender<()>,
    listening: JoinHandle<JoinSet<()>>,
}

/// Something that has happened, as hooks are told.
#[derive(Debug)]
struct Happening {
    occasion: Occasion,
    participant: String,
    /// The same for every try, and for nothing else.
    id: String,
    body: String,
}

impl Hooks {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// Fails if TLS cannot be set up.
    pub(super) fn begin(settings: Vec<HookSettings>, events: &Events) -> Result<Self, Failure> {
        let client = webhook::client().map_err(Failure::failed)?;
        let mut workers = JoinSet::new();
        let mut hooks = Vec::new();
        for settings in settings {
            let (give, work) = mpsc::channel(WAITING);
            let span = info_span!("hook", name = %settings.name);
            let worker = Worker {
                action: settings.action.clone(),
                client: client.clone(),
            };
            workers.spawn(worker.run(work).instrument(span));
            hooks.push((settings, give));
        }
        let (end, ended) = oneshot::channel();
        // Nobody is kept listening where there is nothing to do.
        let listener = (!hooks.is_empty()).then(|| events.listen());
        let listening = tokio::spawn(async move {
            if let Some(listener) = listener {
                listen(listener, hooks, ended).await;
            }
            workers
        });
        Ok(Self { end, listening })
    }

    /// Does what is still to be done, for a few seconds at most.
    pub(super) async fn end(self) {
        // Whoever listened may have ended by itself.
        let _ = self.end.send(());
        let Ok(mut workers) = self.listening.await else {
            return;
        };
        let all = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(PARTING, all).await.is_err() {
            warn!(
                "{} hooks have not been told all: they took too long",
                workers.len()
            );
        }
    }
}

async fn listen(
    mut listener: broadcast::Receiver<Arc<Told>>,
    hooks: Vec<(HookSettings, mpsc::Sender<Arc<Happening>>)>,
    mut ended: oneshot::Receiver<()>,
) {
    let mut occasions = Occasions::default();
    loop {
        let told = tokio::select! {
            told = listener.recv() => told,
            _ = &mut ended => break,
        };
        match told {
            Ok(told) => give(&mut occasions, &hooks, &told),
            Err(RecvError::Lagged(lost)) => warn!("{lost} events came too fast for the hooks"),
            Err(RecvError::Closed) => return,
        }
    }
    loop {
        match listener.try_recv() {
            Ok(told) => give(&mut occasions, &hooks, &told),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

fn give(
    occasions: &mut Occasions,
    hooks: &[(HookSettings, mpsc::Sender<Arc<Happening>>)],
    told: &Told,
) {
    let Some(occasion) = occasions.of(told) else {
        return;
    };
    let happening = Arc::new(Happening::new(occasion, &told.participant, &told.line));
    for (hook, worker) in hooks {
        let is_meant = hook.on.contains(&occasion)
            && (hook.participants.is_empty() || hook.participants.contains(&told.participant));
        if is_meant && worker.try_send(Arc::clone(&happening)).is_err() {
            warn!(
                hook = hook.name,
                "{WAITING} events wait for it already: {happening} is not told"
            );
        }
    }
}

impl Happening {
    fn new(occasion: Occasion, participant: &str, line: &str) -> Self {
        let data: Value = serde_json::from_str(line).unwrap_or_default();
        let body = json!({ "type": occasion, "timestamp": data["at"], "data": data });
        Self {
            occasion,
            participant: participant.to_owned(),
            id: format!("msg_{}", uuid::Uuid::new_v4().simple()),
            body: body.to_string(),
        }
    }

    fn name(&self) -> String {
        match json!(self.occasion) {
            Value::String(name) => name,
            _ => String::new(),
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name(), self.participant)
    }
}

struct Worker {
    action: Action,
    client: reqwest::Client,
}

impl Worker {
    async fn run(self, mut work: mpsc::Receiver<Arc<Happening>>) {
        while let Some(happening) = work.recv().await {
            match &self.action {
                Action::Run(command) => match program::run(command, &happening).await {
                    Ok(()) => debug!("told: {happening}"),
                    Err(why) => warn!("{happening}: the program {why}"),
                },
                Action::Post(to) => self.post(to, &happening).await,
            }
        }
    }

    async fn post(&self, to: &Posting, happening: &Happening) {
        let address = &to.address;
        let mut pauses = webhook::PAUSES.into_iter();
        loop {
            let posted = webhook::post(&self.client, to, happening).await;
            let why = match posted {
                Ok(()) => return debug!("told: {happening}"),
                Err(NotTaken::Ever(why)) => {
                    return warn!("{happening}: {address:?} does not take it: {why}");
                }
                Err(NotTaken::Yet(why)) => why,
            };
            let Some(pause) = pauses.next() else {
                return warn!("{happening}: {address:?} has not taken it: {why}; given up");
            };
            // Many services that a server was away for do not come back at once.
            let pause = pause.mul_f64(0.8 + 0.4 * fastrand::f64());
            debug!("{happening}: {address:?} has not taken it: {why}; again in {pause:.1?}");
            tokio::time::sleep(pause).await;
        }
    }
}
