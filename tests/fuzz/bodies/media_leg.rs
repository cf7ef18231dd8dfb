//! What the far end of a media leg sends, and what a TURN server on the way does.

use std::time::Duration;

use media::OpusParameters;
use peer::fuzzing::{HostileFarEnd, candidate, description, turn as turn_server};

/// Packets of RTP and RTCP: for each a length, milliseconds, and the packet.
pub(crate) fn rtp(bytes: &[u8]) {
    let mut far_end = HostileFarEnd::with_keys();
    let mut rest = bytes;
    let mut sent = 0;
    while let [length, later, after @ ..] = rest {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        sent += 1;
        let received = far_end.send(packet, Duration::from_millis((*later).into()));
        assert!(received <= sent, "{received} of {sent}");
    }
}

/// A description; its lines are taken for candidates and for parameters of Opus, too.
pub(crate) fn sdp(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    description(text);
    for line in text.lines() {
        candidate(line);
        let _ = OpusParameters::read(line);
    }
}

/// Messages of a TURN server, as a datagram and in a stream.
pub(crate) fn turn(bytes: &[u8]) {
    turn_server(bytes);
}
