//! The ways of one socket to TURN servers.

use std::{
    io::IoSliceMut,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use quinn_udp::RecvMeta;

use super::{IceServerError, Link, Route, Servers, Transport, inside, may_be_name};
use crate::{Dscp, path::is_media};

/// What became of a datagram for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is none; it goes where it is addressed to.
    Elsewhere,
    /// It goes to this address.
    To(SocketAddr),
    /// It goes through a connection.
    Taken,
    /// A connection has too much waiting; it is dropped.
    Dropped,
    /// The server is of no use.
    Broken,
}

/// The ways of one socket to TURN servers.
#[derive(Debug)]
pub(crate) struct Links {
    servers: Arc<Servers>,
    local: SocketAddr,
    dscp: Option<Dscp>,
    links: Mutex<Vec<Link>>,
    /// How many there are, so that a peer without any need not look.
    count: AtomicUsize,
    /// Of whoever receives: a new connection is to be polled.
    receiver: Mutex<Option<Waker>>,
}

impl Links {
    /// For the socket of this address.
    pub(crate) fn new(servers: Arc<Servers>, local: SocketAddr, dscp: Option<Dscp>) -> Self {
        Self {
            servers,
            local,
            dscp,
            links: Mutex::default(),
            count: AtomicUsize::new(0),
            receiver: Mutex::default(),
        }
    }

    /// Takes a datagram that is for a server.
    pub(crate) fn send(&self, name: SocketAddr, datagram: &[u8]) -> Sent {
        if !may_be_name(&name) {
            return Sent::Elsewhere;
        }
        let Some(route) = self.servers.route(name) else {
            return Sent::Elsewhere;
        };
        if !self.servers.sent(self.local, &route, datagram) {
            return Sent::Broken;
        }
        self.push(route, datagram)
    }

    /// Takes media in an indication, for a server that is in use. Of it nobody takes note.
    pub(crate) fn relay(&self, name: SocketAddr, indication: &[u8]) -> Sent {
        match self.servers.route(name) {
            Some(route) => self.push(route, indication),
            None => Sent::Broken,
        }
    }

    fn push(&self, route: Route, datagram: &[u8]) -> Sent {
        let name = route.name;
        if route.transport == Transport::Udp {
            return Sent::To(route.address);
        }
        let is_over = self.servers.is_over(&route);
        let mut links = self.links();
        if !links.iter().any(|link| link.route().name == name) {
            if is_over {
                return Sent::Broken;
            }
            let tls = self.servers.tls();
            links.push(Link::new(self.local, route, self.dscp, tls));
            self.count.store(links.len(), Ordering::Release);
            if let Some(waker) = self.receiver().take() {
                waker.wake();
            }
        }
        let Some(link) = links.iter_mut().find(|link| link.route().name == name) else {
            return Sent::Broken;
        };
        if link.is_broken() {
            return Sent::Broken;
        }
        let taken = link.push(datagram);
        if is_over {
            link.end();
        }
        if taken { Sent::Taken } else { Sent::Dropped }
    }

    /// Writes what waits. Pending means that something does, and that `cx` will be woken.
    pub(crate) fn flush(&self, cx: Option<&mut Context<'_>>) -> Poll<()> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Poll::Ready(());
        }
        let mut noop = Context::from_waker(Waker::noop());
        let cx = cx.unwrap_or(&mut noop);
        let mut all = Poll::Ready(());
        let mut links = self.links();
        for link in links.iter_mut() {
            match link.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.failed(link.route(), error),
                Poll::Pending => all = Poll::Pending,
            }
        }
        links.retain(|link| !link.has_ended());
        self.count.store(links.len(), Ordering::Release);
        all
    }

    /// Goes on connecting, and receives what there is: one message a buffer. `None` means that
    /// there is none, and that `cx` will be woken when there is.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
        media: &mut Vec<BytesMut>,
    ) -> Option<usize> {
        if !self.servers.has_turn() {
            return None;
        }
        if !cx.waker().will_wake(Waker::noop()) {
            *self.receiver() = Some(cx.waker().clone());
        }
        let mut count = 0;
        let room = buffers.len().min(meta.len());
        for link in self.links().iter_mut() {
            while count < room && !link.is_broken() {
                match link.poll_receive(cx) {
                    Poll::Ready(Ok(mut message)) => {
                        if inside(&mut message).is_some_and(|m| is_media(m)) {
                            media.push(message);
                            continue;
                        }
                        self.servers.received(self.local, link.route(), &message);
                        let Some(buffer) = buffers[count].get_mut(..message.len()) else {
                            continue;
                        };
                        buffer.copy_from_slice(&message);
                        meta[count] = RecvMeta::default();
                        meta[count].addr = link.route().name;
                        meta[count].len = message.len();
                        meta[count].stride = message.len();
                        count += 1;
                    }
                    Poll::Ready(Err(error)) => self.failed(link.route(), error),
                    Poll::Pending => break,
                }
            }
        }
        (count > 0).then_some(count)
    }

    /// Whether datagrams may come from a server.
    pub(crate) fn any(&self) -> bool {
        self.servers.has_turn()
    }

    /// Gives a datagram that came from a server the name of that server.
    pub(crate) fn arrived(&self, meta: &mut RecvMeta, datagram: &[u8]) {
        if !self.servers.has_turn() {
            return;
        }
        if let Some(name) = self.servers.name_of(meta.addr, datagram)
            && let Some(route) = self.servers.route(name)
        {
            self.servers.received(self.local, &route, datagram);
            meta.addr = name;
        }
    }

    fn failed(&self, route: &Route, error: IceServerError) {
        self.servers.failed(self.local, route, error);
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receiver(&self) -> MutexGuard<'_, Option<Waker>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
