//! The room's own pictures: what is seen while nobody's video is, and what its faults show.

use std::sync::Arc;
use std::time::Duration;

use media::{
    Av1Encoder, Codec, Encoded, Frame, MediaError, Picture, Track, VideoSettings, Vp8Encoder,
};

use super::types::{Admission, MediaFaults};

/// Size and pace of what the faults show.
const SHOWN: VideoSettings = VideoSettings {
    width: 640,
    height: 360,
    frame_rate: 10,
    bit_rate: 300_000,
    key_interval: 10,
};

/// Pictures in a loop: two seconds.
const LOOP: u32 = 20;

/// Limited-range black, BT.601.
const BLACK: [u8; 3] = [16, 128, 128];

/// The room's own pictures, each encoded once for all. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pictures {
    waiting: Arc<Track>,
    empty: Arc<Track>,
    replacement: Option<Arc<Track>>,
    far_end: Option<Arc<Track>>,
}

impl Pictures {
    /// Paints and encodes them.
    ///
    /// # Errors
    ///
    /// Fails if there is no encoder for the codec.
    pub(super) fn new(
        name: &str,
        far_end: Option<&str>,
        codec: Codec,
        faults: MediaFaults,
    ) -> Result<Self, MediaError> {
        let replacement = match faults {
            MediaFaults { black: true, .. } => Some(encode(codec, |_| black())?),
            MediaFaults {
                wrong_clip: true, ..
            } => Some(encode(codec, other)?),
            _ => None,
        };
        Ok(Self {
            waiting: media::slate(codec, &format!("{name}\nWaiting for the host"))?,
            empty: media::slate(codec, &format!("{name}\nNobody is sending video"))?,
            replacement,
            far_end: far_end.map(|text| media::slate(codec, text)).transpose()?,
        })
    }

    /// What is seen while nobody's video is.
    pub(super) fn splash(&self, admission: Admission) -> Arc<Track> {
        Arc::clone(match admission {
            Admission::Waiting => &self.waiting,
            Admission::InConference => &self.empty,
        })
    }

    /// What is seen of a far end that has answered, if it has a picture.
    pub(super) fn far_end(&self) -> Option<Arc<Track>> {
        self.far_end.clone()
    }

    /// What is seen in place of anybody's video, if the room has that fault.
    pub(super) fn replacement(&self) -> Option<Arc<Track>> {
        self.replacement.clone()
    }
}

fn black() -> Picture {
    Picture::filled(SHOWN.width, SHOWN.height, BLACK)
}

/// Columns of many shades with a bar that moves across them: like nothing that anybody sends.
fn other(n: u32) -> Picture {
    let mut picture = black();
    let column = SHOWN.width / 16;
    for i in 0..16 {
        let shade = (i * 53 % 200 + 30) as u8;
        picture.fill(
            i * column,
            0,
            column,
            SHOWN.height,
            [shade, (i * 16) as u8, 255 - (i * 16) as u8],
        );
    }
    picture.fill(
        0,
        n as usize * SHOWN.height / LOOP as usize,
        SHOWN.width,
        40,
        [235, 128, 128],
    );
    picture
}

fn encode(codec: Codec, paint: impl Fn(u32) -> Picture) -> Result<Arc<Track>, MediaError> {
    let pictures = (0..LOOP).map(|n| (paint(n), SHOWN.frame_duration() * n));
    let encoded: Vec<Encoded> = if codec == Codec::Av1 {
        let mut encoder = Av1Encoder::new(SHOWN)?;
        let mut encoded = Vec::new();
        for (picture, at) in pictures {
            encoded.extend(encoder.encode(&picture, at, at == Duration::ZERO)?);
        }
        encoded.extend(encoder.finish()?);
        encoded
    } else {
        let mut encoder = Vp8Encoder::new(SHOWN)?;
        pictures
            .map(|(picture, at)| encoder.encode(&picture, at, at == Duration::ZERO))
            .collect::<Result<_, _>>()?
    };
    let frames = encoded.into_iter().map(|one| {
        Frame::packetize(
            codec,
            one.bytes,
            one.media_time,
            SHOWN.frame_duration(),
            one.is_key,
        )
    });
    Ok(Arc::new(Track::new(frames.collect::<Result<_, _>>()?)?))
}
