//! How it stands with a participant, in words.

use serde_json::Value;

/// On one line, for a list.
pub(super) fn line(status: &Value) -> String {
    let text = |key: &str| status[key].as_str().unwrap_or("-").to_owned();
    format!(
        "{:<20}  {:<13}  {:<20}  {}",
        text("name"),
        text("state"),
        text("conference"),
        text("why").replace(char::is_control, " ")
    )
}

/// On several lines, all there is.
pub(super) fn whole(status: &Value) -> String {
    let Some(fields) = status.as_object() else {
        return String::new();
    };
    let mut lines = Vec::new();
    for key in [
        "name",
        "state",
        "reason",
        "since",
        "why",
        "next",
        "conference",
        "display_name",
        "node",
        "participant_uuid",
        "role",
        "muted",
        "plays",
        "playing",
        "queued",
        "others",
        "restarts",
    ] {
        let text = match fields.get(key) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(all)) if all.is_empty() => continue,
            // What comes from a node is not to move the cursor about.
            Some(Value::String(text)) => text.replace(char::is_control, " "),
            Some(other) => other.to_string(),
        };
        lines.push(format!(
            "{:<17} {text}",
            format!("{key}:").replace('_', " ")
        ));
    }
    lines.join("\n") + "\n"
}
