//! One encoded frame, cut into RTP payloads.

use std::time::Duration;

use bytes::Bytes;
use rtc_rtp::codec::{av1::Av1Payloader, vp8::Vp8Payloader};
use rtc_rtp::packetizer::Payloader;

use crate::codec::Codec;
use crate::payload;
use crate::transcode::Promise;

/// The largest RTP payload we make, in bytes: with headers, SRTP and TURN it stays under any path MTU.
pub const MAX_PAYLOAD: usize = 1150;

/// One encoded frame, cut into RTP payloads once and shared by everyone who plays or forwards it.
///
/// VP8 and VP9 payloads carry no picture id: they are sent verbatim to many, and ids would jump
/// where a file loops or the sender changes. RFC 7741 §4.2 and RFC 9628 §4.2 make it optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How it is encoded.
    pub codec: Codec,
    /// RTP payloads, in order; the last one is sent with the marker bit for video.
    pub payloads: Vec<Bytes>,
    /// When it plays, since its track's start.
    pub media_time: Duration,
    /// How long it plays; zero where it is not known, as for video that has just been received.
    pub duration: Duration,
    /// Whether a decoder can start here.
    pub is_key: bool,
    /// Where its payloads come from, if they are not there yet; see [`Frame::made`].
    pub promise: Option<Promise>,
}

impl Frame {
    /// Cuts an encoded frame into payloads.
    ///
    /// # Errors
    ///
    /// Fails if the frame is empty or malformed, or is an Opus packet too large for one payload.
    pub fn packetize(
        codec: Codec,
        encoded: Bytes,
        media_time: Duration,
        duration: Duration,
        is_key: bool,
    ) -> Result<Self, FrameError> {
        let payloads = match codec {
            Codec::Opus => {
                if payload::opus::duration(&encoded).is_none() {
                    return Err(FrameError::Malformed { codec });
                }
                if encoded.len() > MAX_PAYLOAD {
                    return Err(FrameError::TooLarge {
                        bytes: encoded.len(),
                    });
                }
                vec![encoded]
            }
            Codec::Vp8 if encoded.len() < 3 => return Err(FrameError::Malformed { codec }),
            Codec::Vp8 => Vp8Payloader::default()
                .payload(MAX_PAYLOAD, &encoded)
                .map_err(|_| FrameError::Malformed { codec })?,
            Codec::Vp9 => {
                payload::vp9::packetize(&encoded).ok_or(FrameError::Malformed { codec })?
            }
            Codec::H264 => {
                payload::h264::packetize(&encoded).ok_or(FrameError::Malformed { codec })?
            }
            // The payloader slices by the sizes it reads, so they are checked first.
            Codec::Av1 if !payload::av1::is_well_formed(&encoded) => {
                return Err(FrameError::Malformed { codec });
            }
            Codec::Av1 => Av1Payloader {}
                .payload(MAX_PAYLOAD, &encoded)
                .map_err(|_| FrameError::Malformed { codec })?,
        };
        if payloads.is_empty() {
            return Err(FrameError::Malformed { codec });
        }
        Ok(Self {
            codec,
            payloads,
            media_time,
            duration,
            is_key,
            promise: None,
        })
    }

    /// Makes a frame of the payloads that were received for it, and finds out whether it is a key frame.
    ///
    /// # Errors
    ///
    /// Fails if the payloads are not one whole frame.
    pub fn from_payloads(
        codec: Codec,
        mut payloads: Vec<Bytes>,
        media_time: Duration,
    ) -> Result<Self, FrameError> {
        let malformed = FrameError::Malformed { codec };
        let mut duration = Duration::ZERO;
        match codec {
            Codec::Opus => {
                let [packet] = payloads.as_slice() else {
                    return Err(malformed);
                };
                duration = payload::opus::duration(packet).ok_or(malformed)?;
            }
            Codec::Vp8 => {
                for payload in &mut payloads {
                    *payload = payload::vp8::without_ids(payload)
                        .ok_or(FrameError::Malformed { codec })?;
                }
            }
            Codec::Vp9 => {
                for payload in &mut payloads {
                    *payload = payload::vp9::without_ids(payload)
                        .ok_or(FrameError::Malformed { codec })?;
                }
            }
            Codec::H264 | Codec::Av1 => {}
        }
        let mut frame = Self {
            codec,
            payloads,
            media_time,
            duration,
            is_key: codec == Codec::Opus,
            promise: None,
        };
        if codec != Codec::Opus {
            frame.is_key = codec.is_key_frame(&frame.encoded()?);
        }
        Ok(frame)
    }

    /// Returns the encoded frame, put together from its payloads; AV1 comes without temporal
    /// delimiter, H.264 in Annex B form without access unit delimiter.
    ///
    /// # Errors
    ///
    /// Fails if the payloads are not one whole frame, which no frame made by this crate is.
    pub fn encoded(&self) -> Result<Bytes, FrameError> {
        let encoded = match self.codec {
            Codec::Opus => self.payloads.first().cloned(),
            Codec::Vp8 => payload::vp8::depacketize(&self.payloads),
            Codec::Vp9 => payload::vp9::depacketize(&self.payloads),
            Codec::H264 => payload::h264::depacketize(&self.payloads),
            Codec::Av1 => payload::av1::depacketize(&self.payloads),
        };
        encoded.ok_or(FrameError::Malformed { codec: self.codec })
    }

    /// Returns the size of its payloads together, in bytes.
    pub fn payload_bytes(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }
}

