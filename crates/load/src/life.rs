//! What one caller lived through: its notices become measurements.

use std::time::{Duration, Instant};

use driver::{
    Answer, EndReason, Figures, JoinStep, JoinTimes, Notice, NoticeKind, Outcome, State, StopReason,
};

use crate::ledger::{Ledger, Lived};
use crate::mos::{self, Conditions, Constants};
use crate::standing::{Board, Standing};
use crate::{CallerRow, Counter, metric};

/// What a receiver holds back at least: a packet of sound. It is taken to hold back twice the jitter.
const LEAST_BUFFER: Duration = Duration::from_millis(20);

/// A sum among the figures.
type Sum = fn(&Figures) -> u64;

/// One caller, over all its stays.
#[derive(Debug)]
pub(crate) struct Life {
    number: usize,
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
        number: usize,
        row: CallerRow,
        ledger: Ledger,
        board: Board,
        has_own_connections: bool,
    ) -> Self {
        Self {
            number,
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

    /// Sets what was measured against what was known before.
    fn figures(&mut self, at: Instant, figures: &Figures) {
        let Some((before_at, before)) = self.stay.last.replace((at, figures.clone())) else {
            self.count_figures(at, figures, None);
            return;
        };
        let seconds = at.saturating_duration_since(before_at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        self.count_figures(at, figures, Some(&before));
        let ledger = self.ledger.clone();
        let (audio, audio_before) = (&figures.received.audio, &before.received.audio);
        let packets = audio.packets.saturating_sub(audio_before.packets);
        if packets > 0 {
            let loss = share(audio.lost.saturating_sub(audio_before.lost), packets);
            ledger.record(&metric::AUDIO_LOSS, loss, at);
            ledger.record(&metric::AUDIO_JITTER, audio.jitter, at);
            let bits = audio.bytes.saturating_sub(audio_before.bytes) as f64 * 8.0;
            ledger.record(&metric::AUDIO_BIT_RATE, bits / seconds, at);
            self.score(at, loss, audio.jitter);
        }
        let events = figures.events.saturating_sub(before.events) as f64;
        ledger.record(&metric::EVENTS_RATE, events / seconds, at);
        let bytes = figures.event_bytes.saturating_sub(before.event_bytes);
        let bits = bytes as f64 * 8.0;
        ledger.record(&metric::EVENTS_BIT_RATE, bits / seconds, at);
        let (video, video_before) = (&figures.received.video, &before.received.video);
        let packets = video.packets.saturating_sub(video_before.packets);
        if packets > 0 {
            let loss = share(video.lost.saturating_sub(video_before.lost), packets);
            ledger.record(&metric::VIDEO_LOSS, loss, at);
            ledger.record(&metric::VIDEO_JITTER, video.jitter, at);
            let bits = video.bytes.saturating_sub(video_before.bytes) as f64 * 8.0;
            ledger.record(&metric::VIDEO_BIT_RATE, bits / seconds, at);
            let frames =
                video.frames.received - video_before.frames.received.min(video.frames.received);
            ledger.record(&metric::VIDEO_FRAME_RATE, frames as f64 / seconds, at);
        }
    }

    /// Scores the sound of an interval, by what is known without decoding it.
    fn score(&mut self, at: Instant, loss: f64, jitter: f64) {
        let rtt = match self.rtt {
            (_, 0) => 0.0,
            (sum, count) => sum / count as f64,
        };
        let conditions = Conditions {
            // Both ways are taken to be alike.
            network_delay: Duration::try_from_secs_f64(rtt / 2.0).unwrap_or_default(),
            buffer_delay: Duration::try_from_secs_f64(jitter * 2.0)
                .unwrap_or_default()
                .max(LEAST_BUFFER),
            loss,
            burst_ratio: 1.0,
        };
        let r = mos::r_factor(&conditions, &Constants::OPUS);
        let mos = mos::mos(r);
        self.ledger.record(&metric::AUDIO_R, r, at);
        self.ledger.record(&metric::AUDIO_MOS, mos, at);
        self.mos.0 += mos;
        self.mos.1 += 1;
        let interval = self.ledger.interval_of(at);
        self.row
            .over_time
            .insert(interval, (mos * 100.0).round() as u16);
    }

    fn count_figures(&self, at: Instant, figures: &Figures, before: Option<&Figures>) {
        let more = |of: Sum| of(figures).saturating_sub(before.map_or(0, of));
        let counts: [(Counter, Sum); 8] = [
            (Counter::PacketsSent, |f| {
                f.call.outbound_audio.packets_sent + f.call.outbound_video.packets_sent
            }),
            (Counter::PacketsReceived, |f| {
                f.received.audio.packets + f.received.video.packets
            }),
            (Counter::PacketsLost, |f| {
                f.received.audio.lost + f.received.video.lost
            }),
            (Counter::PacketsResent, |f| {
                f.call.outbound_audio.retransmitted_packets_sent
                    + f.call.outbound_video.retransmitted_packets_sent
            }),
            (Counter::KeyFramesAsked, |f| f.call.outbound_video.pli_count),
            (Counter::KeyFrames, |f| f.received.video.frames.keys),
            (Counter::EventsReceived, |f| f.events),
            (Counter::EventBytes, |f| f.event_bytes),
        ];
        for (counter, of) in counts {
            self.ledger.count(counter, more(of), at);
        }
        self.board.dropped(more(|f| f.call.socket_drops));
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
        self.standing = standing;
    }
}

/// How a stay ended, as a load test counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Well,
    /// The node had no room or no licence: a limit was found, nothing is broken.
    Capacity(String),
    Failure(String),
}

/// Tells the reasons of an end apart, ICE and DTLS by what was reached before.
fn end_of(outcome: &Outcome, times: &JoinTimes) -> End {
    let reached = |step| times.get(step).is_some();
    End::Failure(match &outcome.reason {
        // We ended it ourselves, before anything could be expected of it, or after it had worked.
        EndReason::Stopped(_) if outcome.was_in => return End::Well,
        EndReason::Stopped(StopReason::Interrupted | StopReason::Terminated) => return End::Well,
        EndReason::Stopped(_) => format!("not in by the end of its stay: {}", missing(times)),
        EndReason::CapacityReached(why) => return End::Capacity(short(why)),
        EndReason::Unreachable(_) => "node unreachable".to_owned(),
        EndReason::Refused(why) => format!("refused: {}", short(why)),
        EndReason::PinWanted => "PIN wanted".to_owned(),
        EndReason::PinWrong => "PIN wrong".to_owned(),
        EndReason::WaitingRoomTimeout => "waiting room".to_owned(),
        EndReason::Removed(_) => "removed from the conference".to_owned(),
        EndReason::TokenLost(_) => "token lost".to_owned(),
        EndReason::CallFailed(_) if outcome.was_in => "call lost".to_owned(),
        EndReason::CallFailed(_) if !reached(JoinStep::Sdp) => "call: no SDP answer".to_owned(),
        EndReason::CallFailed(_) => format!("call: {}", missing(times)),
        EndReason::Media(_) => "media of ours".to_owned(),
        EndReason::Defect(_) => "defect of the load tester".to_owned(),
        _ => "other".to_owned(),
    })
}

/// Names the first step that was not reached.
fn missing(times: &JoinTimes) -> &'static str {
    let steps = [
        (JoinStep::Token, "no token"),
        (JoinStep::Sdp, "no SDP answer"),
        (JoinStep::Ice, "ICE did not connect"),
        (JoinStep::Dtls, "DTLS did not connect"),
        (JoinStep::Roster, "not in the roster"),
    ];
    steps
        .iter()
        .find(|(step, _)| times.get(*step).is_none())
        .map_or("no media", |(_, what)| what)
}

/// What a node says may be long, and many different texts would not add up.
fn short(text: &str) -> String {
    text.chars().take(120).collect()
}

fn share(lost: u64, received: u64) -> f64 {
    match lost + received {
        0 => 0.0,
        all => lost as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(steps: &[JoinStep]) -> JoinTimes {
        let mut times = JoinTimes::default();
        for step in steps {
            times.note(*step, Duration::from_millis(10));
        }
        times
    }

    #[test]
    fn ice_and_dtls_are_told_apart() {
        use JoinStep::{Dtls, Ice, Roster, Sdp, Token};
        assert_eq!(missing(&times(&[Token, Sdp])), "ICE did not connect");
        assert_eq!(missing(&times(&[Token, Sdp, Ice])), "DTLS did not connect");
        assert_eq!(
            missing(&times(&[Token, Sdp, Ice, Dtls, Roster])),
            "no media"
        );
        assert_eq!(missing(&times(&[])), "no token");
    }

    #[test]
    fn shares_are_of_all_that_was_sent() {
        assert!((share(5, 95) - 0.05).abs() < 1e-12);
        assert!(share(0, 0) < 1e-12);
    }
}
