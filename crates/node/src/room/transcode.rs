//! A participant's picture in the codecs of those who see it and have another one.
//!
//! Whoever has the source's codec gets its frames unchanged. For each other codec that somebody
//! needs, the source is decoded and encoded once, in a thread of its own, which ends when nobody
//! has needed it for a while. Queues: a frame that finds its thread's queue full is dropped, and the
//! picture goes on at the source's next key frame; a picture made that finds no place is dropped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use media::{Codec, Frame, MediaError, Picture, VideoDecoder, VideoEncoder, VideoSettings};

use super::call::CallKey;

/// Frames that wait for their thread, and pictures made that wait for the room's next tick.
const QUEUE: usize = 32;

/// With more frames than this waiting, a picture is decoded and not encoded.
const BEHIND: usize = 3;

/// Nobody has needed it for so long: it ends.
const IDLE: Duration = Duration::from_secs(3);

/// The least time between two key frames that are asked for.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(500);

/// The most pixels of a picture in a codec: AV1 is encoded in real time up to 640 × 360, the others
/// on one core up to Full HD.
fn most_pixels(codec: Codec) -> usize {
    match codec {
        Codec::Av1 => 640 * 360,
        _ => 1920 * 1080,
    }
}

/// One frame with its RTP timestamp.
type Stamped = (Arc<Frame>, u32);

/// All of a room's transcoders, by source and the codec they make.
#[derive(Default)]
pub(super) struct Transcoders {
    running: BTreeMap<(CallKey, Codec), Transcoder>,
}

struct Transcoder {
    shared: Arc<Shared>,
    input: SyncSender<Stamped>,
    output: Receiver<Stamped>,
    needed: Instant,
}

/// What the room and a thread tell each other besides frames.
#[derive(Default)]
struct Shared {
    waiting: AtomicUsize,
    /// Somebody needs a key frame of what is made.
    wants_key: AtomicBool,
    /// A frame was dropped on its way to the thread.
    missed: AtomicBool,
    /// The thread needs a key frame of the source.
    awaits_key: AtomicBool,
}

impl Transcoders {
    /// Keeps a source coming in codec `to`, with a key frame soon if `key`. Returns whether the
    /// source has to give a key frame for it.
    pub(super) fn need(
        &mut self,
        now: Instant,
        source: CallKey,
        (from, to): (Codec, Codec),
        key: bool,
    ) -> bool {
        let transcoder = self
            .running
            .entry((source, to))
            .or_insert_with(|| Transcoder::start(now, from, to));
        transcoder.needed = now;
        if key {
            transcoder.shared.wants_key.store(true, Ordering::Relaxed);
        }
        transcoder.shared.awaits_key.load(Ordering::Relaxed)
    }

    /// Hands a source's frame to those that need it.
    pub(super) fn take(&mut self, source: CallKey, frame: &Arc<Frame>, rtp_timestamp: u32) {
        let of_source = (source, Codec::Opus)..;
        for ((of, _), transcoder) in self.running.range_mut(of_source) {
            if *of != source {
                return;
            }
            transcoder.take(frame, rtp_timestamp);
        }
    }

    /// Returns what has been made since the last time, each with its source; ends what nobody needs.
    pub(super) fn made(&mut self, now: Instant) -> Vec<(CallKey, Stamped)> {
        let mut made = Vec::new();
        self.running.retain(|(source, _), transcoder| {
            // Where it could not go on, it has said why, and would not a second time either.
            while let Ok(stamped) = transcoder.output.try_recv() {
                made.push((*source, stamped));
            }
            now.saturating_duration_since(transcoder.needed) < IDLE
        });
        made
    }

    /// Ends what is made of a source that is gone.
    pub(super) fn forget(&mut self, source: CallKey) {
        self.running.retain(|(of, _), _| *of != source);
    }
}

impl Transcoder {
    fn start(now: Instant, from: Codec, to: Codec) -> Self {
        let (input, frames) = sync_channel(QUEUE);
        let (made, output) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        shared.awaits_key.store(true, Ordering::Relaxed);
        shared.wants_key.store(true, Ordering::Relaxed);
        let worker = Worker {
            shared: Arc::clone(&shared),
            from,
            to,
            last_key: None,
        };
        tracing::info!(%from, %to, "a picture is encoded anew for who has another codec");
        let spawned = thread::Builder::new()
            .name("transcode".into())
            .spawn(move || {
                if let Err(error) = worker.run(&frames, &made) {
                    tracing::warn!(%error, %from, %to, "a picture cannot be encoded anew");
                }
            });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread to encode a picture in");
        }
        Self {
            shared,
            input,
            output,
            needed: now,
        }
    }

    fn take(&self, frame: &Arc<Frame>, rtp_timestamp: u32) {
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        if self
            .input
            .try_send((Arc::clone(frame), rtp_timestamp))
            .is_err()
        {
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            self.shared.missed.store(true, Ordering::Relaxed);
        }
    }
}

