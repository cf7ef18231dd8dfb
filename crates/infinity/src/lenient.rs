//! Decoding what nodes of different ages spell differently.
//!
//! A `null` stands for the default everywhere.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};

/// The longest life a token is believed to have; keeps clock arithmetic far from overflow.
const LONGEST: f64 = 30.0 * 24.0 * 3600.0;

/// What stands in a field, of whichever type it is.
///
/// Not an untagged enum of serde's: that one makes an error, with its text, of each type it tries
/// in vain, and a roster has some thirty fields a row.
enum Scalar<'de> {
    Bool(bool),
    Number(f64),
    Text(Cow<'de, str>),
    Null,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flag, a number, a text or null")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }
}

/// Decodes a flag: a boolean, `YES`/`NO`, or 0 and 1.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Scalar::deserialize(deserializer)? {
        Scalar::Bool(flag) => Ok(flag),
        Scalar::Number(number) => Ok(number != 0.0),
        Scalar::Null => Ok(false),
        Scalar::Text(text) => {
            let is = |word: &&str| text.eq_ignore_ascii_case(word);
            if ["yes", "true", "on", "1"].iter().any(is) {
                Ok(true)
            } else if ["no", "false", "off", "0", ""].iter().any(is) {
                Ok(false)
            } else {
                Err(D::Error::custom("neither YES nor NO"))
            }
        }
    }
}

/// Decodes a flag that may be absent.
pub(crate) fn optional_flag<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<bool>, D::Error> {
    flag(deserializer).map(Some)
}

/// Decodes a text; a number becomes the text of it.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Scalar::deserialize(deserializer)? {
        Scalar::Text(text) => Ok(text.into_owned()),
        Scalar::Number(number) => Ok(number.to_string()),
        Scalar::Null => Ok(String::new()),
        Scalar::Bool(_) => Err(D::Error::custom("a boolean instead of a text")),
    }
}

/// Decodes a text of a request in which `"none"` and an empty text mean that there is none.
pub(crate) fn text_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = text(deserializer)?;
    Ok((!text.is_empty() && text != "none").then_some(text))
}

/// Decodes a value, with the default for `null`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = match Scalar::deserialize(deserializer)? {
        Scalar::Number(number) => number,
        Scalar::Text(text) => text
            .trim()
            .parse()
            .map_err(|_| D::Error::custom("not a number"))?,
        Scalar::Null => 0.0,
        Scalar::Bool(_) => return Err(D::Error::custom("a boolean instead of a number")),
    };
    if number.is_finite() {
        Ok(number)
    } else {
        Err(D::Error::custom("not a finite number"))
    }
}

/// Numbers which are written as integers where they are whole: `0`, `1441720992`, `1700484383.5`.
pub(crate) mod number {
    use serde::{Deserializer, Serializer};

    /// The largest range in which every whole `f64` is exactly an integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;

    pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.fract() == 0.0 && number.abs() < EXACT {
            // Whole and within range, so nothing is lost.
            serializer.serialize_i64(*number as i64)
        } else {
            serializer.serialize_f64(*number)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        super::finite(deserializer)
    }
}

/// Decodes a count that may be absent, given as text or number, possibly with decimals.
pub(crate) fn optional_count<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let number = finite(deserializer)?;
    if (0.0..=f64::from(u32::MAX)).contains(&number) {
        Ok(Some(number as u32))
    } else {
        Err(D::Error::custom("not a count"))
    }
}

/// Intervals that may be absent, in milliseconds, possibly with decimals; none and nonsense are absent.
pub(crate) mod optional_millis {
    use super::{Deserializer, Duration, LONGEST, finite};
    use serde::Serializer;

    pub(crate) fn serialize<S: Serializer>(
        interval: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match interval {
            // Far below 2^64 milliseconds, which are aeons.
            Some(interval) => serializer.serialize_u64(interval.as_millis() as u64),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let seconds = finite(deserializer)? / 1000.0;
        Ok((seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST))))
    }
}

/// Decodes an index or level; what does not fit is an error.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(optional_count(deserializer)?.unwrap_or_default())
}

/// Flags written as `YES` and `NO`.
pub(crate) mod yes_no {
    use serde::{Deserializer, Serializer};

    // serde hands fields over by reference.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub(crate) fn serialize<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if *flag { "YES" } else { "NO" })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<bool, D::Error> {
        super::flag(deserializer)
    }
}

/// A number of seconds written as text: nodes of every age send `"120"`, and official clients
/// refuse a number.
pub(crate) mod seconds_text {
    use super::{Deserializer, Duration, LONGEST, finite};
    use serde::{Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&duration.as_secs())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let seconds = finite(deserializer)?;
        if seconds < 0.0 {
            return Err(D::Error::custom("a negative number of seconds"));
        }
        Ok(Duration::from_secs_f64(seconds.min(LONGEST)))
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        #[serde(with = "yes_no")]
        flag: bool,
        #[serde(with = "number")]
        number: f64,
        #[serde(with = "seconds_text")]
        expires: Duration,
    }

    fn decode(json: &str) -> Result<All, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn every_spelling_decodes_to_the_same_and_encodes_to_one() {
        let all = All {
            flag: true,
            number: 1.0,
            expires: Duration::from_secs(120),
        };
        for spelling in [
            r#"{"flag":"YES","number":1,"expires":"120"}"#,
            r#"{"flag":true,"number":"1","expires":120}"#,
            r#"{"flag":1,"number":1.0,"expires":120.0}"#,
        ] {
            assert_eq!(decode(spelling).ok().as_ref(), Some(&all), "{spelling}");
        }
        assert_eq!(
            serde_json::to_string(&all).ok().as_deref(),
            Some(r#"{"flag":"YES","number":1,"expires":"120"}"#)
        );
    }

    #[test]
    fn nonsense_is_an_error() {
        for nonsense in [
            r#"{"flag":"maybe","number":1,"expires":"120"}"#,
            r#"{"flag":true,"number":"NaN","expires":"120"}"#,
            r#"{"flag":true,"number":1,"expires":"-1"}"#,
            r#"{"flag":true,"number":1,"expires":{}}"#,
        ] {
            assert!(decode(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_life_of_aeons_is_cut_to_a_month() {
        let aeons = decode(r#"{"flag":true,"number":1,"expires":"1e300"}"#);
        assert_eq!(
            aeons.ok().map(|all| all.expires),
            Some(Duration::from_secs(30 * 24 * 3600))
        );
    }
}
