//! Where bytes come from: a command, standard input, a socket.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::demux::Bytes;
use super::hub::Hub;
use super::origin::Address;
use super::process::Process;

const CONNECTING: Duration = Duration::from_secs(5);

/// How often is looked whether somebody connects.
const LOOK: Duration = Duration::from_millis(50);

/// Where bytes come from, again and again if need be.
pub(super) enum Inlet {
    Command { command: String, restart: bool },
    Stdin,
    Connect(Address),
    Listen(Listener),
}

pub(super) enum Listener {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Bytes that come, and the command that writes them.
pub(super) struct Stream {
    pub(super) bytes: Bytes,
    pub(super) process: Option<Process>,
}

impl Inlet {
    /// Says whether there may be more after the end.
    pub(super) fn returns(&self) -> bool {
        match self {
            Self::Command { restart, .. } => *restart,
            Self::Stdin => false,
            Self::Connect(_) | Self::Listen(_) => true,
        }
    }

    /// Says whether others decide when something comes.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Listen(_))
    }

    /// Opens it; `None` if the input ended meanwhile.
    pub(super) fn open(&self, hub: &Hub) -> io::Result<Option<Stream>> {
        match self {
            Self::Command { command, .. } => {
                let (process, output) = Process::start(command)?;
                hub.interrupt_with(process.killer());
                Ok(Some(Stream {
                    bytes: Box::new(output),
                    process: Some(process),
                }))
            }
            // Nothing interrupts it: its thread is left to itself.
            Self::Stdin => Ok(Some(Stream {
                bytes: Box::new(io::stdin()),
                process: None,
            })),
            Self::Connect(Address::Unix(path)) => {
                of_unix(hub, UnixStream::connect(path)?).map(Some)
            }
            Self::Connect(Address::Tcp(address)) => of_tcp(hub, connect(address)?).map(Some),
            Self::Listen(listener) => listener.accept(hub),
        }
    }
}

impl Listener {
    /// Binds a socket that others connect to.
    pub(super) fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Unix(path) => {
                remove_stale(path);
                let listener = UnixListener::bind(path)?;
                listener.set_nonblocking(true)?;
                Ok(Self::Unix(listener))
            }
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                Ok(Self::Tcp(listener))
            }
        }
    }

    fn accept(&self, hub: &Hub) -> io::Result<Option<Stream>> {
        loop {
            let stream = match self {
                Self::Unix(listener) => listener.accept().and_then(|(stream, _)| {
                    stream.set_nonblocking(false)?;
                    of_unix(hub, stream)
                }),
                Self::Tcp(listener) => listener.accept().and_then(|(stream, _)| {
                    stream.set_nonblocking(false)?;
                    of_tcp(hub, stream)
                }),
            };
            match stream {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other.map(Some),
            }
            if !hub.sleep_until(Instant::now() + LOOK) {
                return Ok(None);
            }
        }
    }
}

/// Removes a socket that nobody listens at any more, as one that was killed leaves it behind.
fn remove_stale(path: &Path) {
    let is_socket = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if is_socket && UnixStream::connect(path).is_err_and(refused) {
        // If it cannot be removed, binding tells.
        let _ = std::fs::remove_file(path);
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::other("that name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECTING) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn of_unix(hub: &Hub, stream: UnixStream) -> io::Result<Stream> {
    let other = stream.try_clone()?;
    hub.interrupt_with(move || drop(other.shutdown(Shutdown::Both)));
    let bytes = Box::new(stream);
    Ok(Stream {
        bytes,
        process: None,
    })
}

fn of_tcp(hub: &Hub, stream: TcpStream) -> io::Result<Stream> {
    let other = stream.try_clone()?;
    hub.interrupt_with(move || drop(other.shutdown(Shutdown::Both)));
    let bytes = Box::new(stream);
    Ok(Stream {
        bytes,
        process: None,
    })
}
