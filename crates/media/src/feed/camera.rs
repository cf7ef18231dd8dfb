//! A camera, through V4L2.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linuxvideo::format::{FrameIntervals, FrameSizes, PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device, Fract};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::{debug, info};

use super::hub::Hub;
use super::pixels::Layout;
use super::retries::Retries;
use super::unit::{Form, PictureForm, Unit};
use crate::source::SourceOptions;

/// Between two attempts to open one that is away.
const PAUSE: Duration = Duration::from_secs(2);

/// A camera that gives nothing for so long is away.
const STILL: Duration = Duration::from_secs(3);

/// What is asked for unless somebody says.
const DEFAULT_SIZE: (u32, u32) = (640, 360);
const DEFAULT_RATE: u32 = 30;

/// What is asked of a camera; it gives what comes nearest.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) device: Option<PathBuf>,
    pub(super) size: Option<(u32, u32)>,
    pub(super) rate: Option<u32>,
}

impl Wish {
    pub(super) fn new(device: Option<PathBuf>, options: &SourceOptions) -> Self {
        let pixels = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        Self {
            device,
            size: options
                .size
                .map(|(width, height)| (pixels(width), pixels(height))),
            rate: options.rate,
        }
    }
}

pub(super) fn run(hub: &Hub, wish: &Wish) {
    let mut retries = Retries::new(PAUSE);
    while !hub.is_stopped() {
        let began = Instant::now();
        let (result, held) = match open(wish) {
            Ok(mut camera) => (camera.watch(hub), began.elapsed()),
            Err(reason) => (Err(reason), Duration::ZERO),
        };
        hub.absent();
        let Err(reason) = result else { return };
        if hub.failed(&reason) || !retries.away(hub, &reason, held) {
            return;
        }
    }
}

/// The ways in which a camera gives pictures, each with its sizes in pixels.
pub(super) type Offers = Vec<(Layout, Vec<(u32, u32)>)>;

struct Camera {
    stream: ReadStream,
    name: String,
    layout: Layout,
    width: usize,
    height: usize,
    stride: usize,
    /// Pictures a second, which need not be whole.
    rate: Option<f64>,
}

/// Returns the files of what could be cameras, in their order.
pub(super) fn files() -> Vec<PathBuf> {
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix("video")?;
        name.parse::<u32>().ok()
    };
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut files: Vec<(u32, PathBuf)> = entries
        .map(|entry| entry.path())
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    files.sort();
    files.into_iter().map(|(_, path)| path).collect()
}

/// Says whether a device gives pictures, as not all with such a file do.
pub(super) fn captures(device: &Device) -> bool {
    device.capabilities().is_ok_and(|all| {
        all.device_capabilities()
            .contains(CapabilityFlags::VIDEO_CAPTURE)
    })
}

/// Returns in which ways it gives them that are read here, with their sizes.
pub(super) fn layouts(device: &Device) -> Offers {
    device
        .formats(BufType::VIDEO_CAPTURE)
        .filter_map(Result::ok)
        .filter_map(|format| {
            let layout = Layout::from_fourcc(format.pixel_format().as_fourcc())?;
            Some((layout, sizes(device, format.pixel_format())))
        })
        .collect()
}

fn sizes(device: &Device, format: PixelFormat) -> Vec<(u32, u32)> {
    match device.frame_sizes(format) {
        Ok(FrameSizes::Discrete(sizes)) => sizes
            .iter()
            .map(|size| (size.width(), size.height()))
            .collect(),
        Ok(all @ (FrameSizes::Stepwise(_) | FrameSizes::Continuous(_))) => {
            vec![
                (all.min_width(), all.min_height()),
                (all.max_width(), all.max_height()),
            ]
        }
        Err(_) => Vec::new(),
    }
}

fn open(wish: &Wish) -> Result<Camera, String> {
    let path = match &wish.device {
        Some(path) => path.clone(),
        None => files()
            .into_iter()
            .find(|path| Device::open(path).is_ok_and(|device| captures(&device)))
            .ok_or("is not there: this machine has no camera")?,
    };
    let (device, layouts) = open_device(&path)?;
    let name = device
        .capabilities()
        .map_or_else(|_| "camera".into(), |all| all.card().to_owned());
    let (width, height) = wish.size.unwrap_or(DEFAULT_SIZE);
    let layout = best(
        &device,
        &layouts,
        (width, height),
        wish.rate.unwrap_or(DEFAULT_RATE),
    );
    let format = PixFormat::new(width, height, PixelFormat::from_fourcc(layout.fourcc()));
    let busy = |error: io::Error| format!("cannot be used: {}", explained(&error));
    let device = device.video_capture(format).map_err(busy)?;
    let given = device.format();
    let layout = Layout::from_fourcc(given.pixel_format().as_fourcc())
        .ok_or_else(|| format!("gives `{}`, which is not read here", given.pixel_format()))?;
    let (width, height) = (given.width() as usize, given.height() as usize);
    let stride = given.bytes_per_line() as usize;
    if !(2..=4096).contains(&width) || !(2..=4096).contains(&height) {
        return Err(format!("gives pictures of {width}x{height}"));
    }
    // Not all cameras can be asked; what comes, comes.
    let interval = device
        .set_frame_interval(Fract::new(1, wish.rate.unwrap_or(DEFAULT_RATE)))
        .ok();
    let rate = interval
        .map(|every| f64::from(every.denominator()) / f64::from(every.numerator().max(1)))
        .filter(|rate| (0.5..=120.0).contains(rate));
    Ok(Camera {
        stream: device.into_stream().map_err(busy)?,
        name,
        layout,
        width,
        height,
        stride,
        rate,
    })
}

