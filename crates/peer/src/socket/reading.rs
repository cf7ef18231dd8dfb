//! What comes in: media for its path, and the rest for webrtc's driver.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::Weak,
    task::{Context, Poll},
    time::Instant,
};

use tokio::io::Interest;

use super::{Socket, locked};
use crate::{
    intake::{self, Intake},
    link::FarEnd,
    path::is_media,
    relay,
};

/// Datagrams that wait for webrtc's driver; what does not fit is lost, and comes again.
const INBOX: usize = 256;
/// Batches that are read before other tasks of the thread get their turn.
const ROUNDS: usize = 4;

/// What webrtc's driver has yet to take.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    pub(super) error: Option<io::Error>,
}

impl Socket {
    /// Reads all there is: media for its path, and the rest for webrtc's driver.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.reader.register(cx.waker());
        // Woken again when there is room for what is left.
        let _ = self.links.flush(Some(cx));
        let _ = self.drain(&mut self.outbox(), Some(cx));
        for _ in 0..ROUNDS {
            let result = match std::task::ready!(self.io.poll_recv_ready(cx)) {
                Ok(()) => self.io.try_io(Interest::READABLE, || {
                    intake::with(|intake| self.read(intake))
                }),
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    self.inbox().error = Some(error);
                    self.driver.wake();
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn read(&self, intake: &mut Intake) -> io::Result<()> {
        let is_full = intake.receive(&self.state, &self.io)?;
        let now = Instant::now();
        match &self.inbound {
            None => self.take(now, intake.datagrams()),
            Some(link) => {
                let mut link = locked(link);
                for (from, datagram) in intake.datagrams() {
                    link.take(now, from, datagram);
                }
            }
        }
        if is_full {
            return Ok(());
        }
        // Less than could be: nothing is left, and another call would say no more than this.
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Takes datagrams that have come.
    fn take<'a>(&self, now: Instant, datagrams: impl Iterator<Item = (SocketAddr, &'a mut [u8])>) {
        let media = datagrams.filter_map(|(from, datagram)| {
            if is_media(datagram) {
                return Some(datagram);
            }
            self.sort(from, datagram)
        });
        self.path.receive(now, media);
    }

    /// Takes a datagram that is no media: media that a server hands on comes back, and the rest waits
    /// for the driver.
    fn sort<'a>(&self, from: SocketAddr, datagram: &'a mut [u8]) -> Option<&'a mut [u8]> {
        if self.links.any() && relay::inside(datagram).is_some_and(|inside| is_media(inside)) {
            return relay::inside(datagram);
        }
        let mut inbox = self.inbox();
        if inbox.datagrams.len() < INBOX {
            self.note_check(datagram);
            inbox.datagrams.push_back((from, datagram.to_vec()));
            drop(inbox);
            self.driver.wake();
        }
        None
    }

    /// What ICE says or hears may change the pair it has chosen.
    pub(super) fn note_check(&self, datagram: &[u8]) {
        if matches!(datagram.first(), Some(0..=3 | 64..=79)) {
            self.path.route_may_have_changed();
        }
    }
}

/// Takes what has come through the poor link in, as long as the socket is there.
pub(super) async fn deliver(mut arriving: FarEnd, socket: Weak<Socket>) {
    while let Some((from, mut datagram)) = arriving.next().await {
        let Some(socket) = socket.upgrade() else {
            return;
        };
        let datagram = (from, &mut datagram[..]);
        socket.take(Instant::now(), std::iter::once(datagram));
    }
}

/// What a socket may say now and then, and reading goes on.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::TimedOut
    )
}
