//! What is done for a participant, and when: orders, what its caller tells, and the time.

use std::time::{Duration, Instant, SystemTime};

use driver::{
    Caller, CallerSettings, EndReason, Notice, NoticeKind, Outcome, Program, RosterFacts, State,
    StopReason,
};
use peer::Shard;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::{Part, Seen};
use crate::recording::{self, Unheld};
use crate::run::condition::{Condition, Expected};
use crate::run::events::Events;
use crate::run::measured::Measured;
use crate::run::patience::Patience;
use crate::run::playing::{Ask, NotPlayed, Played, Playing};
use crate::run::remote::{Order, TURN_LIMIT};
use crate::run::standing::Reason;
use crate::settings::RunSettings;

/// How often figures are told: often enough for metrics that are read every few seconds.
const FIGURES: Duration = Duration::from_secs(2);

/// What becomes of a participant when its caller has ended.
#[derive(Debug)]
enum Then {
    /// Whatever the caller's end means.
    Judge,
    /// It stays out, for this reason.
    StayOut(Reason),
    /// It begins anew, with these settings.
    Begin(Box<RunSettings>, Reason),
    /// Nobody attends to it any more.
    End,
}

/// One who attends to a participant.
pub(super) struct Attending {
    name: String,
    settings: RunSettings,
    shard: Shard,
    events: Events,
    part: Part,
    condition: Condition,
    patience: Patience,
    seen: Seen,
    publish: watch::Sender<Seen>,
    caller: Option<Caller>,
    playing: Playing,
    then: Then,
    /// Who is told once the caller has ended.
    waiting: Vec<oneshot::Sender<()>>,
    /// When it comes back by itself.
    back_at: Option<Instant>,
}

