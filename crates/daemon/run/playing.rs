//! What a participant plays: what its configuration says, and what is ordered meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use driver::{Material, Program};
use schemars::JsonSchema;
use serde::Serialize;

/// How many things may wait to be played.
const LONGEST_QUEUE: usize = 64;

/// Something that was ordered to be played.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What it is called, such as the source as it was written.
    pub(crate) label: String,
    pub(crate) material: Arc<Material>,
    /// It is played over and over.
    pub(crate) loops: bool,
}

/// What is ordered about it.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Play this at once; what waits goes on waiting.
    Play(Item),
    /// Play this once all else that was ordered is over.
    Queue(Item),
    /// End what was ordered and is played.
    Skip,
    /// Play nothing, and forget what waits.
    Stop,
    /// Play what the configuration says, and forget what waits.
    Resume,
}

/// Why something is not played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotPlayed {
    /// There is nobody to play it.
    #[error(
        "the participant is not there: `standin ctl status` says why, `standin ctl join` lets it join"
    )]
    NotThere,
    /// It has no call.
    #[error(
        "the participant has no call to play in: its configuration says `media.enabled = false`"
    )]
    NoCall,
    /// Nothing that was ordered is played.
    #[error("nothing is played that was ordered: `stop` ends what the configuration says")]
    NothingToSkip,
    /// Too much waits.
    #[error("{LONGEST_QUEUE} things wait to be played: let one end, or skip it")]
    QueueFull,
}

/// What is played, for whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Played {
    /// Whose choice it is.
    pub(crate) plays: Choice,
    /// What was ordered and is played.
    pub(crate) playing: Option<String>,
    /// What was ordered and waits, the next first.
    pub(crate) queued: Vec<String>,
}

/// Who has chosen what is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Choice {
    /// What the configuration says.
    #[default]
    Configured,
    /// What was ordered.
    Ordered,
    /// Nothing, as was ordered: silence and a slate.
    Nothing,
}

/// What is to be played from now on, and the number its notices carry.
pub(super) type Change = (u32, Program);

/// Decides what is played.
#[derive(Debug)]
pub(super) struct Playing {
    configured: Program,
    is_stopped: bool,
    current: Option<Item>,
    queue: VecDeque<Item>,
    /// Of the program that was told last; 0 is the one a caller begins with.
    number: u32,
}

impl Playing {
    /// A caller begins, with this program.
    pub(super) fn new(configured: Program) -> Self {
        Self {
            configured,
            is_stopped: false,
            current: None,
            queue: VecDeque::new(),
            number: 0,
        }
    }

