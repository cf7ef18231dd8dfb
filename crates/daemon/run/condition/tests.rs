use driver::Report;

use super::*;

struct Told {
    start: Instant,
    condition: Condition,
}

impl Told {
    fn begin(expected: Expected) -> Self {
        let start = Instant::now();
        let condition = Condition::starting(start, expected);
        Self { start, condition }
    }

    /// A participant that sends and listens, in the conference since second 1.
    fn in_conference() -> Self {
        let mut told = Self::begin(Expected {
            reports: true,
            packets: true,
        });
        told.is(1, driver::State::InConference);
        told
    }

    fn at(&self, secs: u64) -> Instant {
        self.start + Duration::from_secs(secs)
    }

    fn is(&mut self, secs: u64, state: driver::State) {
        let now = self.at(secs);
        self.condition.notice(now, &NoticeKind::State(state));
    }

    fn report(&mut self, secs: u64, highest_sequence_number: u32) {
        let report = Report {
            kind: Kind::Audio,
            fraction_lost: 0.0,
            packets_lost: 0,
            highest_sequence_number,
            jitter: Duration::ZERO,
            round_trip_time: None,
            clip_packets_reached: 0,
            clip_packets_lost: 0,
        };
        let now = self.at(secs);
        self.condition.notice(now, &NoticeKind::Report(report));
    }

    /// Packets have come until now.
    fn packets(&mut self, secs: u64) {
        let now = self.at(secs);
        self.condition.received_at = Some(now);
        self.condition.poll(now);
    }

    fn stands(&mut self, secs: u64) -> (State, Option<Reason>) {
        let now = self.at(secs);
        self.condition.poll(now);
        let standing = self.condition.standing();
        (standing.state, standing.reason)
    }

    fn ended(&mut self, secs: u64, end: &EndReason, back_in: Option<Duration>) {
        let now = self.at(secs);
        self.condition.ended(now, end, back_in);
    }
}

#[test]
fn it_is_connecting_until_roster_and_media_say_otherwise() {
    let mut told = Told::begin(Expected::default());
    assert_eq!(told.stands(0), (State::Connecting, None));
    told.is(1, driver::State::Connecting);
    assert_eq!(told.stands(2), (State::Connecting, None));
    assert_eq!(told.condition.standing().since, told.start);
    told.is(3, driver::State::WaitingRoom);
    assert_eq!(told.stands(3), (State::WaitingRoom, None));
    told.is(9, driver::State::InConference);
    assert_eq!(told.stands(3600), (State::InConference, None));
    assert_eq!(told.condition.standing().since, told.at(9));
}

#[test]
fn reports_that_reach_no_further_mean_degraded_and_the_next_one_mends_it() {
    let mut told = Told::in_conference();
    told.report(2, 100);
    for secs in 3..40 {
        told.packets(secs);
        told.report(secs, 100);
    }
    assert_eq!(
        told.stands(40),
        (State::Degraded, Some(Reason::NotReported))
    );
    let since = told.condition.standing().since;
    assert_eq!(since, told.at(17), "15 s after the last that was news");
    told.report(41, 101);
    assert_eq!(told.stands(41), (State::InConference, None));
}

#[test]
fn a_silent_room_is_degraded_and_not_lost() {
    let mut told = Told::in_conference();
    for secs in 2..60 {
        told.report(secs, 50 * secs as u32);
    }
    assert_eq!(
        told.stands(60),
        (State::Degraded, Some(Reason::NothingReceived))
    );
    told.packets(61);
    assert_eq!(told.stands(61), (State::InConference, None));
}

#[test]
fn it_says_when_to_look_again_and_looks_no_more_once_it_is_told() {
    let mut told = Told::in_conference();
    assert_eq!(told.condition.poll_timeout(), Some(told.at(1) + QUIET));
    told.report(4, 1);
    told.packets(6);
    assert_eq!(told.condition.poll_timeout(), Some(told.at(4) + QUIET));
    told.stands(100);
    assert_eq!(told.condition.poll_timeout(), None);
}

#[test]
fn where_no_media_is_wanted_none_is_missed() {
    let mut told = Told::begin(Expected::default());
    told.is(1, driver::State::InConference);
    assert_eq!(told.condition.poll_timeout(), None);
    assert_eq!(told.stands(86_400), (State::InConference, None));
}

#[test]
fn what_is_lost_is_told_with_the_pause_and_its_end_with_a_reason() {
    let mut told = Told::in_conference();
    let pause = Duration::from_secs(2);
    let reason = "the node went away".to_owned();
    told.is(5, driver::State::Rejoining { reason, pause });
    assert_eq!(
        told.stands(5),
        (State::Connecting, Some(Reason::ConferenceLost))
    );
    assert_eq!(told.condition.standing().next, "joins again in 2.0 s");
    assert_eq!(told.condition.standing().why, "the node went away");

    for (end, state, reason) in [
        (EndReason::PinWrong, State::PinWanted, Reason::PinWrong),
        (EndReason::PinWanted, State::PinWanted, Reason::PinMissing),
        (
            EndReason::Removed("by Bea".into()),
            State::Removed,
            Reason::RemovedByHost,
        ),
        (
            EndReason::Refused("no".into()),
            State::Stopped,
            Reason::Refused,
        ),
    ] {
        told.ended(9, &end, None);
        assert_eq!(told.stands(9), (state, Some(reason)));
    }
}

#[test]
fn who_comes_back_says_when() {
    let mut told = Told::in_conference();
    let end = EndReason::Removed("by Bea".into());
    told.ended(9, &end, Some(Duration::from_secs(60)));
    assert_eq!(told.condition.standing().next, "comes back in 60 s");
    told.ended(9, &end, None);
    assert!(told.condition.standing().next.starts_with("nothing until"));
}
