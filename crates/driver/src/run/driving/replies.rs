//! How requests ended.

use std::time::Instant;

use infinity::Command;
use participant::{Input, State};
use tracing::debug;

use super::Driving;
use crate::rest::RequestError;
use crate::run::wakeup::Answered;
use crate::{Answer, NoticeKind};

impl Driving {
    pub(super) fn reply(&mut self, now: Instant, answered: Answered) {
        let Answered {
            id,
            node,
            request,
            result,
            took,
        } = answered;
        let name = request.command.name();
        if self.settings.figures.is_some() {
            let answer = result
                .as_ref()
                .map_or_else(RequestError::answer, |_| Answer::Success);
            let verb = name;
            if !is_overtaken(&request.command, answer, self.participant.standing().state) {
                self.story
                    .tell(now, NoticeKind::Request { verb, took, answer });
            }
            self.story.connected(self.settings.client.connecting());
        }
        let result = match result {
            Ok(answer) => {
                debug!(request = name, ?took, "answered");
                Ok(answer)
            }
            Err(error) => {
                let failure = error.to_failure();
                debug!(request = name, ?took, %failure, "failed");
                if let Some(node) = self.nodes.get(node) {
                    self.story.unreachable(node, &error);
                }
                Err(failure)
            }
        };
        self.input(now, Input::Reply(id, result));
    }
}

/// Returns whether a request about the call came to the node after we had hung up: it was under way
/// when we did, and that the node knows of no such call is no failure of anybody.
fn is_overtaken(command: &Command, answer: Answer, state: State) -> bool {
    let is_about_the_call = matches!(
        command,
        Command::NewCandidate(..)
            | Command::Ack(..)
            | Command::Update(..)
            | Command::CallDtmf(..)
            | Command::Statistics(..)
    );
    is_about_the_call && answer == Answer::Refused && state == State::Leaving
}

#[cfg(test)]
mod tests {
    use infinity::{CallUuid, ParticipantUuid};

    use super::*;

    #[test]
    fn only_what_hanging_up_has_overtaken_is_no_failure() {
        let (us, call) = (ParticipantUuid::from("us"), CallUuid::from("call"));
        let ack = Command::Ack(us.clone(), call.clone());
        let hang_up = Command::DisconnectCall(us, call);
        assert!(is_overtaken(&ack, Answer::Refused, State::Leaving));
        assert!(!is_overtaken(&ack, Answer::Refused, State::InConference));
        assert!(!is_overtaken(&ack, Answer::TimedOut, State::Leaving));
        assert!(!is_overtaken(&hang_up, Answer::Refused, State::Leaving));
        assert!(!is_overtaken(
            &Command::RefreshToken,
            Answer::Refused,
            State::Leaving
        ));
    }
}