    /// Does what is asked. Returns what is to be played instead, where that has changed.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<Option<Change>, NotPlayed> {
        match ask {
            Ask::Play(item) => self.current = Some(item),
            Ask::Queue(_) if self.queue.len() >= LONGEST_QUEUE => return Err(NotPlayed::QueueFull),
            Ask::Queue(item) if self.current.is_some() => {
                self.queue.push_back(item);
                return Ok(None);
            }
            Ask::Queue(item) => self.current = Some(item),
            Ask::Skip if self.current.is_none() => return Err(NotPlayed::NothingToSkip),
            Ask::Skip => self.current = self.queue.pop_front(),
            Ask::Stop | Ask::Resume => {
                self.is_stopped = matches!(ask, Ask::Stop);
                self.current = None;
                self.queue.clear();
            }
        }
        Ok(Some(self.change()))
    }

    /// The clip of a program is over. Returns what comes next, if it was ours.
    pub(super) fn finished(&mut self, number: u32) -> Option<Change> {
        // One that has been replaced since is no longer ours.
        self.current.as_ref().filter(|_| number == self.number)?;
        self.current = self.queue.pop_front();
        Some(self.change())
    }

    fn change(&mut self) -> Change {
        self.number += 1;
        let program = match &self.current {
            Some(item) if item.loops => Program::Loop(Arc::clone(&item.material)),
            Some(item) => Program::Once(Arc::clone(&item.material)),
            None if self.is_stopped => Program::Idle,
            None => self.configured.clone(),
        };
        (self.number, program)
    }

    pub(super) fn played(&self) -> Played {
        Played {
            plays: match &self.current {
                Some(_) => Choice::Ordered,
                None if self.is_stopped => Choice::Nothing,
                None => Choice::Configured,
            },
            playing: self.current.as_ref().map(|item| item.label.clone()),
            queued: self.queue.iter().map(|item| item.label.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material() -> Arc<Material> {
        let silence = "silence#t=0,1".parse().expect("a source");
        Arc::new(Material::open(Some(&silence), None).expect("playable"))
    }

    fn item(label: &str) -> Item {
        Item {
            label: label.to_owned(),
            material: material(),
            loops: false,
        }
    }

    fn playing() -> (Playing, Arc<Material>) {
        let configured = material();
        (
            Playing::new(Program::Loop(Arc::clone(&configured))),
            configured,
        )
    }

    /// Returns the number of a change to something that was ordered.
    fn ordered(change: Option<Change>) -> u32 {
        match change {
            Some((number, Program::Once(_))) => number,
            other => panic!("{other:?}"),
        }
    }

    fn labels(playing: &Playing) -> (Option<String>, Vec<String>) {
        let Played {
            playing, queued, ..
        } = playing.played();
        (playing, queued)
    }

    #[test]
    fn what_is_queued_comes_in_turn_and_then_what_is_configured() {
        let (mut playing, configured) = playing();
        assert_eq!(playing.played(), Played::default());
        let first = ordered(playing.ask(Ask::Queue(item("a"))).expect("room"));
        assert!(playing.ask(Ask::Queue(item("b"))).expect("room").is_none());
        assert_eq!(labels(&playing), (Some("a".into()), vec!["b".into()]));
        let second = ordered(playing.finished(first));
        assert_eq!(labels(&playing), (Some("b".into()), vec![]));
        assert!(playing.finished(first).is_none(), "told late");
        let Some((_, Program::Loop(last))) = playing.finished(second) else {
            panic!("it goes on as configured");
        };
        assert!(Arc::ptr_eq(&last, &configured));
        assert_eq!(playing.played().plays, Choice::Configured);
    }

    #[test]
    fn what_is_played_at_once_replaces_and_lets_the_queue_wait() {
        let (mut playing, _) = playing();
        let first = ordered(playing.ask(Ask::Play(item("a"))).expect("possible"));
        playing.ask(Ask::Queue(item("b"))).expect("room");
        let other = ordered(playing.ask(Ask::Play(item("c"))).expect("possible"));
        assert!(playing.finished(first).is_none(), "it was replaced");
        assert_eq!(labels(&playing), (Some("c".into()), vec!["b".into()]));
        ordered(playing.finished(other));
        assert_eq!(labels(&playing), (Some("b".into()), vec![]));
    }

    #[test]
    fn skipping_ends_what_was_ordered_alone() {
        let (mut playing, _) = playing();
        assert_eq!(
            playing.ask(Ask::Skip).expect_err("nothing"),
            NotPlayed::NothingToSkip
        );
        playing.ask(Ask::Play(item("a"))).expect("possible");
        playing.ask(Ask::Queue(item("b"))).expect("room");
        ordered(playing.ask(Ask::Skip).expect("something"));
        assert_eq!(labels(&playing), (Some("b".into()), vec![]));
        let change = playing.ask(Ask::Skip).expect("something");
        assert!(matches!(change, Some((_, Program::Loop(_)))));
        assert_eq!(
            playing.ask(Ask::Skip).expect_err("nothing"),
            NotPlayed::NothingToSkip
        );
    }

    #[test]
    fn who_was_stopped_is_silent_until_resumed_but_for_what_is_ordered() {
        let (mut playing, _) = playing();
        playing.ask(Ask::Play(item("a"))).expect("possible");
        playing.ask(Ask::Queue(item("b"))).expect("room");
        let change = playing.ask(Ask::Stop).expect("possible");
        assert!(matches!(change, Some((_, Program::Idle))));
        assert_eq!(playing.played().plays, Choice::Nothing);
        assert_eq!(labels(&playing), (None, vec![]));
        let number = ordered(playing.ask(Ask::Queue(item("c"))).expect("room"));
        let change = playing.finished(number);
        assert!(matches!(change, Some((_, Program::Idle))), "silent again");
        let change = playing.ask(Ask::Resume).expect("possible");
        assert!(matches!(change, Some((_, Program::Loop(_)))));
    }

    #[test]
    fn a_queue_has_an_end() {
        let (mut playing, _) = playing();
        let one = item("a");
        for _ in 0..=LONGEST_QUEUE {
            playing.ask(Ask::Queue(one.clone())).expect("room");
        }
        let more = playing.ask(Ask::Queue(one.clone()));
        assert_eq!(more.expect_err("full"), NotPlayed::QueueFull);
        assert!(playing.ask(Ask::Play(one)).is_ok());
    }
}
