//! Telling the node about our media, as often as it wants to know.

use infinity::Statistics;

use super::{
    CallMachine, Command, Duration, Instant, Live, Membership, Outbox, Output, PeerCommand,
    Refusal, RequestFailure, RequestId, State, Timer, replies::Reply,
};

/// No node is told more often than this, whatever it wants.
const SHORTEST: Duration = Duration::from_secs(1);

/// How often the node wants `statistics`, and whether it takes them.
#[derive(Debug, Default)]
pub(super) struct Reporting {
    /// How often; nothing: never.
    every: Option<Duration>,
    under_way: Option<RequestId>,
    /// The node knows no such request, whatever it said.
    is_unknown: bool,
}

impl CallMachine {
    /// Takes note of how often the node wants `statistics`.
    pub(crate) fn report_every(
        &mut self,
        now: Instant,
        every: Option<Duration>,
        outbox: &mut Outbox,
    ) {
        let every = every.map(|every| every.max(SHORTEST));
        if self.reporting.every != every {
            self.reporting.every = every;
            self.plan_report(now, outbox);
        }
    }

    /// Has the next figures taken after the interval, if there is a call to measure.
    pub(super) fn plan_report(&mut self, now: Instant, outbox: &mut Outbox) {
        match (&self.state, self.reporting.every) {
            (State::Live(_), Some(every)) if !self.reporting.is_unknown => {
                outbox.start(Timer::Statistics, now, every);
            }
            _ => outbox.timers.stop(Timer::Statistics),
        }
    }

    /// Has the figures taken that are due; none while the node has not answered the last ones.
    pub(super) fn report_is_due(&mut self, now: Instant, outbox: &mut Outbox) {
        if let State::Live(Live {
            peer,
            media_started: true,
            ..
        }) = self.state
            && self.reporting.under_way.is_none()
        {
            outbox.push(Output::Peer(peer, PeerCommand::Measure));
        }
        self.plan_report(now, outbox);
    }

    /// Sends the figures.
    pub(super) fn measured(
        &mut self,
        now: Instant,
        statistics: Box<Statistics>,
        membership: &Membership,
        outbox: &mut Outbox,
    ) {
        if let State::Live(live) = &self.state
            && self.reporting.under_way.is_none()
            && !self.reporting.is_unknown
        {
            let (participant, call) = (membership.participant.clone(), live.call.clone());
            let command = Command::Statistics(participant, call, statistics);
            self.reporting.under_way = outbox.request_as(now, membership, command);
        }
    }

    /// Takes the reply to figures that were sent; hands it back if it is to something else. What
    /// gets lost is not sent again: newer figures follow.
    pub(super) fn statistics_answered(
        &mut self,
        id: RequestId,
        reply: Reply,
        outbox: &mut Outbox,
    ) -> Result<(), Reply> {
        if self.reporting.under_way != Some(id) {
            return Err(reply);
        }
        self.reporting.under_way = None;
        if let Err(RequestFailure::Refused(
            Refusal::NotFound(_) | Refusal::NoSuchNode | Refusal::NoSuchConference,
        )) = reply
        {
            self.reporting.is_unknown = true;
            outbox.timers.stop(Timer::Statistics);
            outbox.ignore("the wish for statistics of a node that takes none");
        }
        Ok(())
    }
}
