//! All participants of a service, each attended to by itself.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver::{Material, Outcome, StopReason};
use futures_util::future;
use media::{Absence, MediaError, SourceSpec};
use peer::{Shard, Shards};
use tracing::{info, warn};

use super::attendant::{Attendant, Part, Seen};
use super::configuration::{Configuration, Draft};
use super::events::Events;
use super::materials::Materials;
use super::remote::Remote;
use super::standing::{Reason, State};
use super::turning;
use crate::exit::Failure;
use crate::settings::RunSettings;
use crate::sources;

/// All participants of a service.
#[derive(Debug)]
pub(crate) struct Company {
    shards: Shards,
    /// Where the configuration is.
    path: PathBuf,
    /// Metrics of it are served.
    is_measured: bool,
    members: Mutex<BTreeMap<String, Member>>,
    pub(super) events: Events,
}

#[derive(Debug)]
struct Member {
    draft: Draft,
    attendant: Attendant,
}

impl Member {
    /// Lets it leave, if there is a reason to, and waits for its end.
    async fn end(self, reason: Option<StopReason>) -> Option<Outcome> {
        if let Some(reason) = reason {
            self.attendant.remote().end(reason).await;
        }
        self.attendant.ended().await
    }
}

/// Why something cannot be asked of a participant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompanyError {
    /// There is none of that name.
    #[error("no participant is called {0:?}: see `standin ctl list`")]
    Unknown(String),
    /// What is written of it is wrong.
    #[error("{0}")]
    Wrong(Failure),
}

/// What a reload has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) begun: Vec<String>,
    pub(crate) restarted: Vec<String>,
    pub(crate) ended: Vec<String>,
}

/// A participant whose settings have been checked.
type Checked = (Draft, RunSettings);

/// What the configuration says when it is read again, nothing of it being wrong.
#[derive(Debug)]
pub(super) struct Read {
    /// Participants that are what they were.
    same: Vec<Draft>,
    /// Those that are not, or were not there.
    changed: Vec<Checked>,
}

