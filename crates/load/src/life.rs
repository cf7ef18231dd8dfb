//! What one caller lived through: its notices become measurements.

use std::time::{Duration, Instant};

use driver::{Answer, Figures, JoinStep, JoinTimes, Notice, NoticeKind, Outcome, State};

use crate::ledger::{Ledger, Lived};
use crate::standing::{Board, Standing};
use crate::{CallerRow, Counter, PlannedCaller, metric};

mod ending;
mod figures;

use ending::{End, end_of};
use figures::share;

/// One caller, over all its stays.
#[derive(Debug)]
pub(crate) struct Life {
    number: usize,
    conference: usize,
    ledger: Ledger,
    board: Board,
    standing: Standing,
    row: CallerRow,
    /// The steps of connecting are this caller's own.
    has_own_connections: bool,
    first_join_told: bool,
    rtt: (f64, u64),
    mos: (f64, u64),
    stay: Stay,
}

/// What is known of the present stay.
#[derive(Debug, Default)]
struct Stay {
    began: Option<Instant>,
    in_since: Option<Instant>,
    waiting_since: Option<Instant>,
    waited: Duration,
    times: JoinTimes,
    is_relayed: bool,
    events_lost: Option<Instant>,
    last: Option<(Instant, Figures)>,
}

impl Life {
    pub(crate) fn new(
        planned: &PlannedCaller,
        row: CallerRow,
        ledger: Ledger,
        board: Board,
        has_own_connections: bool,
    ) -> Self {
        Self {
            number: planned.number,
            conference: planned.conference,
            ledger,
            board,
            standing: Standing::Planned,
            row,
            has_own_connections,
            first_join_told: false,
            rtt: (0.0, 0),
            mos: (0.0, 0),
            stay: Stay::default(),
        }
    }

    /// A stay begins.
    pub(crate) fn begins(&mut self, now: Instant) {
        self.stay = Stay {
            began: Some(now),
            ..Stay::default()
        };
        self.ledger.count(Counter::JoinsAttempted, 1, now);
        self.stands(Standing::Joining);
    }

    /// Says whether this stay began within `limit`, and has not led into the conference so far.
    pub(crate) fn is_on_its_way(&self, now: Instant, limit: Duration) -> bool {
        let is_fresh = |began| now.saturating_duration_since(began) < limit;
        self.stay.in_since.is_none() && self.stay.began.is_some_and(is_fresh)
    }

    /// The caller told something.
    pub(crate) fn notice(&mut self, notice: &Notice) {
        let at = notice.at;
        match &notice.kind {
            NoticeKind::State(state) => self.state(at, state),
            NoticeKind::Step(step, after) => self.step(at, *step, *after),
            NoticeKind::Report(report) => {
                let lost = f64::from(report.fraction_lost);
                self.ledger.record(&metric::SENT_LOSS, lost, at);
                self.ledger
                    .record_time(&metric::SENT_JITTER, report.jitter, at);
                if let Some(rtt) = report.round_trip_time {
                    self.rtt.0 += rtt.as_secs_f64();
                    self.rtt.1 += 1;
                    self.ledger.record_time(&metric::RTT, rtt, at);
                }
            }
            NoticeKind::Request { verb, took, answer } => self.request(at, verb, *took, *answer),
            NoticeKind::EventStreamLost => {
                self.stay.events_lost.get_or_insert(at);
                self.ledger.count(Counter::EventStreamsLost, 1, at);
                self.ledger.shows(Lived::EventStreamLost);
            }
            NoticeKind::EventStreamOpened => {
                if let Some(lost) = self.stay.events_lost.take() {
                    let gap = at.saturating_duration_since(lost);
                    self.ledger.record_time(&metric::EVENTS_GAP, gap, at);
                }
            }
            NoticeKind::Path(path) if path.local_type == "relay" && !self.stay.is_relayed => {
                self.stay.is_relayed = true;
                self.ledger.count(Counter::CallsRelayed, 1, at);
            }
            NoticeKind::Figures(figures) => self.figures(at, figures),
            _ => {}
        }
    }

