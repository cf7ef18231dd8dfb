//! The version a node says it is.

use serde::{Deserialize, Serialize};

use crate::lenient;

/// The version of the Conferencing Node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The release, such as `39`; a beta may have letters in it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub version_id: String,
    /// The build, such as `77524.0.0`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub pseudo_version: String,
}

impl Version {
    /// Returns the release as a number, by which alone versions may be compared.
    ///
    /// As texts, "100" would come before "29".
    pub fn number(&self) -> Option<u32> {
        let digits: &str = self
            .version_id
            .split(|c: char| !c.is_ascii_digit())
            .next()?;
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let number = |id: &str| {
            Version {
                version_id: id.into(),
                ..Version::default()
            }
            .number()
        };
        assert_eq!(number("10"), Some(10));
        assert!(number("100") > number("29"));
        assert_eq!(number("39b"), Some(39));
        assert_eq!(number(""), None);
        assert_eq!(number("beta"), None);
    }
}