fn open_device(path: &Path) -> Result<(Device, Offers), String> {
    let device = Device::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("is not there: `standin media devices` lists those that are ({error})")
        }
        _ => format!("cannot be opened: {}", explained(&error)),
    })?;
    if !captures(&device) {
        return Err("is no camera: `standin media devices` lists those that are there".into());
    }
    let layouts = layouts(&device);
    if layouts.is_empty() {
        return Err("gives pictures in no form that is read here: YUYV, NV12 and MJPEG are".into());
    }
    Ok((device, layouts))
}

/// Returns the layout that needs the least work among those that come in the size at the rate; many
/// cameras have large pictures as JPEG alone.
fn best(
    device: &Device,
    layouts: &[(Layout, Vec<(u32, u32)>)],
    size: (u32, u32),
    rate: u32,
) -> Layout {
    let suits = |layout: Layout, sizes: &[(u32, u32)]| {
        let format = PixelFormat::from_fourcc(layout.fourcc());
        let fast = match device.frame_intervals(format, size.0, size.1) {
            Ok(FrameIntervals::Discrete(intervals)) => intervals.iter().any(|interval| {
                let every = interval.fract();
                u64::from(every.denominator()) >= u64::from(every.numerator()) * u64::from(rate)
            }),
            Ok(FrameIntervals::Stepwise(_) | FrameIntervals::Continuous(_)) => true,
            Err(_) => false,
        };
        (fast, sizes.contains(&size))
    };
    let mut all: Vec<_> = layouts
        .iter()
        .map(|(layout, sizes)| (suits(*layout, sizes), *layout))
        .collect();
    // The first of equals is the raw one.
    all.sort_by_key(|(_, layout)| Layout::ALL.iter().position(|known| known == layout));
    all.sort_by_key(|(suits, _)| std::cmp::Reverse(*suits));
    all.first().map_or(Layout::Yuyv, |(_, layout)| *layout)
}

fn explained(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{error}: users of cameras are in the group `video`")
        }
        io::ErrorKind::ResourceBusy => format!("{error}: another program uses it"),
        _ => error.to_string(),
    }
}

impl Camera {
    /// Watches until the input is to end; fails with the reason why nothing comes any more.
    fn watch(&mut self, hub: &Hub) -> Result<(), String> {
        let mut last = Instant::now();
        let mut is_there = false;
        let mut spoilt = 0u32;
        while !hub.is_stopped() {
            if !self.is_ready()? {
                if last.elapsed() > STILL {
                    return Err("gives nothing".into());
                }
                continue;
            }
            let (layout, width, height, stride) =
                (self.layout, self.width, self.height, self.stride);
            let picture = self.stream.dequeue(|view| {
                Ok((!view.is_error())
                    .then(|| layout.picture(&view, width, height, stride))
                    .flatten())
            });
            let moment = Instant::now();
            match picture {
                Ok(Some(picture)) => {
                    last = moment;
                    if !std::mem::replace(&mut is_there, true) {
                        hub.found(self.form(picture.width(), picture.height()));
                        info!(source = hub.name, "{}", self.described());
                    }
                    hub.push(Unit::Picture(picture), moment);
                }
                Ok(None) => {
                    spoilt += 1;
                    debug!(spoilt, "a picture of the camera makes no sense");
                    if last.elapsed() > STILL {
                        return Err("gives nothing that makes sense".into());
                    }
                }
                Err(error) => return Err(format!("went away: {error}")),
            }
        }
        Ok(())
    }

    fn is_ready(&self) -> Result<bool, String> {
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
        let patience = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        match poll(&mut fds, Some(&patience)) {
            // An error is what reading tells best.
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(format!("cannot be waited for: {error}")),
        }
    }

    fn described(&self) -> String {
        let layout = self.layout.fourcc();
        let rate = self.rate.map_or_else(String::new, |rate| {
            let rate = (rate * 100.0).round() / 100.0;
            format!(", {rate} pictures a second")
        });
        format!(
            "{}, {}x{}{rate}, {}",
            self.name,
            self.width,
            self.height,
            layout.escape_ascii()
        )
    }

    fn form(&self, width: usize, height: usize) -> Form {
        Form {
            name: self.described(),
            sound: false,
            picture: Some(PictureForm {
                codec: None,
                size: Some((width, height)),
                rate: self.rate.map(|rate| rate.round() as u32),
            }),
        }
    }
}
