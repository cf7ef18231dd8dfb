//! A loudspeaker, through the system's sound library.
//!
//! Sound comes by one clock and is played by another, that of the device. Neither waits for the other: what lies
//! between them is a [`Cushion`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize,
};
use tracing::debug;

use crate::feed::{NOT_THERE, is_called, name_of, quiet, refused};
use crate::opus::SAMPLE_RATE;
use cushion::Cushion;
use rate::ToRate;

mod cushion;
mod rate;

/// A loudspeaker that takes nothing for so long is away.
const IDLE: Duration = Duration::from_secs(2);

/// What a device is to take at a time, in milliseconds. It holds two of these: for so long the library's thread may
/// be kept waiting on a busy machine before there is a gap.
const TAKEN_MS: u32 = 30;

/// A loudspeaker that plays; it is silent when it is given nothing, and ends when it is dropped.
pub struct Speaker {
    /// It plays as long as this is held.
    _stream: cpal::Stream,
    shared: Arc<Mutex<Shared>>,
    to_rate: ToRate,
    opened: Instant,
    name: String,
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Speaker({})", self.name)
    }
}

/// What the library's thread and ours have in common. Each holds it while a packet is copied, no longer.
struct Shared {
    cushion: Cushion,
    /// When the device took something last.
    taken: Option<Instant>,
    failed: Option<String>,
}

impl Speaker {
    /// Opens a loudspeaker by its id or name, or the system's choice.
    ///
    /// # Errors
    ///
    /// Fails if it is not there or cannot be used; says why, as what follows on its name.
    pub fn open(name: Option<&str>) -> Result<Self, String> {
        quiet();
        let device = find(name)?;
        let (config, format) = choose(&device)?;
        let shared = Arc::new(Mutex::new(Shared {
            cushion: Cushion::new(config.sample_rate),
            taken: None,
            failed: None,
        }));
        let to_rate = ToRate::new(config.sample_rate)?;
        let stream = build(&device, &config, format, &shared)
            .map_err(|error| format!("cannot be opened: {error}"))?;
        stream
            .play()
            .map_err(|error| format!("cannot be started: {error}"))?;
        let name = name_of(&device).unwrap_or_else(|| "loudspeaker".to_owned());
        let channels = match config.channels {
            1 => "mono".to_owned(),
            2 => "stereo".to_owned(),
            more => format!("{more} channels"),
        };
        Ok(Self {
            _stream: stream,
            shared,
            to_rate,
            opened: Instant::now(),
            name: format!("{name}, {} Hz, {channels}", config.sample_rate),
        })
    }

    /// Looks whether a loudspeaker could be opened, and plays nothing.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::open`] does.
    pub fn look(name: Option<&str>) -> Result<(), String> {
        quiet();
        choose(&find(name)?).map(drop)
    }

    /// Returns what its maker calls it, and how it plays.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether the device has taken anything: some are there by name, and never do.
    pub fn has_begun(&self) -> bool {
        lock(&self.shared).taken.is_some()
    }

    /// Has sound played, at 48 kHz on one channel, as soon as what came before it is; never waits.
    ///
    /// # Errors
    ///
    /// Fails if the device plays no more; says why, as what follows on its name.
    pub fn play(&mut self, sound: &[i16]) -> Result<(), String> {
        let samples = self.to_rate.take(sound)?;
        let mut shared = lock(&self.shared);
        if let Some(reason) = shared.failed.take() {
            return Err(format!("went away: {reason}"));
        }
        if shared.taken.unwrap_or(self.opened).elapsed() > IDLE {
            return Err("takes nothing".to_owned());
        }
        shared.cushion.push(samples);
        Ok(())
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Samples stay samples whatever happened to whoever put them there.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find(name: Option<&str>) -> Result<Device, String> {
    let host = cpal::default_host();
    let Some(name) = name else {
        return host
            .default_output_device()
            .ok_or_else(|| "is not there: this machine has no loudspeaker".into());
    };
    let mut devices = host
        .output_devices()
        .map_err(|error| format!("cannot be looked for: {error}"))?;
    devices
        .find(|device| is_called(device, name))
        .ok_or_else(|| NOT_THERE.into())
}

/// The rate that needs no conversion, if there is one, and the left and the right of a pair.
fn choose(device: &Device) -> Result<(StreamConfig, SampleFormat), String> {
    let default = device.default_output_config().map_err(refused)?;
    let ranges = device.supported_output_configs().map_err(refused)?;
    let config = ranges
        .filter(|range| range.sample_format() == default.sample_format())
        .filter(|range| (1..=2).contains(&range.channels()))
        .filter_map(|range| range.try_with_sample_rate(SAMPLE_RATE))
        .max_by_key(|config| config.channels())
        .unwrap_or(default);
    let format = config.sample_format();
    // As far as the device can: what the library would choose may be seconds.
    let wanted = config.sample_rate() * TAKEN_MS / 1_000;
    let taken = match *config.buffer_size() {
        SupportedBufferSize::Range { min, max } => wanted.min(max).max(min),
        SupportedBufferSize::Unknown => wanted,
    };
    let mut config = config.config();
    config.buffer_size = BufferSize::Fixed(taken);
    Ok((config, format))
}

fn build(
    device: &Device,
    config: &StreamConfig,
    format: SampleFormat,
    shared: &Arc<Mutex<Shared>>,
) -> Result<cpal::Stream, cpal::Error> {
    match format {
        SampleFormat::F32 => stream::<f32>(device, config, shared),
        SampleFormat::F64 => stream::<f64>(device, config, shared),
        SampleFormat::I8 => stream::<i8>(device, config, shared),
        SampleFormat::I16 => stream::<i16>(device, config, shared),
        SampleFormat::I32 => stream::<i32>(device, config, shared),
        SampleFormat::U8 => stream::<u8>(device, config, shared),
        SampleFormat::U16 => stream::<u16>(device, config, shared),
        SampleFormat::U32 => stream::<u32>(device, config, shared),
        _ => Err(ErrorKind::UnsupportedConfig.into()),
    }
}

fn stream<T>(
    device: &Device,
    config: &StreamConfig,
    shared: &Arc<Mutex<Shared>>,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(config.channels.max(1));
    let (taking, failing) = (Arc::clone(shared), Arc::clone(shared));
    // As long as the device takes at a time, from the first time on.
    let mut mono = Vec::new();
    device.build_output_stream(
        *config,
        move |data: &mut [T], _: &_| {
            mono.resize(data.len() / channels, 0.0);
            {
                let mut shared = lock(&taking);
                shared.taken = Some(Instant::now());
                shared.cushion.take(&mut mono);
            }
            // All channels of the device have what is heard.
            for (moment, sample) in data.chunks_exact_mut(channels).zip(&mono) {
                moment.fill(T::from_sample(*sample));
            }
        },
        move |error: cpal::Error| match error.kind() {
            ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {
                debug!(%error, "loudspeaker");
            }
            _ => lock(&failing).failed = Some(error.to_string()),
        },
        None,
    )
}
