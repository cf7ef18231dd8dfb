//! Sound in any container and codec that symphonia reads: Opus is taken as it is, the others (MP3, AAC,
//! ALAC, FLAC, Vorbis, and what rare WAV, AIFF and CAF files hold) are decoded.

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

use super::{File, LONGEST, encoded, mp4, opus_packets};
use crate::codec::Kind;
use crate::error::MediaError;
use crate::opus::OpusSettings;
use crate::sound::{CHANNELS, Flow, Resample, Sink, samples, two_of};
use crate::track::Track;

/// Reads the first sound of the file: Opus as it is, anything else encoded as Opus.
pub(super) fn read(file: &File<'_>) -> Result<Track, MediaError> {
    let mut format = open(file)?;
    let (track, parameters) = first_sound(file, format.as_ref())?;
    let (number, time_base) = (track.id, track.time_base);
    if parameters.codec == CODEC_ID_OPUS {
        return as_it_is(file, format.as_mut(), number, time_base);
    }
    encoded(file, OpusSettings::default())
}

/// Tells whether its first sound is Opus.
pub(super) fn is_opus(file: &File<'_>) -> Result<bool, MediaError> {
    let format = open(file)?;
    Ok(first_sound(file, format.as_ref())?.1.codec == CODEC_ID_OPUS)
}

/// Returns when its first sound begins, compared with the first thing of any kind in the file.
pub(super) fn begins(file: &File<'_>) -> Result<Duration, MediaError> {
    let mut format = open(file)?;
    let (number, time_base) = {
        let (track, _) = first_sound(file, format.as_ref())?;
        (track.id, track.time_base)
    };
    let placement = mp4::placement(&file.bytes, number);
    let mut start = Start::new(time_base);
    if format.tracks().len() > 1 {
        while let Some(packet) = next(file, format.as_mut())? {
            if packet.track_id == number {
                start.of_ours(packet.pts);
            } else {
                start.of_another(format.as_ref(), &packet);
            }
            if start.ours.is_some() && start.others.is_some() {
                break;
            }
        }
    }
    Ok(start.delay().max(placement.begins))
}

/// Pours its first sound into `to`. Packets that cannot be decoded are replaced by silence, so that what
/// follows stays in its place.
pub(super) fn pour(file: &File<'_>, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    let mut format = open(file)?;
    let (track, parameters) = first_sound(file, format.as_ref())?;
    let (number, time_base) = (track.id, track.time_base);
    if parameters.codec == CODEC_ID_OPUS {
        return pour_opus(file, format.as_mut(), number, time_base, to);
    }
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| refused(file, &error))?;

    let placement = mp4::placement(&file.bytes, number);
    let mut sound = Sound::new(file, placement.left_out, to);
    while let Some(packet) = next(file, format.as_mut())? {
        if packet.track_id != number {
            continue;
        }
        if packet.trim_start > symphonia::core::units::Duration::ZERO {
            sound.left_out = Duration::ZERO;
        }
        let flow = match decoder.decode(&packet) {
            Ok(decoded) => {
                let spec = decoded.spec();
                let format = (spec.rate(), spec.channels().count());
                sound.interleaved.clear();
                decoded.copy_to_vec_interleaved(&mut sound.interleaved);
                sound.push(format)?
            }
            Err(Error::DecodeError(_)) => sound.missing(time_base, &packet)?,
            Err(error) => return Err(refused(file, &error)),
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    sound.finish()
}

pub(super) fn open(file: &File<'_>) -> Result<Box<dyn FormatReader>, MediaError> {
    let bytes = MediaSourceStream::new(
        Box::new(Cursor::new(file.bytes.clone())),
        Default::default(),
    );
    symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            bytes,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| refused(file, &error))
}

pub(super) fn first_sound<'a>(
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
        delay = delay.saturating_add(lasting(base, packet.trim_start));
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

