//! What is asked for on the command line.

use std::time::Duration;

use crate::{engine::Call, joins::Joins, picture::Work, run::Run, workload::Streams};

pub(crate) const HELP: &str = "\
Measures what callers cost, beside the floor of the machine.

  standin-bench [OPTIONS]

      --quick            a first impression: N = 50, one round
      --callers N,N,…    how many callers [10,50,100,200]
      --rounds R         how often each is measured, in turns; medians are told [5]
      --seconds S        how long each is measured [3]
      --all              more callers, as far as the machine goes, and who else could send
      --only PART,…      sending, both, sound, joins, rosters, node, picture
";

/// What one run is of, as it is told to the process of its own that it has.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Floor(Run),
    Plain(Run),
    Peer(Run),
    Unnumbered(Run),
    Counted {
        callers: usize,
        frames: u64,
        receives: bool,
        /// Allocations more for each packet, to see them noticed.
        waste: usize,
    },
    Joins(Joins),
    Room {
        participants: usize,
        talkers: usize,
        video: bool,
        time: Duration,
    },
    Picture {
        work: Work,
        time: Duration,
    },
}

impl What {
    /// As words of a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let text = match self {
            Self::Floor(run) => format!("floor {}", run_words(run)),
            Self::Plain(run) => format!("plain {}", run_words(run)),
            Self::Peer(run) => format!("peer {}", run_words(run)),
            Self::Unnumbered(run) => format!("unnumbered {}", run_words(run)),
            Self::Counted {
                callers,
                frames,
                receives,
                waste,
            } => format!("counted {callers} {frames} {receives} {waste}"),
            Self::Joins(joins) => {
                let Joins {
                    callers,
                    rate,
                    own_connections,
                    call,
                    conferences,
                } = joins;
                let call = call.name();
                format!("joins {callers} {rate} {own_connections} {call} {conferences}")
            }
            Self::Room {
                participants,
                talkers,
                video,
                time,
            } => format!("room {participants} {talkers} {video} {}", time.as_millis()),
            Self::Picture { work, time } => format!("picture {} {}", work.word(), time.as_millis()),
        };
        text.split(' ').map(str::to_owned).collect()
    }

    fn read(words: &[String]) -> Option<Self> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match words[..] {
            ["counted", callers, frames, receives, waste] => Self::Counted {
                callers: callers.parse().ok()?,
                frames: frames.parse().ok()?,
                receives: receives.parse().ok()?,
                waste: waste.parse().ok()?,
            },
            ["joins", callers, rate, own, call, conferences] => Self::Joins(Joins {
                callers: callers.parse().ok()?,
                rate: rate.parse().ok()?,
                own_connections: own.parse().ok()?,
                call: Call::named(call)?,
                conferences: conferences.parse().ok()?,
            }),
            ["room", participants, talkers, video, time] => Self::Room {
                participants: participants.parse().ok()?,
                talkers: talkers.parse().ok()?,
                video: video.parse().ok()?,
                time: Duration::from_millis(time.parse().ok()?),
            },
            ["picture", work, time] => Self::Picture {
                work: Work::ALL.into_iter().find(|one| one.word() == work)?,
                time: Duration::from_millis(time.parse().ok()?),
            },
            [who, callers, time, streams, receives] => {
                let run = Run {
                    callers: callers.parse().ok()?,
                    time: Duration::from_millis(time.parse().ok()?),
                    streams: match streams {
                        "audio" => Streams::Audio,
                        _ => Streams::Both,
                    },
                    receives: receives.parse().ok()?,
                };
                match who {
                    "floor" => Self::Floor(run),
                    "plain" => Self::Plain(run),
                    "peer" => Self::Peer(run),
                    "unnumbered" => Self::Unnumbered(run),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}

fn run_words(run: &Run) -> String {
    let Run {
        callers,
        time,
        streams,
        receives,
    } = run;
    format!(
        "{callers} {} {} {receives}",
        time.as_millis(),
        streams.name()
    )
}

/// What this process is to do.
pub(crate) enum Task {
    Help,
    Terminator,
    PracticeNode,
    One(What),
    Compare(Options),
}

/// How a comparison is made.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) callers: Vec<usize>,
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    pub(crate) all: bool,
    pub(crate) quick: bool,
    only: Vec<String>,
}

impl Options {
    /// Says whether a part of the comparison is wanted.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Task, String> {
        let mut options = Self {
            callers: vec![10, 50, 100, 200],
            rounds: 5,
            time: Duration::from_secs(3),
            all: false,
            quick: false,
            only: Vec::new(),
        };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or(format!("{argument} wants a value"))
            };
            let number = |text: &str| {
                let number = text.parse::<usize>();
                number.map_err(|_| format!("{text:?} is no number"))
            };
            match argument.as_str() {
                "--help" | "-h" => return Ok(Task::Help),
                "--terminator" => return Ok(Task::Terminator),
                "--practice-node" => return Ok(Task::PracticeNode),
                "--run" => {
                    let words: Vec<String> = arguments.collect();
                    let what = What::read(&words);
                    let what = what.ok_or(format!("{words:?} is no run"))?;
                    return Ok(Task::One(what));
                }
                "--quick" => {
                    options.quick = true;
                    options.callers = vec![50];
                    options.rounds = 1;
                }
                "--all" => options.all = true,
                "--callers" => {
                    options.callers = value()?.split(',').map(number).collect::<Result<_, _>>()?;
                }
                "--rounds" => options.rounds = number(&value()?)?.max(1),
                "--seconds" => {
                    options.time = Duration::from_secs(number(&value()?)?.max(1) as u64);
                }
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                other => return Err(format!("what is {other:?}? See --help")),
            }
        }
        Ok(Task::Compare(options))
    }
}
