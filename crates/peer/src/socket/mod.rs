//! Our UDP socket under webrtc: batched both ways, and able to misbehave on purpose.
//!
//! A task of its own reads it, and keeps media from webrtc's driver, which is woken for the rest alone.

mod for_webrtc;
mod reading;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use futures_util::task::AtomicWaker;
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket, task::AbortHandle};

use crate::{
    Dscp, Impairment,
    gate::DtlsGate,
    link::{FarEnd, Link, LinkStats},
    outbox::Outbox,
    path::MediaPath,
    relay::{self, Links, Sent, Servers},
    sockopt,
};
use reading::Inbox;

/// Room for some hundred milliseconds of video while the thread is busy; the system may give less.
const RECEIVE_BUFFER: usize = 1 << 20;

/// How a peer's sockets behave.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SocketSettings {
    /// Keep DTLS back until it is released.
    pub(crate) hold_dtls: bool,
    /// Of this many outgoing RTP packets throw one away.
    pub(crate) drop_one_in: Option<u32>,
    /// Mark what is sent. quinn-udp writes the field itself for every datagram, zero but for ECN,
    /// so that a marked socket sends without it, and without segmentation offload.
    pub(crate) dscp: Option<Dscp>,
    /// What is wrong on purpose with the link out; then datagrams leave one by one.
    pub(crate) impairment: Option<Impairment>,
    /// The same of the link in.
    pub(crate) inbound_impairment: Option<Impairment>,
}

/// A UDP socket. What webrtc gives leaves once a turn of its driver, see [`Socket::flush`]; media
/// leaves at once, see [`Socket::send`].
#[derive(Debug)]
pub(crate) struct Socket {
    io: Arc<UdpSocket>,
    state: UdpSocketState,
    path: Arc<MediaPath>,
    outbox: Mutex<Outbox>,
    inbox: Mutex<Inbox>,
    gate: DtlsGate,
    links: Links,
    settings: SocketSettings,
    /// The links out and in, where they are poor on purpose.
    outbound: Option<Mutex<Link>>,
    inbound: Option<Mutex<Link>>,
    rtp_packets: AtomicU32,
    discarded: AtomicU64,
    /// Of webrtc's driver, and of our own task.
    driver: AtomicWaker,
    reader: AtomicWaker,
    reading: OnceLock<AbortHandle>,
}

impl Socket {
    /// Takes over a bound socket, through which TURN servers are spoken to too, and begins to read it.
    /// Must run inside the runtime that will poll it.
    pub(crate) fn open(
        socket: std::net::UdpSocket,
        settings: SocketSettings,
        servers: Arc<Servers>,
        path: Arc<MediaPath>,
    ) -> io::Result<Arc<Self>> {
        socket.set_nonblocking(true)?;
        let io = Arc::new(UdpSocket::from_std(socket)?);
        let state = UdpSocketState::new(UdpSockRef::from(&*io))?;
        // A smaller buffer than asked for works too.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&*io), RECEIVE_BUFFER);
        if let Some(dscp) = settings.dscp {
            let is_ipv6 = io.local_addr()?.is_ipv6();
            sockopt::set_traffic_class(&io, dscp.traffic_class(), is_ipv6)?;
        }
        let (outbound, carried) = poor_link(settings.impairment).unzip();
        let (inbound, arriving) = poor_link(settings.inbound_impairment).unzip();
        if let Some(carried) = carried {
            tokio::spawn(send(carried, Arc::clone(&io)));
        }
        let links = Links::new(servers, io.local_addr()?, settings.dscp);
        let socket = Arc::new(Self {
            io,
            state,
            path,
            links,
            outbox: Mutex::default(),
            inbox: Mutex::default(),
            gate: DtlsGate::new(!settings.hold_dtls),
            settings,
            outbound,
            inbound,
            rtp_packets: AtomicU32::new(0),
            discarded: AtomicU64::new(0),
            driver: AtomicWaker::new(),
            reader: AtomicWaker::new(),
            reading: OnceLock::new(),
        });
        let weak = Arc::downgrade(&socket);
        let task = tokio::spawn(std::future::poll_fn(move |cx| {
            // It ends with the socket.
            Weak::upgrade(&weak).map_or(Poll::Ready(()), |socket| socket.poll_read(cx))
        }));
        // It is new, and so is this.
        let _ = socket.reading.set(task.abort_handle());
        if let Some(arriving) = arriving {
            tokio::spawn(reading::deliver(arriving, Arc::downgrade(&socket)));
        }
        Ok(socket)
    }

    /// Sends what the driver has given since the last time; what is not taken now waits for our task.
    pub(crate) fn flush(&self) {
        let links = self.links.flush(None);
        let socket = self.drain(&mut self.outbox(), None);
        if links.is_pending() || socket.is_pending() {
            self.reader.wake();
        }
    }

