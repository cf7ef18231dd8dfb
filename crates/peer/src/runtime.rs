//! webrtc's [`Runtime`], on one shard, for one peer.

use std::{
    fmt,
    future::{Future, ready},
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
    engine::CHECK_INTERVAL,
    link::LinkStats,
    path::MediaPath,
    relay::Servers,
    route::Lookup,
    socket::{Socket, SocketSettings},
    turns::Turns,
};

/// webrtc's ICE wants to be woken so often, whatever the connection does.
const ICE_PACE: Duration = Duration::from_millis(200);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of one peer: its tasks and sockets on its shard.
#[derive(Clone)]
pub(crate) struct PeerRuntime(Arc<Inner>);

struct Inner {
    handle: Handle,
    path: Arc<MediaPath>,
    turns: Turns,
    settings: SocketSettings,
    patience: Duration,
    servers: Arc<Servers>,
    sockets: Mutex<Vec<Weak<Socket>>>,
    /// For the driver, which takes it.
    lookup: Mutex<Option<Lookup>>,
    has_driver: AtomicBool,
}

impl PeerRuntime {
    /// A runtime on the threads of `handle`. Once the connection is settled, its driver is left alone
    /// for so long as `patience` says.
    pub(crate) fn new(
        handle: Handle,
        settings: SocketSettings,
        patience: Duration,
        servers: Arc<Servers>,
        path: Arc<MediaPath>,
    ) -> Self {
        Self(Arc::new(Inner {
            handle,
            path,
            turns: Turns::default(),
            settings,
            patience,
            servers,
            sockets: Mutex::default(),
            lookup: Mutex::default(),
            has_driver: AtomicBool::new(false),
        }))
    }

    /// Lets media follow the pair of candidates that ICE chooses.
    pub(crate) fn set_lookup(&self, lookup: Lookup) {
        *self.0.lookup.lock().unwrap_or_else(PoisonError::into_inner) = Some(lookup);
    }

    /// Lets DTLS pass on all sockets.
    pub(crate) fn release_dtls(&self) {
        for socket in self.0.sockets() {
            socket.release_dtls();
        }
    }

    /// What a poor link on purpose did so far.
    pub(crate) fn link(&self) -> LinkStats {
        self.0.sockets().iter().map(|socket| socket.link()).fold(
            LinkStats::default(),
            |all, one| LinkStats {
                taken: all.taken + one.taken,
                lost: all.lost + one.lost,
            },
        )
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

    /// How long the driver sleeps that wants to sleep for so long.
    ///
    /// ICE wants to be woken five times a second, though a connection that works is asked for consent
    /// every two seconds alone (RFC 7675 §5.1), and nothing else is due then: DTLS is done, and media
    /// has no part in this. With many callers that is most of what webrtc costs. TURN has timers of its
    /// own, and what is due sooner than ICE's own pace is not ICE's.
    fn rest(&self, wanted: Duration) -> Duration {
        let is_pace = wanted > CHECK_INTERVAL && wanted <= ICE_PACE;
        if is_pace && self.path.is_settled() && !self.servers.has_turn() {
            wanted.max(self.patience)
        } else {
            wanted
        }
    }

    /// Sends what the driver's turn has produced.
    fn flush(&self) {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            socket.flush();
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
                lookup: None,
                looking: None,
            })
        };
        Box::new(Task(task))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let _inside = self.0.handle.enter();
        let socket = Socket::open(
            socket,
            self.0.settings,
            self.0.servers.clone(),
            self.0.path.clone(),
        )?;
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
        if !Driver::is_polling(&self.0) {
            return Box::pin(tokio::time::sleep(duration));
        }
        let sleep = tokio::time::sleep(self.0.rest(duration));
        // The driver sleeps when it has nothing more to do: the end of its turn.
        self.0.flush();
        // Callers without a TURN server pay nothing for those that have one.
        if !self.0.servers.has_turn() {
            return Box::pin(sleep);
        }
        let has_passed = self.0.servers.take_passed();
        if self.0.turns.goes_on(Instant::now(), has_passed) {
            return Box::pin(ready(()));
        }
        let runtime = self.0.clone();
        Box::pin(async move {
            sleep.await;
            runtime.turns.woken(Instant::now());
        })
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

/// The driver's task, which marks the thread while it is polled: only its own sleeps end its turn.
/// After each turn it looks whether media goes another way.
struct Driver {
    runtime: Arc<Inner>,
    future: Boxed<'static, ()>,
    lookup: Option<Lookup>,
    looking: Option<Boxed<'static, ()>>,
}

impl Driver {
    fn is_polling(runtime: &Arc<Inner>) -> bool {
        POLLING.get() == Arc::as_ptr(runtime).cast()
    }

    fn look_for_route(&mut self, cx: &mut Context<'_>) {
        if self.lookup.is_none() {
            let lookup = self.runtime.lookup.lock();
            self.lookup = lookup.unwrap_or_else(PoisonError::into_inner).take();
        }
        if let Some(lookup) = &self.lookup
            && self.runtime.path.must_look_for_route()
        {
            let sockets = self.runtime.sockets();
            self.looking = Some(Box::pin(lookup.clone().look(sockets)));
        }
        if let Some(looking) = &mut self.looking
            && looking.as_mut().poll(cx).is_ready()
        {
            self.looking = None;
        }
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
        let polled = self.future.as_mut().poll(cx);
        if polled.is_pending() {
            self.look_for_route(cx);
        }
        polled
    }
}
