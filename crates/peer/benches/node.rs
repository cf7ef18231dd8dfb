//! The far end, in a process of its own: answers offers, reads what comes, counts.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use peer::{Inbound, Peer, PeerConfig, PeerEvent, Shards};

/// The node as the sending process sees it.
pub(crate) struct Node {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Node {
    pub(crate) fn start() -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--node")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::other("the node has no pipe");
        let input = process.stdin.take().ok_or_else(gone)?;
        let output = process.stdout.take().ok_or_else(gone)?;
        Ok(Self {
            process,
            input,
            output,
        })
    }

    /// Answers an offer.
    pub(crate) fn answer(&mut self, offer: &str) -> io::Result<String> {
        self.ask("offer", offer)
    }

    /// Opens a plain socket that is read and nothing else.
    pub(crate) fn sink(&mut self) -> io::Result<SocketAddr> {
        self.ask("sink", "")?.parse().map_err(io::Error::other)
    }

    /// Media packets that have arrived so far.
    pub(crate) fn received(&mut self) -> io::Result<u64> {
        self.ask("count", "")?.parse().map_err(io::Error::other)
    }

    fn ask(&mut self, what: &str, text: &str) -> io::Result<String> {
        write_message(&mut self.input, &format!("{what}\n{text}"))?;
        read_message(&mut self.output)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write_message(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(&(text.len() as u32).to_be_bytes())?;
    to.write_all(text.as_bytes())?;
    to.flush()
}

fn read_message(from: &mut impl Read) -> io::Result<String> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// The node's main.
pub(crate) fn run() -> io::Result<()> {
    let shards = Shards::new(2)?;
    let received = Arc::new(AtomicU64::new(0));
    let mut peers = Vec::new();
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    // Ends with the sending process.
    while let Ok(message) = read_message(&mut input) {
        let (what, text) = message.split_once('\n').unwrap_or((&message, ""));
        let shard = shards.next();
        let reply = match what {
            "offer" => {
                let config = PeerConfig {
                    addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
                    ..PeerConfig::default()
                };
                let answered = shard
                    .handle()
                    .block_on(Peer::answerer(&shard, config, text))
                    .map_err(io::Error::other)?;
                let (peer, mut events, answer) = answered;
                peers.push(peer);
                let received = received.clone();
                let reader = shard.clone();
                shard.spawn(async move {
                    while let Some(event) = events.recv().await {
                        let PeerEvent::Track(mut track) = event else {
                            continue;
                        };
                        let received = received.clone();
                        reader.spawn(async move {
                            while let Some(inbound) = track.recv().await {
                                if let Inbound::Packet(_) = inbound {
                                    received.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        });
                    }
                });
                answer
            }
            "sink" => {
                let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                socket.set_nonblocking(true)?;
                let address = socket.local_addr()?;
                let received = received.clone();
                shard.spawn(async move {
                    let Ok(socket) = tokio::net::UdpSocket::from_std(socket) else {
                        return;
                    };
                    let mut buffer = [0; 2000];
                    while socket.recv_from(&mut buffer).await.is_ok() {
                        received.fetch_add(1, Ordering::Relaxed);
                    }
                });
                address.to_string()
            }
            _ => received.load(Ordering::Relaxed).to_string(),
        };
        write_message(&mut output, &reply)?;
    }
    Ok(())
}
