//! What a caller tells, and what its outcome will say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use infinity::ParticipantUuid;
use infinity::event::StageEntry;
use media::{Kind, RecordNews};
use participant::{Exit, IceServers, LeaveReason, Milestone, Participant, RequestFailure};
use peer::IceServerError;
use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};
use url::Url;

use crate::http::{Connecting, bare, shown};
use crate::rest::RequestError;
use crate::{
    EndReason, JoinStep, JoinTimes, MediaPath, Notice, NoticeKind, Other, Outcome, OwnRow,
    ReceivedMedia, RosterFacts, State, StopReason, Warning,
};

/// How many reasons for not finding a path are kept.
const MOST_HINDRANCES: usize = 8;

/// Keeps the story of a caller: tells it as it happens and sums it up at the end.
#[derive(Debug)]
pub(super) struct Story {
    notices: mpsc::Sender<Notice>,
    began: Instant,
    joins: u32,
    times: JoinTimes,
    own: Option<ParticipantUuid>,
    in_since: Option<Instant>,
    time_in: Duration,
    was_in: bool,
    state: Option<State>,
    roster: RosterFacts,
    /// Which of the others speak.
    speaking: Vec<Other>,
    /// Of which roster, and for whom, others are listed there.
    listed: (u64, Option<ParticipantUuid>),
    /// The last node that could not be reached, and why.
    unreachable: Option<(Url, RequestError)>,
    /// The path media took last.
    path: Option<MediaPath>,
    /// What may be why media found no path.
    hindrances: Vec<String>,
    /// What went wrong on our own side.
    fault: Option<EndReason>,
    /// Why what was to be recorded is not all there.
    incomplete: Option<String>,
    pub(super) received: ReceivedMedia,
}

impl Story {
    pub(super) fn new(notices: mpsc::Sender<Notice>, now: Instant) -> Self {
        Self {
            notices,
            began: now,
            joins: 0,
            times: JoinTimes::default(),
            own: None,
            in_since: None,
            time_in: Duration::ZERO,
            was_in: false,
            state: None,
            roster: RosterFacts::default(),
            speaking: Vec::new(),
            listed: (0, None),
            unreachable: None,
            path: None,
            hindrances: Vec::new(),
            fault: None,
            incomplete: None,
            received: ReceivedMedia::default(),
        }
    }

    pub(super) fn tell(&self, at: Instant, kind: NoticeKind) {
        if let Err(mpsc::error::TrySendError::Full(_)) =
            self.notices.try_send(Notice::new(at, kind))
        {
            debug!("nobody reads the notices; one is dropped");
        }
    }

    pub(super) fn warn(&self, at: Instant, warning: Warning) {
        warn!("{warning}");
        self.tell(at, NoticeKind::Warning(warning));
    }

    /// A token is asked for, from `node`.
    pub(super) fn joining(&mut self, now: Instant, node: &Url) {
        self.joins += 1;
        self.began = now;
        self.times = JoinTimes::default();
        self.own = None;
        // Whoever spoke there is not heard any more.
        for participant in std::mem::take(&mut self.speaking) {
            let speaks = false;
            self.tell(
                now,
                NoticeKind::Speech {
                    participant,
                    speaks,
                },
            );
        }
        self.state(now, State::Joining(bare(node)));
    }

    pub(super) fn step(&mut self, at: Instant, step: JoinStep) {
        let after = at.saturating_duration_since(self.began);
        if self.times.note(step, after) {
            debug!(%step, ?after, "reached");
            self.tell(at, NoticeKind::Step(step, after));
        }
    }

    /// A connection to the node was made; so long its parts took.
    pub(super) fn connected(&mut self, connecting: Connecting) {
        let began = self.began;
        let steps = [
            (JoinStep::Dns, connecting.name),
            (JoinStep::Connected, connecting.whole),
        ];
        for (step, after) in steps {
            if let Some(after) = after {
                self.step(began + after, step);
            }
        }
    }

    /// A handle to tell more with, from elsewhere.
    pub(super) fn notices(&self) -> mpsc::Sender<Notice> {
        self.notices.clone()
    }

    pub(super) fn first_packet(&mut self, at: Instant, kind: Kind) {
        self.step(
            at,
            match kind {
                Kind::Audio => JoinStep::FirstAudio,
                Kind::Video => JoinStep::FirstVideo,
            },
        );
    }

    pub(super) fn reported(&mut self, at: Instant, kind: Kind) {
        self.step(
            at,
            match kind {
                Kind::Audio => JoinStep::AudioReported,
                Kind::Video => JoinStep::VideoReported,
            },
        );
    }

    pub(super) fn unreachable(&mut self, node: &Url, error: &RequestError) {
        self.unreachable = Some((node.clone(), error.clone()));
    }

