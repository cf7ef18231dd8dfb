//! Media through a TURN server: what is sent as indications, and what comes in either form.
//!
//! Indications need no more than the permission that webrtc keeps for its checks (RFC 8656 §11);
//! channels are its own.

use std::net::{IpAddr, SocketAddr};

use super::stun::{self, Class, MAGIC_COOKIE};

/// RFC 8656 §17, §18.
const SEND_INDICATION: u16 = 0x0016;
const DATA: u16 = 0x007;
const XOR_PEER_ADDRESS: u16 = 0x0012;
pub(super) const DATA_ATTRIBUTE: u16 = 0x0013;

/// A Send indication that is being written: the datagram stands between beginning and end.
pub(crate) struct Indication {
    inside: usize,
}

impl Indication {
    /// Appends all that comes before the datagram.
    pub(crate) fn begin(peer: SocketAddr, bytes: &mut Vec<u8>) -> Self {
        let start = bytes.len();
        bytes.extend(SEND_INDICATION.to_be_bytes());
        bytes.extend([0; 2]);
        bytes.extend(MAGIC_COOKIE);
        // Nobody answers an indication.
        bytes.extend(fastrand::u64(..).to_be_bytes());
        bytes.extend(fastrand::u32(..).to_be_bytes());
        let (family, address) = match peer.ip() {
            IpAddr::V4(address) => (1, &address.octets()[..]),
            IpAddr::V6(address) => (2, &address.octets()[..]),
        };
        bytes.extend(XOR_PEER_ADDRESS.to_be_bytes());
        bytes.extend((4 + address.len() as u16).to_be_bytes());
        let [high, low] = peer.port().to_be_bytes();
        bytes.extend([0, family, high ^ MAGIC_COOKIE[0], low ^ MAGIC_COOKIE[1]]);
        // RFC 8489 §14.2: exclusive-or with the magic cookie, and the transaction id behind it.
        for (at, byte) in address.iter().enumerate() {
            bytes.push(byte ^ bytes[start + 4 + at]);
        }
        bytes.extend(DATA_ATTRIBUTE.to_be_bytes());
        bytes.extend([0; 2]);
        Self {
            inside: bytes.len(),
        }
    }

    /// Ends the message that began at `start`.
    pub(crate) fn end(self, bytes: &mut Vec<u8>, start: usize) {
        let data = (bytes.len() - self.inside) as u16;
        bytes[self.inside - 2..self.inside].copy_from_slice(&data.to_be_bytes());
        let length = bytes.len() - start;
        bytes.resize(start + length.next_multiple_of(4), 0);
        let length = (bytes.len() - start - stun::HEADER) as u16;
        bytes[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

/// The datagram in a message that a server hands on, as ChannelData or as a Data indication.
pub(crate) fn inside(message: &mut [u8]) -> Option<&mut [u8]> {
    let range = match *message {
        // RFC 8656 §12.4.
        [64..=79, _, high, low, ..] => 4..4 + usize::from(u16::from_be_bytes([high, low])),
        _ => {
            let head = stun::head(message)?;
            if (head.class, head.method) != (Class::Indication, DATA) {
                return None;
            }
            stun::range(message, DATA_ATTRIBUTE)?
        }
    };
    message.get_mut(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_says_to_whom_and_what() {
        for peer in ["192.0.2.1:32853", "[2001:db8::7]:5000"] {
            let peer: SocketAddr = peer.parse().expect("an address");
            for datagram in [&b"\x80abc"[..], b"\x80", b"\x80abcdef"] {
                let mut bytes = b"before".to_vec();
                let start = bytes.len();
                let indication = Indication::begin(peer, &mut bytes);
                bytes.extend_from_slice(datagram);
                indication.end(&mut bytes, start);
                let mut message = bytes.split_off(start);
                assert_eq!(message.len() % 4, 0);
                let head = stun::head(&message).expect("STUN");
                assert_eq!((head.class, head.method), (Class::Indication, 0x006));
                assert_eq!(stun::address(&message, XOR_PEER_ADDRESS), Some(peer));
                let range = stun::range(&message, DATA_ATTRIBUTE).expect("data");
                assert_eq!(&message[range], datagram);
                assert_eq!(inside(&mut message), None, "it goes, and does not come");
                message[1] = 0x17;
                assert_eq!(inside(&mut message).as_deref(), Some(datagram));
            }
        }
    }

    #[test]
    fn channel_data_is_as_long_as_it_says() {
        let mut message = [0x40, 0, 0, 3, 1, 2, 3, 0];
        assert_eq!(inside(&mut message).as_deref(), Some(&[1, 2, 3][..]));
        message[3] = 5;
        assert_eq!(inside(&mut message), None);
        assert_eq!(inside(&mut [0x40, 0]), None);
    }
}
