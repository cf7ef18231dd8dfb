//! The names of conferences, participants and calls.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The alias a conference is reached by, such as `meet.alice` or `alice@example.com`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ConferenceAlias(Arc<str>);

/// Why a text cannot be a conference alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// There is nothing in it.
    #[error("the conference alias is empty: give the name people dial, such as `meet.alice`")]
    Empty,
    /// A dot segment (RFC 3986 §3.3) vanishes from a URL, percent-encoded or not.
    #[error("the conference alias consists of dots alone, which no URL can carry")]
    DotsAlone,
    /// A control character is in it, most likely a line break of the file it was read from.
    #[error("the conference alias has a control character in it: check for a stray line break")]
    ControlCharacter,
}

impl ConferenceAlias {
    /// Returns the alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConferenceAlias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, AliasError> {
        match text {
            "" => Err(AliasError::Empty),
            "." | ".." => Err(AliasError::DotsAlone),
            _ if text.chars().any(char::is_control) => Err(AliasError::ControlCharacter),
            _ => Ok(Self(text.into())),
        }
    }
}

impl<'de> Deserialize<'de> for ConferenceAlias {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl fmt::Display for ConferenceAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConferenceAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Defines an id that a node hands out and a client carries verbatim.
macro_rules! uuid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if text.is_empty() {
                    // It would vanish from the paths it is to stand in.
                    return Err(D::Error::custom("an empty uuid"));
                }
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid! {
    /// The id of a participant, given by the node with the token.
    ParticipantUuid
}
uuid! {
    /// The id of a call, that is, of a media leg of a participant.
    CallUuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_that_no_path_could_carry_is_refused() {
        assert_eq!("".parse::<ConferenceAlias>(), Err(AliasError::Empty));
        assert_eq!("..".parse::<ConferenceAlias>(), Err(AliasError::DotsAlone));
        assert_eq!(
            "meet\n".parse::<ConferenceAlias>(),
            Err(AliasError::ControlCharacter)
        );
        assert!(
            "Größe 7/alice@example.com"
                .parse::<ConferenceAlias>()
                .is_ok()
        );
    }

    #[test]
    fn an_empty_uuid_from_the_wire_is_refused() {
        assert!(serde_json::from_str::<CallUuid>("\"\"").is_err());
        assert_eq!(
            serde_json::from_str::<CallUuid>("\"c\"").ok(),
            Some("c".into())
        );
    }
}
