//! ZeroMQ's wire protocol, as far as a client needs it that talks to one ROUTER: ZMTP 3.0
//! (rfc.zeromq.org/spec/23) without security (NULL), as a DEALER with an identity.
//!
//! ```text
//! greeting  FF 00×8 7F | 03 00 | "NULL" 00×16 | 00 | 00×31
//! frame     flags (1 more · 2 long · 4 command) | size, 1 byte or 8 | body
//! READY     "\x05READY" then properties: length, name, length (4 bytes), value
//! ```

use std::mem;

/// A greeting's length.
pub(super) const GREETING: usize = 64;

/// The longest frame that is read: what a master has to say to a worker is far shorter.
const LONGEST: usize = 1 << 20;

/// The most frames that one message may have.
const MOST_FRAMES: usize = 16;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// Why the other end is not one to talk to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    /// It speaks another protocol.
    #[error(
        "it does not speak ZeroMQ's protocol: is that the port of a Locust master (--master-bind-port)?"
    )]
    NoZeroMq,
    /// It wants a client to prove who it is.
    #[error("it wants ZeroMQ security ({0}), which Locust masters do not")]
    Secured(String),
    /// It is a socket of another kind.
    #[error("it is a ZeroMQ socket of type {0}, and a Locust master is a ROUTER")]
    NoRouter(String),
    /// It closed with a reason.
    #[error("it refused the connection: {0}")]
    Refused(String),
    /// A frame is longer than any message of a master.
    #[error("it sent a frame of {0} bytes, longer than anything a Locust master says")]
    TooLong(u64),
    /// A frame does not have the form of one.
    #[error("it sent a malformed frame")]
    Malformed,
}

/// Our greeting.
pub(super) fn greeting() -> [u8; GREETING] {
    let mut greeting = [0; GREETING];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

/// Checks the greeting of the other end.
pub(super) fn check_greeting(greeting: &[u8; GREETING]) -> Result<(), WireError> {
    if greeting[0] != 0xff || greeting[9] != 0x7f || greeting[10] < 3 {
        return Err(WireError::NoZeroMq);
    }
    let mechanism = &greeting[12..32];
    let mechanism = mechanism
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    match mechanism {
        b"NULL" => Ok(()),
        other => Err(WireError::Secured(text(other))),
    }
}

/// The command that ends our handshake.
pub(super) fn ready(identity: &str) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in [("Socket-Type", "DEALER"), ("Identity", identity)] {
        body.push(name.len() as u8);
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(value.as_bytes());
    }
    frame(COMMAND, &body)
}

/// A message of one frame.
pub(super) fn message(body: &[u8]) -> Vec<u8> {
    frame(0, body)
}

fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(body.len() + 9);
    match u8::try_from(body.len()) {
        Ok(size) => frame.extend_from_slice(&[flags, size]),
        Err(_) => {
            frame.push(flags | LONG);
            frame.extend_from_slice(&(body.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(body);
    frame
}

/// What comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The other end is a ROUTER and has finished the handshake.
    Ready,
    /// The last frame of a message; a master's has only one.
    Message(Vec<u8>),
}

/// Cuts what comes in into messages.
#[derive(Debug, Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
    /// Frames of the present message that were passed over.
    frames: usize,
}

impl Reader {
    /// Takes what came in.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns what has come in whole; ask again until there is nothing.
    ///
    /// # Errors
    /// When the other end does not keep to the protocol; the connection is of no use then.
    pub(super) fn next(&mut self) -> Result<Option<Incoming>, WireError> {
        while let Some((flags, body)) = self.frame()? {
            if flags & COMMAND != 0 {
                if let Some(incoming) = command(&body)? {
                    return Ok(Some(incoming));
                }
            } else if flags & MORE != 0 {
                self.frames += 1;
                if self.frames >= MOST_FRAMES {
                    return Err(WireError::Malformed);
                }
            } else {
                self.frames = 0;
                return Ok(Some(Incoming::Message(body)));
            }
        }
        Ok(None)
    }

    /// Takes a whole frame out.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, WireError> {
        let Some((&flags, rest)) = self.bytes.split_first() else {
            return Ok(None);
        };
        if flags & !(MORE | LONG | COMMAND) != 0 {
            return Err(WireError::Malformed);
        }
        let (size, header) = if flags & LONG == 0 {
            match rest.first() {
                Some(size) => (u64::from(*size), 2),
                None => return Ok(None),
            }
        } else {
            match rest.first_chunk::<8>() {
                Some(size) => (u64::from_be_bytes(*size), 9),
                None => return Ok(None),
            }
        };
        let length = match usize::try_from(size) {
            Ok(length) if length <= LONGEST => length,
            _ => return Err(WireError::TooLong(size)),
        };
        if self.bytes.len() < header + length {
            return Ok(None);
        }
        let after = self.bytes.split_off(header + length);
        let mut frame = mem::replace(&mut self.bytes, after);
        frame.drain(..header);
        Ok(Some((flags, frame)))
    }
}

