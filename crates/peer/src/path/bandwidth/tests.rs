use super::super::transport_wide::Arrivals;
use super::*;

const PACKET: usize = 1000;
const TURN: Duration = Duration::from_millis(20);
const REPORT: Duration = Duration::from_millis(100);

/// A way that carries so many bits a second, with a queue of half a second; in virtual time.
struct Link {
    bandwidth: Bandwidth,
    arrivals: Arrivals,
    now: Instant,
    start: Instant,
    rate: f64,
    delay: Duration,
    jitter: Duration,
    /// One packet in so many is lost; none if zero.
    one_in: u32,
    random: fastrand::Rng,
    /// When the last packet is through.
    free: Instant,
    number: u16,
    under_way: Vec<(Instant, u16)>,
    credit: f64,
    told: Vec<(Duration, u64)>,
}

impl Link {
    fn new(rate: f64) -> Self {
        let start = Instant::now();
        Self {
            bandwidth: Bandwidth::new(start),
            arrivals: Arrivals::new(start),
            now: start,
            start,
            rate,
            delay: Duration::from_millis(30),
            jitter: Duration::ZERO,
            one_in: 0,
            random: fastrand::Rng::with_seed(7),
            free: start,
            number: 65_000,
            under_way: Vec::new(),
            credit: 0.0,
            told: Vec::new(),
        }
    }

    fn packet(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.bandwidth.sent(self.now, self.number, PACKET);
        let through =
            self.free.max(self.now) + Duration::from_secs_f64(PACKET as f64 * 8.0 / self.rate);
        let is_full = through > self.now + Duration::from_millis(500);
        let is_lost = self.one_in > 0 && self.random.u32(..self.one_in) == 0;
        if !(is_full || is_lost) {
            self.free = through;
            let late = self.jitter.mul_f64(self.random.f64());
            self.under_way
                .push((through + self.delay + late, self.number));
        }
    }

    /// Sends so many bits a second, as told by `rate` of the last estimate, for so long.
    fn send(&mut self, time: Duration, rate: impl Fn(Option<u64>) -> f64) {
        let end = self.now + time;
        while self.now < end {
            let wanted = rate(self.told.last().map(|(_, bits)| *bits));
            self.credit += wanted * TURN.as_secs_f64() / 8.0;
            while self.credit >= PACKET as f64 {
                self.credit -= PACKET as f64;
                self.packet();
            }
            self.now += TURN;
            let now = self.now;
            self.under_way.sort_unstable();
            for (at, number) in self.under_way.extract_if(.., |(at, _)| *at <= now) {
                self.arrivals.arrived(at, 1, number);
            }
            let since = self.now.duration_since(self.start);
            if since.as_millis().is_multiple_of(REPORT.as_millis()) && self.arrivals.any() {
                let mut report = Vec::new();
                self.arrivals.report(1, &mut report);
                if let Some(told) = self.bandwidth.arrivals(self.now, &report) {
                    self.told.push((since, told));
                }
            }
        }
    }

    fn seconds(&mut self, seconds: u64, bits: f64) {
        self.send(Duration::from_secs(seconds), |_| bits);
    }

    fn least(&self) -> Option<u64> {
        self.told.iter().map(|(_, bits)| *bits).min()
    }
}

#[test]
fn nothing_is_assumed_while_all_goes_well() {
    let mut link = Link::new(10e6);
    link.seconds(60, 2e6);
    assert_eq!(link.told, []);
    // Nor does jitter mean a queue.
    let mut link = Link::new(10e6);
    link.jitter = Duration::from_millis(60);
    link.seconds(60, 2e6);
    assert_eq!(link.told, []);
}

#[test]
fn a_narrow_way_is_noticed_within_a_second_and_measured() {
    for rate in [300e3, 500e3, 1e6] {
        let mut link = Link::new(rate);
        link.seconds(5, rate / 4.0);
        assert_eq!(link.told, []);
        link.send(Duration::from_millis(1300), |_| rate * 1.6);
        let told = link.least().expect("too much") as f64 / rate;
        assert!((0.7..0.95).contains(&told), "{told} of {rate}");
    }
}

#[test]
fn a_key_frame_that_passes_is_no_queue() {
    let mut link = Link::new(1e6);
    for _ in 0..10 {
        for _ in 0..25 {
            link.packet();
        }
        link.seconds(5, 300e3);
    }
    assert_eq!(link.told, []);
}

#[test]
fn it_grows_again_where_there_is_more() {
    let mut link = Link::new(500e3);
    link.seconds(2, 800e3);
    let narrow = link.told.last().expect("cut").1;
    link.rate = 5e6;
    link.seconds(50, 200e3);
    let wide = link.told.last().expect("grown").1;
    assert!(wide > 2 * narrow, "{narrow} to {wide}");
    // Where it stays narrow, that is tried less and less often.
    let mut link = Link::new(500e3);
    let two_rates = |told: Option<u64>| match told {
        Some(told) if told < 640_000 => 200e3,
        _ => 600e3,
    };
    link.send(Duration::from_secs(600), two_rates);
    let cuts = link.told.windows(2).filter(|two| two[1].1 < two[0].1);
    let times: Vec<u64> = cuts.map(|two| two[1].0.as_secs()).collect();
    assert!((3..15).contains(&times.len()), "{times:?}");
    let pauses: Vec<u64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses[pauses.len() - 1] > 50, "{pauses:?}");
}

#[test]
fn losses_mean_less_where_there_are_many() {
    let mut link = Link::new(10e6);
    link.one_in = 20;
    link.seconds(30, 1e6);
    assert_eq!(link.told, []);
    link.one_in = 3;
    link.seconds(3, 1e6);
    let least = link.least().expect("a third is lost");
    assert!((500_000..1_000_000).contains(&least), "{least}");
}

#[test]
fn what_finds_no_room_in_a_queue_is_lost_and_means_no_less_than_the_queue_does() {
    let mut link = Link::new(500e3);
    link.send(Duration::from_secs(4), |_| 1500e3);
    let least = link.least().expect("too much") as f64 / 500e3;
    assert!((0.7..0.95).contains(&least), "{least}: two thirds are lost");
    assert!(link.bandwidth.is_congested(link.now));
    // The control: once the queue is empty, and where nothing is reported any more.
    assert!(!link.bandwidth.is_congested(link.now + NEWS));
    link.seconds(3, 100e3);
    assert!(!link.bandwidth.is_congested(link.now));
}

#[test]
fn the_far_end_may_want_less() {
    let mut bandwidth = Bandwidth::new(Instant::now());
    assert_eq!(bandwidth.remb(400_000), Some(400_000));
    assert_eq!(bandwidth.remb(405_000), None, "about the same");
    assert_eq!(bandwidth.remb(300_000), Some(300_000));
    assert_eq!(bandwidth.remb(900_000), Some(900_000));
}
