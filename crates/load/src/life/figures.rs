//! What a caller's figures come to: each is set against the one before.

use std::time::{Duration, Instant};

use driver::Figures;

use super::Life;
use crate::mos::{self, Conditions, Constants};
use crate::{Counter, metric};

/// What a receiver holds back at least: a packet of sound. It is taken to hold back twice the jitter.
const LEAST_BUFFER: Duration = Duration::from_millis(20);

/// A sum among the figures.
type Sum = fn(&Figures) -> u64;

impl Life {
    /// Sets what was measured against what was known before.
    pub(super) fn figures(&mut self, at: Instant, figures: &Figures) {
        let Some((before_at, before)) = self.stay.last.replace((at, figures.clone())) else {
            self.count_figures(at, figures, None);
            return;
        };
        let seconds = at.saturating_duration_since(before_at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        self.count_figures(at, figures, Some(&before));
        let ledger = self.ledger.clone();
        let tally = ledger.tally(self.conference);
        let (audio, audio_before) = (&figures.received.audio, &before.received.audio);
        let packets = audio.packets.saturating_sub(audio_before.packets);
        if packets > 0 {
            let lost = audio.lost.saturating_sub(audio_before.lost);
            tally.received(packets, lost, at);
            let loss = share(lost, packets);
            ledger.record(&metric::AUDIO_LOSS, loss, at);
            ledger.record(&metric::AUDIO_JITTER, audio.jitter, at);
            let bits = audio.bytes.saturating_sub(audio_before.bytes) as f64 * 8.0;
            ledger.record(&metric::AUDIO_BIT_RATE, bits / seconds, at);
            self.score(at, loss, audio.jitter);
        }
        let events = figures.events.saturating_sub(before.events) as f64;
        ledger.record(&metric::EVENTS_RATE, events / seconds, at);
        let bytes = figures.event_bytes.saturating_sub(before.event_bytes);
        let bits = bytes as f64 * 8.0;
        ledger.record(&metric::EVENTS_BIT_RATE, bits / seconds, at);
        let (video, video_before) = (&figures.received.video, &before.received.video);
        let packets = video.packets.saturating_sub(video_before.packets);
        if packets > 0 {
            let loss = share(video.lost.saturating_sub(video_before.lost), packets);
            ledger.record(&metric::VIDEO_LOSS, loss, at);
            ledger.record(&metric::VIDEO_JITTER, video.jitter, at);
            let bits = video.bytes.saturating_sub(video_before.bytes) as f64 * 8.0;
            ledger.record(&metric::VIDEO_BIT_RATE, bits / seconds, at);
            let frames =
                video.frames.received - video_before.frames.received.min(video.frames.received);
            ledger.record(&metric::VIDEO_FRAME_RATE, frames as f64 / seconds, at);
        }
    }

    /// Scores the sound of an interval, by what is known without decoding it.
    fn score(&mut self, at: Instant, loss: f64, jitter: f64) {
        let rtt = match self.rtt {
            (_, 0) => 0.0,
            (sum, count) => sum / count as f64,
        };
        let conditions = Conditions {
            // Both ways are taken to be alike.
            network_delay: Duration::try_from_secs_f64(rtt / 2.0).unwrap_or_default(),
            buffer_delay: Duration::try_from_secs_f64(jitter * 2.0)
                .unwrap_or_default()
                .max(LEAST_BUFFER),
            loss,
            burst_ratio: 1.0,
        };
        let r = mos::r_factor(&conditions, &Constants::OPUS);
        let mos = mos::mos(r);
        self.ledger.record(&metric::AUDIO_R, r, at);
        self.ledger.record(&metric::AUDIO_MOS, mos, at);
        self.ledger.tally(self.conference).scored(mos, at);
        self.mos.0 += mos;
        self.mos.1 += 1;
        let interval = self.ledger.interval_of(at);
        self.row
            .over_time
            .insert(interval, (mos * 100.0).round() as u16);
    }

    fn count_figures(&self, at: Instant, figures: &Figures, before: Option<&Figures>) {
        let more = |of: Sum| of(figures).saturating_sub(before.map_or(0, of));
        let counts: [(Counter, Sum); 9] = [
            (Counter::PacketsSent, |f| {
                f.call.outbound_audio.packets_sent + f.call.outbound_video.packets_sent
            }),
            (Counter::PacketsReceived, |f| {
                f.received.audio.packets + f.received.video.packets
            }),
            (Counter::PacketsLost, |f| {
                f.received.audio.lost + f.received.video.lost
            }),
            (Counter::PacketsResent, |f| {
                f.call.outbound_audio.retransmitted_packets_sent
                    + f.call.outbound_video.retransmitted_packets_sent
            }),
            (Counter::KeyFramesAsked, |f| f.call.outbound_video.pli_count),
            (Counter::KeyFramesWanted, |f| {
                f.received.video.key_frames_asked
            }),
            (Counter::KeyFrames, |f| f.received.video.frames.keys),
            (Counter::EventsReceived, |f| f.events),
            (Counter::EventBytes, |f| f.event_bytes),
        ];
        for (counter, of) in counts {
            self.ledger.count(counter, more(of), at);
        }
        self.board.dropped(more(|f| f.call.socket_drops));
    }
}

/// The share of all that was sent which was lost.
pub(super) fn share(lost: u64, received: u64) -> f64 {
    match lost + received {
        0 => 0.0,
        all => lost as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_that_was_sent() {
        assert!((share(5, 95) - 0.05).abs() < 1e-12);
        assert!(share(0, 0) < 1e-12);
    }
}
