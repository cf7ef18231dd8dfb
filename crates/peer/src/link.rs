//! A poor link on purpose: what a caller sends or gets is lost, delayed, overtaken and slowed down,
//! reproducibly.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

/// How long a datagram may wait for a slow link; what would wait longer is lost, as in a router
/// whose queue is full.
const LONGEST_QUEUE: Duration = Duration::from_millis(500);

/// How much later a datagram arrives that others are to overtake.
const OVERTAKEN_BY: Duration = Duration::from_millis(40);

/// How many datagrams may be under way; more are lost.
const MOST_UNDER_WAY: usize = 4096;

/// What is wrong with a link between a peer and the network, one way; nothing unless set.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Impairment {
    /// Share of datagrams that are lost, 0 to 1.
    pub loss: f64,
    /// How much later each arrives.
    pub delay: Duration,
    /// Spread of that delay: each datagram is up to this much later still, never out of order.
    pub jitter: Duration,
    /// Share of datagrams that others overtake, 0 to 1.
    pub reorder: f64,
    /// The most the link carries, in bit/s of UDP payload; `None` for any amount.
    pub rate: Option<u64>,
    /// Seed of all chance.
    pub seed: u64,
}

impl Impairment {
    /// Says whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.loss <= 0.0
            && self.reorder <= 0.0
            && self.delay.is_zero()
            && self.jitter.is_zero()
            && self.rate.is_none()
    }
}

/// What a poor link did with the datagrams it was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Datagrams it was given.
    pub taken: u64,
    /// Those of them that it lost, by chance or because its queue was full.
    pub lost: u64,
}

/// Decides what becomes of each datagram; told the time.
#[derive(Debug)]
struct Fate {
    impairment: Impairment,
    random: fastrand::Rng,
    /// Until when the link is busy with what it took before.
    busy_until: Option<Instant>,
    /// When the last datagram arrives; none overtakes it.
    last: Option<Instant>,
}

impl Fate {
    fn new(impairment: Impairment) -> Self {
        Self {
            random: fastrand::Rng::with_seed(impairment.seed),
            impairment,
            busy_until: None,
            last: None,
        }
    }

    /// Returns when a datagram of so many bytes leaves the link; `None` if it is lost.
    fn of(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let Impairment {
            loss,
            delay,
            jitter,
            reorder,
            rate,
            ..
        } = self.impairment;
        if self.random.f64() < loss {
            return None;
        }
        let begins = self.busy_until.map_or(now, |until| until.max(now));
        let carried = match rate {
            Some(rate) => {
                if begins - now > LONGEST_QUEUE {
                    return None;
                }
                begins + Duration::from_secs_f64(bytes as f64 * 8.0 / rate.max(1) as f64)
            }
            None => begins,
        };
        self.busy_until = rate.map(|_| carried);
        let leaves = carried + delay + jitter.mul_f64(self.random.f64());
        if reorder > 0.0 && self.random.f64() < reorder {
            return Some(leaves + OVERTAKEN_BY);
        }
        let leaves = self.last.map_or(leaves, |last| leaves.max(last));
        self.last = Some(leaves);
        Some(leaves)
    }
}

/// A datagram under way.
#[derive(Debug)]
struct UnderWay {
    leaves: Instant,
    /// Where it goes, or where it comes from.
    address: SocketAddr,
    bytes: Vec<u8>,
}

/// A poor link before or behind a socket.
#[derive(Debug)]
pub(crate) struct Link {
    fate: Fate,
    under_way: mpsc::Sender<UnderWay>,
    stats: LinkStats,
}

/// The far end of a link; it ends with the link.
#[derive(Debug)]
pub(crate) struct FarEnd {
    queue: mpsc::Receiver<UnderWay>,
    /// By when they come out, and in the order in which they came.
    waiting: BTreeMap<(Instant, u64), UnderWay>,
    came: u64,
    is_open: bool,
}

impl Link {
    /// A link, and where what it carries comes out.
    pub(crate) fn new(impairment: Impairment) -> (Self, FarEnd) {
        let (under_way, queue) = mpsc::channel(MOST_UNDER_WAY);
        let link = Self {
            fate: Fate::new(impairment),
            under_way,
            stats: LinkStats::default(),
        };
        (link, FarEnd::new(queue))
    }

    /// Returns what became of what it was given so far.
    pub(crate) fn stats(&self) -> LinkStats {
        self.stats
    }

