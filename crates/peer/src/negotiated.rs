//! What offer and answer agreed on.

use media::Codec;

use crate::Direction;

/// What offer and answer agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Negotiated {
    /// Audio; `None` when its m-line is missing or rejected.
    pub audio: Option<NegotiatedCodec>,
    /// Main video; `None` as for audio.
    pub video: Option<NegotiatedCodec>,
}

/// One m-line's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegotiatedCodec {
    /// The codec that is sent.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// Payload type of retransmissions (RFC 4588), where agreed.
    pub rtx_payload_type: Option<u8>,
    /// Direction seen from this peer.
    pub direction: Direction,
    /// Media identification tag (RFC 5888).
    pub mid: String,
    /// Parameters that the far end states for the codec (`a=fmtp`), as written.
    pub format_parameters: Option<String>,
    /// Bit rate the far end allows for this m-line (`b=TIAS`, RFC 3890, or `b=AS`), in bit/s.
    pub max_bitrate: Option<u32>,
}
