//! What a request came to, in words or as JSON.

use infinity::{ConferenceStatus, ParticipantRow, Profile, Response, Role, TokenGranted};
use serde_json::{Value, json};

use super::token_file::TokenFile;
use crate::print::{self, Form};

/// What stands in place of a secret.
const HIDDEN: &str = "(hidden)";

/// Prints the result of a request.
pub(super) fn print(form: Form, response: &Response) {
    match form {
        Form::Json => print::json(&as_json(response)),
        Form::Text => as_text(response),
    }
}

/// Prints a token that was granted, but not the token.
pub(super) fn granted(form: Form, granted: &TokenGranted, file: Option<&TokenFile>) {
    if form == Form::Json {
        print::json(&as_json(&Response::TokenGranted(Box::new(granted.clone()))));
        return;
    }
    print::line(format_args!(
        "{} as {}, {}, in {}; {}",
        granted.participant_uuid,
        granted.display_name,
        role(granted.role),
        granted.current_service_type,
        match file {
            Some(file) => format!(
                "token good for {} s, kept in {}",
                granted.expires.as_secs(),
                file.path().display()
            ),
            None => "token given back".to_owned(),
        }
    ));
}

/// Returns the result as a node of today writes it, without its secrets.
fn as_json(response: &Response) -> Value {
    let reply = response.encode(Profile::Modern);
    let mut answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let mut result = answer["result"].take();
    hide(&mut result);
    result
}

/// Blanks tokens and passwords, however deep they are.
pub(crate) fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if matches!(name.as_str(), "token" | "credential" | "pwd" | "pin")
                    && value.is_string()
                {
                    *value = json!(HIDDEN);
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide),
        _ => {}
    }
}

fn as_text(response: &Response) {
    match response {
        Response::Participants(rows) => rows.iter().for_each(|one| print::line(row(one))),
        Response::ConferenceStatus(state) => print::line(status(state)),
        Response::Dialled(uuids) => {
            for uuid in uuids {
                print::line(uuid);
            }
        }
        Response::CallAccepted(call) => {
            print::aside(format_args!("call {}", call.call_uuid));
            for url in [&call.url, &call.secure_url].into_iter().flatten() {
                print::line(url);
            }
            sdp(&call.sdp);
        }
        Response::UpdateAccepted(call) => sdp(&call.sdp),
        Response::TokenRefreshed(refreshed) => print::line(format_args!(
            "token good for {} s",
            refreshed.expires.as_secs()
        )),
        Response::Done(false) => print::line("the node did not do it, and does not say why"),
        _ => print::line("done"),
    }
}

fn sdp(sdp: &str) {
    if !sdp.is_empty() {
        print::line(sdp.trim_end());
    }
}

/// Returns the state of the conference in words.
pub(super) fn status(status: &ConferenceStatus) -> String {
    format!(
        "{}, guests {}{}",
        if status.locked { "locked" } else { "unlocked" },
        if status.guests_muted {
            "muted"
        } else {
            "not muted"
        },
        match status.started {
            Some(true) => ", started",
            Some(false) => ", not started",
            None => "",
        }
    )
}

/// Returns a row of the roster in words, on one line.
pub(super) fn row(row: &ParticipantRow) -> String {
    let marks = [
        (row.has_media, "media"),
        (row.is_muted, "muted"),
        (row.is_client_muted, "self-muted"),
        (row.is_video_muted, "picture off"),
        (row.is_presenting, "presenting"),
        (row.buzz_time > 0.0, "hand up"),
        (row.spotlight > 0.0, "spotlight"),
    ];
    let marks: Vec<_> = marks
        .into_iter()
        .filter_map(|(is, mark)| is.then_some(mark))
        .collect();
    let marks = match marks.as_slice() {
        [] => String::new(),
        marks => format!("  ({})", marks.join(", ")),
    };
    format!(
        "{}  {:<5}  {:<12}  {}{marks}",
        row.uuid,
        role(row.role),
        row.service_type.as_str(),
        row.display_name.replace(char::is_control, " "),
    )
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Host => "host",
        Role::Guest => "guest",
        Role::Unknown => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        let mut value = json!({
            "token": "t0p-secret", "display_name": "token",
            "turn": [{ "username": "u", "credential": "t0p-secret" }],
            "stun": [{ "url": "stun:stun.example.com" }],
        });
        hide(&mut value);
        assert!(!value.to_string().contains("t0p-secret"), "{value}");
        assert_eq!(value["turn"][0]["username"], "u");
        assert_eq!(value["display_name"], "token");
    }
}
