//! From a [`Refusal`] to what goes over the wire.

use serde_json::{Map, Value, json};

use super::{PinWanted, ReceptionKind, Refusal, texts};
use crate::{Profile, Reply, Version};

impl Refusal {
    /// Writes the refusal as a node of `profile` and `version` does.
    pub fn encode(&self, profile: Profile, version: &Version) -> Reply {
        let text = |code, text: &str| Reply::refused(code, &json!(text));
        let object = |mut fields: Map<String, Value>| {
            fields.insert("version".to_owned(), json!(version));
            Reply::refused(403, &Value::Object(fields))
        };
        match self {
            Self::PinWanted(pin) => object(pin.fields()),
            Self::InvalidPin => text(403, texts::INVALID_PIN),
            Self::InvalidRole => text(403, texts::INVALID_ROLE),
            Self::SignInFailed => text(403, texts::SIGN_IN_FAILED),
            Self::InvalidToken => text(403, texts::INVALID_TOKEN),
            Self::VirtualReception { kind, pin } => {
                let mut fields = pin.map(PinWanted::fields).unwrap_or_default();
                fields.extend(kind.fields(profile));
                object(fields)
            }
            Self::IdentityWanted(providers) => {
                let providers: Value = providers
                    .iter()
                    .map(|provider| json!({ "name": provider.name, "uuid": provider.uuid }))
                    .collect();
                object(Map::from_iter([("idp".to_owned(), providers)]))
            }
            Self::Redirect { url } => {
                object(Map::from_iter([("redirect_url".to_owned(), json!(url))]))
            }
            Self::DisplayNameWanted => object(Map::from_iter([(
                "display_name".to_owned(),
                json!("required"),
            )])),
            Self::BadHttpCredentials => text(401, "Unauthorized"),
            Self::NoSuchConference => text(404, texts::NO_SUCH_CONFERENCE),
            Self::NoSuchExtension => text(404, texts::NO_SUCH_EXTENSION),
            // Anything but JSON: clients tell a node from another web server by it.
            Self::NoSuchNode => Reply {
                code: 404,
                body: "Not found".to_owned(),
            },
            Self::NotOfANode { code } | Self::Moved { code } => Reply {
                code: *code,
                body: "This is no Conferencing Node".to_owned(),
            },
            Self::TlsWanted => Reply {
                code: 400,
                body: "Plain HTTP was sent to a port of HTTPS".to_owned(),
            },
            Self::NotFound(why) => text(404, why),
            Self::Maintenance => text(503, texts::MAINTENANCE),
            Self::CapacityReached(capacity) => text(503, capacity.text()),
            Self::Unavailable(code) => text(*code, "Service unavailable"),
            Self::Denied(why) => text(403, why),
            Self::Other { code, text: why } => text(*code, why),
        }
    }
}

impl PinWanted {
    fn fields(self) -> Map<String, Value> {
        let spell = |required| json!(if required { "required" } else { "none" });
        Map::from_iter([
            ("pin".to_owned(), spell(self.host_required)),
            ("guest_pin".to_owned(), spell(self.guest_required)),
        ])
    }
}

impl ReceptionKind {
    fn fields(&self, profile: Profile) -> Vec<(String, Value)> {
        let extension = |value: &str| ("conference_extension".to_owned(), json!(value));
        match (profile, self) {
            (Profile::V10, Self::Standard) => vec![extension("standard")],
            // So spelt in the guide.
            (Profile::V10, Self::Mssip) => vec![extension("mSSIP")],
            (Profile::V10, Self::Unknown(kind)) => vec![extension(kind)],
            (Profile::Modern, kind) => {
                let kind = match kind {
                    Self::Standard => "standard",
                    Self::Mssip => "mssip",
                    Self::Unknown(kind) => kind,
                };
                vec![
                    extension("required"),
                    ("conference_extension_type".to_owned(), json!(kind)),
                ]
            }
        }
    }
}