/// Reads a command; one that is no concern of a client is nothing.
fn command(body: &[u8]) -> Result<Option<Incoming>, WireError> {
    let (name, rest) = short(body).ok_or(WireError::Malformed)?;
    match name {
        b"READY" => {
            let kind = socket_type(rest).ok_or(WireError::Malformed)?;
            match kind {
                b"ROUTER" => Ok(Some(Incoming::Ready)),
                other => Err(WireError::NoRouter(text(other))),
            }
        }
        b"ERROR" => {
            let (why, _) = short(rest).ok_or(WireError::Malformed)?;
            Err(WireError::Refused(text(why)))
        }
        _ => Ok(None),
    }
}

/// Finds the type of the other end's socket among its properties, whose names know no case.
fn socket_type(mut properties: &[u8]) -> Option<&[u8]> {
    loop {
        let (name, rest) = short(properties)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            return Some(value);
        }
        properties = rest;
    }
}

/// Takes off a string with its length before it in one byte.
fn short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// What the other end called something, fit to be shown.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Incoming>, WireError> {
        let mut reader = Reader::default();
        let mut all = Vec::new();
        // One by one: whatever the network makes of it.
        for byte in bytes {
            reader.feed(&[*byte]);
            while let Some(incoming) = reader.next()? {
                all.push(incoming);
            }
        }
        Ok(all)
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        for length in [0, 1, 255, 256, 70_000] {
            let body = vec![7; length];
            assert_eq!(read(&message(&body)), Ok(vec![Incoming::Message(body)]));
        }
        let mut two = frame(MORE, b"envelope");
        two.extend(message(b"body"));
        assert_eq!(read(&two), Ok(vec![Incoming::Message(b"body".to_vec())]));
    }

    #[test]
    fn a_router_is_recognised_and_others_are_named() {
        let ready = |kind: &str| {
            let mut body = b"\x05READY\x08Identity\0\0\0\0\x0bsocket-type".to_vec();
            body.extend_from_slice(&(kind.len() as u32).to_be_bytes());
            body.extend_from_slice(kind.as_bytes());
            frame(COMMAND, &body)
        };
        assert_eq!(read(&ready("ROUTER")), Ok(vec![Incoming::Ready]));
        assert_eq!(read(&ready("PUB")), Err(WireError::NoRouter("PUB".into())));
        let refused = frame(COMMAND, b"\x05ERROR\x07go away");
        assert_eq!(read(&refused), Err(WireError::Refused("go away".into())));
        assert_eq!(read(&frame(COMMAND, b"\x04PING\0\x0aabc")), Ok(vec![]));
    }

    #[test]
    fn greetings_are_told_from_other_protocols() {
        assert_eq!(check_greeting(&greeting()), Ok(()));
        let mut curve = greeting();
        curve[12..17].copy_from_slice(b"CURVE");
        let secured = WireError::Secured("CURVE".into());
        assert_eq!(check_greeting(&curve), Err(secured));
        let mut http = [b' '; GREETING];
        http[..9].copy_from_slice(b"HTTP/1.1 ");
        assert_eq!(check_greeting(&http), Err(WireError::NoZeroMq));
    }

    #[test]
    fn frames_that_would_fill_the_memory_are_refused_at_their_head() {
        let mut huge = vec![LONG];
        huge.extend_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(read(&huge), Err(WireError::TooLong(u64::MAX)));
        let endless: Vec<u8> = (0..20).flat_map(|_| frame(MORE, b"x")).collect();
        assert_eq!(read(&endless), Err(WireError::Malformed));
    }

    #[test]
    fn whatever_comes_nothing_panics() {
        let mut random = fastrand::Rng::with_seed(1);
        let sound = [ready("worker_1"), message(b"body"), frame(MORE, b"x")].concat();
        for _ in 0..20_000 {
            let mut bytes = sound.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(..=bytes.len()));
            let _ = read(&bytes);
            let noise: Vec<u8> = (0..random.usize(..80)).map(|_| random.u8(..)).collect();
            let _ = read(&noise);
        }
    }
}
