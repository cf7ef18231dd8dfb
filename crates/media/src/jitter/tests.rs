use super::*;

/// CELT, 20 ms, one frame, and a number to tell packets apart.
fn packet(n: u8) -> Bytes {
    Bytes::from(vec![31 << 3, n])
}

struct Bench {
    buffer: JitterBuffer,
    start: Instant,
    ms: u64,
}

impl Bench {
    fn new() -> Self {
        Self {
            buffer: JitterBuffer::default(),
            start: Instant::now(),
            ms: 0,
        }
    }
    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.ms)
    }
    fn push(&mut self, n: u8) {
        let now = self.now();
        self.buffer.push(now, u32::from(n) * 960, packet(n));
    }
    fn tick(&mut self) -> Next {
        let next = self.buffer.next(self.now(), false);
        self.ms += 20;
        next
    }
}

#[test]
fn plays_in_order_whatever_the_order_of_arrival() {
    let mut b = Bench::new();
    b.push(1);
    b.push(0);
    assert_eq!(b.tick(), Next::Packet(packet(0)));
    assert_eq!(b.tick(), Next::Packet(packet(1)));
}

#[test]
fn gathers_two_steps_before_it_plays_or_waits_that_long() {
    let mut b = Bench::new();
    b.push(0);
    assert_eq!(b.tick(), Next::Nothing);
    b.push(1);
    assert_eq!(b.tick(), Next::Packet(packet(0)));

    let mut b = Bench::new();
    b.push(0);
    assert_eq!([b.tick(), b.tick()], [Next::Nothing, Next::Nothing]);
    assert_eq!(b.tick(), Next::Packet(packet(0)));
}

#[test]
fn a_lost_packet_is_recovered_from_its_successor() {
    let mut b = Bench::new();
    [0, 1, 3, 4].into_iter().for_each(|n| b.push(n));
    assert_eq!(b.tick(), Next::Packet(packet(0)));
    assert_eq!(b.tick(), Next::Packet(packet(1)));
    assert_eq!(b.tick(), Next::Recover(packet(3)));
    assert_eq!(b.tick(), Next::Packet(packet(3)));
    assert_eq!(b.buffer.counts().concealed, 1);
}

#[test]
fn a_hole_is_concealed_and_then_jumped() {
    let mut b = Bench::new();
    [0, 1, 5].into_iter().for_each(|n| b.push(n));
    let played: Vec<Next> = (0..6).map(|_| b.tick()).collect();
    assert_eq!(played[..2], [0, 1].map(|n| Next::Packet(packet(n))));
    assert_eq!(
        played[2..5],
        [Next::Conceal, Next::Conceal, Next::Recover(packet(5))]
    );
    assert_eq!(played[5], Next::Packet(packet(5)));
}

#[test]
fn a_pause_is_concealed_briefly_and_then_silent() {
    let mut b = Bench::new();
    b.push(0);
    b.push(1);
    let played: Vec<Next> = (0..7).map(|_| b.tick()).collect();
    assert_eq!(played[2..5], [Next::Conceal, Next::Conceal, Next::Conceal]);
    assert_eq!(played[5..], [Next::Nothing, Next::Nothing]);
    b.push(40);
    b.push(41);
    assert_eq!(b.tick(), Next::Packet(packet(40)));
}

#[test]
fn a_packet_that_is_late_once_gives_the_next_ones_more_time() {
    let mut b = Bench::new();
    b.push(0);
    b.push(1);
    assert_eq!(
        [b.tick(), b.tick()],
        [0, 1].map(|n| Next::Packet(packet(n)))
    );
    assert_eq!(b.tick(), Next::Conceal);
    b.push(2);
    b.push(3);
    for n in 2..20 {
        assert_eq!(
            b.tick(),
            Next::Packet(packet(n)),
            "nothing is lost to lateness"
        );
        b.push(n + 2);
    }
    assert_eq!(b.buffer.delay(), Duration::from_millis(40));
}

#[test]
fn needless_delay_is_given_back_in_a_quiet_moment_only() {
    let mut b = Bench::new();
    (0..4).for_each(|n| b.push(n));
    let mut run = |quiet: bool, ticks: u32| {
        for _ in 0..ticks {
            let now = b.now();
            assert_ne!(b.buffer.next(now, quiet), Next::Nothing);
            b.ms += 20;
            let ahead = b.buffer.highest.expect("packets came") as u32 + 960;
            let now = b.now();
            b.buffer.push(now, ahead, packet(0));
        }
        (b.buffer.counts().dropped, b.buffer.delay())
    };
    assert_eq!(run(false, 600), (0, Duration::from_millis(80)));
    assert_eq!(run(true, 600), (2, Duration::from_millis(40)));
}

#[test]
fn a_burst_after_a_stall_does_not_become_delay() {
    let mut b = Bench::new();
    b.push(0);
    b.push(1);
    assert_eq!(b.tick(), Next::Packet(packet(0)));
    (2..40).for_each(|n| b.push(n));
    assert_eq!(b.tick(), Next::Packet(packet(38)));
    assert!(b.buffer.counts().dropped > 30);
}

#[test]
fn a_new_timeline_starts_afresh() {
    let mut b = Bench::new();
    b.push(0);
    b.push(1);
    assert_eq!(b.tick(), Next::Packet(packet(0)));
    let now = b.now();
    b.buffer.push(now, 3_000_000_000, packet(7));
    b.buffer.push(now, 3_000_000_960, packet(8));
    assert_eq!(b.tick(), Next::Packet(packet(7)));
}

#[test]
fn timestamps_wrap_around_without_notice() {
    let mut b = Bench::new();
    for n in 0..6_u8 {
        let now = b.now();
        b.buffer.push(
            now,
            (u32::MAX - 1_919).wrapping_add(u32::from(n) * 960),
            packet(n),
        );
        if n > 0 {
            assert_eq!(b.tick(), Next::Packet(packet(n - 1)));
        }
    }
    assert_eq!(b.buffer.counts(), JitterCounts::default());
}

#[test]
fn memory_is_bounded_when_nobody_plays() {
    let mut b = Bench::new();
    (0..=255).for_each(|n| b.push(n));
    assert_eq!(b.buffer.packets.len(), CAPACITY);
}

#[test]
fn tells_how_long_a_packet_is() {
    assert_eq!(packet_samples(&[31 << 3]), 960);
    assert_eq!(packet_samples(&[3 << 3]), 2_880);
    assert_eq!(packet_samples(&[(31 << 3) | 3, 3]), 2_880);
    assert_eq!(packet_samples(&[(31 << 3) | 3, 0]), 960);
    assert_eq!(packet_samples(&[]), 960);
}
