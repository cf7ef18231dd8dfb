//! RTP from another program.

mod packet;
mod playout;
mod sdp;

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::{debug, info, warn};

use super::hub::Hub;
use super::unit::{Form, PictureForm, Unit};
use crate::assembler::{Assembled, FrameAssembler};
use crate::codec::{Codec, Kind};
use crate::source::SourceOptions;
use packet::Packet;
use playout::Playout;

/// How long a missing packet is waited for.
const MISSING: Duration = Duration::from_millis(60);

/// A sender that sends nothing for so long is away.
const SILENT: Duration = Duration::from_secs(2);

/// Another sender may take over when there was nothing for so long.
const TAKEOVER: Duration = Duration::from_millis(300);

/// What is read of a session description, in bytes.
const LONGEST_DESCRIPTION: u64 = 64 << 10;

/// The largest datagram.
const DATAGRAM: usize = 65_536;

/// One stream of RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RtpStream {
    /// Where its packets arrive.
    address: SocketAddr,
    codec: Codec,
    /// Any unless given.
    payload_type: Option<u8>,
}

/// Streams whose sockets are open.
pub(super) struct Receiver {
    streams: Vec<(RtpStream, UdpSocket)>,
}

impl Receiver {
    /// Opens the sockets of a session description.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the description, or in the way of a socket.
    pub(super) fn described(path: &Path) -> Result<Self, String> {
        let text = read(path).map_err(|error| format!("cannot be read: {error}"))?;
        let streams = sdp::read(&text)?
            .into_iter()
            .map(|stream| Ok((stream, bind(stream)?)));
        let streams = streams.collect::<Result<_, String>>()?;
        Ok(Self { streams })
    }

    /// Opens the socket of one stream.
    ///
    /// # Errors
    ///
    /// Says what is in its way.
    pub(super) fn of_one(address: SocketAddr, options: &SourceOptions) -> Result<Self, String> {
        let stream = RtpStream {
            address,
            codec: options.codec.ok_or("does not say what the packets hold")?,
            payload_type: options.payload_type,
        };
        let streams = vec![(stream, bind(stream)?)];
        Ok(Self { streams })
    }

    /// Returns what comes, which is known before it does.
    pub(super) fn form(&self) -> Form {
        let codec = |kind| {
            let mut codecs = self.streams.iter().map(|(stream, _)| stream.codec);
            codecs.find(|codec| codec.kind() == kind)
        };
        let names: Vec<String> = self
            .streams
            .iter()
            .map(|(stream, _)| format!("{} at {}", stream.codec, stream.address))
            .collect();
        Form {
            name: format!("RTP: {}", names.join(", ")),
            sound: codec(Kind::Audio).is_some(),
            picture: codec(Kind::Video).map(|codec| PictureForm {
                codec: Some(codec),
                size: None,
                rate: None,
            }),
        }
    }

    /// Receives until the input is to end.
    pub(super) fn run(self, hub: &Hub) {
        info!(source = hub.name, "{}", self.form().name);
        std::thread::scope(|scope| {
            for (stream, socket) in &self.streams {
                scope.spawn(move || Reception::new(*stream).run(hub, socket));
            }
        });
    }
}

fn read(path: &Path) -> io::Result<String> {
    // Reading a pipe might never end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?
        .take(LONGEST_DESCRIPTION)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn bind(stream: RtpStream) -> Result<UdpSocket, String> {
    let RtpStream { address, .. } = stream;
    let make = || -> io::Result<UdpSocket> {
        match address.ip() {
            IpAddr::V4(group) if group.is_multicast() => {
                let socket = UdpSocket::bind(address)?;
                socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)?;
                Ok(socket)
            }
            IpAddr::V6(group) if group.is_multicast() => {
                let socket = UdpSocket::bind(address)?;
                socket.join_multicast_v6(&group, 0)?;
                Ok(socket)
            }
            _ => UdpSocket::bind(address),
        }
    };
    make().map_err(|error| format!("cannot receive at {address}: {error}"))
}

