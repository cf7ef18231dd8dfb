//! Our candidates, and when they may go to the node.

use std::collections::VecDeque;

use infinity::NewCandidate;

/// How many candidates wait at most; a machine with more addresses finds a way through these.
const MOST: usize = 64;

/// Our candidates: held until the node can take them, then sent one at a time.
///
/// | In        | On                          | Go         | Do                       |
/// |-----------|-----------------------------|------------|--------------------------|
/// | `Unused`  | anything                    | `Unused`   | –                        |
/// | `Held`    | a candidate                 | `Held`     | keep it                  |
/// | `Held`    | the call has a uuid         | `Flowing`  | hand the first one out   |
/// | `Flowing` | a candidate                 | `Flowing`  | hand it out in its turn  |
/// | `Flowing` | a restart of ICE            | `Held`     | forget the old ones      |
/// | any       | a node that knows no such request | `Unused` | forget them            |
#[derive(Debug, Default)]
pub(crate) enum Candidates {
    /// They are in the offer, or the node takes none.
    #[default]
    Unused,
    /// The node cannot take them yet.
    Held(VecDeque<NewCandidate>),
    /// The node takes them.
    Flowing {
        queue: VecDeque<NewCandidate>,
        /// The one that is on its way.
        under_way: Option<NewCandidate>,
    },
}

impl Candidates {
    /// Returns candidates that wait for the node.
    pub(crate) fn held() -> Self {
        Self::Held(VecDeque::new())
    }

    /// Takes one in. When too many wait, the new one is dropped.
    pub(crate) fn push(&mut self, candidate: NewCandidate) {
        match self {
            Self::Unused => {}
            Self::Held(queue) | Self::Flowing { queue, .. } => {
                if queue.len() < MOST || candidate.is_end() {
                    queue.push_back(candidate);
                }
            }
        }
    }

    /// Lets them go.
    pub(crate) fn release(&mut self) {
        if let Self::Held(queue) = self {
            *self = Self::Flowing {
                queue: std::mem::take(queue),
                under_way: None,
            };
        }
    }

    /// Returns the next one to send, unless one is on its way.
    pub(crate) fn next(&mut self) -> Option<NewCandidate> {
        match self {
            Self::Flowing {
                queue,
                under_way: under_way @ None,
            } => {
                under_way.clone_from(&queue.pop_front());
                under_way.clone()
            }
            Self::Unused | Self::Held(_) | Self::Flowing { .. } => None,
        }
    }

    /// Puts the one on its way back to the front: it got lost.
    pub(crate) fn repeat(&mut self) {
        if let Self::Flowing { queue, under_way } = self
            && let Some(candidate) = under_way.take()
        {
            queue.push_front(candidate);
        }
    }

    /// Forgets them: the node takes none.
    pub(crate) fn unused(&mut self) {
        *self = Self::Unused;
    }

    /// Takes note that the one on its way has arrived, or has been given up.
    pub(crate) fn done(&mut self) {
        if let Self::Flowing { under_way, .. } = self {
            *under_way = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(text: &str) -> NewCandidate {
        NewCandidate {
            candidate: text.into(),
            mid: "0".into(),
            ufrag: None,
            pwd: None,
        }
    }

    #[test]
    fn candidates_are_held_then_sent_one_at_a_time_the_end_last() {
        let mut candidates = Candidates::held();
        candidates.push(candidate("a"));
        candidates.push(candidate("b"));
        assert_eq!(candidates.next(), None);
        candidates.release();
        assert_eq!(candidates.next(), Some(candidate("a")));
        assert_eq!(candidates.next(), None);
        candidates.push(candidate(""));
        candidates.done();
        assert_eq!(candidates.next(), Some(candidate("b")));
        candidates.done();
        assert_eq!(candidates.next(), Some(candidate("")));
        candidates.done();
        assert_eq!(candidates.next(), None);
    }

    #[test]
    fn candidates_that_the_node_does_not_take_go_nowhere() {
        let mut candidates = Candidates::Unused;
        candidates.push(candidate("a"));
        candidates.release();
        assert_eq!(candidates.next(), None);
    }

    #[test]
    fn a_flood_of_candidates_is_cut_and_its_end_is_kept() {
        let mut candidates = Candidates::held();
        for _ in 0..1000 {
            candidates.push(candidate("a"));
        }
        candidates.push(candidate(""));
        candidates.release();
        let mut last = None;
        let mut count = 0;
        while let Some(next) = candidates.next() {
            candidates.done();
            last = Some(next);
            count += 1;
        }
        assert_eq!((count, last), (MOST + 1, Some(candidate(""))));
    }
}