/// Why bytes are not a frame that can be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes are not what the codec's specification asks for.
    #[error("not a whole {codec} frame")]
    Malformed {
        /// What it was taken for.
        codec: Codec,
    },
    /// An Opus packet that would need more than one RTP payload.
    #[error("an Opus packet of {bytes} bytes, more than one RTP packet takes ({MAX_PAYLOAD})")]
    TooLarge {
        /// Size of the packet.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vp8(len: usize) -> Bytes {
        let mut bytes = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
        bytes.extend((bytes.len()..len).map(|n| n as u8));
        bytes.into()
    }

    fn cut(codec: Codec, encoded: Bytes) -> Frame {
        let is_key = codec.is_key_frame(&encoded);
        Frame::packetize(codec, encoded, Duration::ZERO, Duration::ZERO, is_key).unwrap()
    }

    #[test]
    fn vp8_of_every_length_survives_the_trip() {
        // Around one and two payloads, where the last one holds one or two bytes.
        for len in (10..30).chain(1145..1155).chain(2294..2305) {
            let frame = cut(Codec::Vp8, vp8(len));
            assert!(frame.payloads.iter().all(|p| p.len() <= MAX_PAYLOAD));
            assert_eq!(frame.encoded().unwrap(), vp8(len), "{len}");
            let received =
                Frame::from_payloads(Codec::Vp8, frame.payloads.clone(), Duration::ZERO).unwrap();
            assert_eq!(received, frame);
            assert!(received.is_key);
        }
    }

    #[test]
    fn vp9_of_every_length_survives_the_trip() {
        for len in (10..30).chain(1135..1155).chain(2285..2305) {
            let encoded = payload::vp9::tests::key(len);
            let frame = cut(Codec::Vp9, encoded.clone());
            assert!(frame.payloads.iter().all(|p| p.len() <= MAX_PAYLOAD));
            assert_eq!(frame.encoded().unwrap(), encoded, "{len}");
            let received =
                Frame::from_payloads(Codec::Vp9, frame.payloads.clone(), Duration::ZERO).unwrap();
            assert_eq!(received, frame);
            assert!(received.is_key);
        }
    }

    #[test]
    fn h264_of_every_length_survives_the_trip() {
        for len in (2..30).chain(1110..1160).chain(2290..2310) {
            let encoded = payload::h264::tests::key(len);
            let frame = cut(Codec::H264, encoded.clone());
            assert!(frame.payloads.iter().all(|p| p.len() <= MAX_PAYLOAD));
            assert_eq!(frame.encoded().unwrap(), encoded, "{len}");
            let received =
                Frame::from_payloads(Codec::H264, frame.payloads.clone(), Duration::ZERO).unwrap();
            assert_eq!(received, frame);
            assert!(received.is_key);
        }
    }

    #[test]
    fn av1_of_every_length_survives_the_trip() {
        for len in (1..20).chain(1140..1155).chain(2290..2305) {
            let mut unit = vec![0x12, 0, 0x32];
            let mut size = len;
            while size >= 0x80 {
                unit.push(size as u8 | 0x80);
                size >>= 7;
            }
            unit.push(size as u8);
            unit.extend((0..len).map(|n| n as u8));
            let frame = cut(Codec::Av1, unit.clone().into());
            assert!(frame.payloads.iter().all(|p| p.len() <= MAX_PAYLOAD));
            assert_eq!(frame.encoded().unwrap()[..], unit[2..], "{len}");
        }
    }

    #[test]
    fn rubbish_is_refused() {
        for codec in [&[Codec::Opus][..], &Codec::VIDEO].concat() {
            let empty = Frame::packetize(codec, Bytes::new(), Duration::ZERO, Duration::ZERO, true);
            assert_eq!(empty, Err(FrameError::Malformed { codec }));
            assert!(Frame::from_payloads(codec, vec![], Duration::ZERO).is_err());
            assert!(Frame::from_payloads(codec, vec![Bytes::new()], Duration::ZERO).is_err());
        }
        let cut_obu = Bytes::from_static(&[0x32, 0xff, 0xff, 0x7f, 1]);
        let cut_obu = Frame::packetize(Codec::Av1, cut_obu, Duration::ZERO, Duration::ZERO, true);
        assert!(cut_obu.is_err());
        let large = Bytes::from(vec![0xf8; MAX_PAYLOAD + 1]);
        let large = Frame::packetize(Codec::Opus, large, Duration::ZERO, Duration::ZERO, true);
        assert_eq!(
            large,
            Err(FrameError::TooLarge {
                bytes: MAX_PAYLOAD + 1
            })
        );
    }

    #[test]
    fn random_payloads_never_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        // First octets by which VP9 and H.264 payloads pass for what they are.
        let likely = [0x0a, 0x8a, 0xfa, 0x65, 0x67, 0x78, 0x7c];
        for _ in 0..50_000 {
            let payloads: Vec<Bytes> = (0..random.usize(1..4))
                .map(|_| {
                    let mut payload: Vec<u8> =
                        (0..random.usize(0..12)).map(|_| random.u8(..)).collect();
                    if let Some(first) = payload.first_mut().filter(|_| random.bool()) {
                        *first = likely[random.usize(..likely.len())];
                    }
                    payload.into()
                })
                .collect();
            for codec in [&[Codec::Opus][..], &Codec::VIDEO].concat() {
                if let Ok(frame) = Frame::from_payloads(codec, payloads.clone(), Duration::ZERO) {
                    let _ = codec.dimensions(&frame.encoded().unwrap());
                }
                let _ = Frame::packetize(
                    codec,
                    payloads[0].clone(),
                    Duration::ZERO,
                    Duration::ZERO,
                    false,
                );
            }
        }
    }
}
