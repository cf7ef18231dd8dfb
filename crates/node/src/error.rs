//! Why a node did not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::settings::SettingsError;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The settings make no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Another program listens there.
    #[error(
        "{scheme} address {address} is in use by another program: stop it, or choose another port with --{flag}"
    )]
    AddressInUse {
        /// `HTTPS` or `HTTP`.
        scheme: &'static str,
        /// Where we wanted to listen.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen for {scheme} on {address}: {source}{}", hint(source))]
    Listen {
        /// `HTTPS` or `HTTP`.
        scheme: &'static str,
        /// Where we wanted to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate or key file cannot be used.
    #[error("cannot use the TLS file {}: {why}", path.display())]
    TlsFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No certificate could be made or used.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The media of a conference could not be set up.
    #[error("cannot set up the media of conference {conference:?}: {why}")]
    Room {
        /// Which conference.
        conference: String,
        /// What went wrong.
        why: String,
    },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            " (ports below 1024 need a privilege: choose a higher one)"
        }
        io::ErrorKind::AddrNotAvailable => " (this machine has no such address)",
        _ => "",
    }
}
