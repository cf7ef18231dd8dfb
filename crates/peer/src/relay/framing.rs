//! STUN messages and ChannelData one after the other in a byte stream (RFC 8656 §12.5).

use bytes::{Buf as _, BytesMut};

/// What comes is no TURN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotTurn;

/// Length of the message that begins here, and of the room it takes in a stream.
fn lengths(beginning: [u8; 4]) -> Result<(usize, usize), NotTurn> {
    let length = usize::from(u16::from_be_bytes([beginning[2], beginning[3]]));
    match beginning[0] {
        // A STUN message: its length leaves the header out, and is a multiple of four.
        0..=63 => Ok((20 + length, 20 + length)),
        // ChannelData: over a stream it is padded to a multiple of four, which its length leaves out.
        64..=127 => Ok((4 + length, (4 + length).next_multiple_of(4))),
        _ => Err(NotTurn),
    }
}

/// Appends a message as it stands in a stream; false for what is none.
pub(crate) fn append(stream: &mut Vec<u8>, message: &[u8]) -> bool {
    let Some(beginning) = message.first_chunk() else {
        return false;
    };
    let Ok((length, room)) = lengths(*beginning) else {
        return false;
    };
    // Over UDP it may be padded too.
    let Some(message) = message.get(..length) else {
        return false;
    };
    let end = stream.len() + room;
    stream.extend_from_slice(message);
    stream.resize(end, 0);
    true
}

/// Takes the next message off the stream, if all of it is there.
pub(crate) fn next(stream: &mut BytesMut) -> Result<Option<BytesMut>, NotTurn> {
    let Some(beginning) = stream.first_chunk() else {
        return Ok(None);
    };
    let (length, room) = lengths(*beginning)?;
    if stream.len() < room {
        return Ok(None);
    }
    let message = stream.split_to(length);
    stream.advance(room - length);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel_data(length: usize) -> Vec<u8> {
        let mut message = vec![0x40, 0x01];
        message.extend((length as u16).to_be_bytes());
        message.extend((0..length).map(|n| n as u8));
        message
    }

    fn stun(length: usize) -> Vec<u8> {
        let mut message = vec![0; 20 + length];
        message[3] = length as u8;
        message
    }

    #[test]
    fn messages_come_out_of_a_stream_as_they_went_in_however_it_is_cut() {
        let messages: Vec<_> = [1, 2, 3, 4, 5, 1200]
            .map(channel_data)
            .into_iter()
            .chain([stun(0), stun(8)])
            .collect();
        let mut stream = Vec::new();
        for message in &messages {
            assert!(append(&mut stream, message));
            assert_eq!(stream.len() % 4, 0, "RFC 8656 §12.5");
        }
        for piece in [1, 3, 7, stream.len()] {
            let mut input = BytesMut::new();
            let mut out = Vec::new();
            for piece in stream.chunks(piece) {
                input.extend_from_slice(piece);
                while let Some(message) = next(&mut input).expect("TURN") {
                    out.push(message.to_vec());
                }
            }
            assert_eq!(out, messages, "in pieces of {piece}");
            assert!(input.is_empty());
        }
    }

    #[test]
    fn padding_of_udp_is_not_sent_twice() {
        let mut padded = channel_data(5);
        padded.extend([0; 3]);
        let mut stream = Vec::new();
        assert!(append(&mut stream, &padded));
        assert_eq!(stream.len(), 12);
    }

    #[test]
    fn what_is_no_turn_is_found_out() {
        assert_eq!(next(&mut BytesMut::from(&b"HTTP/1.1 400"[..])), Ok(None));
        assert_eq!(
            next(&mut BytesMut::from(&[0x80, 0, 0, 0][..])),
            Err(NotTurn)
        );
        assert!(!append(&mut Vec::new(), &[0x80; 100]), "RTP");
        assert!(!append(&mut Vec::new(), &channel_data(9)[..8]), "cut off");
        assert!(!append(&mut Vec::new(), &[0]), "a single byte");
    }
}