/// What a thread holds.
struct Worker {
    shared: Arc<Shared>,
    from: Codec,
    to: Codec,
    last_key: Option<Duration>,
}

impl Worker {
    /// Decodes and encodes until the room is no longer there to send or to take.
    fn run(
        mut self,
        frames: &Receiver<Stamped>,
        made: &SyncSender<Stamped>,
    ) -> Result<(), MediaError> {
        let mut decoder = VideoDecoder::new(self.from)?;
        let mut encoder: Option<VideoEncoder> = None;
        // The timestamps of pictures inside the encoder.
        let mut stamps: BTreeMap<Duration, u32> = BTreeMap::new();
        while let Ok((frame, rtp_timestamp)) = frames.recv() {
            let waiting = self.shared.waiting.fetch_sub(1, Ordering::Relaxed) - 1;
            if self.shared.missed.swap(false, Ordering::Relaxed) {
                self.shared.awaits_key.store(true, Ordering::Relaxed);
            }
            let Some(picture) = self.decode(&mut decoder, &frame) else {
                continue;
            };
            if waiting > BEHIND {
                continue;
            }
            let picture = fitting(picture, most_pixels(self.to));
            let settings = settings(&picture);
            let encoder = match &mut encoder {
                Some(encoder) => {
                    encoder.reconfigure(settings)?;
                    encoder
                }
                none => none.insert(VideoEncoder::new(self.to, settings)?),
            };
            let at = frame.media_time;
            stamps.insert(at, rtp_timestamp);
            for encoded in encoder.encode(&picture, at, self.is_key_due(at))? {
                let Some(stamp) = stamps.remove(&encoded.media_time) else {
                    continue;
                };
                stamps = stamps.split_off(&encoded.media_time);
                if encoded.is_key {
                    self.last_key = Some(encoded.media_time);
                }
                let frame = encoded.packetize(self.to, settings.frame_duration())?;
                // Full: the room stands still. Gone: the next frame's end tells.
                let _ = made.try_send((Arc::new(frame), stamp));
            }
        }
        Ok(())
    }

    /// Decodes a frame, if it can be; notes when a key frame of the source is needed.
    fn decode(&self, decoder: &mut VideoDecoder, frame: &Frame) -> Option<Picture> {
        if self.shared.awaits_key.load(Ordering::Relaxed) && !frame.is_key {
            return None;
        }
        let decoded = frame
            .encoded()
            .map_err(MediaError::from)
            .and_then(|encoded| decoder.decode(&encoded));
        match decoded {
            Ok(picture) => {
                self.shared.awaits_key.store(false, Ordering::Relaxed);
                picture
            }
            Err(error) => {
                tracing::debug!(%error, "a picture to be encoded anew could not be decoded");
                self.shared.awaits_key.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    fn is_key_due(&self, at: Duration) -> bool {
        self.last_key
            .is_none_or(|last| at >= last + KEY_FRAME_PAUSE)
            && self.shared.wants_key.swap(false, Ordering::Relaxed)
    }
}

/// Returns the picture, made smaller where a codec takes no more than so many pixels; of even size.
fn fitting(picture: Picture, most: usize) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let scale = (most as f64 / (width * height) as f64).sqrt().min(1.0);
    let even = |side: usize| ((side as f64 * scale) as usize / 2 * 2).max(2);
    if (even(width), even(height)) == (width, height) {
        picture
    } else {
        picture.scaled(even(width), even(height))
    }
}

/// A tenth of a bit for each pixel of 25 pictures a second, which reads well.
fn settings(picture: &Picture) -> VideoSettings {
    let (width, height) = (picture.width(), picture.height());
    VideoSettings {
        width,
        height,
        bit_rate: (width * height * 5 / 2).max(100_000) as u32,
        ..VideoSettings::default()
    }
}

#[cfg(test)]
mod tests;