impl Company {
    /// Makes a company without members, which will be one alone or many; where it `is_measured`, what
    /// they hear is decoded for its level.
    pub(super) fn new(path: &Path, is_one: bool, is_measured: bool) -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            // Few may become more when the configuration is read again.
            shards: Shards::new(if is_one { 1 } else { cores })?,
            path: path.to_owned(),
            is_measured,
            members: Mutex::default(),
            events: Events::new(),
        })
    }

    /// Begins to attend to these. Where the only one `is_alone`, its end is the end of the service.
    pub(super) fn begin(&self, checked: Vec<Checked>, is_alone: bool) {
        for (draft, settings) in checked {
            self.add(draft, settings, is_alone);
        }
    }

    fn add(&self, draft: Draft, settings: RunSettings, is_alone: bool) {
        let name = draft.name.clone();
        let attendant = Attendant::begin(
            name.clone(),
            settings,
            self.shards.next(),
            self.events.clone(),
            Part {
                is_alone,
                is_measured: self.is_measured,
            },
        );
        self.lock().insert(name, Member { draft, attendant });
    }

    /// Returns what is known of every participant, by name.
    pub(crate) fn look<T>(&self, look: impl Fn(&str, &Seen) -> T) -> Vec<T> {
        let members = self.lock();
        let all = members.iter();
        all.map(|(name, member)| look(name, &member.attendant.seen()))
            .collect()
    }

    /// Returns what is known of one participant.
    pub(crate) fn look_at<T>(
        &self,
        name: &str,
        look: impl FnOnce(&Seen) -> T,
    ) -> Result<T, CompanyError> {
        let members = self.lock();
        let member = members
            .get(name)
            .ok_or_else(|| CompanyError::Unknown(name.to_owned()))?;
        Ok(look(&member.attendant.seen()))
    }

    /// Returns how to give orders about a participant.
    pub(crate) fn remote(&self, name: &str) -> Result<Remote, CompanyError> {
        let members = self.lock();
        let member = members.get(name);
        member
            .map(|member| member.attendant.remote())
            .ok_or_else(|| CompanyError::Unknown(name.to_owned()))
    }

    /// Returns where a path leads that is taken from where the configuration is.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        match self.path.parent() {
            Some(directory) => directory.join(path),
            None => path.to_owned(),
        }
    }

    /// Opens what a participant is to play, encoded as its configuration has it.
    pub(crate) async fn open(
        &self,
        name: &str,
        audio: Option<SourceSpec>,
        video: Option<SourceSpec>,
    ) -> Result<Result<Option<Arc<Material>>, MediaError>, CompanyError> {
        let unknown = || CompanyError::Unknown(name.to_owned());
        let wishes = self
            .lock()
            .get(name)
            .ok_or_else(unknown)?
            .attendant
            .settings
            .wishes;
        let opened = aside(move || {
            let (audio, video) = (audio.as_ref(), video.as_ref());
            // Whoever asked is told that an input is not there, and does not wait for it.
            Ok(sources::open_with(audio, video, wishes, Absence::Refused))
        });
        opened.await.map_err(CompanyError::Wrong)
    }

    /// Begins a participant anew, with its PIN and its media read again. One that is wrong now goes on as
    /// it is.
    pub(crate) async fn restart(&self, name: &str) -> Result<(), CompanyError> {
        let unknown = || CompanyError::Unknown(name.to_owned());
        let draft = self.lock().get(name).map(|member| member.draft.clone());
        let draft = draft.ok_or_else(unknown)?;
        let checked = aside(move || check(vec![draft])).await;
        let checked = checked.map_err(CompanyError::Wrong)?;
        for (_, settings) in checked {
            let remote = {
                let mut members = self.lock();
                let member = members.get_mut(name).ok_or_else(unknown)?;
                member.attendant.settings = settings.clone();
                member.attendant.remote()
            };
            remote.restart(settings, Reason::Operator).await;
        }
        Ok(())
    }

    /// Reads the configuration again, which takes as long as its media take to be encoded.
    pub(super) fn read_again(&self) -> impl Future<Output = Result<Read, Failure>> + use<> {
        let path = self.path.clone();
        let running: Vec<Checked> = {
            let members = self.lock();
            let all = members.values();
            all.map(|member| (member.draft.clone(), member.attendant.settings.clone()))
                .collect()
        };
        aside(move || {
            let read = Configuration::read(&path)?;
            let (same, changed) = read.participants.into_iter().partition(|draft| {
                let mut running = running.iter();
                running.any(|(before, settings)| draft.is_same(before, settings))
            });
            let changed = check(changed)?;
            Ok(Read { same, changed })
        })
    }

    /// Does as the configuration says now: participants that have changed begin anew, others do not notice.
    pub(super) async fn follow(&self, read: Read) -> Changes {
        let Read { same, changed } = read;
        let mut changes = Changes::default();
        let gone: Vec<(String, Member)> = {
            let mut members = self.lock();
            let drafts = || same.iter().chain(changed.iter().map(|(draft, _)| draft));
            let gone = members
                .extract_if(.., |name, _| !drafts().any(|draft| draft.name == *name))
                .collect();
            for draft in same {
                // Its lines may stand elsewhere now.
                if let Some(member) = members.get_mut(&draft.name) {
                    member.draft = draft;
                }
            }
            gone
        };
        let ends = gone.into_iter().map(|(name, member)| {
            changes.ended.push(name);
            member.end(Some(StopReason::Finished))
        });
        future::join_all(ends).await;
        for (draft, settings) in changed {
            let remote = {
                let mut members = self.lock();
                members.get_mut(&draft.name).map(|member| {
                    member.draft = draft.clone();
                    member.attendant.settings = settings.clone();
                    member.attendant.remote()
                })
            };
            match remote {
                Some(remote) => {
                    changes.restarted.push(draft.name);
                    // It takes its leave by itself; others are not to wait for it.
                    tokio::spawn(async move {
                        remote.restart(settings, Reason::Operator).await;
                    });
                }
                None => {
                    changes.begun.push(draft.name.clone());
                    self.add(draft, settings, false);
                }
            }
        }
        changes
    }

    /// Lets all of them leave, and waits for the last. Returns the outcome of one that was alone.
    pub(super) async fn end(&self, reason: Option<StopReason>) -> Option<Outcome> {
        let members = std::mem::take(&mut *self.lock());
        let ends = members.into_values().map(|member| member.end(reason));
        future::join_all(ends).await.pop().flatten()
    }

    /// Returns whether the only participant there was is over.
    pub(super) fn is_over(&self) -> bool {
        let members = self.lock();
        !members.is_empty()
            && members
                .values()
                .all(|member| member.attendant.seen().is_over)
    }

    /// Returns whether media threads, callers and those who attend to them all get round to what is to be
    /// done; no node has part in that.
    pub(super) async fn turns(&self) -> bool {
        let remotes: Vec<Remote> = {
            let members = self.lock();
            let all = members.values();
            all.map(|member| member.attendant.remote()).collect()
        };
        let shards: Vec<Shard> = (0..self.shards.count())
            .map(|_| self.shards.next())
            .collect();
        let loops = future::join_all(remotes.iter().map(Remote::turns));
        let threads = future::join_all(shards.iter().map(turning::answers));
        let (loops, threads) = future::join(loops, threads).await;
        let is_stuck = |answers: &[bool]| answers.contains(&false);
        if is_stuck(&threads) {
            warn!("a media thread does not answer; systemd is told nothing");
        } else if is_stuck(&loops) {
            warn!("the loop of a participant does not answer; systemd is told nothing");
        }
        !is_stuck(&threads) && !is_stuck(&loops)
    }

    /// Says how it stands with all of them, on one line.
    pub(super) fn words(&self) -> String {
        let all = self.look(|name, seen| (name.to_owned(), seen.standing.clone()));
        if let [(_, standing)] = all.as_slice() {
            return standing.to_string();
        }
        let mut words = Vec::new();
        for state in State::ALL {
            let of_it: Vec<&str> = all
                .iter()
                .filter(|(_, standing)| standing.state == state)
                .map(|(name, _)| name.as_str())
                .collect();
            let state_name = state.name().replace('_', " ");
            match (state, of_it.len()) {
                (_, 0) => {}
                (State::InConference, count) => words.push(format!("{count} {state_name}")),
                // Whoever reads this wants to know who needs help.
                (_, count) => words.push(format!("{count} {state_name} ({})", of_it.join(", "))),
            }
        }
        words.join(", ")
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Member>> {
        // A member is added, replaced or removed as a whole.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks participants, and opens what they play, once for all who play the same.
pub(super) fn check(drafts: Vec<Draft>) -> Result<Vec<Checked>, Failure> {
    let materials = Materials::new(Absence::WaitedFor);
    drafts
        .into_iter()
        .map(|draft| {
            let settings = draft.check(&materials)?;
            Ok((draft, settings))
        })
        .collect()
}

/// Does what takes time where nobody waits for the thread.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|defect| Err(Failure::failed(format!("defect in this program: {defect}"))))
}

impl Changes {
    /// Tells the log.
    pub(super) fn tell(&self) {
        let Self {
            begun,
            restarted,
            ended,
        } = self;
        info!(?begun, ?restarted, ?ended, "configuration read again");
    }
}
