use super::*;

const WAIT: Duration = Duration::from_millis(100);

/// What came out, in short: `k` and `d` frames by timestamp, `-` and a number for loss.
struct Harness {
    assembler: FrameAssembler,
    now: Instant,
    out: Vec<String>,
}

impl Harness {
    fn new(codec: Codec) -> Self {
        Self {
            assembler: FrameAssembler::new(codec, WAIT),
            now: Instant::now(),
            out: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(assembled) = self.assembler.poll(self.now) {
            self.out.push(match assembled {
                Assembled::Frame {
                    frame,
                    rtp_timestamp,
                } => {
                    format!("{}{rtp_timestamp}", if frame.is_key { 'k' } else { 'd' })
                }
                Assembled::Lost { packets } => format!("-{packets}"),
            });
        }
    }

    fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self.drain();
        self
    }

    fn packet(&mut self, seq: u16, ts: u32, marker: bool, payload: &[u8]) -> &mut Self {
        let payload = Bytes::copy_from_slice(payload);
        self.assembler.push(self.now, seq, ts, marker, payload);
        self.drain();
        self
    }

    fn opus(&mut self, seq: u16) -> &mut Self {
        self.packet(seq, u32::from(seq), false, &[0xf8, 1])
    }

    /// A frame of one packet.
    fn key(&mut self, seq: u16, ts: u32) -> &mut Self {
        self.packet(seq, ts, true, KEY)
    }

    fn delta(&mut self, seq: u16, ts: u32) -> &mut Self {
        self.packet(seq, ts, true, DELTA)
    }

    fn took(&mut self) -> String {
        std::mem::take(&mut self.out).join(" ")
    }
}

