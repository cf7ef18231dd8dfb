//! Why a STUN or TURN server is of no use.

/// Why a STUN or TURN server is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IceServerError {
    /// The node's text is no URI of a server we can use.
    #[error("{0}")]
    Uri(String),
    /// A TURN server without user name or password.
    #[error("the node gave no user name and password for it")]
    NoCredentials,
    /// Its name has no address.
    #[error("its name cannot be resolved: {0}; check DNS")]
    Name(String),
    /// It has addresses of a family of which none of ours is.
    #[error("it has no address that can be reached from the local addresses in use")]
    Family,
    /// No connection to it.
    #[error("cannot connect to it: {0}; check address, port and firewall")]
    Connect(String),
    /// Its certificate is not to be believed.
    #[error(
        "its certificate is not to be trusted: {0}; give its authority with --ca-file, or use \
         --insecure for a test"
    )]
    Certificate(String),
    /// TLS failed for another reason.
    #[error("cannot speak TLS with it: {0}")]
    Tls(String),
    /// It does not answer.
    #[error("it does not answer; check address, port and firewall")]
    Silent,
    /// It does not take the user name or the password.
    #[error("it refuses the user name or the password")]
    Credentials,
    /// It gives no relayed address.
    #[error("it gives no relayed address: {code} {reason}")]
    Refused {
        /// STUN error code (RFC 8489 §14.8, RFC 8656 §18).
        code: u16,
        /// Its own words.
        reason: String,
    },
    /// It relays to none of the node's addresses.
    #[error("it refuses to relay to the node's addresses: {code} {reason}")]
    Forbidden {
        /// STUN error code.
        code: u16,
        /// Its own words.
        reason: String,
    },
    /// What it sends is no TURN.
    #[error("what answers there is no TURN server")]
    NotTurn,
    /// The connection to it broke, and the relayed address is gone with it.
    #[error("the connection to it is lost: {0}")]
    Lost(String),
}
