//! What has to be true at certain times.

use participant::{Participant, State};

use super::{Caller, World};

impl World {
    /// Starts to count anew what should not happen while it is calm.
    pub(crate) fn begin_calm(&mut self) {
        for caller in &mut self.callers {
            caller.joined_again = 0;
        }
    }

    /// Checks that nobody had to join again since [`Self::begin_calm`].
    pub(crate) fn check_calm(&self) -> Result<(), String> {
        for (number, caller) in self.callers.iter().enumerate() {
            if caller.joined_again > 0 {
                return Err(format!(
                    "{number} joined again {} times",
                    caller.joined_again
                ));
            }
        }
        Ok(())
    }

    /// Checks that everybody who has not left is in the conference, and that node and participants
    /// have the same roster.
    pub(crate) fn check_agreement(&self) -> Result<(), String> {
        let mut at_the_node: Vec<_> = self
            .conference
            .participants()
            .map(|(uuid, _)| uuid)
            .collect();
        at_the_node.sort();
        let mut first: Option<&Participant> = None;
        let mut present = 0;
        for (number, Caller { participant, .. }) in self.callers.iter().enumerate() {
            if participant.has_ended() {
                continue;
            }
            present += 1;
            let standing = participant.standing();
            if standing.state != State::InConference {
                return Err(format!(
                    "{number} is {:?}: {}",
                    standing.state, standing.why
                ));
            }
            let uuids: Vec<_> = participant.roster().rows().map(|row| &row.uuid).collect();
            if uuids != at_the_node {
                return Err(format!(
                    "{number} sees {uuids:?}, the node has {at_the_node:?}"
                ));
            }
            let first = *first.get_or_insert(participant);
            if !participant.roster().rows().eq(first.roster().rows()) {
                return Err(format!("{number} sees other rows than the first"));
            }
            let others = participant.presence().others_with_media;
            if others + 1 != uuids.len() {
                return Err(format!(
                    "{number} sees media of {others} others of {}",
                    uuids.len()
                ));
            }
        }
        if present == at_the_node.len() {
            Ok(())
        } else {
            Err(format!(
                "{present} participants, {} at the node",
                at_the_node.len()
            ))
        }
    }

    /// Checks that everybody has left, as asked, and that the node knows of nobody: not because
    /// tokens have expired, but because they were released.
    pub(crate) fn check_farewell(&self) -> Result<(), String> {
        let stay = self
            .callers
            .iter()
            .filter(|caller| !caller.participant.has_ended())
            .count();
        let still_there = self.conference.participants().count();
        match (stay, still_there) {
            (0, 0) => Ok(()),
            _ => Err(format!(
                "{stay} have not left, {still_there} are still there at the node"
            )),
        }
    }
}
