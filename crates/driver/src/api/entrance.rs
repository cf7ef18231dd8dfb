//! What a token is asked for with.

use infinity::{Pin, RequestToken, Token};

/// Who wants to come in, and with what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrance {
    /// The PIN; [`Pin::none`] for a guest in a conference where only hosts need one.
    pub pin: Option<Pin>,
    /// The rest.
    pub body: RequestToken,
}

impl Entrance {
    /// Returns the entrance of somebody with this name, who wants media through the node.
    pub fn named(display_name: impl Into<String>) -> Self {
        Self {
            pin: None,
            body: RequestToken {
                display_name: display_name.into(),
                direct_media: Some(false),
                ..RequestToken::default()
            },
        }
    }

    /// Adds a PIN.
    #[must_use]
    pub fn with_pin(mut self, pin: Pin) -> Self {
        self.pin = Some(pin);
        self
    }

    /// Adds the alias that a Virtual Reception shall connect to.
    #[must_use]
    pub fn with_extension(mut self, alias: impl Into<String>) -> Self {
        self.body.conference_extension = Some(alias.into());
        self
    }

    /// Adds the one-time token of a `refer` event.
    #[must_use]
    pub fn with_one_time_token(mut self, token: Token) -> Self {
        self.body.token = Some(token);
        self
    }
}
