//! The far end's process: one socket for all callers, one thread that reads it.

use std::{
    collections::HashMap,
    io::{self, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::BytesMut;
use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use rtc::{
    crypto::{self, HashAlgorithm, RTCCryptoProvider},
    dtls::{
        config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig},
        crypto::Certificate,
        endpoint::{Endpoint, EndpointEvent},
        extension::extension_use_srtp::SrtpProtectionProfile,
        state::State,
    },
    shared::TransportProtocol,
    srtp::{
        config::{Config, LABEL_EXTRACTOR_DTLS_SRTP},
        context::Context,
        protection_profile::ProtectionProfile,
    },
};

use super::{
    FLOOR_KEY, FLOOR_SALT,
    answer::{Identity, answer},
    ice::Check,
    is_rtp,
    process::{read_message, write_message},
    sending::{Destination, Destinations},
};
use crate::workload::Streams;

const PASSWORD: &str = "thefarendhasonepasswordforall";
/// Room for all callers' packets while this process does not run.
const SOCKET_BUFFER: usize = 16 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// SSRCs of sound and picture towards caller number `number`.
fn sources(number: usize) -> [u32; 2] {
    let first = 1000 + 2 * number as u32;
    [first, first + 1]
}

struct FarEnd {
    socket: UdpSocket,
    provider: Arc<dyn RTCCryptoProvider>,
    handshake: Arc<HandshakeConfig>,
    fingerprint: String,
    /// Callers told apart by our user names towards them.
    numbers: Mutex<HashMap<String, usize>>,
    destinations: Arc<Destinations>,
    received: AtomicU64,
    mirrors: AtomicBool,
}

pub(crate) fn run() -> io::Result<()> {
    let far_end = Arc::new(FarEnd::new().map_err(io::Error::other)?);
    let reader = far_end.clone();
    std::thread::spawn(move || reader.read());
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    // Ends with the process that asks.
    while let Ok(message) = read_message(&mut input) {
        let (what, text) = message.split_once('\n').unwrap_or((&message, ""));
        let reply = far_end.obey(what, text);
        let reply = reply.unwrap_or_else(|error| format!("error {error}"));
        write_message(&mut output, &reply)?;
    }
    Ok(())
}

impl FarEnd {
    fn new() -> Result<Self, Failure> {
        let provider = crypto::default_provider()?;
        let certificate =
            Certificate::generate_self_signed(vec!["far".to_owned()], provider.crypto())?;
        let hash = provider
            .crypto()
            .hash(HashAlgorithm::Sha256, &certificate.certificate[0])
            .map_err(|error| error.to_string())?;
        let digits: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        let handshake = ConfigBuilder::default()
            .with_crypto_provider(provider.clone())
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .build(true, None)?;
        Ok(Self {
            socket: UdpSocket::bind("127.0.0.1:0")?,
            provider,
            handshake: Arc::new(handshake),
            fingerprint: digits.join(":"),
            numbers: Mutex::default(),
            destinations: Arc::default(),
            received: AtomicU64::new(0),
            mirrors: AtomicBool::new(false),
        })
    }

    fn obey(&self, what: &str, text: &str) -> Result<String, Failure> {
        match what {
            "address" => Ok(self.socket.local_addr()?.to_string()),
            "offer" => {
                let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
                let number = numbers.len();
                let ufrag = format!("far{number}");
                let identity = Identity {
                    address: self.socket.local_addr()?,
                    ufrag: &ufrag,
                    password: PASSWORD,
                    fingerprint: &self.fingerprint,
                    sources: sources(number),
                };
                let answer = answer(text, &identity);
                numbers.insert(ufrag, number);
                Ok(answer)
            }
            "floor" => {
                let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
                let number = numbers.len();
                numbers.insert(text.to_owned(), number);
                let profile = ProtectionProfile::AeadAes128Gcm;
                let crypto = self.provider.crypto();
                let srtp = Context::new(&FLOOR_KEY, &FLOOR_SALT, profile, None, None, crypto)?;
                self.add(text.parse()?, srtp, number);
                Ok(String::new())
            }
            "send" => {
                let (streams, time) = text.split_once(' ').ok_or("no time")?;
                let streams = match streams {
                    "audio" => Streams::Audio,
                    _ => Streams::Both,
                };
                let time = Duration::from_millis(time.parse()?);
                let (socket, destinations) = (self.socket.try_clone()?, self.destinations.clone());
                std::thread::spawn(move || destinations.send_for(&socket, streams, time));
                Ok(String::new())
            }
            "mirror" => {
                self.mirrors.store(true, Ordering::Relaxed);
                Ok(String::new())
            }
            "counts" => Ok(format!(
                "{} {}",
                self.received.load(Ordering::Relaxed),
                self.destinations.sent.load(Ordering::Relaxed)
            )),
            other => Err(format!("what is {other:?}?").into()),
        }
    }

    fn add(&self, address: SocketAddr, srtp: Context, number: usize) {
        self.destinations.add(Destination {
            address,
            srtp,
            sources: sources(number),
            sequence_numbers: [0; 2],
        });
    }

    /// Reads the socket until the process ends.
    #[expect(
        clippy::print_stderr,
        reason = "the process that asks cannot be told in another way"
    )]
    fn read(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let result = runtime.map_err(Failure::from).and_then(|runtime| {
            let socket = self.socket.try_clone()?;
            runtime.block_on(self.read_from(socket))
        });
        if let Err(error) = result {
            eprintln!("the far end cannot read: {error}");
        }
    }

    async fn read_from(&self, socket: UdpSocket) -> Result<(), Failure> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // A smaller buffer than asked for works too, with more loss.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        let mut handshakes = Handshakes::new(self, socket.local_addr()?);
        let mut buffers = vec![vec![0; 64 << 10]; quinn_udp::BATCH_SIZE];
        let mut meta = vec![RecvMeta::default(); quinn_udp::BATCH_SIZE];
        let mut repeat = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                ready = socket.readable() => ready?,
                _ = repeat.tick() => {
                    handshakes.repeat();
                    continue;
                }
            }
            let mut slices: Vec<_> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
            let received = socket.try_io(tokio::io::Interest::READABLE, || {
                state.recv(UdpSockRef::from(&socket), &mut slices, &mut meta)
            });
            let count = match received {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            };
            for (meta, buffer) in meta.iter().zip(&buffers).take(count) {
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    if is_rtp(datagram) {
                        self.received.fetch_add(1, Ordering::Relaxed);
                        if self.mirrors.load(Ordering::Relaxed) {
                            self.destinations.mirror(&self.socket, meta.addr, datagram);
                        }
                    } else {
                        handshakes.take(meta.addr, datagram);
                    }
                }
            }
        }
    }
}

