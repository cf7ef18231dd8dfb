//! What one call reads from a socket.

use std::{
    cell::RefCell,
    io::{self, IoSliceMut},
    net::SocketAddr,
};

use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use tokio::net::UdpSocket;

/// Messages of one call, each of as many datagrams as the kernel has joined (UDP_GRO).
const MESSAGES: usize = 8;
/// The most that it joins.
const MESSAGE: usize = 64 * 1024;

/// Buffers that all sockets of a thread read into, one after the other.
pub(crate) struct Intake {
    buffers: Vec<u8>,
    meta: [RecvMeta; MESSAGES],
    count: usize,
}

thread_local! {
    static INTAKE: RefCell<Intake> = RefCell::new(Intake {
        buffers: vec![0; MESSAGES * MESSAGE],
        meta: [RecvMeta::default(); MESSAGES],
        count: 0,
    });
}

/// Lends the buffers of this thread.
pub(crate) fn with<T>(read: impl FnOnce(&mut Intake) -> T) -> T {
    INTAKE.with_borrow_mut(read)
}

impl Intake {
    /// Reads what there is; true if there may be more.
    pub(crate) fn receive(
        &mut self,
        state: &UdpSocketState,
        socket: &UdpSocket,
    ) -> io::Result<bool> {
        self.count = 0;
        let mut buffers = self.buffers.chunks_exact_mut(MESSAGE);
        let mut slices: [IoSliceMut<'_>; MESSAGES] =
            std::array::from_fn(|_| IoSliceMut::new(buffers.next().unwrap_or_default()));
        self.count = state.recv(UdpSockRef::from(socket), &mut slices, &mut self.meta)?;
        Ok(self.count == MESSAGES)
    }

    /// The datagrams read, and where each came from.
    pub(crate) fn datagrams(&mut self) -> impl Iterator<Item = (SocketAddr, &mut [u8])> {
        let messages = self.buffers.chunks_exact_mut(MESSAGE).zip(&self.meta);
        messages.take(self.count).flat_map(|(buffer, meta)| {
            let from = meta.addr;
            let datagrams = buffer[..meta.len].chunks_mut(meta.stride.max(1));
            datagrams.map(move |datagram| (from, datagram))
        })
    }
}
