//! The connection to a Locust master: made again whenever it is lost, until this is dropped.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::zmtp::{self, Incoming, Reader, WireError};

/// How long connecting and greeting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The pause before a connection is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the last messages may take to leave.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Messages that wait to be sent, some two minutes of them. The newest are dropped when there are
/// more: whoever does not read that long is not there.
const OUTGOING: usize = 256;

/// Messages that wait to be handled; the master waits when there are more.
const INCOMING: usize = 64;

/// What happens to a connection.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// It is there: what is sent from now on arrives.
    Up,
    /// It is not there, for this reason; told once until it is there again.
    Down(String),
    /// The master said this.
    Message(Vec<u8>),
}

/// Why a connection is lost or does not come about.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Wire(#[from] WireError),
    #[error("no answer within {} s", CONNECT_LIMIT.as_secs())]
    Slow,
    #[error("it closed the connection")]
    Closed,
}

/// A connection to a master, kept up by a task of its own.
#[derive(Debug)]
pub(super) struct Link {
    events: mpsc::Receiver<LinkEvent>,
    outgoing: mpsc::Sender<Vec<u8>>,
    task: JoinHandle<()>,
}

impl Link {
    /// Connects to `address`, host and port, under an identity.
    pub(super) fn open(address: String, identity: String) -> Self {
        let (told, events) = mpsc::channel(INCOMING);
        let (outgoing, to_send) = mpsc::channel(OUTGOING);
        let task = tokio::spawn(keep_up(address, identity, told, to_send));
        Self {
            events,
            outgoing,
            task,
        }
    }

    /// Waits for what happens next.
    pub(super) async fn event(&mut self) -> LinkEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The task ends only with this.
            None => std::future::pending().await,
        }
    }

    /// Sends a message, if it is up and the master reads.
    pub(super) fn send(&self, message: &[u8]) {
        if self.outgoing.try_send(zmtp::message(message)).is_err() {
            debug!("a message to the master is dropped: it does not read");
        }
    }

    /// Closes it once what was sent has left, or after a second.
    pub(super) async fn close(mut self) {
        let (nothing, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.outgoing, nothing));
        self.events.close();
        let _ = timeout(FLUSH_LIMIT, &mut self.task).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connects again and again, until nobody sends any more.
async fn keep_up(
    address: String,
    identity: String,
    told: mpsc::Sender<LinkEvent>,
    mut to_send: mpsc::Receiver<Vec<u8>>,
) {
    let mut is_down_told = false;
    loop {
        let connected = timeout(CONNECT_LIMIT, connect(&address, &identity)).await;
        let error = match connected.unwrap_or(Err(LinkError::Slow)) {
            Ok((stream, reader)) => {
                // What was said before it was up was said to nobody.
                while to_send.try_recv().is_ok() {}
                is_down_told = false;
                if told.send(LinkEvent::Up).await.is_err() {
                    return;
                }
                match carry(stream, reader, &told, &mut to_send).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        debug!(%address, %error, "no connection to the master");
        if !is_down_told {
            is_down_told = true;
            if told.send(LinkEvent::Down(error.to_string())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = told.closed() => return,
        }
    }
}

/// Connects and shakes hands.
async fn connect(address: &str, identity: &str) -> Result<(TcpStream, Reader), LinkError> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&zmtp::greeting()).await?;
    let mut greeting = [0; zmtp::GREETING];
    stream
        .read_exact(&mut greeting)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => LinkError::Wire(WireError::NoZeroMq),
            _ => LinkError::Io(error),
        })?;
    zmtp::check_greeting(&greeting)?;
    stream.write_all(&zmtp::ready(identity)).await?;
    let mut reader = Reader::default();
    loop {
        match reader.next()? {
            Some(Incoming::Ready) => return Ok((stream, reader)),
            Some(Incoming::Message(_)) => return Err(WireError::Malformed.into()),
            None => read_more(&mut stream, &mut reader).await?,
        }
    }
}

/// Carries messages both ways, until the other end goes or nobody sends any more.
async fn carry(
    stream: TcpStream,
    mut reader: Reader,
    told: &mpsc::Sender<LinkEvent>,
    to_send: &mut mpsc::Receiver<Vec<u8>>,
) -> Result<(), LinkError> {
    let (mut from, mut to) = stream.into_split();
    let read = async {
        loop {
            while let Some(incoming) = reader.next()? {
                if let Incoming::Message(message) = incoming {
                    // Whoever does not listen any more closes.
                    let _ = told.send(LinkEvent::Message(message)).await;
                }
            }
            read_more(&mut from, &mut reader).await?;
        }
    };
    let write = async {
        while let Some(message) = to_send.recv().await {
            to.write_all(&message).await?;
        }
        to.shutdown().await?;
        Ok(())
    };
    tokio::select! {
        ended = read => ended,
        ended = write => ended,
    }
}

async fn read_more(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    reader: &mut Reader,
) -> Result<(), LinkError> {
    let mut bytes = [0; 4096];
    match from.read(&mut bytes).await? {
        0 => Err(LinkError::Closed),
        count => {
            reader.feed(&bytes[..count]);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Shakes hands as a ROUTER does.
    async fn router(listener: &TcpListener) -> TcpStream {
        let (mut stream, _) = listener.accept().await.expect("a worker");
        stream.write_all(&zmtp::greeting()).await.expect("sent");
        let mut greeting = [0; zmtp::GREETING];
        stream.read_exact(&mut greeting).await.expect("a greeting");
        assert_eq!(zmtp::check_greeting(&greeting), Ok(()));
        let ready = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER";
        stream.write_all(ready).await.expect("sent");
        let mut ready = vec![0; zmtp::ready("worker_1").len()];
        stream.read_exact(&mut ready).await.expect("READY");
        assert_eq!(ready, zmtp::ready("worker_1"));
        stream
    }

    #[tokio::test]
    async fn a_connection_is_made_again_when_it_is_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let mut link = Link::open(address, "worker_1".to_owned());
        for _ in 0..2 {
            let mut stream = router(&listener).await;
            assert!(matches!(link.event().await, LinkEvent::Up));
            link.send(b"hello");
            let mut hello = [0; 7];
            stream.read_exact(&mut hello).await.expect("a frame");
            assert_eq!(&hello, b"\0\x05hello");
            stream.write_all(b"\0\x02hi").await.expect("sent");
            assert!(matches!(link.event().await, LinkEvent::Message(body) if body == b"hi"));
            drop(stream);
            assert!(matches!(link.event().await, LinkEvent::Down(_)));
        }
        let mut stream = router(&listener).await;
        assert!(matches!(link.event().await, LinkEvent::Up));
        link.send(b"last words");
        link.close().await;
        let mut last = Vec::new();
        stream.read_to_end(&mut last).await.expect("an orderly end");
        assert_eq!(last, b"\0\x0alast words");
    }

    #[tokio::test]
    async fn another_protocol_is_named_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let mut link = Link::open(address, "worker_1".to_owned());
        let (mut stream, _) = listener.accept().await.expect("a worker");
        stream.write_all(&[b'4'; 100]).await.expect("sent");
        let LinkEvent::Down(why) = link.event().await else {
            panic!("it is no master");
        };
        assert!(why.contains("--master-bind-port"), "{why}");
    }
}
