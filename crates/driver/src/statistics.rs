//! What a node is told of our media with `statistics`: rates and losses out of running sums.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use infinity::{MediaStatistics, Statistics};
use media::{Frame, Kind};
use peer::ReceiverReport;
use peer::{
    InboundRtpStats, MediaSender, Negotiated, NegotiatedCodec, OutboundRtpStats, PeerStats,
};

use crate::pump::Sink;

/// Pictures that passed: how many, and how large the last one that said so was. Counted by whoever
/// sends or receives, read by whoever tells the node.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    count: AtomicU64,
    /// Width and height, 32 bits each; 0 as long as no key frame came.
    size: AtomicU64,
}

impl Pictures {
    /// Another picture has passed.
    pub(crate) fn passed(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// A key frame said how large it is.
    pub(crate) fn sized(&self, (width, height): (u32, u32)) {
        let size = u64::from(width) << 32 | u64::from(height);
        self.size.store(size, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns width and height of the last picture that said so.
    pub(crate) fn size(&self) -> Option<(u32, u32)> {
        let size = self.size.load(Ordering::Relaxed);
        (size != 0).then_some(((size >> 32) as u32, size as u32))
    }

    fn resolution(&self) -> Option<String> {
        let (width, height) = self.size()?;
        Some(format!("{width}x{height}"))
    }
}

/// A sender that counts its pictures.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) sender: MediaSender,
    pub(crate) pictures: std::sync::Arc<Pictures>,
}

impl Sink for Counted {
    fn send(&self, frame: &Frame, timestamp: u32) {
        if self.sender.kind() == Kind::Video {
            self.pictures.passed();
            if frame.is_key
                && let Some(first) = frame.payloads.first()
                && let Some(size) = frame.codec.payload_dimensions(first)
            {
                self.pictures.sized(size);
            }
        }
        Sink::send(&self.sender, frame, timestamp);
    }

    fn next_sequence_number(&self) -> u32 {
        self.sender.next_sequence_number()
    }
}

/// The sums of one kind of media at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    inbound: InboundRtpStats,
    outbound: OutboundRtpStats,
    /// Packets of ours that the far end has not received.
    far_lost: u32,
    pictures_in: u64,
    pictures_out: u64,
}

/// Makes figures out of sums, one measurement after the other.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    before: Option<(Instant, [Sums; 2])>,
    /// What the far end reported last, of our sound and of our picture.
    reports: [Option<ReceiverReport>; 2],
}

impl Meter {
    /// Takes note of a report of the far end's on our stream `lane`: 0 is sound, 1 is picture.
    pub(crate) fn report(&mut self, lane: usize, report: &ReceiverReport) {
        self.reports[lane] = Some(*report);
    }

    /// Returns the figures since the measurement before. Rates need one to begin with, and are
    /// absent without.
    pub(crate) fn measure(
        &mut self,
        now: Instant,
        stats: &PeerStats,
        negotiated: &Negotiated,
        pictures_in: &Pictures,
        pictures_out: &Pictures,
    ) -> Statistics {
        let far_lost = |lane: usize| {
            let report = self.reports[lane].as_ref();
            report.map_or(0, |report| report.packets_lost)
        };
        let sums = [
            Sums {
                inbound: stats.inbound_audio,
                outbound: stats.outbound_audio,
                far_lost: far_lost(0),
                ..Sums::default()
            },
            Sums {
                inbound: stats.inbound_video,
                outbound: stats.outbound_video,
                far_lost: far_lost(1),
                pictures_in: pictures_in.count(),
                pictures_out: pictures_out.count(),
            },
        ];
        let before = self.before.replace((now, sums));
        let of = |lane: usize, codec: &NegotiatedCodec| {
            let before = before
                .as_ref()
                .map(|(at, sums)| (now.saturating_duration_since(*at), &sums[lane]));
            figures(&sums[lane], before, self.reports[lane].as_ref(), codec)
        };
        let video = negotiated.video.as_ref().map(|codec| {
            let mut video = of(1, codec);
            video.rx_resolution = pictures_in.resolution();
            video.tx_resolution = pictures_out.resolution();
            if let Some((at, sums_before)) = &before {
                let seconds = now.saturating_duration_since(*at).as_secs_f64();
                let rate = |new: u64, old: u64| Some(new.saturating_sub(old) as f64 / seconds);
                video.rx_fps = rate(sums[1].pictures_in, sums_before[1].pictures_in);
                video.tx_fps = rate(sums[1].pictures_out, sums_before[1].pictures_out);
            }
            video
        });
        Statistics {
            audio: negotiated.audio.as_ref().map(|codec| of(0, codec)),
            video,
            presentation: None,
        }
    }
}

