//! Decodes what comes in to measure it: how loud it is, whether somebody speaks, which pictures are
//! there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use media::{Codec, Frame, Heard, Kind, SoundMeter, VideoDecoder};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;

use crate::ReceivedMedia;
use crate::recording::{Recordable, RecordingQueue};
use crate::sinks::sound;

/// What was received so far, in the words and units of W3C webrtc-stats; times are seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InboundStats {
    /// Sound.
    pub audio: AudioStats,
    /// Picture.
    pub video: VideoStats,
}

/// What was received as sound.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AudioStats {
    /// Packets that came, repeated ones not counted.
    pub packets_received: u64,
    /// Bytes of payload in them.
    pub bytes_received: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Interarrival jitter.
    pub jitter: f64,
    /// The level since the statistics before, from 0 to 1: the root of the mean square.
    pub audio_level: f64,
    /// The square of the level times seconds, from the beginning.
    pub total_audio_energy: f64,
    /// Sound played, silence included.
    pub total_samples_duration: f64,
    /// Samples that were made up for want of any that came; what FEC has recovered is not among them.
    pub concealed_samples: u64,
    /// Whether somebody has spoken since the statistics before.
    pub speech: bool,
    /// Sound with speech in it.
    pub total_speech_duration: f64,
}

/// What was received as pictures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VideoStats {
    /// Packets that came, repeated ones not counted.
    pub packets_received: u64,
    /// Bytes of payload in them.
    pub bytes_received: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Interarrival jitter.
    pub jitter: f64,
    /// Requests for a key frame.
    pub pli_count: u64,
    /// Frames whose last packet came.
    pub frames_received: u64,
    /// Frames that were decoded; absent where the codec is not decoded here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_decoded: Option<u64>,
    /// Key frames among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_frames_decoded: Option<u64>,
    /// Frames received a second, since the statistics before.
    pub frames_per_second: f64,
    /// Width of the pictures, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_width: Option<u32>,
    /// Height of the pictures, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_height: Option<u32>,
    /// Pauses longer than three times the average, and than the average and 150 ms.
    pub freeze_count: u32,
    /// How long they took together.
    pub total_freezes_duration: f64,
    /// Whether the picture stands still in such a pause.
    pub frozen: bool,
}

/// What decoding has found.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    heard: Heard,
    concealed_samples: u64,
    /// Pictures decoded, and key frames among them.
    pictures: Option<(u64, u64)>,
}

/// Decodes what comes in over one call.
#[derive(Debug)]
pub(crate) struct Listening {
    queue: RecordingQueue,
    found: Arc<Mutex<Found>>,
}

/// What the statistics before were made of.
#[derive(Debug)]
pub(crate) struct Before {
    at: Instant,
    heard: Heard,
    frames: u64,
}

impl Before {
    pub(crate) fn new(at: Instant) -> Self {
        Self {
            at,
            heard: Heard::default(),
            frames: 0,
        }
    }
}

impl Listening {
    /// Begins to decode; ends with the last of its queues.
    pub(crate) fn begin(runtime: &Handle) -> Self {
        let (queue, taken) = RecordingQueue::playing("decoding is too slow for what comes in");
        let found = Arc::new(Mutex::new(Found::default()));
        let told = Arc::clone(&found);
        runtime.spawn_blocking(move || decode(taken, &told));
        Self { queue, found }
    }

    /// Returns where to put what is to be decoded.
    pub(crate) fn queue(&self) -> RecordingQueue {
        self.queue.clone()
    }

    /// Returns the statistics of now.
    pub(crate) fn stats(
        &self,
        now: Instant,
        before: &mut Before,
        received: &ReceivedMedia,
        size: Option<(u32, u32)>,
        frozen: bool,
    ) -> InboundStats {
        let found = *lock(&self.found);
        let (audio, video) = (&received.audio, &received.video);
        let seconds = now.saturating_duration_since(before.at).as_secs_f64();
        let frames = video.frames.received.saturating_sub(before.frames);
        let stats = InboundStats {
            audio: AudioStats {
                packets_received: audio.packets,
                bytes_received: audio.bytes,
                packets_lost: audio.lost,
                jitter: audio.jitter,
                audio_level: found.heard.level_since(&before.heard),
                total_audio_energy: found.heard.energy,
                total_samples_duration: found.heard.seconds,
                concealed_samples: found.concealed_samples,
                speech: found.heard.speech > before.heard.speech,
                total_speech_duration: found.heard.speech,
            },
            video: VideoStats {
                packets_received: video.packets,
                bytes_received: video.bytes,
                packets_lost: video.lost,
                jitter: video.jitter,
                pli_count: video.key_frames_asked,
                frames_received: video.frames.received,
                frames_decoded: found.pictures.map(|(all, _)| all),
                key_frames_decoded: found.pictures.map(|(_, keys)| keys),
                frames_per_second: if seconds > 0.0 {
                    frames as f64 / seconds
                } else {
                    0.0
                },
                frame_width: size.map(|(width, _)| width),
                frame_height: size.map(|(_, height)| height),
                freeze_count: video.frames.freezes,
                total_freezes_duration: video.frames.frozen,
                frozen,
            },
        };
        *before = Before {
            at: now,
            heard: found.heard,
            frames: video.frames.received,
        };
        stats
    }
}

fn lock(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    // Figures stay figures whatever happened to whoever wrote them last.
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

fn decode(mut taken: Receiver<Recordable>, found: &Mutex<Found>) {
    let mut meter = SoundMeter::default();
    let mut pictures = Pictures::default();
    sound::play(
        &mut taken,
        |frame| {
            if pictures.decode(&frame) {
                lock(found).pictures = Some((pictures.all, pictures.keys));
            }
        },
        |sound, counts| {
            meter.push(sound);
            let mut found = lock(found);
            found.heard = meter.heard();
            found.concealed_samples = counts.concealed_samples;
            Ok(())
        },
    );
}

/// Pictures that were decoded.
#[derive(Default)]
struct Pictures {
    decoder: Option<(Codec, VideoDecoder)>,
    all: u64,
    keys: u64,
}

impl Pictures {
    /// Decodes one; says whether there is a picture.
    fn decode(&mut self, frame: &Frame) -> bool {
        if frame.codec.kind() != Kind::Video {
            return false;
        }
        if self.decoder.as_ref().map(|(codec, _)| *codec) != Some(frame.codec) {
            let decoder = VideoDecoder::new(frame.codec).ok();
            self.decoder = decoder.map(|decoder| (frame.codec, decoder));
        }
        let (Some((_, decoder)), Ok(encoded)) = (&mut self.decoder, frame.encoded()) else {
            return false;
        };
        let is_there = matches!(decoder.decode(&encoded), Ok(Some(_)));
        self.all += u64::from(is_there);
        self.keys += u64::from(is_there && frame.is_key);
        is_there
    }
}
