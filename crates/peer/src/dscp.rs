//! Marking of datagrams for networks that tell kinds of traffic apart.

use std::{fmt, str::FromStr};

/// A code point of Differentiated Services (RFC 2474), from 0 to 63.
///
/// Sound and picture share one socket (BUNDLE, RFC 8843), and so one marking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dscp(u8);

/// Why a text is no code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no DSCP: write ef, af41 and the like, cs0 to cs7, or a number from 0 to 63")]
pub struct DscpError;

impl Dscp {
    /// Expedited forwarding (RFC 3246), the usual marking of voice.
    pub const EF: Self = Self(46);
    /// Assured forwarding 4, low drop precedence (RFC 2597), the usual marking of video.
    pub const AF41: Self = Self(34);

    /// Returns it as it stands in the header: the upper six bits of what once was TOS.
    pub(crate) fn traffic_class(self) -> u8 {
        self.0 << 2
    }
}

impl FromStr for Dscp {
    type Err = DscpError;

    fn from_str(text: &str) -> Result<Self, DscpError> {
        let text = text.trim().to_ascii_lowercase();
        let number = match text.as_bytes() {
            b"ef" => 46,
            [b'c', b's', class @ b'0'..=b'7'] => (class - b'0') * 8,
            // RFC 2597 §6: class and drop precedence.
            [b'a', b'f', class @ b'1'..=b'4', drop @ b'1'..=b'3'] => {
                (class - b'0') * 8 + (drop - b'0') * 2
            }
            _ => text.parse().map_err(|_| DscpError)?,
        };
        if number > 63 {
            return Err(DscpError);
        }
        Ok(Self(number))
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_have_names_and_numbers() {
        assert_eq!("EF".parse(), Ok(Dscp::EF));
        assert_eq!("af41".parse(), Ok(Dscp::AF41));
        assert_eq!("34".parse(), Ok(Dscp::AF41));
        assert_eq!("cs5".parse(), Ok(Dscp(40)));
        assert_eq!(Dscp::EF.traffic_class(), 0xb8);
        for text in ["", "64", "af44", "af5", "cs8", "-1", "voice"] {
            assert_eq!(text.parse::<Dscp>(), Err(DscpError), "{text}");
        }
    }
}
