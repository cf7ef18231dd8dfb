//! What RTCP tells the far end, at each tick of the shard's clock and when a key frame is wanted.

use std::time::Instant;

use media::Kind;

use super::{MediaPath, Ordering, State, rtcp, sending::with_desk};
use crate::{ntp, outbox::Outbox};

/// Arrivals are reported at every other tick, as browsers expect.
const TICKS_OF_ARRIVALS: u32 = 2;

impl MediaPath {
    /// Does what is due; called every [`super::TICK`].
    pub(crate) fn tick(&self, now: Instant) {
        if !self.is_open.load(Ordering::Acquire) {
            return;
        }
        with_desk(|desk| {
            let mut state = self.state();
            state.tick(now, desk);
            ((), state.socket_for(desk))
        });
    }

    /// Asks the sender of a stream for a key frame (PLI, RFC 4585 §6.3.1).
    pub(crate) fn request_key_frame(&self, ssrc: u32) {
        with_desk(|desk| {
            let mut state = self.state();
            let sender = state.outgoing[Kind::Video as usize].ssrc;
            state.rtcp(desk, |bytes| rtcp::picture_loss(bytes, sender, ssrc));
            if let Some(stream) = state.streams.iter_mut().find(|s| s.ssrc == ssrc) {
                stream.pli_count += 1;
            }
            ((), state.socket_for(desk))
        });
    }
}

impl State {
    fn tick(&mut self, now: Instant, desk: &mut Outbox) {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(TICKS_OF_ARRIVALS) && self.arrivals.any() {
            let sender = self.outgoing[Kind::Audio as usize].ssrc;
            let mut report = std::mem::take(&mut self.feedback);
            report.clear();
            self.arrivals.report(sender, &mut report);
            self.rtcp(desk, |bytes| bytes.extend_from_slice(&report));
            self.feedback = report;
        }
        self.ask_again(desk);
        // The first report on a stream need not wait for its turn (RFC 3550 §6.2), and the sooner it
        // comes, the sooner its sender knows that it is heard.
        let has_begun = std::mem::take(&mut self.has_begun);
        if has_begun
            || now.saturating_duration_since(self.last_report) >= self.settings.report_interval
        {
            self.last_report = now;
            self.report(now, desk);
        }
    }

    fn ask_again(&mut self, desk: &mut Outbox) {
        let mut wanted = std::mem::take(&mut self.wanted);
        for at in 0..self.streams.len() {
            let stream = &mut self.streams[at];
            stream.reception.ask(&mut wanted);
            if wanted.is_empty() {
                continue;
            }
            stream.nack_count += 1;
            let (kind, ssrc) = (stream.kind(), stream.ssrc);
            let sender = self.outgoing[kind as usize].ssrc;
            self.rtcp(desk, |bytes| rtcp::nack(bytes, sender, ssrc, &wanted));
        }
        self.wanted = wanted;
    }

    /// One compound packet: what each of our sources has sent since the last, what has arrived of the
    /// far end's, and who we are.
    fn report(&mut self, now: Instant, desk: &mut Outbox) {
        let mut reports: Vec<_> = self
            .streams
            .iter_mut()
            .rev()
            .take(rtcp::MOST_REPORTS)
            .map(|stream| stream.reception.report(now, stream.ssrc))
            .collect();
        let mut senders = Vec::new();
        for outgoing in &mut self.outgoing {
            if outgoing.packets > outgoing.reported
                && let Some(timestamp) = outgoing.timestamp(now)
            {
                outgoing.reported = outgoing.packets;
                let sent = (outgoing.packets, outgoing.bytes);
                senders.push((outgoing.ssrc, timestamp, sent));
            }
        }
        if senders.is_empty() && reports.is_empty() {
            return;
        }
        let ntp = ntp::now();
        let own = self.outgoing[Kind::Audio as usize].ssrc;
        let cname = std::mem::take(&mut self.settings.cname);
        self.rtcp(desk, |bytes| {
            if senders.is_empty() {
                rtcp::receiver_report(bytes, own, std::mem::take(&mut reports));
            }
            for (ssrc, timestamp, sent) in &senders {
                let reports = std::mem::take(&mut reports);
                rtcp::sender_report(bytes, *ssrc, (ntp, *timestamp), *sent, reports);
            }
            let sources = senders.iter().map(|(ssrc, ..)| *ssrc);
            let sources = sources.chain(senders.is_empty().then_some(own));
            rtcp::source_description(bytes, sources, &cname);
        });
        self.settings.cname = cname;
    }
}
