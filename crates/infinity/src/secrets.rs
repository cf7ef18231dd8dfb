//! What must never be seen in a log: tokens, PINs and TURN credentials.
//!
//! None of these types implements `Display`, and their `Debug` says only that there is one.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Defines a text that cannot print itself.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps `text`.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// Returns the secret itself, for the wire and nothing else.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

secret! {
    /// The token that authenticates every request but the first; carried verbatim.
    Token
}
secret! {
    /// A conference PIN.
    Pin
}
secret! {
    /// The password of a TURN server.
    Credential
}

impl Pin {
    /// Returns the PIN a guest without one gives, in conferences where only hosts need one.
    pub fn none() -> Self {
        Self::new("none")
    }

    /// Returns whether this is [`Pin::none`].
    pub fn is_none(&self) -> bool {
        self.expose() == "none"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_prints_itself() {
        let printed = format!(
            "{:?} {:?} {:?}",
            Token::new("t0p-secret"),
            Pin::new("1234"),
            Credential::new("hunter2")
        );
        assert_eq!(printed, "Token(hidden) Pin(hidden) Credential(hidden)");
    }
}