    /// A peer connection begins with these servers.
    pub(super) fn ice_servers(&mut self, ice: &IceServers) {
        if ice.relay_only && ice.turn.is_empty() {
            let why = "media is to be relayed alone, and the node names no TURN server for it";
            self.hindered(why.to_owned());
        }
    }

    /// A server that helps with ICE is of no use; told once.
    pub(super) fn ice_server_failed(
        &mut self,
        now: Instant,
        server: String,
        error: &IceServerError,
    ) {
        if self.hindered(format!("{server}: {error}")) {
            let why = error.to_string();
            self.warn(now, Warning::IceServer { server, why });
        }
    }

    fn hindered(&mut self, why: String) -> bool {
        let is_new = !self.hindrances.contains(&why) && self.hindrances.len() < MOST_HINDRANCES;
        if is_new {
            self.hindrances.push(why);
        }
        is_new
    }

    /// Media takes a path; the same again is no news.
    pub(super) fn path(&mut self, now: Instant, path: MediaPath) {
        if self.path.as_ref() != Some(&path) {
            info!("{path}");
            self.path = Some(path.clone());
            self.tell(now, NoticeKind::Path(path));
        }
    }

    /// Something on our own side ends the caller; the first reason stands.
    pub(super) fn fault(&mut self, reason: EndReason) {
        warn!(%reason, "giving up");
        self.fault.get_or_insert(reason);
    }

    /// What was to be recorded is not all there: the outcome says so, and the caller goes on.
    pub(super) fn incomplete(&mut self, why: String) {
        self.incomplete.get_or_insert(why);
    }

    /// Something happened to the recording.
    pub(super) fn recording(&mut self, now: Instant, news: RecordNews) {
        match &news {
            RecordNews::Began(path) => info!(path = %path.display(), "recording"),
            RecordNews::Completed(path) => info!(path = %path.display(), "recorded"),
            RecordNews::Resumed(path) => {
                warn!(path = %path.display(), "the recording goes on");
            }
            RecordNews::Failed(why) => error!("the recording is interrupted: {why}"),
            RecordNews::Refused(why) => warn!("left out of the recording: {why}"),
        }
        self.tell(now, NoticeKind::Recording(news));
    }

    pub(super) fn milestone(&mut self, now: Instant, milestone: &Milestone) {
        match milestone {
            Milestone::TokenGranted { participant } => {
                self.own = Some(participant.clone());
                self.step(now, JoinStep::Token);
            }
            Milestone::EventsOpened => self.step(now, JoinStep::Events),
            Milestone::Answered { .. } => self.step(now, JoinStep::Sdp),
            Milestone::IceConnected => self.step(now, JoinStep::Ice),
            Milestone::Acked => self.step(now, JoinStep::Ack),
            Milestone::TokenReleased => info!("token released"),
            Milestone::Offered | Milestone::AckSent | Milestone::MediaFlowing => {}
        }
    }

    /// Tells where the caller is; a state that is no news is not told.
    pub(super) fn state(&mut self, now: Instant, state: State) {
        if self.state.as_ref() == Some(&state) {
            return;
        }
        match &state {
            // What is being mended does not end our time in the conference.
            State::InConference | State::Degraded(_) => {
                self.was_in = true;
                self.in_since.get_or_insert(now);
            }
            _ => self.out(now),
        }
        match &state {
            State::Degraded(_) | State::Rejoining { .. } => warn!("{state}"),
            _ => info!("{state}"),
        }
        self.state = Some(state.clone());
        self.tell(now, NoticeKind::State(state));
    }

    fn out(&mut self, now: Instant) {
        if let Some(since) = self.in_since.take() {
            self.time_in += now.saturating_duration_since(since);
        }
    }

    /// Tells what the roster says, if that is news.
    pub(super) fn roster(&mut self, now: Instant, participant: &Participant) {
        let presence = participant.presence();
        let own = self
            .own
            .as_ref()
            .and_then(|own| participant.roster().get(own));
        let own = own.filter(|_| presence.is_listed).map(|row| OwnRow {
            muted: presence.is_muted,
            waiting: presence.is_waiting,
            has_media: row.has_media,
        });
        let roster = participant.roster();
        // Most events of a roster change nothing of this, and they come for everybody in it.
        let listed = (roster.changes_of_media(), self.own.clone());
        let others_with_media = if self.listed == listed {
            Arc::clone(&self.roster.others_with_media)
        } else {
            self.listed = listed;
            let others = roster.with_media();
            let others = others.filter(|row| Some(&row.uuid) != self.own.as_ref());
            others
                .map(|row| Other {
                    uuid: row.uuid.clone(),
                    display_name: row.display_name.clone(),
                })
                .collect()
        };
        let facts = RosterFacts {
            own,
            rows: roster.len(),
            others_with_media,
        };
        if own.is_some() {
            self.step(now, JoinStep::Roster);
        }
        if self.roster != facts {
            self.roster = facts.clone();
            self.tell(now, NoticeKind::Roster(facts));
        }
    }