/// Decodes the packets of an Opus track.
fn pour_opus(
    file: &File<'_>,
    format: &mut dyn FormatReader,
    number: u32,
    base: Option<TimeBase>,
    to: &mut dyn Sink,
) -> Result<Flow, MediaError> {
    let mut decoding = opus_packets::Decoding::new(None)?;
    let mut first = None;
    while let Some(packet) = next(file, format)? {
        if packet.track_id != number {
            continue;
        }
        decoding.leave_out(samples(lasting(base, packet.trim_start)));
        let at = time(base, packet.pts).unwrap_or_default();
        let since = at.saturating_sub(*first.get_or_insert(at));
        if decoding.packet(Some(since), &packet.data, to)?.is_break() {
            return Ok(Flow::Break(()));
        }
    }
    Ok(Flow::Continue(()))
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
    believed(time.as_secs_f64())
}

fn lasting(base: Option<TimeBase>, ticks: symphonia::core::units::Duration) -> Duration {
    base.and_then(|base| base.calc_duration(ticks))
        .and_then(|lasts| believed(lasts.as_secs_f64()))
        .unwrap_or_default()
}

/// What is far beyond a day is wrong however far it is, and is refused where it matters; here it is
/// kept from being more than can be added up.
fn believed(seconds: f64) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(seconds).ok()?;
    Some(time.min(2 * LONGEST))
}

/// Decoded sound on its way.
struct Sound<'a> {
    file: &'a File<'a>,
    to: &'a mut dyn Sink,
    /// Samples a second and channels, as soon as they are known.
    format: Option<(u32, usize)>,
    resample: Option<Resample>,
    /// What of the beginning is still to be left out.
    left_out: Duration,
    interleaved: Vec<f32>,
    stereo: Vec<f32>,
}

impl<'a> Sound<'a> {
    fn new(file: &'a File<'_>, left_out: Duration, to: &'a mut dyn Sink) -> Self {
        Self {
            file,
            to,
            left_out,
            format: None,
            resample: None,
            interleaved: Vec::new(),
            stereo: Vec::new(),
        }
    }

    /// Takes what was decoded, in `format`.
    fn push(&mut self, format: (u32, usize)) -> Result<Flow, MediaError> {
        let (rate, channels) = format;
        if *self.format.get_or_insert(format) != format {
            return Err(refused(self.file, &Error::ResetRequired));
        }
        let resample = match &mut self.resample {
            Some(resample) => resample,
            none => none.insert(resample_of(self.file, rate, channels)?),
        };
        let left_out = self.left_out.as_secs_f64() * f64::from(rate);
        let frames = self.interleaved.chunks_exact(channels);
        let skipped = (left_out.round() as usize).min(frames.len());
        self.left_out = self
            .left_out
            .saturating_sub(Duration::from_secs_f64(skipped as f64 / f64::from(rate)));
        self.stereo.clear();
        for frame in frames.skip(skipped) {
            self.stereo.extend(two_of(frame));
        }
        resample.take(&self.stereo, self.to)
    }

    /// Silence instead of a packet that cannot be decoded.
    fn missing(&mut self, base: Option<TimeBase>, packet: &Packet) -> Result<Flow, MediaError> {
        let (Some((rate, _)), Some(resample)) = (self.format, &mut self.resample) else {
            return Ok(Flow::Continue(()));
        };
        let lasts = lasting(base, packet.dur).min(Duration::from_secs(1));
        self.stereo.clear();
        let samples = (lasts.as_secs_f64() * f64::from(rate)).round() as usize;
        self.stereo.resize(samples * CHANNELS, 0.0);
        resample.take(&self.stereo, self.to)
    }

    fn finish(self) -> Result<Flow, MediaError> {
        match self.resample {
            Some(resample) => resample.finish(self.to),
            None => Ok(Flow::Continue(())),
        }
    }
}

/// Begins to resample sound of `rate` samples a second on each of `channels`.
pub(super) fn resample_of(
    file: &File<'_>,
    rate: u32,
    channels: usize,
) -> Result<Resample, MediaError> {
    if !(4_000..=384_000).contains(&rate) || channels == 0 {
        let found = format!("has {channels} channels of {rate} samples a second");
        return Err(file.unsupported(&found, Some(Kind::Audio)));
    }
    Resample::new(rate)
}
