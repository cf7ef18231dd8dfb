//! The stage: who spoke last, and so whose video everyone sees.

/// The order of speakers of one conference, most recent first.
///
/// Keys are the caller's; the stage compares them and nothing else.
pub(super) struct Stage<K> {
    /// Everyone who has ever spoken, most recent first; then the others in the order they came.
    order: Vec<Member<K>>,
    /// Those who come before all others, whoever speaks.
    spotlights: Vec<K>,
}

struct Member<K> {
    key: K,
    speaks: bool,
    has_spoken: bool,
    sends_video: bool,
}

impl<K> Default for Stage<K> {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            spotlights: Vec::new(),
        }
    }
}

impl<K: Clone + PartialEq> Stage<K> {
    /// Lets someone onto the stage, last in order. Does nothing when it stands there already.
    pub(super) fn enter(&mut self, key: &K) {
        if self.position(key).is_none() {
            self.order.push(Member {
                key: key.clone(),
                speaks: false,
                has_spoken: false,
                sends_video: false,
            });
        }
    }

    /// Takes someone off the stage.
    pub(super) fn leave(&mut self, key: &K) {
        self.order.retain(|member| member.key != *key);
        self.spotlights.retain(|lit| lit != key);
    }

    /// Notes whether `key` speaks; who begins to speak comes first.
    pub(super) fn set_speaking(&mut self, key: &K, speaks: bool) {
        let Some(position) = self.position(key) else {
            return;
        };
        let began = speaks && !self.order[position].speaks;
        self.order[position].speaks = speaks;
        if began {
            let mut member = self.order.remove(position);
            member.has_spoken = true;
            self.order.insert(0, member);
        }
    }

    /// Notes whether `key` sends video.
    pub(super) fn set_sends_video(&mut self, key: &K, sends_video: bool) {
        if let Some(position) = self.position(key) {
            self.order[position].sends_video = sends_video;
        }
    }

    /// Says who comes before all others, in this order.
    pub(super) fn set_spotlights(&mut self, lit: Vec<K>) {
        self.spotlights = lit;
    }

    /// Everyone, those in the spotlight first.
    fn places(&self) -> impl Iterator<Item = &Member<K>> {
        let lit = self
            .spotlights
            .iter()
            .filter_map(|key| self.order.iter().find(|member| member.key == *key));
        let others = self
            .order
            .iter()
            .filter(|member| !self.spotlights.contains(&member.key));
        lit.chain(others)
    }

    /// Returns whose video `viewer` is to see: the first in the spotlight, or else the most recent speaker who sends video and is not
    /// the viewer; while nobody has spoken, whoever came first among those who send video.
    pub(super) fn shown_to(&self, viewer: &K) -> Option<&K> {
        self.places()
            .find(|m| m.sends_video && m.key != *viewer)
            .map(|m| &m.key)
    }

    /// Returns those in the spotlight, then everyone else who has spoken, most recent first; each
    /// with whether it speaks at this moment.
    pub(super) fn speakers(&self) -> Vec<(K, bool)> {
        self.places()
            .filter(|member| member.has_spoken || self.spotlights.contains(&member.key))
            .map(|member| (member.key.clone(), member.speaks))
            .collect()
    }

    fn position(&self, key: &K) -> Option<usize> {
        self.order.iter().position(|member| member.key == *key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> Stage<char> {
        let mut stage = Stage::default();
        for key in ['a', 'b', 'c'] {
            stage.enter(&key);
            stage.set_sends_video(&key, true);
        }
        stage
    }

    #[test]
    fn the_most_recent_speaker_is_shown_and_sees_the_previous_one() {
        let mut stage = stage();
        stage.set_speaking(&'b', true);
        stage.set_speaking(&'b', false);
        stage.set_speaking(&'c', true);
        assert_eq!(stage.shown_to(&'a'), Some(&'c'));
        assert_eq!(stage.shown_to(&'b'), Some(&'c'));
        assert_eq!(stage.shown_to(&'c'), Some(&'b'));
        assert_eq!(stage.speakers(), [('c', true), ('b', false)]);
    }

    #[test]
    fn the_spotlight_comes_before_whoever_speaks_and_ends() {
        let mut stage = stage();
        stage.set_speaking(&'a', true);
        stage.set_spotlights(vec!['c', 'b']);
        assert_eq!(stage.shown_to(&'a'), Some(&'c'));
        assert_eq!(stage.shown_to(&'c'), Some(&'b'));
        assert_eq!(stage.speakers(), [('c', false), ('b', false), ('a', true)]);
        stage.set_spotlights(Vec::new());
        assert_eq!(stage.shown_to(&'c'), Some(&'a'));
        assert_eq!(stage.speakers(), [('a', true)]);
    }

    #[test]
    fn a_speaker_without_video_does_not_take_the_picture() {
        let mut stage = stage();
        stage.set_sends_video(&'c', false);
        stage.set_speaking(&'b', true);
        stage.set_speaking(&'c', true);
        assert_eq!(stage.shown_to(&'a'), Some(&'b'));
    }

    #[test]
    fn going_on_speaking_does_not_push_to_the_front() {
        let mut stage = stage();
        stage.set_speaking(&'b', true);
        stage.set_speaking(&'c', true);
        stage.set_speaking(&'b', true);
        assert_eq!(stage.shown_to(&'a'), Some(&'c'));
    }

    #[test]
    fn before_anyone_speaks_the_first_with_video_is_shown() {
        let mut stage = stage();
        assert_eq!(stage.shown_to(&'b'), Some(&'a'));
        assert_eq!(stage.shown_to(&'a'), Some(&'b'));
        assert!(stage.speakers().is_empty());
        stage.leave(&'a');
        stage.set_sends_video(&'b', false);
        stage.set_sends_video(&'c', false);
        assert_eq!(stage.shown_to(&'a'), None);
    }
}
