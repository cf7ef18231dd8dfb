//! Sound in any container and codec that symphonia reads: Opus is taken as it is, the others (MP3, AAC,
//! ALAC, FLAC, Vorbis, and what rare WAV, AIFF and CAF files hold) are mixed down and encoded as Opus.

use std::io::{self, Cursor};
use std::time::Duration;

use bytes::Bytes;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{TimeBase, Timestamp};

use super::encoding::Encoding;
use super::{File, mp4, opus_packets};
use crate::codec::Kind;
use crate::error::MediaError;
use crate::track::Track;

/// Reads the first sound of the file. Packets that cannot be decoded are replaced by silence, so that
/// what follows stays in its place.
pub(super) fn read(file: &File<'_>) -> Result<Track, MediaError> {
    let bytes = MediaSourceStream::new(
        Box::new(Cursor::new(file.bytes.clone())),
        Default::default(),
    );
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            bytes,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| refused(file, &error))?;
    let (track, parameters) = first_sound(file, format.as_ref())?;
    let (number, time_base) = (track.id, track.time_base);
    if parameters.codec == CODEC_ID_OPUS {
        return as_it_is(file, format.as_mut(), number, time_base);
    }
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| refused(file, &error))?;

    let placement = mp4::placement(&file.bytes, number);
    let mut start = Start::new(time_base);
    let mut sound = Sound::new(file, placement.left_out);
    while let Some(packet) = next(file, format.as_mut())? {
        if packet.track_id != number {
            start.of_another(format.as_ref(), &packet);
            continue;
        }
        start.of_ours(packet.pts);
        if packet.trim_start > symphonia::core::units::Duration::ZERO {
            sound.left_out = Duration::ZERO;
        }
        match decoder.decode(&packet) {
            Ok(decoded) => {
                let spec = decoded.spec();
                let format = (spec.rate(), spec.channels().count());
                sound.interleaved.clear();
                decoded.copy_to_vec_interleaved(&mut sound.interleaved);
                sound.push(format)?;
            }
            Err(Error::DecodeError(_)) => sound.missing(time_base, &packet)?,
            Err(error) => return Err(refused(file, &error)),
        }
    }
    sound.finish(start.delay().max(placement.begins))
}

fn first_sound<'a>(
    file: &File<'_>,
    format: &'a dyn FormatReader,
) -> Result<
    (
        &'a symphonia::core::formats::Track,
        &'a AudioCodecParameters,
    ),
    MediaError,
> {
    let Some(track) = format.default_track(TrackType::Audio) else {
        return Err(file.no_track(Kind::Audio, "name another file, or none"));
    };
    match track.codec_params.as_ref().and_then(|all| all.audio()) {
        Some(parameters) => Ok((track, parameters)),
        None => Err(file.unsupported("holds sound of an unknown kind", Some(Kind::Audio))),
    }
}

/// Takes the packets of an Opus track.
fn as_it_is(
    file: &File<'_>,
    format: &mut dyn FormatReader,
    number: u32,
    base: Option<TimeBase>,
) -> Result<Track, MediaError> {
    let mut start = Start::new(base);
    let mut packets = Vec::new();
    let mut delay = Duration::ZERO;
    while let Some(packet) = next(file, format)? {
        if packet.track_id != number {
            start.of_another(format, &packet);
            continue;
        }
        start.of_ours(packet.pts);
        delay += lasting(base, packet.trim_start);
        let since_ours = time(base, packet.pts).unwrap_or_default();
        let since_ours = since_ours.saturating_sub(start.ours.unwrap_or_default());
        packets.push((since_ours, Bytes::from(packet.data.into_vec())));
    }
    let later = start
        .delay()
        .max(mp4::placement(&file.bytes, number).begins);
    for (time, _) in &mut packets {
        *time += later;
    }
    opus_packets::track(file, packets, delay)
}

fn next(file: &File<'_>, format: &mut dyn FormatReader) -> Result<Option<Packet>, MediaError> {
    match format.next_packet() {
        Ok(packet) => Ok(packet),
        Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(file.broken(file.bytes.len() as u64, "the file ends within its sound"))
        }
        Err(error) => Err(refused(file, &error)),
    }
}

