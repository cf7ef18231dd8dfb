//! Decides when to speak and whether it was heard. No IO, no clock.

use std::time::{Duration, Instant};

use driver::{EndReason, Notice, NoticeKind, RosterFacts, State, Warning};
use media::Kind;

use crate::tally::Tally;
use crate::{NotHeard, Verdict};

/// How long an announcement is patient, and how much loss still counts as heard.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// From the start until the roster shows us in the conference; the waiting room not counted.
    pub join: Duration,
    /// How long one waits to be let in by a host.
    pub waiting_room: Duration,
    /// How long one waits, once in, for somebody else with media.
    pub audience: Duration,
    /// How long one waits for reports on the last packets.
    pub reports: Duration,
    /// The share of the clip's packets that may be missing, 0 to 1.
    pub loss: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            join: Duration::from_secs(30),
            waiting_room: Duration::from_secs(60),
            audience: Duration::from_secs(5),
            reports: Duration::from_secs(6),
            loss: 0.03,
        }
    }
}

/// What an announcement is to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Let the clip start.
    Play,
    /// Leave; the verdict stands.
    Leave,
}

/// How far an announcement has come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Not in the conference yet; since.
    Joining(Instant),
    /// In the waiting room; since.
    WaitingRoom(Instant),
    /// In, looking for an audience; since.
    Looking(Instant),
    /// Told to play; it may take two seconds more.
    Playing,
    /// Played; waiting for reports on the last packets; since.
    Draining(Instant),
    Done,
}

/// What an announcement has seen, and what it makes of it.
///
/// ```text
/// Joining ──▶ WaitingRoom ──▶ Looking ──▶ Playing ──▶ Draining ──▶ Done
///    └──────────────────────────▲  each may end in Done with a reason
/// ```
#[derive(Debug)]
pub(crate) struct Hearing {
    limits: Limits,
    /// What must be received: sound, or the picture of a clip without.
    judged_by: Kind,
    phase: Phase,
    roster: RosterFacts,
    /// Of sound and of picture.
    tallies: [Tally; 2],
    started: Option<bool>,
    /// Why no picture is sent, if none is.
    unseen: Option<String>,
    verdict: Option<Verdict>,
    audience: Vec<String>,
}

impl Hearing {
    /// An announcement that begins at `now` and is judged by what becomes of its `judged_by`.
    pub(crate) fn new(limits: Limits, judged_by: Kind, now: Instant) -> Self {
        Self {
            limits,
            judged_by,
            phase: Phase::Joining(now),
            roster: RosterFacts::default(),
            tallies: [Tally::default(); 2],
            started: None,
            unseen: None,
            verdict: None,
            audience: Vec::new(),
        }
    }

    /// Takes note of what the caller tells. Returns what to do about it.
    pub(crate) fn notice(&mut self, notice: &Notice) -> Option<Step> {
        let now = notice.at;
        match &notice.kind {
            NoticeKind::State(State::WaitingRoom) => {
                if matches!(self.phase, Phase::Joining(_) | Phase::Looking(_)) {
                    self.phase = Phase::WaitingRoom(now);
                }
                None
            }
            NoticeKind::State(State::InConference) => {
                if matches!(self.phase, Phase::Joining(_) | Phase::WaitingRoom(_)) {
                    self.phase = Phase::Looking(now);
                }
                self.look()
            }
            NoticeKind::Negotiated { audio, video } => {
                let negotiated = match self.judged_by {
                    Kind::Audio => audio,
                    Kind::Video => video,
                };
                if negotiated.is_none() {
                    self.not_heard(NotHeard::NotSent)
                } else {
                    None
                }
            }
            NoticeKind::Warning(Warning::VideoRejected) => {
                self.unseen = Some("the node rejected our video".into());
                None
            }
            NoticeKind::Warning(Warning::NoVideoForCodec { reason }) => {
                self.unseen = Some(reason.clone());
                match self.judged_by {
                    Kind::Audio => None,
                    // Nothing of the clip can be sent, so it would never end.
                    Kind::Video => self.not_heard(NotHeard::WrongCodec(reason.clone())),
                }
            }
            NoticeKind::Roster(roster) => {
                self.roster = roster.clone();
                for other in roster.others_with_media.iter() {
                    if self.phase != Phase::Done && !self.audience.contains(&other.display_name) {
                        self.audience.push(other.display_name.clone());
                    }
                }
                self.roster_changed()
            }
            NoticeKind::ClipStarted { reported, .. } => {
                self.started = Some(*reported);
                None
            }
            NoticeKind::ClipFinished {
                audio_packets,
                video_packets,
                ..
            } => {
                self.tallies[Kind::Audio as usize].finished(*audio_packets);
                self.tallies[Kind::Video as usize].finished(*video_packets);
                if self.phase == Phase::Playing {
                    self.phase = Phase::Draining(now);
                }
                self.drain(now)
            }
            NoticeKind::Report(report) => {
                self.tallies[report.kind as usize].reported(*report);
                self.drain(now)
            }
            _ => None,
        }
    }

