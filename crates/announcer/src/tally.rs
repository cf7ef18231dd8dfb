//! What became of the packets of one of a clip's tracks.

use driver::Report;

/// What became of the packets of one of a clip's tracks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    sent: u64,
    report: Option<Report>,
}

impl Tally {
    /// Takes note of how many packets the whole track was.
    pub(crate) fn finished(&mut self, packets: u64) {
        self.sent = packets;
    }

    /// Takes note of a report.
    pub(crate) fn reported(&mut self, report: Report) {
        self.report = Some(report);
    }

    /// Returns the packets that were sent, once all were; 0 before.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns whether reports cover the last packet. Of nothing there is nothing to report.
    pub(crate) fn is_covered(&self) -> bool {
        let reached = self.report.map_or(0, |report| report.clip_packets_reached);
        reached >= self.sent
    }

    /// Returns the packets that reached the node.
    pub(crate) fn received(&self) -> u64 {
        self.report.map_or(0, |report| {
            report
                .clip_packets_reached
                .saturating_sub(report.clip_packets_lost)
        })
    }

    /// Returns the packets that did not reach the node: reported lost or, once the track was sent
    /// to its end, never reported at all.
    pub(crate) fn lost(&self) -> u64 {
        if self.sent > 0 {
            self.sent.saturating_sub(self.received())
        } else {
            self.report.map_or(0, |report| report.clip_packets_lost)
        }
    }
}