fn refused(file: &File<'_>, error: &Error) -> MediaError {
    match error {
        Error::Unsupported(what) => file.unsupported(
            &format!("cannot be decoded here ({what})"),
            Some(Kind::Audio),
        ),
        Error::ResetRequired => file.unsupported(
            "changes the kind of its sound on the way",
            Some(Kind::Audio),
        ),
        Error::LimitError(what) => file.broken(0, format!("it asks for too much ({what})")),
        Error::IoError(_) => file.broken(file.bytes.len() as u64, "the file ends too early"),
        other => file.broken(0, other.to_string()),
    }
}

/// When the sound begins, compared with the first thing of any kind in its file: sound and pictures
/// of one file keep their places to each other.
struct Start {
    time_base: Option<TimeBase>,
    ours: Option<Duration>,
    others: Option<Duration>,
}

impl Start {
    fn new(time_base: Option<TimeBase>) -> Self {
        Self {
            time_base,
            ours: None,
            others: None,
        }
    }

    fn of_ours(&mut self, at: Timestamp) {
        if self.ours.is_none() {
            self.ours = time(self.time_base, at);
        }
    }

    fn of_another(&mut self, format: &dyn FormatReader, packet: &Packet) {
        if self.others.is_none() {
            let track = format
                .tracks()
                .iter()
                .find(|track| track.id == packet.track_id);
            self.others = track.and_then(|track| time(track.time_base, packet.pts));
        }
    }

    fn delay(&self) -> Duration {
        match (self.ours, self.others) {
            (Some(ours), Some(others)) => ours.saturating_sub(others),
            _ => Duration::ZERO,
        }
    }
}

fn time(base: Option<TimeBase>, at: Timestamp) -> Option<Duration> {
    let time = base?.calc_time(at)?;
    Duration::try_from_secs_f64(time.as_secs_f64()).ok()
}

fn lasting(base: Option<TimeBase>, ticks: symphonia::core::units::Duration) -> Duration {
    base.and_then(|base| base.calc_duration(ticks))
        .and_then(|lasts| Duration::try_from_secs_f64(lasts.as_secs_f64()).ok())
        .unwrap_or_default()
}

/// Decoded sound on its way.
struct Sound<'a> {
    file: &'a File<'a>,
    /// Samples a second and channels, as soon as they are known.
    format: Option<(u32, usize)>,
    encoding: Option<Encoding<'a>>,
    /// What of the beginning is still to be left out.
    left_out: Duration,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
}

impl<'a> Sound<'a> {
    fn new(file: &'a File<'_>, left_out: Duration) -> Self {
        Self {
            file,
            left_out,
            format: None,
            encoding: None,
            interleaved: Vec::new(),
            mono: Vec::new(),
        }
    }

    /// Takes what was decoded, in `format`.
    fn push(&mut self, format: (u32, usize)) -> Result<(), MediaError> {
        let (rate, channels) = format;
        if *self.format.get_or_insert(format) != format {
            return Err(refused(self.file, &Error::ResetRequired));
        }
        let encoding = match &mut self.encoding {
            Some(encoding) => encoding,
            none => none.insert(Encoding::new(self.file, rate, channels)?),
        };
        let left_out = self.left_out.as_secs_f64() * f64::from(rate);
        let frames = self.interleaved.chunks_exact(channels);
        let skipped = (left_out.round() as usize).min(frames.len());
        self.left_out = self
            .left_out
            .saturating_sub(Duration::from_secs_f64(skipped as f64 / f64::from(rate)));
        let frames = frames.skip(skipped);
        self.mono.clear();
        self.mono.extend(frames.map(|frame| {
            let mean = frame.iter().sum::<f32>() / channels as f32;
            if mean.is_finite() {
                mean.clamp(-1.0, 1.0)
            } else {
                0.0
            }
        }));
        encoding.push(&self.mono)
    }

    /// Silence instead of a packet that cannot be decoded.
    fn missing(&mut self, base: Option<TimeBase>, packet: &Packet) -> Result<(), MediaError> {
        let (Some((rate, _)), Some(encoding)) = (self.format, &mut self.encoding) else {
            return Ok(());
        };
        let lasts = lasting(base, packet.dur).min(Duration::from_secs(1));
        self.mono.clear();
        let samples = lasts.as_secs_f64() * f64::from(rate);
        self.mono.resize(samples.round() as usize, 0.0);
        encoding.push(&self.mono)
    }

    fn finish(self, start: Duration) -> Result<Track, MediaError> {
        match self.encoding {
            Some(encoding) => encoding.finish(start),
            None => {
                let end = self.file.bytes.len() as u64;
                Err(self.file.broken(end, "there is no sound in it"))
            }
        }
    }
}
