//! Who is in the conference, as the event stream tells it.

use std::collections::{BTreeMap, BTreeSet};

use infinity::{ParticipantRow, ParticipantUuid, Role, ServiceType};

/// Who is in the conference.
///
/// Every time the event stream is opened, the node sends the complete roster between two marks.
/// What was known before stays until the second mark, and goes then if it was not sent again.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    rows: BTreeMap<ParticipantUuid, ParticipantRow>,
    /// Who has not been sent again since the first mark; nothing outside of the marks.
    unseen: Option<BTreeSet<ParticipantUuid>>,
    /// Whose media others get, and how often that has changed: asked for with every event, of which a
    /// large conference has many.
    with_media: BTreeSet<ParticipantUuid>,
    changes: u64,
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

    /// Returns the rows of those who have media and do not wait, in the order of their uuids.
    pub fn with_media(&self) -> impl Iterator<Item = &ParticipantRow> {
        self.with_media
            .iter()
            .filter_map(|uuid| self.rows.get(uuid))
    }

    /// Returns a number that is another one whenever those who have media, or their names, have changed.
    pub fn changes_of_media(&self) -> u64 {
        self.changes
    }

    /// Returns how many others than `us` have media and do not wait.
    pub(crate) fn others_with_media(&self, us: &ParticipantUuid) -> usize {
        self.with_media.len() - usize::from(self.with_media.contains(us))
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
            self.remove(uuid);
        }
        gone
    }

    /// Takes a row in; returns whether it is a new one.
    pub(crate) fn upsert(&mut self, row: ParticipantRow) -> bool {
        if let Some(unseen) = &mut self.unseen {
            unseen.remove(&row.uuid);
        }
        let before = self.rows.get(&row.uuid);
        let named = before.is_some_and(|before| before.display_name == row.display_name);
        if has_media(&row) {
            if self.with_media.insert(row.uuid.clone()) || !named {
                self.changes += 1;
            }
        } else if self.with_media.remove(&row.uuid) {
            self.changes += 1;
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
        self.remove(uuid)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self {
            changes: self.changes + 1,
            ..Self::default()
        };
    }

    fn remove(&mut self, uuid: &ParticipantUuid) -> bool {
        if self.with_media.remove(uuid) {
            self.changes += 1;
        }
        self.rows.remove(uuid).is_some()
    }
}

fn has_media(row: &ParticipantRow) -> bool {
    row.has_media && row.service_type != ServiceType::WaitingRoom
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
    fn who_has_media_is_known_and_every_change_of_it_is_noticed() {
        let with_media = |roster: &Roster| -> Vec<String> {
            let rows = roster.with_media();
            rows.map(|row| row.display_name.clone()).collect()
        };
        let of = |name: &str, has_media, service_type| ParticipantRow {
            display_name: name.to_owned(),
            has_media,
            service_type,
            ..row("a")
        };
        let (conference, waiting) = (ServiceType::Conference, ServiceType::WaitingRoom);
        let mut roster = Roster::default();
        let mut before = roster.changes_of_media();
        for (row, expected, is_change) in [
            (of("A", false, conference.clone()), &[][..], false),
            (of("A", true, waiting), &[], false),
            (of("A", true, conference.clone()), &["A"], true),
            (of("A", true, conference.clone()), &["A"], false),
            (of("B", true, conference.clone()), &["B"], true),
            (of("B", false, conference.clone()), &[], true),
            (of("B", true, conference), &["B"], true),
        ] {
            roster.upsert(row);
            assert_eq!(with_media(&roster), expected);
            assert_eq!(roster.changes_of_media() != before, is_change);
            before = roster.changes_of_media();
        }
        assert_eq!(roster.others_with_media(&"a".into()), 0);
        assert_eq!(roster.others_with_media(&"b".into()), 1);
        // Gone by its event, by the end of a bracket, or with everybody.
        let mut other = roster.clone();
        let mut third = roster.clone();
        roster.delete(&"a".into());
        other.sync_begin();
        other.sync_end();
        third.clear();
        for roster in [roster, other, third] {
            assert!(with_media(&roster).is_empty());
            assert_ne!(roster.changes_of_media(), before);
        }
    }

    #[test]
    fn an_end_without_a_beginning_drops_nobody() {
        let mut roster = Roster::default();
        roster.upsert(row("a"));
        assert!(roster.sync_end().is_empty());
        assert_eq!(uuids(&roster), ["a"]);
    }
}
