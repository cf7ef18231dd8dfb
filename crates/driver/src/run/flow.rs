//! Whether media flows, as the participant wants to know it.

use std::time::{Duration, Instant};

use crate::gate::REPORT_WAIT;

/// How long neither reports nor packets may come before media counts as stopped.
const SILENCE: Duration = Duration::from_secs(10);

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Flowing,
    Stopped,
}

/// Watches the media of one call.
///
/// Media flows when the far end's reports cover packets of ours. A node that sends none is
/// believed after [`REPORT_WAIT`] if its own packets come. It has stopped when neither reports
/// that go on nor packets came for [`SILENCE`]; ICE usually notices earlier.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Since when we send.
    sending: Option<Instant>,
    reported: bool,
    highest: [Option<u32>; 2],
    alive: Option<Instant>,
    received: bool,
    told: Option<Change>,
}

impl Flow {
    /// We send from now on.
    pub(crate) fn sends(&mut self, now: Instant) {
        self.sending.get_or_insert(now);
    }

    /// A report on our stream `lane` (0 or 1) came; it reaches `highest`.
    pub(crate) fn report(&mut self, now: Instant, lane: usize, highest: u32) {
        self.reported = true;
        // One that reaches no further says that nothing arrives any more.
        if self.highest[lane].replace(highest) != Some(highest) {
            self.alive = Some(now);
        }
    }

    /// The last packet of the far end came at `at`.
    pub(crate) fn packet(&mut self, at: Instant) {
        self.received = true;
        self.alive = self.alive.max(Some(at));
    }

    /// Returns what has changed by `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Change> {
        let sending = self.sending?;
        let believed = self.reported || (self.received && now >= sending + REPORT_WAIT);
        let silent = self.alive.is_none_or(|alive| now >= alive + SILENCE);
        let change = match self.told {
            None | Some(Change::Stopped) if believed && !silent => Change::Flowing,
            Some(Change::Flowing) if silent => Change::Stopped,
            _ => return None,
        };
        self.told = Some(change);
        Some(change)
    }

    /// Returns when to poll again if nothing else happens.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        match self.told {
            None => {
                let believed_at = self.sending? + REPORT_WAIT;
                // What has been silent for too long changes with a packet, not with time.
                let lives = self
                    .alive
                    .is_some_and(|alive| alive + SILENCE > believed_at);
                (lives && !self.reported).then_some(believed_at)
            }
            Some(Change::Flowing) => Some(self.alive? + SILENCE),
            Some(Change::Stopped) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: f32) -> Duration {
        Duration::from_secs_f32(n)
    }

    #[test]
    fn a_report_means_that_media_flows() {
        let t = Instant::now();
        let mut flow = Flow::default();
        flow.report(t, 0, 100);
        assert_eq!(flow.poll(t), None, "nothing of ours is sent yet");
        flow.sends(t);
        assert_eq!(flow.poll(t), Some(Change::Flowing));
        assert_eq!(flow.poll(t + secs(1.0)), None);
    }

    #[test]
    fn a_node_without_reports_is_believed_by_its_packets() {
        let t = Instant::now();
        let mut flow = Flow::default();
        flow.sends(t);
        assert_eq!(flow.poll(t + secs(5.0)), None, "nothing came at all");
        flow.packet(t + secs(5.0));
        assert_eq!(flow.poll(t + secs(5.0)), Some(Change::Flowing));
    }

    #[test]
    fn reports_that_do_not_move_and_no_packets_mean_that_it_stopped() {
        let t = Instant::now();
        let mut flow = Flow::default();
        flow.sends(t);
        flow.report(t, 0, 100);
        assert_eq!(flow.poll(t), Some(Change::Flowing));
        flow.report(t + secs(5.0), 0, 100);
        assert_eq!(flow.next_due(), Some(t + secs(10.0)));
        assert_eq!(flow.poll(t + secs(9.9)), None);
        assert_eq!(flow.poll(t + secs(10.0)), Some(Change::Stopped));
        flow.report(t + secs(11.0), 0, 101);
        assert_eq!(flow.poll(t + secs(11.0)), Some(Change::Flowing));
    }

    #[test]
    fn what_time_alone_cannot_change_is_not_waited_for() {
        let t = Instant::now();
        let mut flow = Flow::default();
        assert_eq!(flow.next_due(), None);
        flow.packet(t);
        flow.sends(t + secs(60.0));
        assert_eq!(
            flow.next_due(),
            None,
            "the packet is too old to speak for the media"
        );
        flow.packet(t + secs(60.0));
        assert_eq!(flow.next_due(), Some(t + secs(62.0)));
        assert_eq!(flow.poll(t + secs(62.0)), Some(Change::Flowing));
    }

    #[test]
    fn packets_alone_keep_it_flowing() {
        let t = Instant::now();
        let mut flow = Flow::default();
        flow.sends(t);
        flow.report(t, 0, 100);
        flow.poll(t);
        flow.packet(t + secs(9.0));
        assert_eq!(flow.poll(t + secs(12.0)), None);
    }
}