fn figures(
    sums: &Sums,
    before: Option<(Duration, &Sums)>,
    report: Option<&ReceiverReport>,
    codec: &NegotiatedCodec,
) -> MediaStatistics {
    let (inbound, outbound) = (&sums.inbound, &sums.outbound);
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let lost = |lost: i64, arrived: u64| {
        let lost = lost.max(0) as f64;
        let all = lost + arrived as f64;
        (all > 0.0).then(|| 100.0 * lost / all)
    };
    let arrived = |sent: u64, lost: u32| sent.saturating_sub(u64::from(lost));
    let name = Some(codec.codec.name().to_owned());
    let mut figures = MediaStatistics {
        rx_codec: name.clone().filter(|_| inbound.packets_received > 0),
        rx_historic_packet_loss: lost(inbound.packets_lost, inbound.packets_received),
        rx_jitter: (inbound.packets_received > 0).then(|| millis(inbound.jitter)),
        rx_packets_lost: Some(inbound.packets_lost),
        rx_packets_received: Some(inbound.packets_received),
        tx_codec: name,
        tx_historic_packet_loss: report.and_then(|_| {
            lost(
                sums.far_lost.into(),
                arrived(outbound.packets_sent, sums.far_lost),
            )
        }),
        tx_packets_sent: Some(outbound.packets_sent),
        tx_rb_jitter: report.map(|report| millis(report.jitter)),
        tx_rb_packetslost: report.map(|report| report.packets_lost.into()),
        ..MediaStatistics::default()
    };
    if let Some((since, before)) = before.filter(|(since, _)| !since.is_zero()) {
        let kbits = |new: u64, old: u64| {
            Some(new.saturating_sub(old) as f64 * 8.0 / 1000.0 / since.as_secs_f64())
        };
        let (was_in, was_out) = (&before.inbound, &before.outbound);
        figures.rx_bitrate = kbits(inbound.bytes_received, was_in.bytes_received);
        figures.tx_bitrate = kbits(outbound.bytes_sent, was_out.bytes_sent);
        figures.rx_windowed_packet_loss = lost(
            inbound.packets_lost - was_in.packets_lost,
            inbound
                .packets_received
                .saturating_sub(was_in.packets_received),
        );
        let far_lost = sums.far_lost.saturating_sub(before.far_lost);
        let sent = outbound.packets_sent.saturating_sub(was_out.packets_sent);
        figures.tx_windowed_packet_loss =
            report.and_then(|_| lost(far_lost.into(), arrived(sent, far_lost)));
    }
    figures
}

#[cfg(test)]
mod tests {
    use media::Codec;
    use peer::Direction;

    use super::*;

    fn negotiated() -> Negotiated {
        let of = |codec, mid: &str| NegotiatedCodec {
            codec,
            payload_type: 111,
            rtx_payload_type: None,
            direction: Direction::SendRecv,
            mid: mid.to_owned(),
            format_parameters: None,
            max_bitrate: None,
        };
        Negotiated {
            audio: Some(of(Codec::Opus, "0")),
            video: Some(of(Codec::Vp8, "1")),
        }
    }

    fn stats(seconds: u64) -> PeerStats {
        let mut stats = PeerStats::default();
        stats.inbound_audio.packets_received = 50 * seconds;
        stats.inbound_audio.bytes_received = 4_000 * seconds;
        stats.inbound_audio.packets_lost = seconds as i64;
        stats.inbound_audio.jitter = Duration::from_micros(2500);
        stats.outbound_video.packets_sent = 100 * seconds;
        stats.outbound_video.bytes_sent = 62_500 * seconds;
        stats
    }

    #[test]
    fn rates_are_those_since_the_measurement_before_and_sums_those_since_the_beginning() {
        let (start, mut meter) = (Instant::now(), Meter::default());
        let (seen, shown) = (Pictures::default(), Pictures::default());
        shown.sized((1280, 720));
        let first = meter.measure(start, &stats(10), &negotiated(), &seen, &shown);
        assert_eq!(first.audio.expect("sound").rx_bitrate, None, "since when?");

        for _ in 0..50 {
            shown.passed();
        }
        meter.report(
            1,
            &ReceiverReport {
                kind: Kind::Video,
                fraction_lost: 0.0,
                packets_lost: 25,
                highest_sequence_number: 1,
                jitter: Duration::from_millis(4),
                round_trip_time: None,
            },
        );
        let later = start + Duration::from_secs(5);
        let second = meter.measure(later, &stats(15), &negotiated(), &seen, &shown);
        let (audio, video) = (second.audio.expect("sound"), second.video.expect("picture"));
        assert_eq!(audio.rx_bitrate, Some(32.0));
        assert_eq!(audio.rx_jitter, Some(2.5));
        assert_eq!(audio.rx_packets_received, Some(750));
        assert_eq!(audio.rx_packets_lost, Some(15));
        assert_eq!(audio.rx_windowed_packet_loss, Some(100.0 * 5.0 / 255.0));
        assert_eq!(audio.rx_codec.as_deref(), Some("opus"));
        assert_eq!(audio.tx_rb_jitter, None, "nothing was reported of it");
        assert_eq!(video.tx_bitrate, Some(500.0));
        assert_eq!(video.tx_fps, Some(10.0));
        assert_eq!(video.tx_resolution.as_deref(), Some("1280x720"));
        assert_eq!(video.tx_historic_packet_loss, Some(100.0 * 25.0 / 1500.0));
        assert_eq!(video.tx_windowed_packet_loss, Some(5.0));
        assert_eq!(video.tx_rb_packetslost, Some(25));
        assert_eq!((video.rx_resolution, video.rx_codec), (None, None));
        assert_eq!(second.presentation, None);
    }
}