    /// Takes a datagram, whatever becomes of it.
    pub(crate) fn take(&mut self, now: Instant, address: SocketAddr, datagram: &[u8]) {
        self.stats.taken += 1;
        let is_under_way = self.fate.of(now, datagram.len()).is_some_and(|leaves| {
            let under_way = UnderWay {
                leaves,
                address,
                bytes: datagram.to_vec(),
            };
            // What finds no place is lost, which is what this link is for.
            self.under_way.try_send(under_way).is_ok()
        });
        self.stats.lost += u64::from(!is_under_way);
    }
}

impl FarEnd {
    fn new(queue: mpsc::Receiver<UnderWay>) -> Self {
        Self {
            queue,
            waiting: BTreeMap::new(),
            came: 0,
            is_open: true,
        }
    }

    /// Waits for the next datagram; `None` once the link is gone and all of it has come out.
    pub(crate) async fn next(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        while self.is_open || !self.waiting.is_empty() {
            let next = self.waiting.keys().next().map(|(leaves, _)| *leaves);
            let leaves = async {
                match next {
                    Some(leaves) => tokio::time::sleep_until(leaves.into()).await,
                    None => std::future::pending().await,
                }
            };
            let has_room = self.waiting.len() < MOST_UNDER_WAY;
            tokio::select! {
                datagram = self.queue.recv(), if self.is_open && has_room => match datagram {
                    Some(datagram) => {
                        self.came += 1;
                        self.waiting.insert((datagram.leaves, self.came), datagram);
                    }
                    None => self.is_open = false,
                },
                () = leaves => {
                    let (_, datagram) = self.waiting.pop_first()?;
                    return Some((datagram.address, datagram.bytes));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(impairment: Impairment, count: usize, every: Duration) -> Vec<Option<Duration>> {
        let (start, mut fate) = (Instant::now(), Fate::new(impairment));
        (0..count as u32)
            .map(|n| {
                let now = start + every * n;
                fate.of(now, 1250).map(|leaves| leaves - now)
            })
            .collect()
    }

    #[test]
    fn a_good_link_changes_nothing() {
        let fates = fates(Impairment::default(), 100, Duration::from_millis(1));
        assert!(fates.iter().all(|fate| *fate == Some(Duration::ZERO)));
    }

    #[test]
    fn as_many_are_lost_as_asked_and_the_same_ones_again() {
        let impairment = Impairment {
            loss: 0.05,
            seed: 7,
            ..Impairment::default()
        };
        let once = fates(impairment, 20_000, Duration::from_millis(1));
        let lost = once.iter().filter(|fate| fate.is_none()).count();
        assert!((900..1100).contains(&lost), "{lost} of 20000");
        assert_eq!(once, fates(impairment, 20_000, Duration::from_millis(1)));
        let other = Impairment {
            seed: 8,
            ..impairment
        };
        assert_ne!(once, fates(other, 20_000, Duration::from_millis(1)));
    }

    #[test]
    fn a_slow_link_queues_and_then_loses() {
        let impairment = Impairment {
            rate: Some(1_000_000),
            delay: Duration::from_millis(30),
            ..Impairment::default()
        };
        // 1250 bytes take 10 ms; twice as many come as fit.
        let fates = fates(impairment, 2000, Duration::from_millis(5));
        assert_eq!(fates[0], Some(Duration::from_millis(40)));
        assert_eq!(fates[1], Some(Duration::from_millis(45)));
        let carried = fates.iter().flatten().count();
        assert!((1000..1110).contains(&carried), "{carried} of 2000");
        let longest = fates.iter().flatten().max().expect("some");
        assert!(*longest <= Duration::from_millis(541), "{longest:?}");
    }

    #[test]
    fn some_are_overtaken_and_none_of_them_is_lost() {
        let impairment = Impairment {
            reorder: 0.1,
            ..Impairment::default()
        };
        let fates = fates(impairment, 1000, Duration::from_millis(10));
        let overtaken = fates
            .iter()
            .filter(|fate| **fate == Some(OVERTAKEN_BY))
            .count();
        assert!((70..130).contains(&overtaken), "{overtaken} of 1000");
        assert_eq!(fates.iter().flatten().count(), 1000);
    }

    #[test]
    fn spread_delays_do_not_change_the_order() {
        let impairment = Impairment {
            jitter: Duration::from_millis(20),
            ..Impairment::default()
        };
        let (start, mut fate) = (Instant::now(), Fate::new(impairment));
        let leaves: Vec<_> = (0..1000)
            .map(|n| fate.of(start + Duration::from_millis(n), 100))
            .collect();
        assert!(leaves.is_sorted());
    }
}
