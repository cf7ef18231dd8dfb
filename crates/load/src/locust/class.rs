//! The user classes of a locustfile, and what callers of each do.

use std::collections::BTreeMap;

use crate::Role;

/// Every user class that a worker knows; `config/locustfile.py` defines them for the master.
const CLASSES: [(&str, Role); 4] = [
    ("Listener", Role::Listener),
    ("Talker", Role::Talker),
    ("VideoSender", Role::VideoSender),
    ("Churner", Role::Churner),
];

/// Returns what callers of a user class do.
pub(super) fn role(class: &str) -> Option<Role> {
    let (_, role) = CLASSES.iter().find(|(name, _)| *name == class)?;
    Some(*role)
}

/// Returns the names of all user classes, to be told to people.
pub(super) fn names() -> String {
    CLASSES.map(|(name, _)| name).join(", ")
}

/// How many callers of each user class there are, or shall be.
pub(super) type Counts = BTreeMap<String, u64>;

/// What of the wish of a master can be had, and what is to be said about the rest.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Granted {
    /// Callers of each class, those of which there are none included: a master wants to be told.
    pub(super) counts: Counts,
    /// The same, by what they do.
    pub(super) roles: BTreeMap<Role, usize>,
    /// A sentence for each thing that cannot be had.
    pub(super) complaints: Vec<String>,
}

/// What a worker can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means {
    /// Whether its callers have video.
    pub(super) video: bool,
    /// More callers than this are refused.
    pub(super) most_callers: usize,
}

impl Means {
    /// Grants as much as it can of what a master wishes for.
    pub(super) fn grant(self, wished: &Counts) -> Granted {
        let mut granted = Granted::default();
        let mut left = self.most_callers;
        for (class, count) in wished {
            let role = match role(class) {
                Some(Role::VideoSender) if !self.video && *count > 0 => {
                    granted.complaints.push(
                        "there are no video senders in a test without video: start the worker \
                         with --video, or with_video = true in the scenario"
                            .to_owned(),
                    );
                    None
                }
                None if *count > 0 => {
                    granted.complaints.push(format!(
                        "no caller of Standin is a {class:?}: the locustfile may use {}",
                        names()
                    ));
                    None
                }
                role => role,
            };
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            let callers = role.map_or(0, |_| count.min(left));
            left -= callers;
            if role.is_some() && callers < count {
                granted.complaints.push(format!(
                    "{count} callers of class {class} are more than most_callers = {} allows: raise \
                     it in the worker's scenario if that many are meant",
                    self.most_callers
                ));
            }
            granted.counts.insert(class.clone(), callers as u64);
            if let Some(role) = role {
                granted.roles.insert(role, callers);
            }
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(wished: &[(&str, u64)]) -> Granted {
        let means = Means {
            video: false,
            most_callers: 10,
        };
        let wished = wished
            .iter()
            .map(|(class, count)| ((*class).to_owned(), *count));
        means.grant(&wished.collect())
    }

    #[test]
    fn what_can_be_had_is_granted_in_full() {
        let granted = grant(&[("Listener", 4), ("Talker", 2), ("VideoSender", 0)]);
        assert_eq!(granted.complaints, Vec::<String>::new());
        assert_eq!(granted.counts["Listener"], 4);
        assert_eq!(granted.counts["VideoSender"], 0, "none is told, too");
        assert_eq!(granted.roles[&Role::Talker], 2);
    }

    #[test]
    fn what_cannot_be_had_is_said_and_the_rest_is_granted() {
        let granted = grant(&[
            ("HttpUser", 3),
            ("Listener", 8),
            ("Talker", u64::MAX),
            ("VideoSender", 1),
        ]);
        assert_eq!(granted.counts["HttpUser"], 0);
        assert_eq!(granted.counts["Listener"], 8);
        assert_eq!(
            granted.counts["Talker"], 2,
            "the cap holds over all classes"
        );
        assert_eq!(granted.counts["VideoSender"], 0);
        let said = granted.complaints.join("\n");
        for word in ["HttpUser", "most_callers = 10", "--video"] {
            assert!(said.contains(word), "{said}");
        }
    }
}
