//! A TCP or TLS connection to a TURN server, in place of datagrams.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::TlsConnector;

use super::{
    IceServerError, Route, framing,
    stun::{self, Class, TransactionId},
    uri::Transport,
};
use crate::{Dscp, sockopt};

/// What may wait for a connection that does not take it; more is dropped: late media is worth
/// nothing.
const MAX_WAITING_BYTES: usize = 128 * 1024;
/// How many requests are remembered.
const REQUESTS: usize = 32;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

type Stream = Box<dyn Duplex>;
type Connecting = Pin<Box<dyn Future<Output = Result<Stream, IceServerError>> + Send>>;

/// A connection to a TURN server. A relayed address lives and dies with its connection, so one that
/// broke stays broken.
pub(crate) struct Link {
    route: Route,
    state: State,
    out: Vec<u8>,
    /// How much of `out` is written.
    written: usize,
    input: BytesMut,
    /// What comes over a stream is not lost, so webrtc's repetitions are left out (RFC 8489 §6.2.2).
    requests: VecDeque<TransactionId>,
    /// It ends once everything is written.
    is_last: bool,
}

enum State {
    Connecting(Connecting),
    Open(Stream),
    Broken,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Begins to connect, from this local address.
    pub(crate) fn new(
        local: SocketAddr,
        route: Route,
        dscp: Option<Dscp>,
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        let connecting = connect(local, route.clone(), dscp, tls);
        Self {
            route,
            state: State::Connecting(Box::pin(connecting)),
            out: Vec::new(),
            written: 0,
            input: BytesMut::new(),
            requests: VecDeque::new(),
            is_last: false,
        }
    }

    /// Where it leads.
    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    /// Whether nothing will come of it any more.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// Ends it with what waits now.
    pub(crate) fn end(&mut self) {
        self.is_last = true;
    }

    /// Whether it has ended, all of it written.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_last && self.out.is_empty()
    }

    /// Takes a message; it leaves with [`Link::poll_flush`]. False if it was dropped.
    pub(crate) fn push(&mut self, message: &[u8]) -> bool {
        if let Some(head) = stun::head(message).filter(|head| head.class == Class::Request) {
            if self.requests.contains(&head.transaction) {
                return true;
            }
            if self.requests.len() == REQUESTS {
                self.requests.pop_front();
            }
            self.requests.push_back(head.transaction);
        }
        self.out.len() + message.len() <= MAX_WAITING_BYTES
            && framing::append(&mut self.out, message)
    }

    /// Writes what waits. Pending means that `cx` will be woken when more can be written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), IceServerError>> {
        let State::Open(stream) = &mut self.state else {
            // Connecting goes on in `poll_receive`.
            return Poll::Ready(Ok(()));
        };
        while self.written < self.out.len() {
            let written = Pin::new(&mut *stream).poll_write(cx, &self.out[self.written..]);
            match written {
                Poll::Ready(Ok(0)) => return self.broke(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return self.broke(error),
                Poll::Pending => {
                    // What is written need not be kept.
                    self.out.drain(..self.written);
                    self.written = 0;
                    return Poll::Pending;
                }
            }
        }
        self.out.clear();
        self.written = 0;
        // TLS may hold records back.
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => self.broke(error),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Connects, if that is not done, and returns the next message.
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<BytesMut, IceServerError>> {
        if let State::Connecting(connecting) = &mut self.state {
            match std::task::ready!(connecting.as_mut().poll(cx)) {
                Ok(stream) => self.state = State::Open(stream),
                Err(error) => {
                    self.state = State::Broken;
                    return Poll::Ready(Err(error));
                }
            }
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
        }
        loop {
            match framing::next(&mut self.input) {
                Ok(Some(message)) => return Poll::Ready(Ok(message)),
                Ok(None) => {}
                Err(framing::NotTurn) => {
                    self.state = State::Broken;
                    return Poll::Ready(Err(IceServerError::NotTurn));
                }
            }
            let State::Open(stream) = &mut self.state else {
                return Poll::Pending;
            };
            let mut room = [0; 8192];
            let mut room = ReadBuf::new(&mut room);
            match std::task::ready!(Pin::new(stream).poll_read(cx, &mut room)) {
                Ok(()) if room.filled().is_empty() => {
                    return self.broke(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(()) => self.input.extend_from_slice(room.filled()),
                Err(error) => return self.broke(error),
            }
        }
    }

    fn broke<T>(&mut self, error: io::Error) -> Poll<Result<T, IceServerError>> {
        self.state = State::Broken;
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed it".to_owned(),
            _ => error.to_string(),
        };
        Poll::Ready(Err(IceServerError::Lost(why)))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The release of the relayed address, and the end of TLS, as far as they go at once.
        let mut cx = Context::from_waker(Waker::noop());
        let _ = self.poll_flush(&mut cx);
        if let State::Open(stream) = &mut self.state {
            let _ = Pin::new(stream).poll_shutdown(&mut cx);
        }
    }
}

async fn connect(
    local: SocketAddr,
    route: Route,
    dscp: Option<Dscp>,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Stream, IceServerError> {
    let tcp = open(local, route.address, dscp)
        .await
        .map_err(|error| IceServerError::Connect(error.to_string()))?;
    if route.transport != Transport::Tls {
        return Ok(Box::new(tcp));
    }
    let Some(config) = tls else {
        return Err(IceServerError::Tls("it is not set up".into()));
    };
    let name = ServerName::try_from(route.host.clone())
        .map_err(|error| IceServerError::Tls(error.to_string()))?;
    match TlsConnector::from(config).connect(name, tcp).await {
        Ok(tls) => Ok(Box::new(tls)),
        Err(error) => Err(of_tls(&error)),
    }
}

async fn open(local: SocketAddr, server: SocketAddr, dscp: Option<Dscp>) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(dscp) = dscp {
        sockopt::set_traffic_class(&socket, dscp.traffic_class(), server.is_ipv6())?;
    }
    socket.set_nodelay(true)?;
    socket.bind(SocketAddr::new(local.ip(), 0))?;
    socket.connect(server).await
}

fn of_tls(error: &io::Error) -> IceServerError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => {
            IceServerError::Certificate(why.to_string())
        }
        Some(other) => IceServerError::Tls(other.to_string()),
        None => IceServerError::Tls(error.to_string()),
    }
}
