//! What a picture costs its sender: sent as it is, or encoded as it goes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use driver::Material;
use media::{Clip, Codec, Live, Origin, Picture, Track, VideoDecoder, VideoEncoder, VideoSettings};

use crate::{
    engine::{Call, Crowd, Part, PracticeNode},
    measure::{Outcome, Watch},
    run::Failure,
};

/// 720p, as it is measured.
const HD: VideoSettings = VideoSettings {
    width: 1280,
    height: 720,
    frame_rate: 25,
    bit_rate: 1_500_000,
    key_interval: 50,
};

/// What is done with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// 720p of VP8, encoded ahead, is sent by a caller.
    Passed,
    /// 720p is drawn, encoded as VP8 and sent by a caller.
    Encoded,
    /// 720p of VP8 is decoded and encoded again; sending comes on top.
    Transcoded,
    /// 360p is drawn, encoded as AV1 and sent by a caller.
    Av1,
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [Self::Passed, Self::Encoded, Self::Transcoded, Self::Av1];

    /// Its word on a command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Encoded => "encoded",
            Self::Transcoded => "transcoded",
            Self::Av1 => "av1",
        }
    }

    /// What it is, in a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Passed => "720p VP8 sent as it is",
            Self::Encoded => "720p VP8 drawn, encoded and sent",
            Self::Transcoded => "720p VP8 decoded and encoded again",
            Self::Av1 => "360p AV1 drawn, encoded and sent",
        }
    }
}

/// Does it for `time`, after a second in which it gets going.
pub(crate) fn run(work: Work, time: Duration) -> Result<Outcome, Failure> {
    let bars = |width, height| {
        let bars = media::SourceSpec::from(Origin::Bars { width, height });
        Material::open(None, Some(&bars)).map(Arc::new)
    };
    match work {
        Work::Passed => {
            let clip = Clip::new("film", None, Some(Arc::new(film()?)));
            sent(Arc::new(Material::from_clip(clip)), Codec::Vp8, time)
        }
        Work::Encoded => sent(bars(HD.width, HD.height)?, Codec::Vp8, time),
        Work::Av1 => sent(bars(640, 360)?, Codec::Av1, time),
        Work::Transcoded => transcoded(&film()?, time),
    }
}

/// Two seconds of a moving picture with some noise, of which no encoder can make nothing.
fn film() -> Result<Track, Failure> {
    let mut encoder = VideoEncoder::new(Codec::Vp8, HD)?;
    let mut random = fastrand::Rng::with_seed(1);
    let mut frames = Vec::new();
    for n in 0..2 * HD.frame_rate {
        let mut picture = Picture::filled(HD.width, HD.height, [60, 110, 150]);
        for _ in 0..60 {
            let (x, y) = (random.usize(..HD.width), random.usize(..HD.height));
            picture.fill(x, y, 40, 30, [random.u8(30..220), 128, 128]);
        }
        picture.fill(n as usize * 20, 200, 200, 300, [200, 90, 140]);
        for encoded in encoder.encode(&picture, HD.frame_duration() * n, false)? {
            frames.push(encoded.packetize(Codec::Vp8, HD.frame_duration())?);
        }
    }
    Ok(Track::new(frames)?)
}

/// One caller that sends the material's picture to the practice node.
fn sent(material: Arc<Material>, codec: Codec, time: Duration) -> Result<Outcome, Failure> {
    let node = PracticeNode::start()?;
    let mut crowd = Crowd::new()?;
    let part = Part {
        conference: 0,
        call: Call::Video,
        material: Some(material),
        video_codec: codec,
        figures: None,
    };
    crowd.add(&node, &part, false)?;
    let (joined, failures) = crowd.join();
    std::thread::sleep(Duration::from_secs(1));
    let watch = Watch::begin()?;
    std::thread::sleep(time);
    let mut outcome = Outcome::default();
    watch.end(1, 0.0, &mut outcome)?;
    outcome.set("failures", failures as f64);
    crowd.leave(joined);
    Ok(outcome)
}

/// A film that is decoded picture by picture, each of which is encoded when it is due.
fn transcoded(film: &Track, time: Duration) -> Result<Outcome, Failure> {
    let mut decoder = VideoDecoder::new(film.codec)?;
    let frames: Vec<_> = film.frames.iter().map(|frame| frame.encoded()).collect();
    let frames: Vec<_> = frames.into_iter().collect::<Result<_, _>>()?;
    let mut next = frames.into_iter().cycle();
    let live = Live::start(Codec::Vp8, HD, move |_, _, _| {
        let decoded = next
            .next()
            .and_then(|frame| decoder.decode(&frame).ok().flatten());
        // It is our own film; were it broken, its picture would be black.
        decoded.unwrap_or_else(|| Picture::filled(HD.width, HD.height, [16, 128, 128]))
    })?;
    let mut made = live.subscribe();
    let mut frames = 0;
    let mut drain = |until: Instant| {
        while Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
            while made.try_recv().is_ok() {
                frames += 1;
            }
        }
    };
    drain(Instant::now() + Duration::from_secs(1));
    let watch = Watch::begin()?;
    drain(Instant::now() + time);
    let mut outcome = Outcome::default();
    watch.end(1, 0.0, &mut outcome)?;
    outcome.set("failures", f64::from(u8::from(frames == 0)));
    Ok(outcome)
}
