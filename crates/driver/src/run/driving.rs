//! The loop: drain outputs, wait for one wakeup, hand it in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use infinity::Event;
use media::Parts;
use participant::{
    EventStreamInput, Exit, Input, LeaveReason, Options, Output, Participant, PeerInput, StreamId,
};
use peer::Shard;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tracing::debug;
use url::Url;

use super::CLOSE_LIMIT;
use super::lease::Lease;
use super::leg::Leg;
use super::story::Story;
use super::wakeup::{Order, Wakeup};
use crate::api::Access;
use crate::pump::PumpCommand;
use crate::{
    CallerSettings, EndReason, Figures, Notice, NoticeKind, Outcome, Rejoin, State, StopReason,
};

mod adapting;
mod carrying_out;
mod news;
mod replies;
mod search;

/// How many wakeups may wait; whoever has more to say waits for the loop, and nothing is lost.
const WAKEUPS: usize = 256;

/// Runs a caller until its participant is done, or it is told to stop at once.
pub(super) async fn drive(
    shard: Shard,
    settings: CallerSettings,
    notices: mpsc::Sender<Notice>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    lease: Lease,
) -> Outcome {
    let now = Instant::now();
    let mut story = Story::new(notices, now);
    let search = search::search(&settings, &mut story, &mut orders).await;
    let now = Instant::now();
    let (wakeups, mut queue) = mpsc::channel(WAKEUPS);
    let mut driving = Driving::new(shard, settings, story, lease, wakeups, now, search.nodes);
    driving.may_play |= search.may_play;
    driving.is_hushed = search.is_hushed;
    if let Some((number, program)) = search.program {
        driving.play(number, program);
    }
    match search.stop {
        Some(order) => driving.do_not_begin(order),
        None => driving.begin(now),
    }
    let mut timer = std::pin::pin!(tokio::time::sleep(std::time::Duration::ZERO));
    loop {
        driving.drain();
        if driving.is_over() {
            break;
        }
        if let Some(due) = driving.next_due() {
            timer.as_mut().reset(due.into());
        }
        let wakeup = tokio::select! {
            biased;
            order = orders.recv(), if !driving.is_abandoned => {
                Wakeup::Order(order.unwrap_or(Order::Abandoned))
            }
            // Before the queue: whoever floods it must not keep a token from being refreshed.
            () = timer.as_mut(), if driving.next_due().is_some() => Wakeup::Timer,
            Some(wakeup) = queue.recv() => wakeup,
        };
        driving.handle(Instant::now(), wakeup);
    }
    // Whoever still reports finds nobody, and ends.
    drop(queue);
    driving.end().await
}

/// A caller at work.
struct Driving {
    shard: Shard,
    settings: CallerSettings,
    participant: Participant,
    story: Story,
    lease: Lease,
    wakeups: mpsc::Sender<Wakeup>,
    requests: JoinSet<()>,
    /// Legs being closed; each ends with why its recording is not complete, if it is not.
    closing: JoinSet<Option<String>>,
    streams: Vec<(StreamId, AbortHandle)>,
    leg: Option<Leg>,
    /// The nodes to choose from.
    nodes: Vec<Url>,
    /// The node joined last.
    node: usize,
    random: fastrand::Rng,
    exit: Option<Exit>,
    /// Until when leaving may take, once it has begun.
    leave_by: Option<Instant>,
    /// Why it was told to stop, first of all.
    stop: Option<StopReason>,
    /// Whoever runs the caller is gone.
    is_abandoned: bool,
    /// Told to stop at once.
    at_once: bool,
    /// The program may start as far as whoever runs the caller is concerned.
    may_play: bool,
    /// The sound of the program is not to be heard.
    is_hushed: bool,
    /// By which number whoever runs the caller knows the program.
    program: u32,
    /// When figures are told next.
    figures_due: Option<Instant>,
    /// When statistics are told next.
    stats_due: Option<Instant>,
    /// Events that came, and their bytes.
    events: u64,
    event_bytes: Arc<AtomicU64>,
    in_conference: bool,
    /// A clip that is to be played once was played.
    played: bool,
    told_rare_key_frames: bool,
    told_narrow: bool,
    /// Names the files that are recorded to.
    parts: Option<Parts>,
}

impl Driving {
    fn new(
        shard: Shard,
        settings: CallerSettings,
        story: Story,
        lease: Lease,
        wakeups: mpsc::Sender<Wakeup>,
        now: Instant,
        nodes: Vec<Url>,
    ) -> Self {
        let seed = settings.seed.unwrap_or_else(|| fastrand::u64(..));
        Self {
            participant: Participant::new(options(&settings, nodes.len()), now, seed),
            may_play: !settings.hold,
            shard,
            settings,
            story,
            lease,
            wakeups,
            requests: JoinSet::new(),
            closing: JoinSet::new(),
            streams: Vec::new(),
            leg: None,
            nodes,
            node: 0,
            random: fastrand::Rng::with_seed(seed.rotate_left(32)),
            exit: None,
            leave_by: None,
            stop: None,
            is_abandoned: false,
            at_once: false,
            is_hushed: false,
            program: 0,
            figures_due: None,
            stats_due: None,
            events: 0,
            event_bytes: Arc::default(),
            in_conference: false,
            played: false,
            told_rare_key_frames: false,
            told_narrow: false,
            parts: None,
        }
    }

