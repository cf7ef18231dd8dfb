//! `dtmf`: telephone keys pressed by request (RFC 4733).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The longest row of digits that is believed.
const LONGEST: usize = 256;

/// The body of `dtmf`, for a participant and for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dtmf {
    /// The keys to press.
    pub digits: Digits,
}

/// Telephone keys in the order they are pressed: `0` to `9`, `*`, `#`, `A` to `D`.
///
/// They may be somebody's PIN, so they do not print themselves in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Digits(String);

/// Why a text is no row of telephone keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigitsError {
    /// There is nothing in it.
    #[error("there are no digits: give the keys to press, such as `1234#`")]
    Empty,
    /// It goes on for too long.
    #[error("more than {LONGEST} digits at once: send them in several requests")]
    TooMany,
    /// There is something in it that telephones do not have.
    #[error("only 0 to 9, *, # and A to D are telephone keys: leave out everything else")]
    NoKey,
}

impl Digits {
    /// Returns the keys as text, letters as capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Digits {
    type Err = DigitsError;

    fn from_str(text: &str) -> Result<Self, DigitsError> {
        let text = text.to_ascii_uppercase();
        if text.is_empty() {
            Err(DigitsError::Empty)
        } else if text.len() > LONGEST {
            Err(DigitsError::TooMany)
        } else if text.bytes().all(|c| b"0123456789*#ABCD".contains(&c)) {
            Ok(Self(text))
        } else {
            Err(DigitsError::NoKey)
        }
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::lenient::text(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({} hidden)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_keys_and_nothing_else() {
        let digits: Digits = "12*#d".parse().expect("keys");
        assert_eq!(digits.as_str(), "12*#D");
        assert_eq!("".parse::<Digits>(), Err(DigitsError::Empty));
        assert_eq!("12 34".parse::<Digits>(), Err(DigitsError::NoKey));
        assert_eq!("1".repeat(257).parse::<Digits>(), Err(DigitsError::TooMany));
    }

    #[test]
    fn digits_do_not_print_themselves() {
        let digits: Digits = "4711".parse().expect("keys");
        assert_eq!(format!("{digits:?}"), "Digits(4 hidden)");
    }
}
