//! Who is in the conference, as the event stream tells it.

use std::collections::{BTreeMap, BTreeSet};

use infinity::{ParticipantRow, ParticipantUuid, Role};

/// Who is in the conference.
///
/// Every time the event stream is opened, the node sends the complete roster between two marks.
/// What was known before stays until the second mark, and goes then if it was not sent again.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    rows: BTreeMap<ParticipantUuid, ParticipantRow>,
    /// Who has not been sent again since the first mark; nothing outside of the marks.
    unseen: Option<BTreeSet<ParticipantUuid>>,
}

impl Roster {
    /// Returns the row of a participant.
    pub fn get(&self, uuid: &ParticipantUuid) -> Option<&ParticipantRow> {
        self.rows.get(uuid)
    }

    /// Returns all rows, in the order of their uuids.
    pub fn rows(&self) -> impl Iterator<Item = &ParticipantRow> {
        self.rows.values()
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns whether the node is in the middle of sending the roster.
    pub(crate) fn is_syncing(&self) -> bool {
        self.unseen.is_some()
    }

    pub(crate) fn sync_begin(&mut self) {
        self.unseen = Some(self.rows.keys().cloned().collect());
    }

    /// Returns who has gone.
    pub(crate) fn sync_end(&mut self) -> Vec<ParticipantUuid> {
        let gone: Vec<_> = self.unseen.take().into_iter().flatten().collect();
        for uuid in &gone {
            self.rows.remove(uuid);
        }
        gone
    }

    /// Takes a row in; returns whether it is a new one.
    pub(crate) fn upsert(&mut self, row: ParticipantRow) -> bool {
        if let Some(unseen) = &mut self.unseen {
            unseen.remove(&row.uuid);
        }
        self.rows.insert(row.uuid.clone(), row).is_none()
    }

    /// Changes a role; returns whether there is such a row.
    pub(crate) fn set_role(&mut self, uuid: &ParticipantUuid, role: Role) -> bool {
        let row = self.rows.get_mut(uuid);
        row.map(|row| row.role = role).is_some()
    }

    /// Takes a row out; returns whether it was there.
    pub(crate) fn delete(&mut self, uuid: &ParticipantUuid) -> bool {
        if let Some(unseen) = &mut self.unseen {
            unseen.remove(uuid);
        }
        self.rows.remove(uuid).is_some()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(uuid: &str) -> ParticipantRow {
        ParticipantRow::new(uuid.into(), uuid, Role::Guest)
    }

    fn uuids(roster: &Roster) -> Vec<&str> {
        roster.rows().map(|row| row.uuid.as_str()).collect()
    }

    #[test]
    fn a_second_bracket_drops_who_was_not_sent_again_and_nobody_before_its_end() {
        let mut roster = Roster::default();
        for uuid in ["a", "b", "c"] {
            roster.upsert(row(uuid));
        }
        roster.sync_begin();
        assert_eq!(uuids(&roster), ["a", "b", "c"]);
        assert!(!roster.upsert(row("b")));
        assert!(roster.upsert(row("d")));
        assert!(roster.delete(&"c".into()));
        assert_eq!(roster.sync_end(), ["a".into()]);
        assert_eq!(uuids(&roster), ["b", "d"]);
    }

    #[test]
    fn a_bracket_that_was_cut_off_and_begun_again_ends_in_the_same_roster() {
        let mut roster = Roster::default();
        roster.upsert(row("a"));
        roster.upsert(row("b"));
        roster.sync_begin();
        roster.upsert(row("a"));
        roster.sync_begin();
        roster.upsert(row("b"));
        assert_eq!(roster.sync_end(), ["a".into()]);
        assert_eq!(uuids(&roster), ["b"]);
    }

    #[test]
    fn an_end_without_a_beginning_drops_nobody() {
        let mut roster = Roster::default();
        roster.upsert(row("a"));
        assert!(roster.sync_end().is_empty());
        assert_eq!(uuids(&roster), ["a"]);
    }
}