    /// Tells who of the others began to speak, and who ceased to.
    pub(super) fn stage(&mut self, now: Instant, stage: &[StageEntry], participant: &Participant) {
        let speaks = |entry: &&StageEntry| entry.vad > 0;
        let others = stage
            .iter()
            .filter(speaks)
            .map(|entry| &entry.participant_uuid);
        let others = others.filter(|uuid| Some(*uuid) != self.own.as_ref());
        let name = |uuid: &ParticipantUuid| {
            let row = participant.roster().get(uuid);
            row.map(|row| row.display_name.clone()).unwrap_or_default()
        };
        let speaking: Vec<Other> = others
            .map(|uuid| Other {
                uuid: uuid.clone(),
                display_name: name(uuid),
            })
            .collect();
        let before = std::mem::replace(&mut self.speaking, speaking);
        let is_in = |one: &Other, all: &[Other]| all.iter().any(|other| other.uuid == one.uuid);
        let ceased = before.iter().filter(|one| !is_in(one, &self.speaking));
        let began = self.speaking.iter().filter(|one| !is_in(one, &before));
        let changes = ceased
            .map(|one| (one, false))
            .chain(began.map(|one| (one, true)));
        for (participant, speaks) in changes {
            let participant = participant.clone();
            self.tell(
                now,
                NoticeKind::Speech {
                    participant,
                    speaks,
                },
            );
        }
    }

    /// Returns what became of the caller.
    pub(super) fn sum_up(
        mut self,
        now: Instant,
        exit: Option<&Exit>,
        stop: Option<StopReason>,
    ) -> Outcome {
        self.out(now);
        let reason = self.fault.take().unwrap_or_else(|| match exit {
            Some(exit) => self.reason(exit),
            // Left at once, without waiting for anything.
            None => EndReason::Stopped(stop.unwrap_or(StopReason::Finished)),
        });
        let reason = match (reason, self.incomplete.take()) {
            (EndReason::Stopped(_), Some(why)) => EndReason::RecordingFailed(why),
            (reason, _) => reason,
        };
        info!(%reason, time_in = ?self.time_in, "caller ended");
        Outcome {
            reason,
            was_in: self.was_in,
            time_in: self.time_in,
            joins: self.joins,
            times: self.times,
            received: self.received,
            token_released: true,
        }
    }

    fn reason(&self, exit: &Exit) -> EndReason {
        match exit {
            Exit::Left(LeaveReason::Finished) => EndReason::Stopped(StopReason::Finished),
            Exit::Left(LeaveReason::Stopped) => EndReason::Stopped(StopReason::Terminated),
            Exit::Left(LeaveReason::Interrupted) => EndReason::Stopped(StopReason::Interrupted),
            // The reason itself was given as a fault.
            Exit::Left(LeaveReason::Failed) => EndReason::Defect("left without a reason".into()),
            Exit::Removed { reason } if reason.is_empty() => {
                EndReason::Removed("the node does not say why".into())
            }
            Exit::Removed { reason } => EndReason::Removed(reason.clone()),
            Exit::PinWanted => EndReason::PinWanted,
            Exit::PinWrong => EndReason::PinWrong,
            Exit::ExtensionWanted { .. } => EndReason::ExtensionWanted(exit.to_string()),
            Exit::WaitingRoomTimedOut => EndReason::WaitingRoomTimeout,
            Exit::Refused(failure) => self.refused(failure),
            Exit::CallFailed(why) => EndReason::CallFailed(self.with_hindrances(why)),
            Exit::Lost(why) => EndReason::TokenLost(why.clone()),
            Exit::JoinTimedOut { .. } => {
                EndReason::CallFailed(self.with_hindrances(&exit.to_string()))
            }
        }
    }

    fn with_hindrances(&self, why: &str) -> String {
        let all = [why].into_iter();
        let all = all.chain(self.hindrances.iter().map(String::as_str));
        all.collect::<Vec<_>>().join("; ")
    }

    fn refused(&self, failure: &RequestFailure) -> EndReason {
        match (failure, &self.unreachable) {
            (RequestFailure::Refused(refusal @ infinity::Refusal::CapacityReached(_)), _) => {
                EndReason::CapacityReached(refusal.to_string())
            }
            (RequestFailure::Refused(refusal), _) => EndReason::Refused(refusal.to_string()),
            (
                RequestFailure::Unreachable(_) | RequestFailure::Untrusted(_),
                Some((node, RequestError::Unreachable(why))),
            ) => EndReason::Unreachable(why.at(node)),
            (_, Some((node, _))) => EndReason::Unreachable(format!("{}: {failure}", shown(node))),
            (_, None) => EndReason::Unreachable(failure.to_string()),
        }
    }
}
