//! webrtc's [`Runtime`], on one shard, for one peer.

use std::{
    fmt,
    future::{Future, poll_fn, ready},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::runtime::Handle;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

use crate::{
    nudge::Nudge,
    relay::Servers,
    socket::{Socket, SocketSettings},
    turns::Turns,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of one peer: its tasks and sockets on its shard, one way to be woken.
#[derive(Clone)]
pub(crate) struct PeerRuntime(Arc<Inner>);

struct Inner {
    handle: Handle,
    nudge: Arc<Nudge>,
    turns: Turns,
    settings: SocketSettings,
    servers: Arc<Servers>,
    sockets: Mutex<Vec<Weak<Socket>>>,
    has_driver: AtomicBool,
}

impl PeerRuntime {
    /// A runtime on the threads of `handle`.
    pub(crate) fn new(handle: Handle, settings: SocketSettings, servers: Arc<Servers>) -> Self {
        Self(Arc::new(Inner {
            handle,
            nudge: Arc::default(),
            turns: Turns::default(),
            settings,
            servers,
            sockets: Mutex::default(),
            has_driver: AtomicBool::new(false),
        }))
    }

    /// What wakes the driver.
    pub(crate) fn nudge(&self) -> Arc<Nudge> {
        self.0.nudge.clone()
    }

    /// Lets DTLS pass on all sockets.
    pub(crate) fn release_dtls(&self) {
        for socket in self.0.sockets() {
            socket.release_dtls();
        }
    }

    /// Datagrams lost between the network and us.
    pub(crate) fn socket_drops(&self) -> u64 {
        self.0.sockets().iter().map(|socket| socket.dropped()).sum()
    }
}

impl Inner {
    fn sockets(&self) -> Vec<Arc<Socket>> {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.iter().filter_map(Weak::upgrade).collect()
    }

    /// Sends what the driver's turn has produced.
    fn flush(&self, mut cx: Option<&mut Context<'_>>) {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            let _ = socket.flush(cx.as_deref_mut());
        }
    }
}

impl fmt::Debug for PeerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerRuntime").finish_non_exhaustive()
    }
}

impl Runtime for PeerRuntime {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        // webrtc spawns a peer's driver first, and whatever else it needs from there.
        let task = if self.0.has_driver.swap(true, Ordering::AcqRel) {
            self.0.handle.spawn(future)
        } else {
            self.0.handle.spawn(Driver {
                runtime: self.0.clone(),
                future,
            })
        };
        Box::new(Task(task))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let _inside = self.0.handle.enter();
        let socket = Arc::new(Socket::new(
            socket,
            self.0.settings,
            self.0.servers.clone(),
        )?);
        let mut sockets = self
            .0
            .sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.push(Arc::downgrade(&socket));
        Ok(socket)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        let _inside = self.0.handle.enter();
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async move { TokioRuntime.connect_tcp(remote).await })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        // Names are resolved before webrtc learns of a server; of an address it writes IPv6 without
        // brackets.
        Box::pin(async move {
            let address = host.rsplit_once(':').and_then(|(address, port)| {
                let address = address.trim_matches(['[', ']']).parse().ok()?;
                Some(SocketAddr::new(address, port.parse().ok()?))
            });
            match address {
                Some(address) => Ok(vec![address]),
                None => TokioRuntime.resolve_host(host).await,
            }
        })
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        let _inside = self.0.handle.enter();
        let sleep = tokio::time::sleep(duration);
        if !Driver::is_polling(&self.0) {
            return Box::pin(sleep);
        }
        // The driver sleeps when it has nothing more to do: the end of its turn.
        self.0.flush(None);
        // Callers without a TURN server pay nothing for those that have one.
        let may_relay = self.0.servers.has_turn();
        if may_relay {
            let has_passed = self.0.servers.take_passed();
            if self.0.turns.goes_on(Instant::now(), has_passed) {
                return Box::pin(ready(()));
            }
        }
        let runtime = self.0.clone();
        let mut sleep = Box::pin(sleep);
        Box::pin(poll_fn(move |cx| {
            if runtime.nudge.poll(cx).is_pending() {
                // A socket that is full wakes us when it is not.
                runtime.flush(Some(cx));
                std::task::ready!(sleep.as_mut().poll(cx));
            }
            if may_relay {
                runtime.turns.woken(Instant::now());
            }
            Poll::Ready(())
        }))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        let _inside = self.0.handle.enter();
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.0.handle.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }

    fn name(&self) -> &'static str {
        "shard"
    }
}

struct Task(tokio::task::JoinHandle<()>);

impl JoinHandle for Task {
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

thread_local! {
    static POLLING: std::cell::Cell<*const ()> = const { std::cell::Cell::new(std::ptr::null()) };
}

/// The driver's task, which marks the thread while it is polled: only its own sleeps end its turn,
/// and only they may be cut short by a nudge.
struct Driver {
    runtime: Arc<Inner>,
    future: Boxed<'static, ()>,
}

impl Driver {
    fn is_polling(runtime: &Arc<Inner>) -> bool {
        POLLING.get() == Arc::as_ptr(runtime).cast()
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        struct Restore(*const ());
        impl Drop for Restore {
            fn drop(&mut self) {
                POLLING.set(self.0);
            }
        }
        let mark = Arc::as_ptr(&self.runtime).cast();
        let _restore = Restore(POLLING.replace(mark));
        self.future.as_mut().poll(cx)
    }
}
