//! `standin media devices`: which microphones, speakers and cameras there are.

use clap::Args;
use media::{DeviceFound, DeviceKind};
use serde::Serialize;

use crate::exit::Exit;
use crate::print;

/// List microphones, speakers and cameras with what they give or take.
#[derive(Args, Debug)]
pub(super) struct DevicesArgs {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Each kind and its heading.
const KINDS: [(DeviceKind, &str); 3] = [
    (DeviceKind::Microphone, "Microphones"),
    (DeviceKind::Speaker, "Speakers"),
    (DeviceKind::Camera, "Cameras"),
];

/// Runs the command.
pub(super) fn devices(args: &DevicesArgs) -> Exit {
    let found = media::devices();
    if args.json {
        for device in &found {
            print::json(&Line::new(device));
        }
    } else {
        for line in told(&found) {
            print::line(line);
        }
    }
    Exit::Done
}

/// A device as a program reads it.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    /// What stands after `--audio` or `--video` to use it.
    source: Option<String>,
    /// What stands after `--sink` to use it.
    sink: Option<String>,
    id: &'a str,
    name: &'a str,
    formats: &'a [String],
}

impl<'a> Line<'a> {
    fn new(device: &'a DeviceFound) -> Self {
        let written = Some(written(device));
        let (kind, source, sink) = match device.kind {
            DeviceKind::Microphone => ("microphone", written, None),
            DeviceKind::Speaker => ("speaker", None, written),
            DeviceKind::Camera => ("camera", written, None),
        };
        Self {
            kind,
            source,
            sink,
            id: &device.id,
            name: &device.name,
            formats: &device.formats,
        }
    }
}

/// Returns how it is written, as a source or as a sink.
fn written(device: &DeviceFound) -> String {
    let name = match device.kind {
        DeviceKind::Microphone => "mic",
        DeviceKind::Speaker => "speaker",
        DeviceKind::Camera => "camera",
    };
    format!("{name}:{}", device.id)
}

fn told(found: &[DeviceFound]) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, heading) in KINDS {
        let mut devices = found.iter().filter(|device| device.kind == kind).peekable();
        if devices.peek().is_none() {
            lines.push(format!("{heading}: none. {}", remedy(kind)));
            continue;
        }
        lines.push(format!("{heading}:"));
        for device in devices {
            lines.push(format!("  {}  {}", written(device), device.name));
            lines.extend(
                device
                    .formats
                    .iter()
                    .map(|format| format!("      {format}")),
            );
        }
    }
    lines
}

fn remedy(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Microphone | DeviceKind::Speaker => {
            "Sound cards show in /proc/asound/cards, for users of the group `audio`; PulseAudio and PipeWire \
             need libasound2-plugins or pipewire-alsa."
        }
        DeviceKind::Camera => {
            "Cameras show as /dev/video0 and so on, for users of the group `video`."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_named_as_it_is_used() {
        let camera = DeviceFound {
            kind: DeviceKind::Camera,
            id: "/dev/video2".into(),
            name: "vivid".into(),
            formats: vec!["YUYV 640x360".into()],
        };
        let speaker = DeviceFound {
            kind: DeviceKind::Speaker,
            id: "desk".into(),
            name: "The desk".into(),
            formats: Vec::new(),
        };
        let text = told(&[speaker, camera]).join("\n");
        assert!(
            text.contains("  camera:/dev/video2  vivid\n      YUYV 640x360"),
            "{text}"
        );
        assert!(text.contains("  speaker:desk  The desk"), "{text}");
        assert!(
            text.contains("Microphones: none. Sound cards show"),
            "{text}"
        );
        assert!(told(&[]).join("\n").contains("Cameras: none. Cameras show"));
    }
}