impl Attending {
    pub(super) fn new(
        name: String,
        settings: RunSettings,
        shard: Shard,
        events: Events,
        part: Part,
    ) -> (Self, watch::Receiver<Seen>) {
        let now = Instant::now();
        let condition = Condition::starting(now, expected(&settings));
        let seen = Seen {
            standing: condition.standing().clone(),
            conference: settings.destination.conference.to_string(),
            display_name: settings.destination.display_name.clone(),
            node: None,
            participant_uuid: None,
            role: None,
            roster: RosterFacts::default(),
            was_in: false,
            is_over: false,
            measured: Measured::default(),
            played: Played::default(),
        };
        let (publish, watched) = watch::channel(seen.clone());
        let attending = Self {
            name,
            patience: Patience::new(settings.leave, now, SystemTime::now()),
            settings,
            shard,
            events,
            part,
            condition,
            seen,
            publish,
            caller: None,
            playing: Playing::new(Program::Idle),
            then: Then::Judge,
            waiting: Vec::new(),
            back_at: None,
        };
        (attending, watched)
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Option<Outcome> {
        self.start();
        let mut timer = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
        loop {
            self.show();
            let due = self.due();
            if let Some(due) = due {
                timer.as_mut().reset(due.into());
            }
            let over = tokio::select! {
                order = orders.recv() => self.order(order.unwrap_or(Order::End(StopReason::Finished))),
                notice = next(&mut self.caller), if self.caller.is_some() => match notice {
                    Some(notice) => {
                        self.notice(&notice).await;
                        None
                    }
                    None => self.ended().await,
                },
                () = &mut timer, if due.is_some() => {
                    self.timer(Instant::now());
                    None
                }
            };
            if let Some(outcome) = over {
                self.seen.is_over = true;
                self.show();
                self.events.changed();
                return outcome;
            }
        }
    }

    fn start(&mut self) {
        let now = Instant::now();
        self.condition = Condition::starting(now, expected(&self.settings));
        self.patience = Patience::new(self.settings.leave, now, SystemTime::now());
        self.then = Then::Judge;
        self.back_at = None;
        self.seen.conference = self.settings.destination.conference.to_string();
        self.seen
            .display_name
            .clone_from(&self.settings.destination.display_name);
        match caller(&self.settings) {
            Ok(mut settings) => {
                settings.figures = Some(FIGURES);
                settings.levels = self.part.is_measured;
                settings.gauge = Some(self.seen.measured.lateness.clone());
                self.playing = Playing::new(settings.program.clone());
                self.caller = Some(driver::start(&self.shard, settings));
            }
            // It was possible when the configuration was checked.
            Err(error) => {
                let end = EndReason::Media(error.to_string());
                self.condition.ended(now, &end, None);
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        let stay = self.caller.is_some() && matches!(self.then, Then::Judge);
        let patience = stay.then(|| self.patience.poll_timeout()).flatten();
        [self.condition.poll_timeout(), patience, self.back_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Returns the outcome if it is over with that.
    fn order(&mut self, order: Order) -> Option<Option<Outcome>> {
        match order {
            Order::Join(told) => match (&self.caller, &self.then) {
                (None, _) => {
                    self.restart(Reason::Operator);
                    let _ = told.send(());
                }
                (Some(_), Then::StayOut(_)) => {
                    let settings = Box::new(self.settings.clone());
                    self.then = Then::Begin(settings, Reason::Operator);
                    self.waiting.push(told);
                }
                // It is there, or on its way.
                (Some(_), _) => drop(told.send(())),
            },
            Order::Leave(told) => {
                self.waiting.push(told);
                self.leave(Then::StayOut(Reason::Operator), StopReason::Finished);
            }
            Order::Restart(settings, reason, told) => {
                self.waiting.push(told);
                self.leave(Then::Begin(settings, reason), StopReason::Finished);
            }
            Order::Lend(told) => {
                // Whoever asked may have gone.
                let _ = told.send(self.caller.as_ref().map(Caller::conference));
            }
            Order::Media(ask, told) => {
                let done = self.play(ask);
                // Whoever is told will look.
                self.show();
                // Whoever asked may have gone.
                let _ = told.send(done);
            }
            Order::Turn(told) => {
                let conference = self.caller.as_ref().map(Caller::conference);
                tokio::spawn(async move {
                    // An answer of any kind shows that the caller's loop turns, one that is not in as well.
                    if let Some(conference) = conference {
                        let _ = conference.own_uuid().await;
                    }
                    let _ = told.send(());
                });
            }
            Order::End(reason) => {
                if self.caller.is_none() {
                    return Some(None);
                }
                self.leave(Then::End, reason);
            }
        }
        None
    }

    /// Has something played, or something else, or nothing.
    fn play(&mut self, ask: Ask) -> Result<(), NotPlayed> {
        let caller = self.caller.as_ref().ok_or(NotPlayed::NotThere)?;
        if !self.settings.media {
            return Err(NotPlayed::NoCall);
        }
        if let Some((number, program)) = self.playing.ask(ask)? {
            caller.change_program(number, program);
        }
        Ok(())
    }

    /// Lets the caller leave; what comes then comes at once where there is none.
    fn leave(&mut self, then: Then, reason: StopReason) {
        if !matches!(self.then, Then::End) {
            self.then = then;
        }
        match &self.caller {
            Some(caller) => caller.stop(reason),
            None => self.go_on(None),
        }
    }

    fn restart(&mut self, reason: Reason) {
        self.seen.measured.restarted(reason);
        self.start();
    }

    /// Does what is to be done once there is no caller.
    fn go_on(&mut self, outcome: Option<&Outcome>) {
        let now = Instant::now();
        self.seen.participant_uuid = None;
        self.seen.role = None;
        self.seen.roster = RosterFacts::default();
        // What was ordered is forgotten, and its inputs are closed.
        self.playing = Playing::new(Program::Idle);
        match std::mem::replace(&mut self.then, Then::Judge) {
            Then::StayOut(reason) => {
                self.back_at = None;
                self.condition.left(now, reason);
            }
            Then::Begin(settings, reason) => {
                self.settings = *settings;
                self.restart(reason);
            }
            Then::Judge | Then::End => {
                if let Some(outcome) = outcome {
                    let is_removed = matches!(outcome.reason, EndReason::Removed(_));
                    let pause = self.settings.after_removal.filter(|_| is_removed);
                    self.back_at = pause.map(|pause| now + pause);
                    self.condition.ended(now, &outcome.reason, pause);
                }
            }
        }
        self.show();
        for told in self.waiting.drain(..) {
            // Whoever waited may have gone.
            let _ = told.send(());
        }
    }

    async fn ended(&mut self) -> Option<Option<Outcome>> {
        let outcome = self.caller.take()?.join().await;
        let is_end = matches!(self.then, Then::End);
        self.go_on(Some(&outcome));
        let is_out = self.caller.is_none() && self.back_at.is_none();
        (is_end || (self.part.is_alone && is_out)).then_some(Some(outcome))
    }

    async fn notice(&mut self, notice: &Notice) {
        let now = notice.at;
        self.condition.notice(now, &notice.kind);
        self.patience.notice(now, &notice.kind);
        self.seen.measured.notice(now, &notice.kind);
        match &notice.kind {
            NoticeKind::State(State::Joining(node)) => {
                self.seen.node = Some(node.to_string());
                self.seen.participant_uuid = None;
                self.seen.roster = RosterFacts::default();
            }
            NoticeKind::State(State::InConference) => self.seen.was_in = true,
            NoticeKind::Step(driver::JoinStep::Token, _) => {
                let conference = self.caller.as_ref().map(Caller::conference);
                if let Some(conference) = conference
                    && let Ok(Ok(uuid)) = timeout(TURN_LIMIT, conference.own_uuid()).await
                {
                    self.seen.participant_uuid = Some(uuid.to_string());
                }
            }
            NoticeKind::Roster(facts) => self.seen.roster = facts.clone(),
            NoticeKind::Role(role) => self.seen.role = Some(*role),
            NoticeKind::ClipFinished { program, .. } => {
                if let Some(caller) = &self.caller
                    && let Some((number, program)) = self.playing.finished(*program)
                {
                    caller.change_program(number, program);
                }
            }
            _ => {}
        }
        self.events.notice(&self.name, &notice.kind);
    }

    fn timer(&mut self, now: Instant) {
        self.condition.poll(now);
        if self.caller.is_some() && matches!(self.then, Then::Judge) {
            if let Some(reason) = self.patience.poll(now) {
                self.leave(Then::StayOut(reason), StopReason::Finished);
            }
        } else if self.back_at.is_some_and(|at| now >= at) {
            self.restart(Reason::RemovedByHost);
        }
    }

    /// Shows how it stands to whoever watches.
    fn show(&mut self) {
        let standing = self.condition.standing();
        let is_news = self.seen.standing != *standing;
        if is_news {
            self.seen.standing = standing.clone();
            self.events.standing(&self.name, standing);
        }
        self.seen.played = self.playing.played();
        self.publish.send_replace(self.seen.clone());
        if is_news {
            self.events.changed();
        }
    }
}

/// Waits for the next notice of a caller that is there.
async fn next(caller: &mut Option<Caller>) -> Option<Notice> {
    match caller {
        Some(caller) => caller.notice().await,
        None => None,
    }
}

fn expected(settings: &RunSettings) -> Expected {
    Expected {
        reports: settings.media,
        packets: settings.media,
    }
}

/// Returns what a caller is told; what it is to keep or to pass on may not be possible.
pub(in crate::run) fn caller(settings: &RunSettings) -> Result<CallerSettings, Unheld> {
    let mut caller = settings.destination.caller();
    if let Some(material) = &settings.material {
        caller.video_codecs = material.video_codecs();
        caller.program = Program::Loop(material.clone());
    }
    if let Some(codecs) = &settings.codecs {
        caller.video_codecs.clone_from(codecs);
    }
    caller.media = settings.media;
    caller.rejoin = settings.rejoin;
    caller.waiting_room_limit = settings.waiting_room_limit;
    caller.sinks.clone_from(&settings.sinks);
    recording::apply(settings.record.clone(), &mut caller)?;
    Ok(caller)
}