/// What comes of one stream.
struct Reception {
    stream: RtpStream,
    /// Who sends.
    ssrc: Option<u32>,
    assembler: FrameAssembler,
    playout: Playout<Unit>,
    last_packet: Option<Instant>,
    foreign: u64,
}

impl Reception {
    fn new(stream: RtpStream) -> Self {
        Self {
            stream,
            ssrc: None,
            assembler: FrameAssembler::new(stream.codec, MISSING),
            playout: Playout::default(),
            last_packet: None,
            foreign: 0,
        }
    }

    fn run(mut self, hub: &Hub, socket: &UdpSocket) {
        let mut datagram = vec![0; DATAGRAM];
        while !hub.is_stopped() {
            let wait = self.next_due().saturating_duration_since(Instant::now());
            // None would wait for ever, and so would zero.
            let wait = wait.clamp(Duration::from_millis(1), Duration::from_millis(100));
            if let Err(error) = socket.set_read_timeout(Some(wait)) {
                warn!(source = hub.name, %error, "nothing can be received");
                return;
            }
            let received = socket.recv(&mut datagram);
            let now = Instant::now();
            match received {
                Ok(length) => self.packet(hub, now, &datagram[..length]),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) => {}
                Err(error) => debug!(source = hub.name, %error, "not received"),
            }
            self.turn(hub, now);
        }
    }

    fn next_due(&self) -> Instant {
        let due = self.playout.next_due().into_iter();
        let due = due.chain(self.assembler.next_due()).min();
        due.unwrap_or_else(|| Instant::now() + SILENT)
    }

    fn packet(&mut self, hub: &Hub, now: Instant, datagram: &[u8]) {
        let Some(packet) = Packet::read(datagram) else {
            self.foreign(hub, "is no RTP");
            return;
        };
        if self
            .stream
            .payload_type
            .is_some_and(|number| number != packet.payload_type)
        {
            self.foreign(hub, &format!("has payload type {}", packet.payload_type));
            return;
        }
        if self.ssrc != Some(packet.ssrc) {
            let is_taken = self.ssrc.is_some()
                && self
                    .last_packet
                    .is_some_and(|last| now.saturating_duration_since(last) < TAKEOVER);
            if is_taken {
                self.foreign(hub, "is of another sender");
                return;
            }
            if self.ssrc.is_some() {
                debug!(source = hub.name, ssrc = packet.ssrc, "another sender");
            }
            *self = Self {
                ssrc: Some(packet.ssrc),
                foreign: self.foreign,
                playout: std::mem::take(&mut self.playout).anew(),
                ..Self::new(self.stream)
            };
        }
        if self.last_packet.is_none() {
            info!(source = hub.name, codec = %self.stream.codec, "packets come");
        }
        self.last_packet = Some(now);
        let payload = Bytes::copy_from_slice(packet.payload);
        let (number, timestamp) = (packet.sequence_number, packet.timestamp);
        self.assembler
            .push(now, number, timestamp, packet.marker, payload);
    }

    fn foreign(&mut self, hub: &Hub, what: &str) {
        if self.foreign == 0 {
            warn!(source = hub.name, "a packet {what}, and is left out");
        }
        self.foreign += 1;
    }

    fn turn(&mut self, hub: &Hub, now: Instant) {
        while let Some(assembled) = self.assembler.poll(now) {
            match assembled {
                Assembled::Lost { packets } => debug!(source = hub.name, packets, "lost"),
                Assembled::Frame { frame, .. } => {
                    let Ok(bytes) = frame.encoded() else { continue };
                    let unit = match frame.codec {
                        Codec::Opus => Unit::Opus(bytes),
                        codec => Unit::Encoded { codec, bytes },
                    };
                    self.playout.push(now, frame.media_time, unit);
                }
            }
        }
        while let Some((at, unit)) = self.playout.pop(now) {
            hub.push(unit, at);
        }
        if self
            .last_packet
            .is_some_and(|last| now.saturating_duration_since(last) > SILENT)
        {
            self.last_packet = None;
            let codec = self.stream.codec;
            warn!(source = hub.name, %codec, "no packets come: silence and slate until they do");
            if codec.kind() == Kind::Video {
                hub.absent();
            }
        }
    }
}
