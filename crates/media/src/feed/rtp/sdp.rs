//! Which streams of RTP a session description (RFC 8866) names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::RtpStream;
use crate::codec::Codec;

/// Reads a description; returns the first stream of each kind that can be played here.
///
/// # Errors
///
/// Says what it lacks.
pub(super) fn read(text: &str) -> Result<Vec<RtpStream>, String> {
    let mut session_address = None;
    let mut medias: Vec<Media> = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once('=') else {
            continue;
        };
        match (name, medias.last_mut()) {
            ("c", None) => session_address = address(value),
            ("c", Some(media)) => media.address = address(value),
            ("m", _) => medias.push(Media::read(value)?),
            ("a", Some(media)) => media.attribute(value),
            _ => {}
        }
    }
    let mut streams: Vec<RtpStream> = Vec::new();
    for media in &medias {
        let Some((payload_type, codec)) = media.codec else {
            continue;
        };
        if streams
            .iter()
            .all(|known| known.codec.kind() != codec.kind())
        {
            let ip = media.address.or(session_address);
            streams.push(RtpStream {
                address: SocketAddr::new(ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), media.port),
                codec,
                payload_type: Some(payload_type),
            });
        }
    }
    if streams.is_empty() {
        let found: Vec<&str> = medias.iter().map(|media| media.names.as_str()).collect();
        return Err(format!(
            "names no stream in a codec known here, but: {}",
            found.join(" ").trim()
        ));
    }
    Ok(streams)
}

struct Media {
    port: u16,
    payload_types: Vec<u8>,
    address: Option<IpAddr>,
    codec: Option<(u8, Codec)>,
    /// The encodings it has, for people.
    names: String,
}

impl Media {
    /// Reads `video 5004 RTP/AVP 96 97`.
    fn read(value: &str) -> Result<Self, String> {
        let mut words = value.split_whitespace();
        let (_, port, protocol) = (words.next(), words.next(), words.next());
        let port = port
            .and_then(|port| port.split('/').next()?.parse().ok())
            .ok_or_else(|| format!("has a line without a port: `m={value}`"))?;
        if protocol.is_some_and(|protocol| protocol.contains("SAVP")) {
            return Err("names encrypted streams, and SRTP is not read here".into());
        }
        Ok(Self {
            port,
            payload_types: words.filter_map(|word| word.parse().ok()).collect(),
            address: None,
            codec: None,
            names: String::new(),
        })
    }

    /// Reads `rtpmap:96 VP8/90000`.
    fn attribute(&mut self, value: &str) {
        let Some((number, encoding)) = value
            .strip_prefix("rtpmap:")
            .and_then(|map| map.split_once(' '))
        else {
            return;
        };
        let name = encoding.split('/').next().unwrap_or_default().trim();
        self.names = format!("{} {name}", self.names);
        let Ok(number) = number.trim().parse() else {
            return;
        };
        if self.codec.is_none() && self.payload_types.contains(&number) {
            self.codec = Codec::from_name(name).map(|codec| (number, codec));
        }
    }
}

/// Reads `IN IP4 127.0.0.1`, or with a TTL behind it.
fn address(value: &str) -> Option<IpAddr> {
    let last = value.split_whitespace().nth(2)?;
    last.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ffmpeg writes it.
    const FFMPEG: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nt=0 0\r\n\
        m=video 5004 RTP/AVP 96\r\nc=IN IP4 127.0.0.1\r\nb=AS:200\r\na=rtpmap:96 VP8/90000\r\n\
        m=audio 5006 RTP/AVP 97\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:97 opus/48000/2\r\n";

    #[test]
    fn what_ffmpeg_writes_is_understood() {
        let stream = |port, codec, number| RtpStream {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
            codec,
            payload_type: Some(number),
        };
        let expected = [stream(5004, Codec::Vp8, 96), stream(5006, Codec::Opus, 97)];
        assert_eq!(read(FFMPEG).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        let error = read(&FFMPEG.replace("VP8", "H263").replace("opus", "PCMU")).unwrap_err();
        assert!(error.contains("H263") && error.contains("PCMU"), "{error}");
        assert!(
            read(&FFMPEG.replace("RTP/AVP", "RTP/SAVP"))
                .unwrap_err()
                .contains("SRTP")
        );
        assert!(read("m=video x RTP/AVP 96").is_err());
        assert!(read("").is_err());
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..2000 {
            let mut bytes = FFMPEG.as_bytes().to_vec();
            for _ in 0..random.usize(1..30) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            let _ = read(&String::from_utf8_lossy(&bytes));
        }
    }
}