    /// Sends datagrams at once; what the socket does not take waits.
    pub(crate) fn send(&self, desk: &mut Outbox) {
        let Some((first, _)) = desk.front() else {
            return;
        };
        // All of it goes the same way.
        if self.is_straight(&first.destination) {
            let mut waiting = self.outbox();
            if waiting.is_empty() && self.drain(desk, None).is_ready() {
                return;
            }
            let lost = waiting.append(desk);
            drop(waiting);
            self.discarded.fetch_add(lost, Ordering::Relaxed);
            // Our task waits until more can be written.
            self.reader.wake();
            return;
        }
        while let Some((run, bytes)) = desk.front() {
            for datagram in bytes.chunks(run.segment.max(1)) {
                let relayed = relay::may_be_name(&run.destination)
                    .then(|| self.links.relay(run.destination, datagram));
                self.post(run.destination, datagram, relayed);
            }
            desk.pop();
        }
        self.flush();
    }

    /// Whether so many bytes more can wait, should they have to.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.outbox().has_room(bytes)
    }

    /// How many datagrams one call may send.
    pub(crate) fn max_segments(&self) -> usize {
        match self.settings.dscp {
            Some(_) => 1,
            None => self.state.max_gso_segments(),
        }
    }

    /// Lets DTLS pass, beginning with what was held.
    pub(crate) fn release_dtls(&self) {
        for (destination, datagram) in self.gate.open() {
            self.outbox().push(destination, &datagram, 1);
        }
        self.flush();
    }

    /// Datagrams lost between the network and us.
    pub(crate) fn dropped(&self) -> u64 {
        sockopt::dropped(&self.io)
    }

    /// What a poor link on purpose did so far.
    pub(crate) fn link(&self) -> LinkStats {
        self.outbound
            .as_ref()
            .map_or_else(LinkStats::default, |link| {
                link.lock().unwrap_or_else(PoisonError::into_inner).stats()
            })
    }

    /// Whether it is this address that the socket is bound to.
    pub(crate) fn is_bound_to(&self, address: SocketAddr) -> bool {
        self.io.local_addr().is_ok_and(|local| local == address)
    }

    /// Whether nothing but the kernel stands between us and this destination.
    fn is_straight(&self, to: &SocketAddr) -> bool {
        self.outbound.is_none() && self.settings.drop_one_in.is_none() && !relay::may_be_name(to)
    }

    /// Sends the runs of an outbox. Pending: the socket takes no more, and wakes `cx` when it does.
    fn drain(&self, outbox: &mut Outbox, mut cx: Option<&mut Context<'_>>) -> Poll<()> {
        while let Some((run, bytes)) = outbox.front() {
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
        Poll::Ready(())
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

    /// Takes a datagram on its way; `relayed` is what became of it, if it is media for a server. False:
    /// the server is of no use.
    fn post(&self, destination: SocketAddr, datagram: &[u8], relayed: Option<Sent>) -> bool {
        if self.is_dropped_on_purpose(datagram) || self.gate.holds(destination, datagram) {
            return true;
        }
        let sent = relayed.unwrap_or_else(|| self.links.send(destination, datagram));
        let segments = self.max_segments();
        let is_taken = match (sent, &self.outbound) {
            // Whatever becomes of it, as on any link; what a TURN server relays is not impaired.
            (Sent::Elsewhere, Some(link)) => {
                locked(link).take(Instant::now(), destination, datagram);
                true
            }
            (Sent::Elsewhere, None) => self.outbox().push(destination, datagram, segments),
            (Sent::To(server), _) => self.outbox().push(server, datagram, segments),
            (Sent::Taken, _) => true,
            (Sent::Dropped, _) => false,
            (Sent::Broken, _) => return false,
        };
        if !is_taken {
            self.discarded.fetch_add(1, Ordering::Relaxed);
        }
        true
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A link that is poor on purpose, and where what it carries comes out.
fn poor_link(impairment: Option<Impairment>) -> Option<(Mutex<Link>, FarEnd)> {
    let impairment = impairment.filter(|impairment| !impairment.is_none())?;
    let (link, far_end) = Link::new(impairment);
    Some((Mutex::new(link), far_end))
}

fn locked(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends what has come through the poor link out.
async fn send(mut carried: FarEnd, socket: Arc<UdpSocket>) {
    while let Some((destination, datagram)) = carried.next().await {
        // No route, a filter: ICE finds out by its checks, as without this link.
        let _ = socket.send_to(&datagram, destination).await;
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(reading) = self.reading.get() {
            reading.abort();
        }
        // The last words, DTLS close_notify among them.
        self.flush();
    }
}
