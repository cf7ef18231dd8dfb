//! Doors for `tests/fuzz`: what a stranger's bytes reach, without the connection that comes before.

use bytes::BytesMut;
use media::{Codec, Kind};

pub use crate::path::HostileFarEnd;
use crate::{
    Direction,
    relay::{framing, inside, stun},
    sdp,
};

/// Takes a description for an offer and for an answer, and writes what follows from it.
pub fn description(text: &str) {
    let offered = [Kind::Audio, Kind::Video].map(|kind| (kind, Direction::SendRecv));
    let _ = sdp::present_offer(text, &offered);
    let Ok(description) = sdp::Description::parse(&sdp::expand_wildcard_feedback(text)) else {
        return;
    };
    let again = sdp::Description::parse(&description.to_string());
    assert!(again.is_ok(), "what was written cannot be read: {again:?}");
    let both = Some(Direction::SendRecv);
    let chosen = sdp::choose(&description, both, both, &Codec::VIDEO);
    if let Ok(text) = sdp::toward_webrtc(&description, &chosen, &[]) {
        let local = sdp::Description::parse(&text);
        assert!(local.is_ok(), "webrtc is given what cannot be read: {text}");
        let identity = sdp::Identity {
            session_id: 1,
            cname: "cname".into(),
            stream: "stream".into(),
            audio: (1, 2),
            video: (3, 4),
            slides: (5, 6),
            max_video_bitrate: 1,
        };
        // It has what webrtc's own would have: credentials, a fingerprint and candidates.
        let _ = sdp::node_form(&description, &chosen, &description, &identity, 1);
    }
    if let Ok(chosen) = sdp::choose_in_answer(&description, &offered, &Codec::VIDEO) {
        let _ = sdp::toward_webrtc(&description, &chosen, &[(1, Kind::Video)]);
    }
}

/// Reads the line of a candidate.
pub fn candidate(line: &str) {
    let _ = sdp::read_candidate(line);
}

/// Takes bytes for what a TURN server says, as a datagram and in a stream.
pub fn turn(bytes: &[u8]) {
    let read = |message: &mut [u8]| {
        let _ = (stun::head(message), stun::error(message));
        let _ = (stun::relayed(message), inside(message).is_some());
    };
    read(&mut bytes.to_vec());
    let mut stream = BytesMut::from(bytes);
    while let Ok(Some(mut message)) = framing::next(&mut stream) {
        read(&mut message);
        let mut again = Vec::new();
        assert!(framing::append(&mut again, &message));
    }
}
