//! A poor link on purpose: what a caller sends or gets is lost, delayed and slowed down, reproducibly.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

/// How long a datagram may wait for a slow link; what would wait longer is lost, as in a router
/// whose queue is full.
const LONGEST_QUEUE: Duration = Duration::from_millis(500);

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
    /// The most the link carries, in bit/s of UDP payload; `None` for any amount.
    pub rate: Option<u64>,
    /// Seed of all chance.
    pub seed: u64,
}

impl Impairment {
    /// Says whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.loss <= 0.0 && self.delay.is_zero() && self.jitter.is_zero() && self.rate.is_none()
    }
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
}

/// The far end of a link; it ends with the link.
#[derive(Debug)]
pub(crate) struct FarEnd(mpsc::Receiver<UnderWay>);

impl Link {
    /// A link, and where what it carries comes out.
    pub(crate) fn new(impairment: Impairment) -> (Self, FarEnd) {
        let (under_way, queue) = mpsc::channel(MOST_UNDER_WAY);
        let fate = Fate::new(impairment);
        (Self { fate, under_way }, FarEnd(queue))
    }

    /// Takes a datagram, whatever becomes of it.
    pub(crate) fn take(&mut self, now: Instant, address: SocketAddr, datagram: &[u8]) {
        if let Some(leaves) = self.fate.of(now, datagram.len()) {
            // What finds no place is lost, which is what this link is for.
            let _ = self.under_way.try_send(UnderWay {
                leaves,
                address,
                bytes: datagram.to_vec(),
            });
        }
    }
}

impl FarEnd {
    /// Waits for the next datagram; `None` once the link is gone.
    pub(crate) async fn next(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let datagram = self.0.recv().await?;
        tokio::time::sleep_until(datagram.leaves.into()).await;
        Some((datagram.address, datagram.bytes))
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