/// Checks of ICE, and handshakes of DTLS under way.
struct Handshakes<'a> {
    far_end: &'a FarEnd,
    endpoint: Endpoint,
    under_way: HashMap<SocketAddr, usize>,
}

impl<'a> Handshakes<'a> {
    fn new(far_end: &'a FarEnd, local: SocketAddr) -> Self {
        Self {
            far_end,
            endpoint: Endpoint::new(local, TransportProtocol::UDP, None),
            under_way: HashMap::new(),
        }
    }

    /// Takes a datagram that is no RTP. What goes wrong here shows as a caller that never connects.
    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        match datagram.first() {
            Some(0..=3) => self.check(from, datagram),
            // DTLS (RFC 7983 §7).
            Some(20..=63) => self.dtls(from, datagram),
            _ => {}
        }
    }

    fn check(&mut self, from: SocketAddr, datagram: &[u8]) {
        let Some(check) = Check::read(datagram) else {
            return;
        };
        let crypto = self.far_end.provider.crypto();
        if let Some(response) = check.response(from, PASSWORD, crypto) {
            let _ = self.far_end.socket.send_to(&response, from);
        }
        let numbers = &self.far_end.numbers;
        let numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.get(&check.ufrag).filter(|_| check.nominates) {
            let handshake = self.far_end.handshake.clone();
            // As a node, it is the client; an endpoint connects to an address once.
            let _ = self.endpoint.connect(Instant::now(), from, handshake, None);
            if self.endpoint.poll_timeout(&from).is_some() {
                self.under_way.insert(from, *number);
            }
        }
        drop(numbers);
        self.flush();
    }

    fn dtls(&mut self, from: SocketAddr, datagram: &[u8]) {
        let data = BytesMut::from(datagram);
        let events = self.endpoint.read(Instant::now(), from, None, data);
        for event in events.unwrap_or_default() {
            if let EndpointEvent::HandshakeComplete = event
                && let Some(number) = self.under_way.remove(&from)
                && let Some(state) = self.endpoint.get_connection_state(from)
                && let Ok(srtp) = keys(state, &self.far_end.provider)
            {
                self.far_end.add(from, srtp, number);
            }
        }
        self.flush();
    }

    fn repeat(&mut self) {
        for address in self.under_way.keys() {
            let _ = self.endpoint.handle_timeout(*address, Instant::now());
        }
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let to = transmit.transport.peer_addr;
            let _ = self.far_end.socket.send_to(&transmit.message, to);
        }
    }
}

/// The context for what is sent (RFC 5764 §4.2).
fn keys(state: &State, provider: &Arc<dyn RTCCryptoProvider>) -> Result<Context, Failure> {
    let mut config = Config {
        profile: ProtectionProfile::AeadAes128Gcm,
        ..Config::default()
    };
    let length = config.keying_material_len();
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], length)?;
    config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
    Ok(Context::new(
        &config.keys.local_master_key,
        &config.keys.local_master_salt,
        config.profile,
        None,
        None,
        provider.crypto(),
    )?)
}
