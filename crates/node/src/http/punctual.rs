//! Connections on which nothing is asked are closed in time.
//!
//! hyper limits the time for headers from the moment it knows which version of HTTP they are in; until
//! then it would wait for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// By then the version is known: the connection preface of HTTP/2 (RFC 9113 §3.4) is that long, and so
/// is about every request of HTTP/1.
const VERSION_IS_KNOWN: usize = 24;

/// Accepts as another does, and gives the client so much time to say something.
#[derive(Clone, Debug)]
pub(crate) struct PunctualAcceptor<A> {
    inner: A,
    within: Duration,
}

impl<A> PunctualAcceptor<A> {
    pub(crate) fn new(inner: A, within: Duration) -> Self {
        Self { inner, within }
    }
}

impl<A, I, S> Accept<I, S> for PunctualAcceptor<A>
where
    A: Accept<I, S, Future: Send + 'static>,
{
    type Stream = Punctual<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepting, within) = (self.inner.accept(stream, service), self.within);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            Ok((Punctual::new(stream, within), service))
        })
    }
}

/// A connection whose first bytes are waited for only so long.
pub(crate) struct Punctual<S> {
    stream: S,
    /// Until when, as long as too few have come.
    limit: Option<Pin<Box<Sleep>>>,
    came: usize,
}

impl<S> Punctual<S> {
    fn new(stream: S, within: Duration) -> Self {
        Self {
            stream,
            limit: Some(Box::pin(sleep(within))),
            came: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Punctual<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                self.came += buffer.filled().len() - before;
                if self.came >= VERSION_IS_KNOWN {
                    self.limit = None;
                }
                Poll::Ready(read)
            }
            Poll::Pending => {
                let Some(limit) = &mut self.limit else {
                    return Poll::Pending;
                };
                ready!(limit.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Punctual<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn silence_ends_a_connection_and_a_request_makes_it_last() {
        let (_client, node) = duplex(100);
        let mut node = Punctual::new(node, WITHIN);
        let began = tokio::time::Instant::now();
        let ended = node.read_u8().await.expect_err("nothing was said");
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= WITHIN);

        let (mut client, node) = duplex(100);
        let mut node = Punctual::new(node, WITHIN);
        client.write_all(&[b'x'; 24]).await.expect("room");
        node.read_exact(&mut [0; 24]).await.expect("as sent");
        let later = tokio::time::timeout(10 * WITHIN, node.read_u8()).await;
        assert!(later.is_err(), "it is still open: {later:?}");
    }
}
