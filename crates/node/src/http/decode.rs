//! From a path and a body to the command they mean.

use infinity::{
    CallPath, Change, Command, ConferencePath, ParticipantPath, ParticipantUuid, Pin, Refusal,
};
use serde::de::DeserializeOwned;

/// Reads the command that is asked for; `None` if this node does not have it.
///
/// # Errors
/// When the body is not what the command needs.
pub(super) fn command(
    path: ConferencePath,
    pin: Option<Pin>,
    body: &[u8],
) -> Result<Option<Command>, Refusal> {
    Ok(Some(match path {
        ConferencePath::RequestToken => Command::RequestToken {
            pin,
            body: json(body)?,
        },
        ConferencePath::RefreshToken => Command::RefreshToken,
        // Whatever stands in the body, its sender wants to go.
        ConferencePath::ReleaseToken => Command::ReleaseToken(json(body).unwrap_or_default()),
        ConferencePath::Participants => Command::Participants,
        ConferencePath::ConferenceStatus => Command::ConferenceStatus,
        ConferencePath::Dial => Command::Dial(json(body)?),
        ConferencePath::Lock => Command::Lock,
        ConferencePath::Unlock => Command::Unlock,
        ConferencePath::MuteGuests => Command::MuteGuests,
        ConferencePath::UnmuteGuests => Command::UnmuteGuests,
        ConferencePath::Disconnect => Command::DisconnectAll,
        ConferencePath::Message => Command::Message(json(body)?),
        ConferencePath::Participant(who, path) => return participant(who, path, body),
        _ => return Ok(None),
    }))
}

fn participant(
    who: ParticipantUuid,
    path: ParticipantPath,
    body: &[u8],
) -> Result<Option<Command>, Refusal> {
    Ok(Some(match path {
        ParticipantPath::Disconnect => Command::Disconnect(who),
        ParticipantPath::Mute => Command::Mute(who),
        ParticipantPath::Unmute => Command::Unmute(who),
        ParticipantPath::Unlock => Command::Admit(who),
        ParticipantPath::Calls => Command::Calls(who, json(body)?),
        ParticipantPath::Call(call, CallPath::Ack) => Command::Ack(who, call),
        ParticipantPath::Call(call, CallPath::NewCandidate) => {
            Command::NewCandidate(who, call, json(body)?)
        }
        ParticipantPath::Call(call, CallPath::Update) => Command::Update(who, call, json(body)?),
        ParticipantPath::Call(call, CallPath::Disconnect) => Command::DisconnectCall(who, call),
        ParticipantPath::Call(call, CallPath::Dtmf) => Command::CallDtmf(who, call, json(body)?),
        ParticipantPath::Call(call, CallPath::Statistics) => {
            Command::Statistics(who, call, json(body)?)
        }
        ParticipantPath::Dtmf => Command::Dtmf(who, json(body)?),
        ParticipantPath::Transfer => Command::Transfer(who, json(body)?),
        ParticipantPath::TakeFloor => Command::TakeFloor(who),
        ParticipantPath::ReleaseFloor => Command::ReleaseFloor(who),
        ParticipantPath::Message => Command::MessageTo(who, json(body)?),
        ParticipantPath::Role => Command::Change(who, Change::Role(json(body)?)),
        ParticipantPath::OverlayText => Command::Change(who, Change::OverlayText(json(body)?)),
        path => match Change::without_body(&path) {
            Some(change) => Command::Change(who, change),
            None => return Ok(None),
        },
    }))
}

/// Reads a body, whatever its content type says: official clients send none, an empty one or `{}`
/// where there is nothing to say.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = body.trim_ascii();
    let body = if body.is_empty() || body == b"null" {
        b"{}"
    } else {
        body
    };
    serde_json::from_slice(body).map_err(|error| Refusal::Other {
        code: 400,
        // Not serde's own words: they quote what was sent, tokens included.
        text: format!(
            "{} at line {} column {}",
            if error.is_data() {
                "a field is missing or of the wrong type"
            } else {
                "the body is not JSON"
            },
            error.line(),
            error.column()
        ),
    })
}

#[cfg(test)]
mod tests {
    use infinity::{Calls, MessageText, RequestToken};

    use super::*;

    #[test]
    fn nothing_an_empty_object_and_null_are_the_same() {
        for body in [&b""[..], b" \r\n", b"{}", b"null"] {
            assert_eq!(
                json::<RequestToken>(body).expect("nothing to say"),
                RequestToken::default()
            );
        }
    }

    #[test]
    fn a_body_that_lacks_something_is_refused_without_repeating_it() {
        let refusal =
            json::<Calls>(br#"{"call_type": 7, "sdp": "s3cret"}"#).expect_err("7 is no call type");
        assert!(
            matches!(&refusal, Refusal::Other { code: 400, text } if !text.contains("s3cret")),
            "{refusal}"
        );
        assert!(json::<MessageText>(b"{").is_err());
    }
}
