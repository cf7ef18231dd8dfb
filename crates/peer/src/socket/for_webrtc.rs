//! The socket as webrtc's driver sees it.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    task::{Context, Poll, Waker},
    time::Instant,
};

use quinn_udp::{RecvMeta, Transmit};
use webrtc::runtime::AsyncUdpSocket;

use super::Socket;
use crate::{path::is_media, relay};

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Takes the datagram; it leaves with [`Socket::flush`].
    fn poll_send(&self, _cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let size = transmit
            .segment_size
            .unwrap_or(transmit.contents.len())
            .max(1);
        for datagram in transmit.contents.chunks(size) {
            // It has the same keys, and would use the same numbers again.
            if is_media(datagram) {
                continue;
            }
            self.note_check(datagram);
            if !self.post(transmit.destination, datagram, None) {
                // webrtc lets go of a server it cannot send to.
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
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
        let mut relayed = Vec::new();
        let count = self.links.poll_receive(cx, buffers, meta, &mut relayed);
        if !relayed.is_empty() {
            let media = relayed
                .iter_mut()
                .filter_map(|message| relay::inside(message));
            self.path.receive(Instant::now(), media);
        }
        if let Some(count) = count {
            return Poll::Ready(Ok(count));
        }
        // webrtc also looks without waiting, which is not to be woken for.
        if !cx.waker().will_wake(Waker::noop()) {
            self.driver.register(cx.waker());
        }
        let mut count = 0;
        let mut inbox = self.inbox();
        while let Some((buffer, meta)) = buffers.get_mut(count).zip(meta.get_mut(count)) {
            let Some((from, datagram)) = inbox.datagrams.pop_front() else {
                break;
            };
            // None that webrtc understands is longer.
            let length = datagram.len().min(buffer.len());
            buffer[..length].copy_from_slice(&datagram[..length]);
            *meta = RecvMeta::default();
            meta.addr = from;
            meta.len = length;
            // An empty datagram has no stride; whoever splits by it would divide by zero.
            meta.stride = length.max(1);
            self.links.arrived(meta, &datagram);
            count += 1;
        }
        match inbox.error.take() {
            _ if count > 0 => Poll::Ready(Ok(count)),
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        }
    }

    /// One: the joining is ours, at the end of a turn.
    fn max_gso_segments(&self) -> usize {
        1
    }

    /// One: the splitting is ours too.
    fn max_gro_segments(&self) -> usize {
        1
    }
}
