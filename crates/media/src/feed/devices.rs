//! Which devices there are.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{ErrorKind, SupportedStreamConfigRange};
use linuxvideo::Device;

use super::camera;

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// It records sound.
    Microphone,
    /// It plays sound.
    Speaker,
    /// It records pictures.
    Camera,
}

/// A device that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFound {
    /// What it is for.
    pub kind: DeviceKind,
    /// What stands after `mic:`, `speaker:` or `camera:` to use it.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    /// What it gives or takes; empty where it cannot be opened at the moment.
    pub formats: Vec<String>,
}

/// Looks for all devices of this machine.
pub fn devices() -> Vec<DeviceFound> {
    let mut found = sound_devices();
    found.extend(camera::files().into_iter().filter_map(|path| {
        let device = Device::open(&path).ok().filter(camera::captures)?;
        let name = device.capabilities().ok()?.card().to_owned();
        let formats = camera::layouts(&device)
            .into_iter()
            .map(|(layout, sizes)| {
                let sizes: Vec<String> = sizes.iter().map(|(w, h)| format!("{w}x{h}")).collect();
                format!("{} {}", layout.fourcc().escape_ascii(), sizes.join(" "))
            })
            .collect();
        Some(DeviceFound {
            kind: DeviceKind::Camera,
            id: path.display().to_string(),
            name,
            formats,
        })
    }));
    found
}

/// Keeps what the sound library of this thread writes on standard error in memory, and forgets what it
/// has kept: what is amiss is an error, or a device that is not there.
pub(crate) fn quiet() {
    // If that cannot be, it is seen.
    let _ = alsa::Output::local_error_handler();
}

/// What follows on the name of a device that is not there.
pub(crate) const NOT_THERE: &str = "is not there: `standin media devices` lists those that are";

/// Tells whether this is the device of sound that an operator names: by its id, or as its maker does.
pub(crate) fn is_called(device: &cpal::Device, name: &str) -> bool {
    device.id().is_ok_and(|id| id.id() == name) || name_of(device).as_deref() == Some(name)
}

/// Returns what its maker calls a device of sound.
pub(crate) fn name_of(device: &cpal::Device) -> Option<String> {
    let description = device.description().ok()?;
    Some(description.name().to_owned())
}

/// Returns what follows on the name of a device of sound that does not say how it can be used.
pub(crate) fn refused(error: cpal::Error) -> String {
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => NOT_THERE.to_owned(),
        _ => format!("cannot be opened: {error}"),
    }
}

fn sound_devices() -> Vec<DeviceFound> {
    quiet();
    let host = cpal::default_host();
    let Ok(all) = host.devices() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for device in all {
        let Ok(id) = device.id() else { continue };
        // One takes everything and gives silence; the other complains on our standard error where no JACK
        // runs (`mic:jack` is there all the same).
        if matches!(id.id(), "null" | "jack") {
            continue;
        }
        let name = name_of(&device).unwrap_or_else(|| id.id().to_owned());
        let mut add = |kind, formats: Vec<String>| {
            // Names of plugins that lead nowhere are no devices.
            if !formats.is_empty() {
                found.push(DeviceFound {
                    kind,
                    id: id.id().to_owned(),
                    name: name.clone(),
                    formats,
                });
            }
        };
        if device.supports_input() {
            let formats = device.supported_input_configs().map(described);
            add(DeviceKind::Microphone, formats.unwrap_or_default());
        }
        if device.supports_output() {
            let formats = device.supported_output_configs().map(described);
            add(DeviceKind::Speaker, formats.unwrap_or_default());
        }
    }
    found
}

/// Returns one line for each number of channels and range of rates, with the formats of samples.
fn described(ranges: impl Iterator<Item = SupportedStreamConfigRange>) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for range in ranges.filter(|range| (1..=2).contains(&range.channels())) {
        let (least, most) = (range.min_sample_rate(), range.max_sample_rate());
        let rates = if least == most {
            format!("{least}")
        } else {
            format!("{least}-{most}")
        };
        let channels = match range.channels() {
            1 => "mono",
            _ => "stereo",
        };
        let (line, format) = (
            format!("{channels} {rates} Hz"),
            range.sample_format().to_string(),
        );
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, formats)) => formats.push(format),
            None => lines.push((line, vec![format])),
        }
    }
    lines
        .into_iter()
        .map(|(line, formats)| format!("{line}: {}", formats.join(" ")))
        .collect()
}