const KEY: &[u8] = &[0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
const DELTA: &[u8] = &[0x10, 0x11, 0, 0, 1];
const MORE: &[u8] = &[0x00, 5, 6];

#[test]
fn packets_in_order_come_at_once() {
    let mut h = Harness::new(Codec::Opus);
    assert_eq!(h.opus(7).opus(8).opus(9).took(), "k7 k8 k9");
}

#[test]
fn order_is_restored_across_the_wrap() {
    let mut h = Harness::new(Codec::Opus);
    assert_eq!(h.opus(65534).opus(0).opus(1).took(), "k65534");
    assert_eq!(h.opus(65535).took(), "k65535 k0 k1");
}

#[test]
fn a_gap_is_waited_for_and_then_told() {
    let mut h = Harness::new(Codec::Opus);
    h.opus(1).opus(4);
    let due = h.assembler.next_due().unwrap();
    assert_eq!(due, h.now + WAIT);
    assert_eq!(h.wait(WAIT - Duration::from_millis(1)).took(), "k1");
    assert_eq!(h.wait(Duration::from_millis(1)).took(), "-2 k4");
    assert_eq!(h.assembler.next_due(), None);
    // What comes now is too late, and counted.
    assert_eq!(h.opus(3).took(), "");
    assert_eq!(h.assembler.counters().late, 1);
    assert_eq!(h.assembler.counters().lost, 2);
}

#[test]
fn a_gap_filled_in_time_is_no_loss() {
    let mut h = Harness::new(Codec::Opus);
    h.opus(1).opus(3).wait(WAIT / 2).opus(2);
    assert_eq!(h.wait(WAIT * 2).took(), "k1 k2 k3");
    assert_eq!(h.assembler.counters().lost, 0);
}

#[test]
fn duplicates_are_counted_and_dropped() {
    let mut h = Harness::new(Codec::Opus);
    h.opus(1).opus(3).opus(3).opus(1).opus(2);
    assert_eq!(h.took(), "k1 k2 k3");
    let counters = h.assembler.counters();
    assert_eq!((counters.duplicates, counters.late), (1, 1));
}

#[test]
fn video_starts_at_a_key_frame() {
    let mut h = Harness::new(Codec::Vp8);
    h.packet(1, 10, true, MORE).delta(2, 20);
    assert!(h.assembler.awaits_key_frame());
    h.key(3, 30).delta(4, 40);
    assert_eq!(h.took(), "k30 d40");
    assert_eq!(h.assembler.counters().undecodable, 2);
}

#[test]
fn video_goes_on_at_the_next_key_frame_after_loss() {
    let mut h = Harness::new(Codec::Vp8);
    h.key(1, 10).packet(2, 20, false, DELTA);
    h.packet(4, 20, true, MORE)
        .delta(5, 30)
        .key(6, 40)
        .delta(7, 50);
    assert_eq!(h.took(), "k10");
    assert_eq!(h.wait(WAIT).took(), "-1 k40 d50");
    assert!(!h.assembler.awaits_key_frame());
}

#[test]
fn frames_of_many_packets_come_whole() {
    let mut h = Harness::new(Codec::Vp8);
    h.packet(1, 10, false, KEY).packet(3, 10, true, MORE);
    assert_eq!(h.took(), "");
    assert_eq!(h.packet(2, 10, false, MORE).took(), "k10");
}

#[test]
fn a_frame_without_marker_ends_at_the_next_timestamp() {
    let mut h = Harness::new(Codec::Vp8);
    h.packet(1, 10, false, KEY).packet(2, 10, false, MORE);
    assert_eq!(h.delta(3, 20).took(), "k10 d20");
}

#[test]
fn padding_between_frames_is_no_frame() {
    let mut h = Harness::new(Codec::Vp8);
    h.key(1, 10)
        .packet(2, 10, false, &[])
        .packet(3, 10, false, &[])
        .delta(4, 20);
    assert_eq!(h.took(), "k10 d20");
}

#[test]
fn malformed_frames_are_counted() {
    let mut h = Harness::new(Codec::Vp8);
    h.key(1, 10)
        .packet(2, 20, false, DELTA)
        .packet(3, 20, true, &[0x90])
        .delta(4, 30);
    assert_eq!(h.took(), "k10");
    assert_eq!(h.assembler.counters().malformed, 1);
    assert!(h.assembler.awaits_key_frame());
    assert_eq!(h.key(5, 40).took(), "k40");
}

#[test]
fn a_sender_that_starts_over_is_followed() {
    let mut h = Harness::new(Codec::Opus);
    h.opus(100).opus(20_000);
    assert_eq!(h.took(), "k100");
    assert_eq!(h.opus(20_001).opus(20_002).took(), "k20001 k20002");
    // A single stray packet changes nothing.
    assert_eq!(h.opus(50_000).opus(20_003).took(), "k20003");
}

#[test]
fn memory_is_bounded() {
    let mut h = Harness::new(Codec::Opus);
    h.opus(0);
    for seq in 2..2500 {
        h.opus(seq);
    }
    assert!(h.assembler.held.len() <= MAX_HELD);
    assert_eq!(h.assembler.counters().lost, 1);
    // Video without end.
    let mut h = Harness::new(Codec::Vp8);
    h.packet(0, 10, false, KEY);
    for seq in 1..5000 {
        h.packet(seq, 10, false, MORE);
    }
    assert!(
        h.assembler
            .open
            .as_ref()
            .is_none_or(|open| open.payloads.len() <= MAX_HELD)
    );
}

#[test]
fn media_time_passes_the_wrap_of_timestamps() {
    let mut assembler = FrameAssembler::new(Codec::Opus, WAIT);
    let now = Instant::now();
    let mut times = Vec::new();
    for n in 0..3u32 {
        let timestamp = u32::MAX.wrapping_sub(959).wrapping_add(n * 960);
        assembler.push(
            now,
            n as u16,
            timestamp,
            false,
            Bytes::from_static(&[0xf8, 1]),
        );
        if let Some(Assembled::Frame { frame, .. }) = assembler.poll(now) {
            times.push(frame.media_time.as_millis());
        }
    }
    assert_eq!(times, [0, 20, 40]);
}

#[test]
fn rubbish_never_panics_and_frames_never_go_back() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let codec = [&[Codec::Opus][..], &Codec::VIDEO].concat()[random.usize(0..5)];
        let mut assembler = FrameAssembler::new(codec, WAIT);
        let mut now = Instant::now();
        let mut seq = random.u16(..);
        for _ in 0..600 {
            now += Duration::from_millis(random.u64(0..30));
            seq = seq.wrapping_add(1);
            let number = match random.u8(0..20) {
                0 => random.u16(..),
                1..4 => seq.wrapping_sub(random.u16(0..9)),
                4 => continue,
                _ => seq,
            };
            let payload: Bytes = match random.u8(0..4) {
                0 => (0..random.usize(0..9)).map(|_| random.u8(..)).collect(),
                1 => Bytes::from_static(KEY),
                2 => Bytes::from_static(DELTA),
                _ => Bytes::from_static(MORE),
            };
            assembler.push(now, number, random.u32(0..5) * 3000, random.bool(), payload);
            while let Some(assembled) = assembler.poll(now) {
                if let Assembled::Frame { frame, .. } = assembled {
                    assert!(frame.encoded().is_ok(), "seed {seed}");
                }
            }
            if let Some(due) = assembler.next_due() {
                assert!(due > now, "seed {seed}: polled dry and still due");
            }
            assert!(assembler.held.len() <= MAX_HELD + 1);
        }
    }
}

#[test]
fn h264_goes_on_at_a_key_frame_that_does_not_repeat_its_parameter_sets() {
    let mut h = Harness::new(Codec::H264);
    let sets = [
        0x78, 0, 10, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40, 0, 2, 0x68, 1,
    ];
    let (idr, delta) = ([0x65, 0x88, 1], [0x41, 0x88, 1]);
    h.packet(1, 10, false, &sets).packet(2, 10, true, &idr);
    h.packet(3, 20, true, &delta)
        .packet(5, 40, true, &delta)
        .packet(6, 50, true, &idr);
    assert_eq!(h.wait(WAIT).took(), "k10 d20 -1 k50");
    // One that never came is no key frame.
    let mut h = Harness::new(Codec::H264);
    assert_eq!(h.packet(1, 10, true, &idr).took(), "");
}

#[test]
fn vp9_frames_begin_at_their_mark() {
    let mut h = Harness::new(Codec::Vp9);
    let key = [
        0x8c, 0x85, 7, 0x82, 0x49, 0x83, 0x42, 0x40, 0x27, 0xf0, 0x16, 0x70, 0,
    ];
    h.packet(1, 10, true, &[0x84, 0x85, 6, 1]);
    h.packet(2, 20, true, &key)
        .packet(3, 30, true, &[0xcc, 0x85, 8, 0x86]);
    assert_eq!(h.took(), "k20 d30");
}