    fn begin(&mut self, now: Instant) {
        if self.nodes.is_empty() {
            // Why, the search has said.
            self.at_once = true;
            return;
        }
        if let Some(record) = self.settings.record.clone() {
            match Parts::new(record) {
                Ok(parts) => self.parts = Some(parts),
                Err(error) => {
                    self.story.fault(EndReason::Media(error.to_string()));
                    self.at_once = true;
                    return;
                }
            }
        }
        self.figures_due = self.settings.figures.map(|every| now + every);
        self.stats_due = self.settings.stats.map(|every| now + every);
        self.input(now, Input::Join);
    }

    /// It was told to stop before it had anywhere to go.
    fn do_not_begin(&mut self, order: Order) {
        if let Order::Stop(reason) = order {
            self.stop = Some(reason);
        }
        self.at_once = true;
    }

    fn is_over(&self) -> bool {
        self.at_once || self.participant.has_ended()
    }

    fn next_due(&self) -> Option<Instant> {
        let participant = self.participant.poll_timeout().map(|(at, _)| at);
        let flow = self.leg.as_ref().and_then(|leg| leg.flow.next_due());
        let ladder = self.leg.as_ref().and_then(|leg| leg.ladder.next_due());
        [
            participant,
            flow,
            ladder,
            self.leave_by,
            self.figures_due,
            self.stats_due,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn input(&mut self, now: Instant, input: Input) {
        match &input {
            Input::EventStream(_, EventStreamInput::Event(Event::Unknown { name })) => {
                debug!(event = name, "skipped: an event that is not known here");
            }
            input => debug!(?input, "in"),
        }
        self.participant.handle_input(now, input);
    }

    fn handle(&mut self, now: Instant, wakeup: Wakeup) {
        match wakeup {
            Wakeup::Reply(answered) => self.reply(now, *answered),
            Wakeup::Event(stream, input) => {
                // Whatever an old stream had left to say is no news.
                if self.streams.iter().any(|(known, _)| *known == stream) {
                    if matches!(input, EventStreamInput::Event(_)) {
                        self.events += 1;
                    }
                    self.input(now, Input::EventStream(stream, input));
                }
            }
            Wakeup::Peer(peer, news) => {
                if self.leg.as_ref().is_some_and(|leg| leg.id == peer) {
                    self.news(now, peer, news);
                }
            }
            Wakeup::Timer => {
                if self.leave_by.is_some_and(|by| now >= by) {
                    self.at_once = true;
                }
                self.tell_figures(now);
                self.tell_stats(now);
                self.input(now, Input::Timeout);
            }
            Wakeup::Order(order) => self.order(now, order),
        }
        self.watch_flow(now);
        self.watch_bandwidth(now);
    }

    fn order(&mut self, now: Instant, order: Order) {
        if let Order::Stop(reason) = &order {
            self.stop.get_or_insert(*reason);
        }
        let reason = match order {
            Order::Play => {
                self.may_play = true;
                self.release_clip();
                return;
            }
            Order::Talk(aloud) => {
                self.is_hushed = !aloud;
                if let Some(leg) = &self.leg {
                    leg.tell_pump(PumpCommand::Talk(aloud));
                }
                return;
            }
            Order::Program(number, program) => {
                self.play(number, program);
                return;
            }
            Order::Introduce(asked) => {
                self.introduce(now, asked);
                return;
            }
            Order::Abandoned => {
                self.is_abandoned = true;
                if self.leave_by.is_some() {
                    return;
                }
                LeaveReason::Finished
            }
            Order::Stop(_) if self.leave_by.is_some() => {
                self.at_once = true;
                return;
            }
            Order::Stop(StopReason::Finished) => LeaveReason::Finished,
            Order::Stop(StopReason::Interrupted) => LeaveReason::Interrupted,
            Order::Stop(StopReason::Terminated) => LeaveReason::Stopped,
        };
        self.leave(now, reason);
    }

    /// Says who the participant is and what proves it, if it is anybody.
    fn introduce(&self, now: Instant, asked: oneshot::Sender<Access>) {
        let Some(membership) = self.participant.membership(now) else {
            return;
        };
        if let Some(node) = self.nodes.get(membership.node) {
            // Whoever asked may have gone.
            let _ = asked.send(Access {
                node: node.clone(),
                conference: membership.conference.clone(),
                participant: membership.participant.clone(),
                token: membership.token.clone(),
            });
        }
    }

    fn leave(&mut self, now: Instant, reason: LeaveReason) {
        self.leave_by.get_or_insert(now + self.settings.leave_limit);
        self.input(now, Input::Leave(reason));
    }

    fn release_clip(&self) {
        if self.in_conference
            && self.may_play
            && let Some(leg) = &self.leg
        {
            leg.tell_pump(PumpCommand::Release);
        }
    }

    /// A leg has been closed: what it recorded is whole, or the outcome says that it is not.
    fn closed(&mut self, closed: Result<Option<String>, JoinError>) {
        if let Ok(Some(why)) = closed {
            self.story.incomplete(why);
        }
    }

    /// Carries out all that the participant wants done.
    fn drain(&mut self) {
        while self.requests.try_join_next().is_some() {}
        while let Some(closed) = self.closing.try_join_next() {
            self.closed(closed);
        }
        while let Some(output) = self.participant.poll_output() {
            let now = Instant::now();
            match output {
                Output::Request(outgoing) => self.request(now, outgoing),
                Output::EventStream(command) => self.event_stream(command),
                Output::Peer(peer, command) => self.peer(peer, command),
                Output::Media(peer, command) => self.media(now, peer, command),
                Output::Notice(notice) => self.notice(now, notice),
            }
        }
    }

    fn watch_flow(&mut self, now: Instant) {
        let Some(leg) = &mut self.leg else { return };
        if let Some(last) = leg.inflow.last() {
            leg.flow.packet(last);
        }
        let id = leg.id;
        if let Some(change) = leg.flow.poll(now) {
            let input = match change {
                super::flow::Change::Flowing => PeerInput::MediaFlowing,
                super::flow::Change::Stopped => PeerInput::MediaStopped,
            };
            self.input(now, Input::Peer(id, input));
        }
    }

    /// Tells what was measured so far, when it is time to.
    fn tell_figures(&mut self, now: Instant) {
        let (Some(every), Some(due)) = (self.settings.figures, self.figures_due) else {
            return;
        };
        if now < due {
            return;
        }
        self.figures_due = Some(now + every);
        let Some(peer) = self.leg.as_ref().and_then(|leg| leg.peer.clone()) else {
            return;
        };
        let mut received = self.story.received.clone();
        let (mut heard, mut frozen) = (None, false);
        if let Some(leg) = &self.leg {
            received.add(&leg.inflow.received());
            (heard, frozen) = (leg.inflow.heard(), leg.inflow.is_frozen(now));
        }
        let (events, notices) = (self.events, self.story.notices());
        let event_bytes = self.event_bytes.load(Ordering::Relaxed);
        // The call's own figures must be waited for, and the loop waits for nothing.
        self.shard.spawn(async move {
            let figures = Figures {
                received,
                call: peer.stats().await,
                heard,
                frozen,
                events,
                event_bytes,
            };
            // Whoever does not read them gets the next ones.
            let _ = notices.try_send(Notice::new(now, NoticeKind::Figures(Box::new(figures))));
        });
    }

    /// Tells what was received so far, when it is time to.
    fn tell_stats(&mut self, now: Instant) {
        let (Some(every), Some(due)) = (self.settings.stats, self.stats_due) else {
            return;
        };
        if now < due {
            return;
        }
        self.stats_due = Some(now + every);
        let Some(leg) = &mut self.leg else { return };
        let Some((listening, before)) = &mut leg.listening else {
            return;
        };
        let mut received = self.story.received.clone();
        received.add(&leg.inflow.received());
        let (size, frozen) = (leg.inflow.pictures.size(), leg.inflow.is_frozen(now));
        let stats = listening.stats(now, before, &received, size, frozen);
        self.story.tell(now, NoticeKind::Stats(Box::new(stats)));
    }

    /// Puts everything away and tells what became of it.
    async fn end(mut self) -> Outcome {
        let now = Instant::now();
        self.story.state(now, State::Leaving);
        for (_, reading) in self.streams.drain(..) {
            reading.abort();
        }
        self.close_leg();
        let deadline = tokio::time::Instant::from_std(now + CLOSE_LIMIT);
        // A connection that does not close in time ends with its tasks.
        while let Ok(Some(closed)) =
            tokio::time::timeout_at(deadline, self.closing.join_next()).await
        {
            self.closed(closed);
        }
        self.story.sum_up(now, self.exit.as_ref(), self.stop)
    }
}

fn options(settings: &CallerSettings, nodes: usize) -> Options {
    let mut options = Options::new(settings.conference.clone(), &settings.display_name);
    options.pin = settings.pin.clone();
    options.conference_extension = settings.conference_extension.clone();
    options.one_time_token = settings.one_time_token.clone();
    options.nodes = nodes;
    options.media = settings.media;
    if let Rejoin::Always { first, longest } = settings.rejoin {
        options.rejoin = participant::Rejoin::AfterLoss;
        options.first_pause = first;
        options.longest_pause = longest;
    }
    options.waiting_room_limit = settings.waiting_room_limit;
    options
}
