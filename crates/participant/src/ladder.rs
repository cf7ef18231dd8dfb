//! What to try, and in which order, when media does not flow.

/// A way to mend media, gentlest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rung {
    /// New ICE credentials in the same call, by `update`.
    RestartIce,
    /// A new call with the same token.
    NewCall,
    /// A new token; if that one did not bring us in either, on the next node.
    NewToken,
}

/// How far up we have come.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    tried: Option<Rung>,
}

impl Ladder {
    /// Returns what to try next. `can_restart`: there is a call, and the node speaks `update`.
    pub(crate) fn climb(&mut self, can_restart: bool) -> Rung {
        let rung = match self.tried {
            None if can_restart => Rung::RestartIce,
            None | Some(Rung::RestartIce) => Rung::NewCall,
            Some(Rung::NewCall | Rung::NewToken) => Rung::NewToken,
        };
        self.tried = Some(rung);
        rung
    }

    /// Takes note that a rung was climbed for another reason.
    pub(crate) fn climbed(&mut self, rung: Rung) {
        self.tried = self.tried.max(Some(rung));
    }

    /// Starts over: media flows.
    pub(crate) fn reset(&mut self) {
        self.tried = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_is_tried_once_and_media_starts_it_over() {
        let mut ladder = Ladder::default();
        assert_eq!(ladder.climb(true), Rung::RestartIce);
        assert_eq!(ladder.climb(true), Rung::NewCall);
        assert_eq!(ladder.climb(true), Rung::NewToken);
        ladder.reset();
        assert_eq!(ladder.climb(true), Rung::RestartIce);
    }

    #[test]
    fn a_node_of_old_gets_a_new_call_first() {
        let mut ladder = Ladder::default();
        assert_eq!(ladder.climb(false), Rung::NewCall);
        assert_eq!(ladder.climb(false), Rung::NewToken);
    }
}
