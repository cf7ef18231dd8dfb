//! Our UDP socket under webrtc: batched both ways, and able to misbehave on purpose.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket};
use webrtc::runtime::AsyncUdpSocket;

use crate::{
    Dscp, Impairment,
    gate::DtlsGate,
    link::Link,
    outbox::Outbox,
    relay::{Links, Sent, Servers},
    sockopt,
};

/// Room for some hundred milliseconds of video while the thread is busy; the system may give less.
const RECEIVE_BUFFER: usize = 1 << 20;

/// How a peer's sockets behave.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SocketSettings {
    /// Let the kernel join incoming datagrams (UDP_GRO). It saves calls where much comes in, and
    /// costs some 200 KB of buffers a socket.
    pub(crate) receive_offload: bool,
    /// Keep DTLS back until it is released.
    pub(crate) hold_dtls: bool,
    /// Of this many outgoing RTP packets throw one away.
    pub(crate) drop_one_in: Option<u32>,
    /// Mark what is sent. quinn-udp writes the field itself for every datagram, zero but for ECN,
    /// so that a marked socket sends without it, and without segmentation offload.
    pub(crate) dscp: Option<Dscp>,
    /// What is wrong with the link on purpose; then datagrams leave one by one.
    pub(crate) impairment: Option<Impairment>,
}

/// A UDP socket that sends once a turn of its driver: see [`Socket::flush`].
#[derive(Debug)]
pub(crate) struct Socket {
    io: Arc<UdpSocket>,
    state: UdpSocketState,
    outbox: Mutex<Outbox>,
    gate: DtlsGate,
    links: Links,
    settings: SocketSettings,
    link: Option<Mutex<Link>>,
    rtp_packets: AtomicU32,
    discarded: AtomicU64,
}

impl Socket {
    /// Takes over a bound socket, through which TURN servers are spoken to too. Must run inside the
    /// runtime that will poll it.
    pub(crate) fn new(
        socket: std::net::UdpSocket,
        settings: SocketSettings,
        servers: Arc<Servers>,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let io = Arc::new(UdpSocket::from_std(socket)?);
        let state = UdpSocketState::new(UdpSockRef::from(&*io))?;
        // A smaller buffer than asked for works too.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&*io), RECEIVE_BUFFER);
        if !settings.receive_offload {
            sockopt::set_receive_offload(&io, false)?;
        }
        if let Some(dscp) = settings.dscp {
            let is_ipv6 = io.local_addr()?.is_ipv6();
            sockopt::set_traffic_class(&io, dscp.traffic_class(), is_ipv6)?;
        }
        let link = settings
            .impairment
            .filter(|impairment| !impairment.is_none())
            .map(|impairment| Mutex::new(Link::new(impairment, Arc::clone(&io))));
        let links = Links::new(servers, io.local_addr()?, settings.dscp);
        Ok(Self {
            io,
            state,
            links,
            outbox: Mutex::default(),
            gate: DtlsGate::new(!settings.hold_dtls),
            settings,
            link,
            rtp_packets: AtomicU32::new(0),
            discarded: AtomicU64::new(0),
        })
    }

