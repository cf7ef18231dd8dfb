//! How a stay ended: well, for want of room, or as one of few failures.

use driver::{EndReason, JoinStep, JoinTimes, Outcome, StopReason};

/// How a stay ended, as a load test counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Well,
    /// The node had no room or no licence: a limit was found, nothing is broken.
    Capacity(String),
    Failure(String),
}

/// Tells the reasons of an end apart, ICE and DTLS by what was reached before.
pub(super) fn end_of(outcome: &Outcome, times: &JoinTimes) -> End {
    let reached = |step| times.get(step).is_some();
    End::Failure(match &outcome.reason {
        // We ended it ourselves, before anything could be expected of it, or after it had worked.
        EndReason::Stopped(_) if outcome.was_in => return End::Well,
        EndReason::Stopped(StopReason::Interrupted | StopReason::Terminated) => return End::Well,
        EndReason::Stopped(_) => format!("not in by the end of its stay: {}", missing(times)),
        EndReason::CapacityReached(why) => return End::Capacity(short(why)),
        EndReason::Unreachable(_) => "node unreachable".to_owned(),
        EndReason::Refused(why) => format!("refused: {}", short(why)),
        EndReason::PinWanted => "PIN wanted".to_owned(),
        EndReason::PinWrong => "PIN wrong".to_owned(),
        EndReason::WaitingRoomTimeout => "waiting room".to_owned(),
        EndReason::Removed(_) => "removed from the conference".to_owned(),
        EndReason::TokenLost(_) => "token lost".to_owned(),
        EndReason::CallFailed(_) if outcome.was_in => "call lost".to_owned(),
        EndReason::CallFailed(_) if !reached(JoinStep::Sdp) => "call: no SDP answer".to_owned(),
        EndReason::CallFailed(_) => format!("call: {}", missing(times)),
        EndReason::Media(_) => "media of ours".to_owned(),
        EndReason::Defect(_) => "defect of the load tester".to_owned(),
        _ => "other".to_owned(),
    })
}

/// Names the first step that was not reached.
fn missing(times: &JoinTimes) -> &'static str {
    let steps = [
        (JoinStep::Token, "no token"),
        (JoinStep::Sdp, "no SDP answer"),
        (JoinStep::Ice, "ICE did not connect"),
        (JoinStep::Dtls, "DTLS did not connect"),
        (JoinStep::Roster, "not in the roster"),
    ];
    steps
        .iter()
        .find(|(step, _)| times.get(*step).is_none())
        .map_or("no media", |(_, what)| what)
}

/// What a node says may be long, and many different texts would not add up.
fn short(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn times(steps: &[JoinStep]) -> JoinTimes {
        let mut times = JoinTimes::default();
        for step in steps {
            times.note(*step, Duration::from_millis(10));
        }
        times
    }

    #[test]
    fn ice_and_dtls_are_told_apart() {
        use JoinStep::{Dtls, Ice, Roster, Sdp, Token};
        assert_eq!(missing(&times(&[Token, Sdp])), "ICE did not connect");
        assert_eq!(missing(&times(&[Token, Sdp, Ice])), "DTLS did not connect");
        assert_eq!(
            missing(&times(&[Token, Sdp, Ice, Dtls, Roster])),
            "no media"
        );
        assert_eq!(missing(&times(&[])), "no token");
    }
}