    /// Takes note that the caller has ended.
    pub(crate) fn ended(&mut self, reason: &EndReason) {
        if self.verdict.is_none() {
            self.not_heard(match self.phase {
                Phase::Playing | Phase::Draining(_) => NotHeard::CutShort(reason.clone()),
                _ => NotHeard::Ended(reason.clone()),
            });
        }
    }

    /// Returns when patience ends, if nothing else happens.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let Limits {
            join,
            waiting_room,
            audience,
            reports,
            ..
        } = self.limits;
        match self.phase {
            Phase::Joining(since) => Some(since + join),
            Phase::WaitingRoom(since) => Some(since + waiting_room),
            Phase::Looking(since) => Some(since + audience),
            Phase::Draining(since) => Some(since + reports),
            Phase::Playing | Phase::Done => None,
        }
    }

    /// Takes note of the time. Returns what to do about it.
    pub(crate) fn timeout(&mut self, now: Instant) -> Option<Step> {
        if self.next_due().is_none_or(|due| now < due) {
            return None;
        }
        match self.phase {
            Phase::Joining(_) => self.not_heard(NotHeard::NeverIn),
            Phase::WaitingRoom(_) => self.not_heard(NotHeard::WaitingRoom),
            Phase::Looking(_) if self.roster.own.is_some_and(|own| own.muted) => {
                self.not_heard(NotHeard::Muted)
            }
            Phase::Looking(_) => self.not_heard(NotHeard::NobodyThere),
            Phase::Draining(_) => self.judge(),
            Phase::Playing | Phase::Done => None,
        }
    }

    /// The roster is looked at for whoever could hear us, once we are in.
    fn look(&mut self) -> Option<Step> {
        let heard = self
            .roster
            .own
            .is_some_and(|own| !own.muted && !own.waiting);
        if !matches!(self.phase, Phase::Looking(_)) {
            return None;
        }
        if self.roster.own.is_some_and(|own| own.muted) {
            return self.not_heard(NotHeard::Muted);
        }
        if heard && !self.roster.others_with_media.is_empty() {
            self.phase = Phase::Playing;
            return Some(Step::Play);
        }
        None
    }

    fn roster_changed(&mut self) -> Option<Step> {
        match self.phase {
            Phase::Looking(_) => self.look(),
            Phase::Playing | Phase::Draining(_) => {
                // What was played before is played; in the drain nobody needs to listen any more.
                if self.phase != Phase::Playing {
                    return None;
                }
                if self.roster.own.is_some_and(|own| own.muted) {
                    return self.not_heard(NotHeard::MutedWhilePlaying);
                }
                if self.roster.others_with_media.is_empty() {
                    return self.not_heard(NotHeard::AudienceLeft);
                }
                None
            }
            Phase::Joining(_) | Phase::WaitingRoom(_) | Phase::Done => None,
        }
    }

    /// Judges as soon as reports cover the last packet, of sound and of picture: the receipt tells
    /// of both.
    fn drain(&mut self, now: Instant) -> Option<Step> {
        let Phase::Draining(since) = self.phase else {
            return None;
        };
        let covered = self.tallies.iter().all(Tally::is_covered);
        if covered || now >= since + self.limits.reports {
            self.judge()
        } else {
            None
        }
    }

    fn judge(&mut self) -> Option<Step> {
        let judged = self.judged();
        let (missing, sent) = (judged.lost(), judged.sent());
        let tolerated = (sent as f64 * self.limits.loss) as u64;
        if judged.received() == 0 {
            self.not_heard(NotHeard::NeverReported)
        } else if missing > tolerated {
            self.not_heard(NotHeard::Missing { missing, sent })
        } else {
            self.settle(Verdict::Heard)
        }
    }

    fn not_heard(&mut self, why: NotHeard) -> Option<Step> {
        self.settle(Verdict::NotHeard(why))
    }

    fn settle(&mut self, verdict: Verdict) -> Option<Step> {
        if self.verdict.is_some() {
            return None;
        }
        self.verdict = Some(verdict);
        self.phase = Phase::Done;
        Some(Step::Leave)
    }

    /// Returns the verdict; whoever asks before there is one has cut it short.
    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Returns what became of the clip's packets of a kind.
    pub(crate) fn tally(&self, kind: Kind) -> &Tally {
        &self.tallies[kind as usize]
    }

    /// Returns what became of that by which the announcement is judged.
    pub(crate) fn judged(&self) -> &Tally {
        self.tally(self.judged_by)
    }

    /// Returns whether the clip was started although no report had named us.
    pub(crate) fn started_unreported(&self) -> bool {
        self.started == Some(false)
    }

    /// Returns why no picture was sent, if none was.
    pub(crate) fn unseen(&self) -> Option<&str> {
        self.unseen.as_deref()
    }

    /// Returns everyone else who was seen with media, by name.
    pub(crate) fn audience(&self) -> &[String] {
        &self.audience
    }
}

#[cfg(test)]
mod tests;
