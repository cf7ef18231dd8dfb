//! From what came over the wire to a [`Refusal`].

use serde_json::Value;

use super::{Capacity, IdentityProvider, PinWanted, ReceptionKind, Refusal, text_of, texts};

/// The longest text of a node's that is repeated in an error.
const LONGEST_TEXT: usize = 200;

pub(super) fn decode(code: u16, body: &[u8]) -> Refusal {
    let json = serde_json::from_slice::<Value>(body)
        .ok()
        .filter(Value::is_object);
    let result = json
        .as_ref()
        .map(|json| json.get("result").unwrap_or(&Value::Null));
    let text = result.and_then(Value::as_str).unwrap_or_default();
    if code == 401 {
        return Refusal::BadHttpCredentials;
    }
    if let Some(refusal) = by_text(text) {
        return refusal;
    }
    match (code, result) {
        (300..400, None) => Refusal::Moved { code },
        (400, None) if is_plain_http_to_tls(body) => Refusal::TlsWanted,
        (403, Some(object @ Value::Object(_))) => forbidden(object),
        (403, Some(_)) => Refusal::Denied(cut(text, "HTTP 403")),
        (404, None) => Refusal::NoSuchNode,
        (404, Some(_)) => Refusal::NotFound(cut(text, "HTTP 404")),
        (408 | 425 | 429 | 500 | 502 | 503 | 504 | 529, _) => Refusal::Unavailable(code),
        // Nodes of every age answer in JSON.
        (_, None) => Refusal::NotOfANode { code },
        _ => Refusal::Other {
            code,
            text: cut(text, "without a reason"),
        },
    }
}

/// Says whether this is how web servers complain of plain HTTP on a port of HTTPS; none of them in
/// JSON, and each with a sentence that names both.
fn is_plain_http_to_tls(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    // The links of such a page say nothing about its port.
    let text = text.replace("https://", "").replace("http://", "");
    let speaks_of_tls = ["https", "ssl", "tls"].iter().any(|it| text.contains(it));
    speaks_of_tls && text.contains("http ")
}

/// Reads the texts that mean the same with whichever code they come.
fn by_text(text: &str) -> Option<Refusal> {
    let is = |known: &str| text.eq_ignore_ascii_case(known);
    if let Some(capacity) = Capacity::ALL
        .into_iter()
        .find(|capacity| is(capacity.text()))
    {
        return Some(Refusal::CapacityReached(capacity));
    }
    Some(match text {
        _ if is(texts::INVALID_PIN) => Refusal::InvalidPin,
        _ if is(texts::INVALID_ROLE) => Refusal::InvalidRole,
        _ if is(texts::INVALID_TOKEN) => Refusal::InvalidToken,
        _ if is(texts::SIGN_IN_FAILED) => Refusal::SignInFailed,
        _ if is(texts::NO_SUCH_CONFERENCE) => Refusal::NoSuchConference,
        _ if is(texts::NO_SUCH_EXTENSION) => Refusal::NoSuchExtension,
        _ if is(texts::MAINTENANCE) => Refusal::Maintenance,
        _ => return None,
    })
}

/// Reads a 403 whose result is an object: the node wants something more.
fn forbidden(object: &Value) -> Refusal {
    let pin = object
        .get("pin")
        .or_else(|| object.get("guest_pin"))
        .is_some()
        .then(|| PinWanted {
            host_required: is_required(object, "pin"),
            guest_required: is_required(object, "guest_pin"),
        });
    if object.get("conference_extension").is_some() {
        // Version 10 has the kind in `conference_extension` itself; later ones beside it.
        let kind = match text_of(object, "conference_extension_type") {
            "" => text_of(object, "conference_extension"),
            kind => kind,
        };
        return Refusal::VirtualReception {
            kind: ReceptionKind::from_text(kind),
            pin,
        };
    }
    if let Some(pin) = pin {
        return Refusal::PinWanted(pin);
    }
    if let Some(providers) = object.get("idp") {
        return Refusal::IdentityWanted(identity_providers(providers));
    }
    if object.get("redirect_url").is_some() {
        return Refusal::Redirect {
            url: text_of(object, "redirect_url").to_owned(),
        };
    }
    if is_required(object, "display_name") {
        return Refusal::DisplayNameWanted;
    }
    Refusal::Denied("HTTP 403".to_owned())
}

fn is_required(object: &Value, name: &str) -> bool {
    text_of(object, name).eq_ignore_ascii_case("required")
}

fn identity_providers(providers: &Value) -> Vec<IdentityProvider> {
    let providers = providers.as_array().map(Vec::as_slice).unwrap_or_default();
    providers
        .iter()
        .map(|provider| IdentityProvider {
            name: text_of(provider, "name").to_owned(),
            uuid: text_of(provider, "uuid").to_owned(),
        })
        .collect()
}

impl ReceptionKind {
    pub(super) fn from_text(text: &str) -> Self {
        match text {
            _ if text.eq_ignore_ascii_case("standard") => Self::Standard,
            _ if text.eq_ignore_ascii_case("mssip") => Self::Mssip,
            _ => Self::Unknown(text.to_owned()),
        }
    }
}

/// Returns a text fit for an error: not empty, not long, on one line.
fn cut(text: &str, or_else: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_TEXT)
        .collect::<String>();
    if text.is_empty() {
        or_else.to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_safe_page_does_not_mean_that_this_port_speaks_https() {
        let nginx = b"<center>The plain HTTP request was sent to HTTPS port</center>";
        let go = b"Client sent an HTTP request to an HTTPS server.\n";
        let apache = b"You're speaking plain HTTP to an SSL-enabled server port.<br />";
        for body in [&nginx[..], go, apache] {
            assert_eq!(decode(400, body), Refusal::TlsWanted);
        }
        let other = b"<html>400. See https://www.example.com/ or http://example.com/</html>";
        assert_eq!(decode(400, other), Refusal::NotOfANode { code: 400 });
    }
}
