//! Which exit code says why a request did not succeed.

use driver::api::ApiError;
use infinity::Refusal;

use crate::exit::{Exit, Failure};

/// Returns the failure of a command whose request did not succeed.
pub(super) fn of(error: ApiError) -> Failure {
    let exit = match &error {
        ApiError::Refused { refusal, .. } => match refusal {
            Refusal::PinWanted(_) | Refusal::InvalidPin => Exit::Pin,
            _ => Exit::NodeRefused,
        },
        ApiError::Unreachable(_)
        | ApiError::TimedOut { .. }
        | ApiError::Malformed(_)
        | ApiError::NoNode(_) => Exit::NodeRefused,
        // It was not done, the stream was lost, or the token is none of ours.
        _ => Exit::Failed,
    };
    let text = match &error {
        ApiError::Refused { request, refusal } => match hint(refusal) {
            Some(hint) => format!("{request}: {hint}"),
            None => error.to_string(),
        },
        _ => error.to_string(),
    };
    Failure::new(exit, text)
}

/// Says what to do in the words of this command line, where the library cannot know them.
fn hint(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::PinWanted(_) => {
            "the conference wants a PIN: give it with --pin-file or in STANDIN_PIN"
        }
        Refusal::VirtualReception { pin: None, .. } => {
            "this is a Virtual Reception: say with --extension which conference it shall connect to"
        }
        Refusal::VirtualReception { pin: Some(_), .. } => {
            "this is a Virtual Reception that wants a PIN too: say with --extension which \
             conference it shall connect to, and give the PIN with --pin-file or in STANDIN_PIN"
        }
        Refusal::InvalidToken => {
            "the node does not know the token any more: ask for a new one with request_token"
        }
        Refusal::BadHttpCredentials => {
            "the node, or a proxy before it, wants a user name and password: give them with \
             --login-file"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use infinity::PinWanted;

    use super::*;

    fn code(refusal: Refusal) -> u8 {
        of(ApiError::Refused {
            request: "lock",
            refusal,
        })
        .exit
        .code()
    }

    #[test]
    fn each_refusal_has_its_exit_code() {
        assert_eq!(code(Refusal::PinWanted(PinWanted::default())), 6);
        assert_eq!(code(Refusal::InvalidPin), 6);
        assert_eq!(code(Refusal::Denied("for hosts".into())), 3);
        assert_eq!(of(ApiError::NotDone { request: "lock" }).exit.code(), 1);
        assert_eq!(of(ApiError::Unreachable("gone".into())).exit.code(), 3);
    }
}
