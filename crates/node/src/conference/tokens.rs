//! Tokens: who holds which, and until when.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;
use infinity::{ParticipantUuid, Token};

use super::overview::TokenOverview;

/// How long a token that was just replaced is still good: requests sent with it may be on their
/// way, and event streams were opened with it.
const GRACE: Duration = Duration::from_secs(10);

/// How many replaced tokens are remembered for one participant. A client that refreshes in a tight
/// loop would otherwise fill memory within the grace.
const REPLACED_AT_MOST: usize = 8;

/// Real tokens are about this long.
const LENGTH: usize = 250;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Held {
    current: Token,
    expires: Instant,
    refreshes: u64,
    /// Just replaced, oldest first, with the end of their grace.
    replaced: VecDeque<(Token, Instant)>,
}

/// The tokens of one conference.
///
/// | A token is … | and on                  | becomes …                                       |
/// |--------------|-------------------------|-------------------------------------------------|
/// | current      | refresh with it         | replaced: good for the grace                    |
/// | replaced     | refresh with it         | still replaced; the answer is the current token |
/// | replaced     | grace over              | unknown                                         |
/// | current      | its life over           | unknown, and its holder is evicted              |
/// | any          | release, removal        | unknown                                         |
pub(super) struct Tokens {
    life: Duration,
    holders: HashMap<Token, ParticipantUuid>,
    /// In an order of its own: one seed gives one course of events.
    held: BTreeMap<ParticipantUuid, Held>,
}

impl Tokens {
    pub(super) fn new(life: Duration) -> Self {
        Self {
            life,
            holders: HashMap::new(),
            held: BTreeMap::new(),
        }
    }

    /// Gives a participant its first token.
    pub(super) fn issue(
        &mut self,
        now: Instant,
        participant: ParticipantUuid,
        rng: &mut Rng,
    ) -> Token {
        let token = new_token(rng);
        self.holders.insert(token.clone(), participant.clone());
        let held = Held {
            current: token.clone(),
            expires: now + self.life,
            refreshes: 0,
            replaced: VecDeque::new(),
        };
        self.held.insert(participant, held);
        token
    }

    /// Whose token this is, if it is still good.
    pub(super) fn holder(&self, now: Instant, token: &Token) -> Option<ParticipantUuid> {
        let participant = self.holders.get(token)?;
        let held = self.held.get(participant)?;
        let good = if held.current == *token {
            now < held.expires
        } else {
            let replaced = held.replaced.iter().find(|(replaced, _)| replaced == token);
            replaced.is_some_and(|(_, until)| now < *until) && now < held.expires
        };
        good.then(|| participant.clone())
    }

    /// Whether this is or was lately a token of somebody here.
    pub(super) fn knows(&self, token: &Token) -> bool {
        self.holders.contains_key(token)
    }

    /// Replaces a token. Whoever comes with one that was just replaced gets the current one: of two
    /// refreshes in flight, both answers are good, in whatever order they arrive.
    pub(super) fn refresh(&mut self, now: Instant, token: &Token, rng: &mut Rng) -> Option<Token> {
        let participant = self.holder(now, token)?;
        let held = self.held.get_mut(&participant)?;
        held.expires = now + self.life;
        if held.current != *token {
            return Some(held.current.clone());
        }
        held.refreshes += 1;
        let fresh = new_token(rng);
        let old = std::mem::replace(&mut held.current, fresh.clone());
        self.holders.insert(fresh.clone(), participant);
        held.replaced
            .push_back((old, now + GRACE.min(self.life / 2)));
        while held.replaced.len() > REPLACED_AT_MOST
            || held
                .replaced
                .front()
                .is_some_and(|(_, until)| *until <= now)
        {
            if let Some((gone, _)) = held.replaced.pop_front() {
                self.holders.remove(&gone);
            }
        }
        Some(fresh)
    }

    /// Makes all tokens of a participant unknown.
    pub(super) fn forget(&mut self, participant: &ParticipantUuid) {
        if let Some(held) = self.held.remove(participant) {
            self.holders.remove(&held.current);
            for (token, _) in held.replaced {
                self.holders.remove(&token);
            }
        }
    }

    /// How a participant's token stands.
    pub(super) fn overview(&self, now: Instant, who: &ParticipantUuid) -> Option<TokenOverview> {
        let held = self.held.get(who)?;
        let left = held.expires.saturating_duration_since(now);
        Some(TokenOverview {
            age: self.life.saturating_sub(left),
            left,
            refreshes: held.refreshes,
        })
    }

    /// When the next token expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.held.values().map(|held| held.expires).min()
    }

    /// Whose tokens have expired by now.
    pub(super) fn expired(&self, now: Instant) -> Vec<ParticipantUuid> {
        let late = self.held.iter().filter(|(_, held)| held.expires <= now);
        late.map(|(participant, _)| participant.clone()).collect()
    }
}

pub(super) fn new_token(rng: &mut Rng) -> Token {
    let mut text: String = (0..LENGTH - 1)
        .map(|_| char::from(ALPHABET[rng.usize(..ALPHABET.len())]))
        .collect();
    // Real ones are padded: clients that do not percent-encode them in a query are found out here.
    text.push('=');
    Token::new(text)
}
