//! The room's own pictures: what is seen while nobody's video is, and what its faults show.

use std::sync::{Arc, OnceLock};

use media::{Codec, MediaError, Picture, Track, VideoEncoder, VideoSettings};

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

/// The room's own pictures, each painted and encoded once for all in each codec that is used.
/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Pictures(Arc<Painter>);

struct Painter {
    name: String,
    far_end: Option<String>,
    faults: MediaFaults,
    /// The codecs of the room, each with its pictures once somebody has needed them.
    painted: Vec<(Codec, OnceLock<Painted>)>,
}

/// The pictures in one codec.
pub(super) struct Painted {
    waiting: Arc<Track>,
    empty: Arc<Track>,
    replacement: Option<Arc<Track>>,
    far_end: Option<Arc<Track>>,
}

impl Pictures {
    /// Paints and encodes them in the first of `codecs`, of which there is one at least.
    ///
    /// # Errors
    ///
    /// Fails if there is no codec, or no encoder for the first one.
    pub(super) fn new(
        name: &str,
        far_end: Option<&str>,
        codecs: &[Codec],
        faults: MediaFaults,
    ) -> Result<Self, MediaError> {
        let painted = codecs.iter().map(|codec| (*codec, OnceLock::new()));
        let pictures = Self(Arc::new(Painter {
            name: name.to_owned(),
            far_end: far_end.map(str::to_owned),
            faults,
            painted: painted.collect(),
        }));
        pictures.of(pictures.codec())?;
        Ok(pictures)
    }

    /// Returns the codec of what is seen of far ends, before it is encoded anew: the first one.
    pub(super) fn codec(&self) -> Codec {
        self.0
            .painted
            .first()
            .map_or(Codec::Vp8, |(codec, _)| *codec)
    }

    /// Says whether they are there already in this codec.
    pub(super) fn are_painted(&self, codec: Codec) -> bool {
        let mut of = self.0.painted.iter();
        of.any(|(one, painted)| *one == codec && painted.get().is_some())
    }

    /// Returns them in this codec; paints and encodes them first where they are not there, which
    /// takes some ten to some hundred milliseconds.
    ///
    /// # Errors
    ///
    /// Fails if the codec is none of the room's, or its encoder fails.
    pub(super) fn of(&self, codec: Codec) -> Result<&Painted, MediaError> {
        let missing = || MediaError::Coder {
            codec,
            reason: "the conference has no pictures in it".into(),
        };
        let mut of = self.0.painted.iter();
        let (_, place) = of.find(|(one, _)| *one == codec).ok_or_else(missing)?;
        if let Some(painted) = place.get() {
            return Ok(painted);
        }
        let painted = self.0.paint(codec)?;
        Ok(place.get_or_init(|| painted))
    }

    /// Returns what is seen of a far end that has answered, if it has a picture.
    pub(super) fn far_end(&self) -> Option<Arc<Track>> {
        self.of(self.codec()).ok()?.far_end.clone()
    }
}

impl Painter {
    fn paint(&self, codec: Codec) -> Result<Painted, MediaError> {
        let replacement = match self.faults {
            MediaFaults { black: true, .. } => Some(encode(codec, |_| black())?),
            MediaFaults {
                wrong_clip: true, ..
            } => Some(encode(codec, other)?),
            _ => None,
        };
        let slate = |text: &str| media::slate(codec, text);
        Ok(Painted {
            waiting: slate(&format!("{}\nWaiting for the host", self.name))?,
            empty: slate(&format!("{}\nNobody is sending video", self.name))?,
            replacement,
            far_end: self.far_end.as_deref().map(slate).transpose()?,
        })
    }
}

impl Painted {
    /// What is seen while nobody's video is.
    pub(super) fn splash(&self, admission: Admission) -> Arc<Track> {
        Arc::clone(match admission {
            Admission::Waiting => &self.waiting,
            Admission::InConference => &self.empty,
        })
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
    let mut encoder = VideoEncoder::new(codec, SHOWN)?;
    let mut encoded = Vec::new();
    for n in 0..LOOP {
        encoded.extend(encoder.encode(&paint(n), SHOWN.frame_duration() * n, n == 0)?);
    }
    encoded.extend(encoder.finish()?);
    let frames = encoded
        .into_iter()
        .map(|one| one.packetize(codec, SHOWN.frame_duration()))
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(Track::new(frames)?))
}