    /// Sends what the driver has given since the last time. With `cx`, ready means that all is
    /// sent, and pending that `cx` will be woken when the socket is writable again.
    pub(crate) fn flush(&self, mut cx: Option<&mut Context<'_>>) -> Poll<()> {
        let links = self.links.flush(cx.as_deref_mut());
        let mut outbox = self.outbox();
        loop {
            let Some((run, bytes)) = outbox.front() else {
                return links;
            };
            let transmit = Transmit {
                destination: run.destination,
                ecn: None,
                contents: bytes,
                segment_size: (run.segments() > 1).then_some(run.segment),
                src_ip: None,
            };
            match self.try_send(&transmit) {
                Ok(()) => outbox.pop(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let Some(cx) = cx.as_deref_mut() else {
                        return Poll::Pending;
                    };
                    if self.io.poll_send_ready(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Err(error) => {
                    // No route, a filter, an interface gone: ICE finds out by its checks.
                    tracing::trace!(%error, destination = %run.destination, "datagrams not sent");
                    self.discarded
                        .fetch_add(run.segments() as u64, Ordering::Relaxed);
                    outbox.pop();
                }
            }
        }
    }

    /// Lets DTLS pass, beginning with what was held.
    pub(crate) fn release_dtls(&self) {
        for (destination, datagram) in self.gate.open() {
            self.outbox().push(destination, &datagram, 1);
        }
        // What cannot go now goes with the driver's next turn.
        let _ = self.flush(None);
    }

    /// Datagrams lost between the network and us.
    pub(crate) fn dropped(&self) -> u64 {
        sockopt::dropped(&self.io)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.settings.dscp.is_some() {
            let sent = self.io.try_send_to(transmit.contents, transmit.destination);
            return sent.map(drop);
        }
        // Through `try_io`, so that tokio learns when the socket stops being writable.
        let send = |transmit: &Transmit<'_>| {
            self.io.try_io(Interest::WRITABLE, || {
                self.state.try_send(UdpSockRef::from(&*self.io), transmit)
            })
        };
        let result = send(transmit);
        match (result, transmit.segment_size) {
            // Segmentation turned out not to work here; quinn-udp has taken note.
            (Err(error), Some(size)) if error.kind() != io::ErrorKind::WouldBlock => {
                for contents in transmit.contents.chunks(size) {
                    send(&Transmit {
                        destination: transmit.destination,
                        ecn: None,
                        contents,
                        segment_size: None,
                        src_ip: None,
                    })?;
                }
                Ok(())
            }
            (result, _) => result,
        }
    }

    fn is_dropped_on_purpose(&self, datagram: &[u8]) -> bool {
        let Some(one_in) = self.settings.drop_one_in else {
            return false;
        };
        // RTP, and not RTCP multiplexed with it (RFC 5761 §4).
        let rtp = matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second));
        rtp && self.rtp_packets.fetch_add(1, Ordering::Relaxed) % one_in.max(1) == one_in.max(1) - 1
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The last words, DTLS close_notify among them.
        let _ = self.flush(None);
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Takes the datagram; it leaves with [`Socket::flush`].
    fn poll_send(&self, _cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let max_segments = match self.settings.dscp {
            Some(_) => 1,
            None => self.state.max_gso_segments(),
        };
        let size = transmit
            .segment_size
            .unwrap_or(transmit.contents.len())
            .max(1);
        for datagram in transmit.contents.chunks(size) {
            if self.is_dropped_on_purpose(datagram)
                || self.gate.holds(transmit.destination, datagram)
            {
                continue;
            }
            let taken = match self.links.send(transmit.destination, datagram) {
                Sent::Elsewhere => match &self.link {
                    // Whatever becomes of it, as on any link; what a TURN server relays is not impaired.
                    Some(link) => {
                        let mut link = link.lock().unwrap_or_else(PoisonError::into_inner);
                        link.take(Instant::now(), transmit.destination, datagram);
                        true
                    }
                    None => self
                        .outbox()
                        .push(transmit.destination, datagram, max_segments),
                },
                Sent::To(server) => self.outbox().push(server, datagram, max_segments),
                Sent::Taken => true,
                Sent::Dropped => false,
                // webrtc lets go of a server it cannot send to.
                Sent::Broken => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            };
            if !taken {
                self.discarded.fetch_add(1, Ordering::Relaxed);
            }
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if let Some(count) = self.links.poll_receive(cx, buffers, meta) {
            return Poll::Ready(Ok(count));
        }
        loop {
            std::task::ready!(self.io.poll_recv_ready(cx))?;
            let received = self.io.try_io(Interest::READABLE, || {
                self.state.recv(UdpSockRef::from(&*self.io), buffers, meta)
            });
            match received {
                Ok(count) => {
                    // An empty datagram has no stride; whoever splits by it would divide by zero.
                    for (meta, buffer) in meta.iter_mut().zip(buffers.iter()).take(count) {
                        meta.stride = meta.stride.max(1);
                        self.links
                            .arrived(meta, &buffer[..meta.len.min(meta.stride)]);
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// One: the joining is ours, at the end of a turn.
    fn max_gso_segments(&self) -> usize {
        1
    }

    fn max_gro_segments(&self) -> usize {
        if self.settings.receive_offload {
            self.state.gro_segments()
        } else {
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inlet::EventSink;
    use crate::sockopt::tests::{ask_for_traffic_class, received_traffic_class};

    fn no_servers() -> Arc<Servers> {
        Arc::new(Servers::new(Vec::new(), EventSink::channel().0, None))
    }

    /// Returns the traffic classes of two datagrams sent in one turn by a socket that marks so.
    async fn classes(local: &str, dscp: Option<Dscp>) -> [u8; 2] {
        let far = std::net::UdpSocket::bind(local).expect("bound");
        let far_address = far.local_addr().expect("bound");
        ask_for_traffic_class(&far, far_address.is_ipv6()).expect("told");
        far.set_read_timeout(Some(std::time::Duration::from_secs(5)))
            .expect("set");
        let near = std::net::UdpSocket::bind(local).expect("bound");
        let settings = SocketSettings {
            dscp,
            ..SocketSettings::default()
        };
        let socket = Socket::new(near, settings, no_servers()).expect("a socket");
        std::future::poll_fn(|cx| {
            for _ in 0..2 {
                let transmit = Transmit {
                    destination: far_address,
                    ecn: None,
                    contents: &[0x80; 100],
                    segment_size: None,
                    src_ip: None,
                };
                assert!(socket.poll_send(cx, &transmit).is_ready());
            }
            socket.flush(Some(cx))
        })
        .await;
        [(), ()].map(|()| received_traffic_class(&far).expect("received"))
    }

    #[tokio::test]
    async fn datagrams_are_marked_when_asked_and_only_then() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            assert_eq!(classes(local, Some(Dscp::AF41)).await, [0x88; 2], "{local}");
            assert_eq!(classes(local, None).await, [0; 2], "{local}");
        }
    }
}
