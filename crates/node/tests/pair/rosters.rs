//! Coming and going by chance, and what everybody must know of it in the end.

use std::{collections::BTreeSet, time::Duration};

use infinity::{Command, ParticipantRow, ParticipantUuid, RequestToken, Response};
use node::conference::{Requester, Verdict};
use participant::{Input, Milestone, Notice, State};

use super::{Caller, World};

/// Who is there, going by who was said to have come and gone alone.
#[derive(Debug, Default)]
pub(super) struct Told {
    present: BTreeSet<ParticipantUuid>,
    /// Somebody came who was there, or went who was not.
    contradiction: Option<String>,
}

impl Told {
    pub(super) fn hear(&mut self, notice: &Notice) {
        let is_news = match notice {
            Notice::Came(uuid) => self.present.insert(uuid.clone()),
            Notice::Gone(uuid) => self.present.remove(uuid),
            // A new token is a new life; nobody is told of the old one's roster any more.
            Notice::Milestone(Milestone::TokenGranted { .. }) => {
                self.present.clear();
                true
            }
            _ => true,
        };
        if !is_news {
            self.contradiction.get_or_insert(format!("{notice:?}"));
        }
    }
}

impl World {
    /// Lets so many things happen, chosen by chance: somebody comes, somebody goes, event streams
    /// are cut; in the middle of one another as often as not.
    pub(crate) fn come_and_go(&mut self, times: usize) {
        let most = self.callers.len();
        for _ in 0..times {
            let caller = self.rng.usize(..self.callers.len());
            match (self.rng.u8(..10), self.state_of(caller)) {
                (0..5, State::Idle) => self.input(caller, Input::Join),
                (0..5, State::Stopped) if self.present() < most => self.begin_anew(),
                (5..7, State::InConference | State::Connecting) => self.leave(caller),
                (7..10, _) => self.cut_streams(),
                _ => {}
            }
            let pause = match self.rng.u8(..3) {
                0 => Duration::ZERO,
                1 => Duration::from_millis(self.rng.u64(..100)),
                _ => Duration::from_millis(self.rng.u64(..3000)),
            };
            self.run_for(pause);
        }
    }

    fn state_of(&self, caller: usize) -> State {
        self.callers[caller].participant.standing().state
    }

    /// Somebody who has left comes back, as somebody new: what is still on its way to the old one
    /// must not reach it.
    fn begin_anew(&mut self) {
        let caller = self.callers.len();
        let anew = Caller::new(caller, self.now, self.rng.u64(..));
        self.callers.push(anew);
        self.input(caller, Input::Join);
    }

    /// Checks that everybody with a roster has the node's, row for row, and was told of it.
    pub(crate) fn check_rosters(&mut self) -> Result<(), String> {
        let at_the_node = self.rows_of_the_node();
        for (number, caller) in self.callers.iter().enumerate() {
            let participant = &caller.participant;
            let Some(us) = participant.uuid() else {
                continue;
            };
            let rows: Vec<_> = participant.roster().rows().cloned().collect();
            let differ = rows
                .iter()
                .zip(&at_the_node)
                .find(|(ours, its)| ours != its);
            if rows.len() != at_the_node.len() || differ.is_some() {
                let (ours, its) = (rows.len(), at_the_node.len());
                return Err(format!(
                    "{number} has {ours} rows, the node {its}; the first that differ are {differ:?}"
                ));
            }
            if let Some(contradiction) = &caller.told.contradiction {
                return Err(format!("{number} was told what cannot be: {contradiction}"));
            }
            let others = rows.iter().map(|row| &row.uuid).filter(|uuid| *uuid != us);
            if !others.eq(caller.told.present.iter()) {
                return Err(format!("{number} was told of {:?}", caller.told.present));
            }
        }
        Ok(())
    }

    /// Returns how many are in the conference.
    pub(crate) fn present(&self) -> usize {
        self.conference.participants().count()
    }

    /// Has somebody ask the node, who comes for that alone, and is gone before anybody hears of it.
    fn rows_of_the_node(&mut self) -> Vec<ParticipantRow> {
        let by = |token| Requester {
            token,
            vendor: "pair",
        };
        let join = Command::RequestToken {
            pin: None,
            body: RequestToken::default(),
        };
        let Ok(Verdict::Answer(Response::TokenGranted(granted))) =
            self.conference.handle(self.now, by(None), &join)
        else {
            panic!("an open conference lets everybody in");
        };
        let ask = Command::Participants;
        let answer = self
            .conference
            .handle(self.now, by(Some(&granted.token)), &ask);
        let Ok(Verdict::Answer(Response::Participants(rows))) = answer else {
            panic!("a node knows who is there");
        };
        let leave = Command::ReleaseToken(infinity::ReleaseToken::default());
        let left = self
            .conference
            .handle(self.now, by(Some(&granted.token)), &leave);
        assert!(left.is_ok(), "a token of a moment ago is good");
        while self.conference.poll_effect().is_some() {}
        let asking = granted.participant_uuid;
        let others = rows.into_iter().filter(|row| row.uuid != asking);
        let mut rows: Vec<_> = others.map(|row| self.as_sent(row)).collect();
        rows.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        rows
    }

    /// Returns a row as it is after its way over the wire.
    fn as_sent(&self, row: ParticipantRow) -> ParticipantRow {
        serde_json::from_value(row.to_json(self.profile)).expect("a node's own row")
    }
}