    fn state(&mut self, at: Instant, state: &State) {
        if let Some(since) = self.stay.waiting_since.take() {
            let waited = at.saturating_duration_since(since);
            self.stay.waited += waited;
            self.ledger
                .record_time(&metric::JOIN_WAITING_ROOM, waited, at);
        }
        match state {
            State::Joining(_) | State::Connecting => self.stands(Standing::Joining),
            State::WaitingRoom => {
                self.stay.waiting_since = Some(at);
                self.stands(Standing::Waiting);
            }
            State::InConference => {
                if self.stay.in_since.is_none()
                    && let Some(began) = self.stay.began
                {
                    self.stay.in_since = Some(at);
                    let total = at.saturating_duration_since(began);
                    let total = total.saturating_sub(self.stay.waited);
                    self.ledger.record_time(&metric::JOIN_TOTAL, total, at);
                    self.ledger.shows(Lived::Joined(total));
                    self.ledger.tally(self.conference).joined(total);
                    self.ledger.count(Counter::JoinsOk, 1, at);
                    if !self.first_join_told {
                        self.row.join.insert("total".into(), total.as_secs_f64());
                    }
                }
                self.first_join_told = true;
                self.stands(Standing::In);
            }
            State::Degraded(_) | State::Rejoining { .. } => self.stands(Standing::Degraded),
            State::Leaving => self.stands(Standing::Leaving),
            _ => {}
        }
    }

    fn step(&mut self, at: Instant, step: JoinStep, after: Duration) {
        let is_connecting = matches!(step, JoinStep::Dns | JoinStep::Connected);
        if is_connecting && !self.has_own_connections {
            return;
        }
        self.stay.times.note(step, after);
        self.ledger.shows(Lived::Step(step, after));
        if let Some(metric) = metric::of_step(step) {
            self.ledger.record_time(metric, after, at);
            if let (false, Some(name)) = (self.first_join_told, metric.name.strip_prefix("join.")) {
                self.row.join.insert(name.to_owned(), after.as_secs_f64());
            }
        }
    }

    fn request(&mut self, at: Instant, verb: &'static str, took: Duration, answer: Answer) {
        self.ledger.shows(Lived::Request { verb, took, answer });
        self.ledger.record_time(&metric::HTTP_ALL, took, at);
        if let Some(metric) = metric::of_verb(verb) {
            self.ledger.record_time(metric, took, at);
        }
        let (counter, refresh) = match answer {
            Answer::Success => (Counter::RequestsOk, Counter::RefreshesOk),
            _ => (Counter::RequestsFailed, Counter::RefreshesFailed),
        };
        self.ledger.count(counter, 1, at);
        if verb == "refresh_token" {
            self.ledger.count(refresh, 1, at);
        }
    }

    /// A stay ended. `told_to` says whether we made it end.
    pub(crate) fn ended(&mut self, now: Instant, outcome: &Outcome) {
        self.row.seconds_in += outcome.time_in.as_secs_f64();
        let (audio, video) = (&outcome.received.audio, &outcome.received.video);
        if !outcome.token_released {
            self.ledger.count(Counter::TokensKept, 1, now);
        }
        if outcome.was_in {
            self.ledger
                .record(&metric::AUDIO_GAPS, f64::from(audio.gaps), now);
            if audio.packets + audio.lost > 0 {
                self.row.audio_loss = Some(share(audio.lost, audio.packets));
            }
            if video.packets + video.lost > 0 {
                self.row.video_loss = Some(share(video.lost, video.packets));
                let frames = &video.frames;
                self.row.freezes += frames.freezes;
                self.ledger
                    .record(&metric::VIDEO_FREEZES, f64::from(frames.freezes), now);
                let frozen =
                    frames.frozen / outcome.time_in.as_secs_f64().max(frames.frozen).max(0.001);
                self.ledger.record(&metric::VIDEO_FROZEN, frozen, now);
            }
        }
        let ended = end_of(outcome, &self.stay.times);
        self.stands(match &ended {
            End::Well => Standing::Left,
            End::Capacity(_) => Standing::Refused,
            End::Failure(_) => Standing::Failed,
        });
        match ended {
            End::Well if outcome.was_in => self.ledger.shows(Lived::Left),
            End::Well => {}
            End::Capacity(why) => {
                self.ledger.at_capacity(&why);
                self.ledger.shows(Lived::NoRoom);
            }
            End::Failure(why) => {
                self.ledger.failed(&why);
                self.ledger.shows(Lived::Failed {
                    why: &why,
                    was_in: outcome.was_in,
                    after: self
                        .stay
                        .began
                        .map_or(Duration::ZERO, |began| now.saturating_duration_since(began)),
                });
                self.row.failure.get_or_insert(why);
            }
        }
    }

    /// The caller comes back later.
    pub(crate) fn pauses(&mut self) {
        self.stands(Standing::Planned);
    }

    /// The caller will not come again.
    pub(crate) fn finish(mut self) {
        let mean = |(sum, count): (f64, u64)| (count > 0).then(|| sum / count as f64);
        self.row.rtt = mean(self.rtt);
        self.row.mos = mean(self.mos);
        self.ledger.caller(self.number, self.row);
    }

    fn stands(&mut self, standing: Standing) {
        self.board.changes(self.standing, standing);
        self.ledger
            .tally(self.conference)
            .changes(self.standing, standing);
        self.standing = standing;
    }
}
