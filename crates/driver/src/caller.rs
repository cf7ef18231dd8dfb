//! The handle of a running caller.

use peer::Shard;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::api::Conference;
use crate::run::{self, Order};
use crate::{CallerSettings, EndReason, HttpClient, Notice, Outcome, Program, StopReason};

/// How many notices may wait for whoever reads them; more are dropped, never waited for.
const NOTICES: usize = 1024;

/// A caller that runs on its shard.
///
/// Dropping it lets the caller leave as [`StopReason::Finished`] does; whoever must know that the
/// token is released waits for [`Caller::join`] instead. The shard must outlive the caller.
#[derive(Debug)]
pub struct Caller {
    notices: mpsc::Receiver<Notice>,
    stopper: Stopper,
    client: HttpClient,
    task: JoinHandle<Outcome>,
}

/// Stops a caller from elsewhere, such as a signal handler. Cheap to clone.
///
/// When the last one is gone together with its [`Caller`], the caller leaves.
#[derive(Debug, Clone)]
pub struct Stopper(mpsc::UnboundedSender<Order>);

impl Stopper {
    /// Lets the caller leave: it hangs up and releases its token. The second time it gives up all
    /// waiting and releases the token at once.
    pub fn stop(&self, reason: StopReason) {
        // A caller that has ended has nothing left to stop.
        let _ = self.0.send(Order::Stop(reason));
    }
}

/// Starts a caller on `shard`.
pub fn start(shard: &Shard, settings: CallerSettings) -> Caller {
    let (notify, notices) = mpsc::channel(NOTICES);
    // Unbounded, but only a person or a schedule puts anything in.
    let (order, orders) = mpsc::unbounded_channel();
    let client = settings.client.clone();
    let running = run::supervise(shard.clone(), settings, notify, orders);
    // Whoever starts several says in the log which one it is.
    let task = shard.spawn(running.in_current_span());
    Caller {
        notices,
        stopper: Stopper(order),
        client,
        task,
    }
}

impl Caller {
    /// Waits for the next notice; `None` once the caller has ended and all are read.
    ///
    /// May be dropped and called again without losing any. Notices nobody reads are dropped after
    /// the first thousand; the caller never waits for its audience.
    pub async fn notice(&mut self) -> Option<Notice> {
        self.notices.recv().await
    }

    /// Lets the caller leave; see [`Stopper::stop`].
    pub fn stop(&self, reason: StopReason) {
        self.stopper.stop(reason);
    }

    /// Lets the program start, where [`CallerSettings::hold`] holds it back.
    pub fn play(&self) {
        // A caller that has ended has nothing left to play.
        let _ = self.stopper.0.send(Order::Play);
    }

    /// Lets the sound of the program be heard, as it is from the start, or silence instead.
    pub fn talk(&self, aloud: bool) {
        // A caller that has ended has nothing left to say.
        let _ = self.stopper.0.send(Order::Talk(aloud));
    }

    /// Plays another program from now on, from its beginning; what was played ends at once, without a
    /// notice. Notices about its clip carry `number`.
    pub fn change_program(&self, number: u32, program: Program) {
        // A caller that has ended has nothing left to play.
        let _ = self.stopper.0.send(Order::Program(number, program));
    }

    /// Returns a handle for requests of one's own in the name of this participant, such as to mute
    /// somebody; see [`crate::api`].
    pub fn conference(&self) -> Conference {
        Conference::of_caller(self.client.clone(), self.stopper.0.downgrade())
    }

    /// Returns a handle that stops this caller from elsewhere.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits until the caller has ended, its token released.
    pub async fn join(self) -> Outcome {
        // Held until the end: a caller without anybody to stop it would leave.
        let Self {
            notices,
            stopper: _stopper,
            client: _,
            task,
        } = self;
        drop(notices);
        task.await.unwrap_or_else(|error| {
            Outcome::unstarted(EndReason::Defect(format!(
                "the caller's task ended: {error}"
            )))
        })
    }
}
