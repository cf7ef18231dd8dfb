//! A microphone, through the system's sound library.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig,
};
use tracing::{debug, info};

use super::devices::{NOT_THERE, is_called, name_of, quiet, refused};
use super::hub::Hub;
use super::retries::Retries;
use super::unit::{Form, Unit};
use crate::opus::SAMPLE_RATE;

/// Between two attempts to open one that is away.
const PAUSE: Duration = Duration::from_secs(2);

/// A microphone that gives nothing for so long is away.
const SILENT: Duration = Duration::from_secs(2);

/// Buffers that wait to be encoded, some second; the newest is dropped when there are more.
const WAITING: usize = 64;

/// What the library's thread tells ours.
enum Heard {
    Samples(Instant, Vec<f32>),
    Failed(String),
}

pub(super) fn run(hub: &Hub, name: Option<&str>) {
    let mut retries = Retries::new(PAUSE);
    while !hub.is_stopped() {
        quiet();
        let began = Instant::now();
        let (reason, held) = match open(name) {
            Ok(microphone) => (microphone.listen(hub), began.elapsed()),
            Err(reason) => (Err(reason), Duration::ZERO),
        };
        hub.absent();
        let Err(reason) = reason else { return };
        if hub.failed(&reason) || !retries.away(hub, &reason, held) {
            return;
        }
    }
}

struct Microphone {
    /// It records as long as this is held.
    _stream: cpal::Stream,
    heard: Receiver<Heard>,
    rate: u32,
    channels: u16,
    name: String,
}

fn open(name: Option<&str>) -> Result<Microphone, String> {
    let device = find(name)?;
    let (config, format) = choose(&device)?;
    let (tell, heard) = sync_channel(WAITING);
    let stream = build(&device, &config, format, &tell)
        .or_else(|error| match error.kind() {
            // What several programs share (ALSA's dsnoop) has buffers of one size and takes no other.
            ErrorKind::UnsupportedConfig => {
                let config = StreamConfig {
                    buffer_size: BufferSize::Default,
                    ..config
                };
                build(&device, &config, format, &tell)
            }
            _ => Err(error),
        })
        .map_err(|error| format!("cannot be opened: {error}"))?;
    stream
        .play()
        .map_err(|error| format!("cannot be started: {error}"))?;
    Ok(Microphone {
        _stream: stream,
        heard,
        rate: config.sample_rate,
        channels: config.channels,
        name: name_of(&device).unwrap_or_else(|| "microphone".to_owned()),
    })
}

fn find(name: Option<&str>) -> Result<Device, String> {
    let host = cpal::default_host();
    let Some(name) = name else {
        return host
            .default_input_device()
            .ok_or_else(|| "is not there: this machine has no microphone".into());
    };
    let mut devices = host
        .input_devices()
        .map_err(|error| format!("cannot be looked for: {error}"))?;
    devices
        .find(|device| is_called(device, name))
        .ok_or_else(|| NOT_THERE.into())
}

/// The rate that needs no conversion, if there is one, and the fewest channels.
fn choose(device: &Device) -> Result<(StreamConfig, SampleFormat), String> {
    let default = device.default_input_config().map_err(refused)?;
    let ranges = device.supported_input_configs().map_err(refused)?;
    let config = ranges
        .filter(|range| range.sample_format() == default.sample_format())
        .filter(|range| (1..=2).contains(&range.channels()))
        .min_by_key(|range| range.channels())
        .and_then(|range| range.try_with_sample_rate(SAMPLE_RATE))
        .unwrap_or(default);
    let format = config.sample_format();
    let mut config = config.config();
    // A packet at a time: what the library would choose may be seconds.
    config.buffer_size = BufferSize::Fixed(config.sample_rate / 50);
    Ok((config, format))
}

fn build(
    device: &Device,
    config: &StreamConfig,
    format: SampleFormat,
    tell: &SyncSender<Heard>,
) -> Result<cpal::Stream, cpal::Error> {
    match format {
        SampleFormat::F32 => stream::<f32>(device, config, tell),
        SampleFormat::F64 => stream::<f64>(device, config, tell),
        SampleFormat::I8 => stream::<i8>(device, config, tell),
        SampleFormat::I16 => stream::<i16>(device, config, tell),
        SampleFormat::I32 => stream::<i32>(device, config, tell),
        SampleFormat::U8 => stream::<u8>(device, config, tell),
        SampleFormat::U16 => stream::<u16>(device, config, tell),
        SampleFormat::U32 => stream::<u32>(device, config, tell),
        _ => Err(ErrorKind::UnsupportedConfig.into()),
    }
}

fn stream<T>(
    device: &Device,
    config: &StreamConfig,
    tell: &SyncSender<Heard>,
) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let (samples, failed) = (tell.clone(), tell.clone());
    let per_second = f64::from(config.sample_rate) * f64::from(config.channels.max(1));
    device.build_input_stream(
        *config,
        move |data: &[T], _: &_| {
            let lasted = Duration::from_secs_f64(data.len() as f64 / per_second);
            let now = Instant::now();
            let begins = now.checked_sub(lasted).unwrap_or(now);
            let interleaved = data
                .iter()
                .map(|sample| f32::from_sample(*sample))
                .collect();
            // Full: late sound is worth nothing.
            let _ = samples.try_send(Heard::Samples(begins, interleaved));
        },
        move |error: cpal::Error| match error.kind() {
            ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {
                debug!(%error, "microphone");
            }
            // Full: there is sound, or silence tells the same.
            _ => drop(failed.try_send(Heard::Failed(error.to_string()))),
        },
        None,
    )
}

impl Microphone {
    /// Listens until the input is to end; fails with the reason why nothing comes any more.
    fn listen(&self, hub: &Hub) -> Result<(), String> {
        let channels = if self.channels == 1 {
            "mono"
        } else {
            "stereo, mixed to mono"
        };
        let mut last = Instant::now();
        let mut is_there = false;
        while !hub.is_stopped() {
            match self.heard.recv_timeout(Duration::from_millis(100)) {
                Ok(Heard::Samples(begins, interleaved)) => {
                    last = Instant::now();
                    // Some are there by name, and give nothing.
                    if !std::mem::replace(&mut is_there, true) {
                        let name = format!("{}, {} Hz, {channels}", self.name, self.rate);
                        info!(source = hub.name, "{name}");
                        hub.found(Form {
                            name,
                            sound: true,
                            picture: None,
                        });
                    }
                    let unit = Unit::Samples {
                        rate: self.rate,
                        channels: self.channels.into(),
                        interleaved,
                    };
                    hub.push(unit, begins);
                }
                Ok(Heard::Failed(error)) => return Err(format!("went away: {error}")),
                Err(RecvTimeoutError::Timeout) if last.elapsed() < SILENT => {}
                Err(_) => return Err("gives nothing".into()),
            }
        }
        Ok(())
    }
}
