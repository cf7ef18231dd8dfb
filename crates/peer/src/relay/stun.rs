//! As much of a STUN message as tells what became of a request (RFC 8489 §5, §14.8).

use std::{
    net::{IpAddr, SocketAddr},
    ops::Range,
};

/// Methods of TURN (RFC 8656 §17).
pub(crate) const BINDING: u16 = 0x001;
pub(crate) const ALLOCATE: u16 = 0x003;
pub(crate) const CREATE_PERMISSION: u16 = 0x008;

pub(super) const HEADER: usize = 20;
pub(super) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const ERROR_CODE: u16 = 0x0009;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;

pub(crate) type TransactionId = [u8; 12];

/// Class of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// The beginning of a STUN message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) class: Class,
    pub(crate) method: u16,
    pub(crate) transaction: TransactionId,
}

/// Reads the beginning of a message; `None` if it is no STUN.
pub(crate) fn head(message: &[u8]) -> Option<Head> {
    let [a @ 0..=63, b, _, _, rest @ ..] = message else {
        return None;
    };
    let (cookie, rest) = rest.split_first_chunk::<4>()?;
    let transaction = rest.first_chunk::<12>()?;
    if *cookie != MAGIC_COOKIE {
        return None;
    }
    // RFC 8489 §5: the two bits of the class stand between those of the method.
    let kind = u16::from_be_bytes([*a, *b]);
    let class = match (kind & 0x0100 != 0, kind & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    };
    Some(Head {
        class,
        method: kind & 0x000f | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2,
        transaction: *transaction,
    })
}

/// Returns code and reason of an error response.
pub(crate) fn error(message: &[u8]) -> Option<(u16, String)> {
    let [_, _, class, number, reason @ ..] = attribute(message, ERROR_CODE)? else {
        return None;
    };
    let code = u16::from(class & 7) * 100 + u16::from(*number);
    // Of the server's making, and bound for a log.
    let reason = String::from_utf8_lossy(reason)
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    Some((code, reason))
}

/// Returns the relayed address that was given (RFC 8656 §18.5).
pub(crate) fn relayed(message: &[u8]) -> Option<SocketAddr> {
    address(message, XOR_RELAYED_ADDRESS)
}

/// Returns the address in an attribute.
pub(super) fn address(message: &[u8], kind: u16) -> Option<SocketAddr> {
    let [_, family, a, b, address @ ..] = attribute(message, kind)? else {
        return None;
    };
    // RFC 8489 §14.2: exclusive-or with the magic cookie, and the transaction id behind it.
    let mask = message.get(4..HEADER)?;
    let port = u16::from_be_bytes([a ^ mask[0], b ^ mask[1]]);
    let address: Vec<u8> = address.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let address: IpAddr = match family {
        1 => <[u8; 4]>::try_from(address).ok()?.into(),
        2 => <[u8; 16]>::try_from(address).ok()?.into(),
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

fn attribute(message: &[u8], kind: u16) -> Option<&[u8]> {
    message.get(range(message, kind)?)
}

/// Where the value of an attribute stands.
pub(super) fn range(message: &[u8], kind: u16) -> Option<Range<usize>> {
    let mut at = HEADER;
    while let [a, b, c, d, ..] = message.get(at..)? {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = at + 4..at + 4 + length;
        if u16::from_be_bytes([*a, *b]) == kind {
            return (value.end <= message.len()).then_some(value);
        }
        at = value.start + length.next_multiple_of(4);
    }
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A message with one attribute at most.
    pub(crate) fn message(kind: u16, transaction: u8, error: Option<(u16, &str)>) -> Vec<u8> {
        let mut message = kind.to_be_bytes().to_vec();
        message.extend([0, 0]);
        message.extend(MAGIC_COOKIE);
        message.extend([transaction; 12]);
        if let Some((code, reason)) = error {
            // SOFTWARE, of an odd length, stands before it.
            message.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
            message.extend(ERROR_CODE.to_be_bytes());
            message.extend((4 + reason.len() as u16).to_be_bytes());
            message.extend([0, 0, (code / 100) as u8, (code % 100) as u8]);
            message.extend(reason.as_bytes());
            message.resize(message.len().next_multiple_of(4), 0);
        }
        let length = (message.len() - HEADER) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    #[test]
    fn class_and_method_are_told_apart() {
        for (kind, class, method) in [
            (0x0003, Class::Request, ALLOCATE),
            (0x0103, Class::Success, ALLOCATE),
            (0x0113, Class::Error, ALLOCATE),
            (0x0001, Class::Request, BINDING),
            (0x0118, Class::Error, CREATE_PERMISSION),
            (0x0017, Class::Indication, 0x007),
            (0x0109, Class::Success, 0x009),
        ] {
            let head = head(&message(kind, 7, None)).expect("STUN");
            assert_eq!((head.class, head.method), (class, method), "{kind:#x}");
            assert_eq!(head.transaction, [7; 12]);
        }
    }

    #[test]
    fn an_error_has_its_code_and_its_reason() {
        let refused = message(0x0113, 1, Some((486, "Quota\nreached")));
        assert_eq!(error(&refused), Some((486, "Quotareached".into())));
        assert_eq!(error(&message(0x0103, 1, None)), None);
    }

    #[test]
    fn a_relayed_address_is_read_in_both_families() {
        // RFC 5769 §2.2 and §2.3: 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677, port 32853.
        let transaction = [
            0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
        ];
        for (value, expected) in [
            (
                &[0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43][..],
                "192.0.2.1:32853",
            ),
            (
                &[
                    0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
                    0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
                ],
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
            ),
        ] {
            let mut given = message(0x0103, 0, None);
            given[8..20].copy_from_slice(&transaction);
            given.extend([0, 0x16, 0, value.len() as u8]);
            given.extend(value);
            assert_eq!(relayed(&given), expected.parse().ok());
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let whole = message(0x0113, 1, Some((401, "Unauthorized")));
        for length in 0..whole.len() {
            let _ = (head(&whole[..length]), error(&whole[..length]));
        }
        for _ in 0..10_000 {
            let mut some = whole.clone();
            for _ in 0..3 {
                let at = fastrand::usize(..some.len());
                some[at] = fastrand::u8(..);
            }
            let _ = (head(&some), error(&some), relayed(&some));
        }
        assert_eq!(head(&[0x40, 0, 0, 0]), None, "ChannelData is no STUN");
    }
}
