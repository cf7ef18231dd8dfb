//! Live inputs: devices, other programs, the network. What they give is passed on as it is where that
//! suits the call, and encoded anew where it does not; while nothing comes there is silence and slate.
//!
//! ```text
//! exec: - unix: tcp:   bytes ─► demux ─► pace ─┐
//! rtp: udp:            packets ─► assembler ───┤         ┌─► as it is ────────────► Live
//! mic                  samples ────────────────┼─► hub ──┼─► samples ─► Opus ─────► Live
//! camera               pictures ───────────────┘         └─► pictures ─► encoder ─► Live
//! ```

mod camera;
mod demux;
mod devices;
mod hub;
mod inlet;
mod microphone;
mod origin;
mod pace;
mod pictures;
mod pixels;
mod process;
mod retries;
mod rtp;
mod sound;
mod streamed;
mod unit;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::film::Acceptance;
use crate::live::Live;
use crate::opus::OpusSettings;
use crate::source::{Origin, SourceOptions, SourceSpec};
use crate::transcode::target_of;

use hub::Hub;
use inlet::Inlet;
use pictures::Drawing;
use unit::PictureForm;

pub use devices::{DeviceFound, DeviceKind, devices};
pub(crate) use devices::{NOT_THERE, is_called, name_of, quiet, refused};
pub(crate) use origin::split_command;
pub use origin::{Address, FeedOrigin};

/// How long is waited at the start for an input to show what it holds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The size of pictures of an input that has not shown any.
const DEFAULT_SIZE: (usize, usize) = (640, 360);
const DEFAULT_RATE: u32 = 30;

/// What is done about an input that is not there when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It is an error.
    Refused,
    /// It is waited for.
    WaitedFor,
    /// Nobody looks: nothing is started, and nothing will come.
    Ignored,
}

/// A live input that runs; it ends when this is dropped and all that came of it.
pub struct Feed {
    hub: Arc<Hub>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed({})", self.hub.name)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.hub.stop();
    }
}

impl Feed {
    /// Starts an input, and waits some seconds until it shows what it holds; `None` if the source is no
    /// live input. Nothing of it is played, and what can wait is not read on, before somebody listens.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be used at all, or is not there and that is refused.
    pub fn open(spec: &SourceSpec, absence: Absence) -> Result<Option<Arc<Self>>, MediaError> {
        match &spec.origin {
            Origin::Feed(origin) => Self::start(origin, &spec.options, absence, PATIENCE).map(Some),
            _ => Ok(None),
        }
    }

    fn start(
        origin: &FeedOrigin,
        options: &SourceOptions,
        absence: Absence,
        patience: Duration,
    ) -> Result<Arc<Self>, MediaError> {
        let hub = Hub::new(origin.label(), absence == Absence::Refused);
        let feed = Arc::new(Self {
            hub: Arc::clone(&hub),
        });
        if absence == Absence::Ignored {
            return Ok(feed);
        }
        let refused = |reason| MediaError::Input {
            name: origin.label(),
            reason,
        };
        let (run, waits) = runner(origin, options, &hub).map_err(refused)?;
        thread::Builder::new()
            .name("input".into())
            .spawn(move || run(&hub))
            .map_err(|error| refused(format!("no thread to read in: {error}")))?;
        if waits {
            return Ok(feed);
        }
        // Even if it is waited for, it is good to know what it holds before a call is offered.
        match feed.hub.wait(patience) {
            _ if absence == Absence::WaitedFor => Ok(feed),
            Some(Ok(_)) => Ok(feed),
            Some(Err(reason)) => Err(refused(reason)),
            None => Err(refused(format!(
                "has shown nothing within {} seconds",
                patience.as_secs_f64()
            ))),
        }
    }

    /// Returns what it holds, for people, as far as that is known.
    pub fn holds(&self) -> Option<String> {
        Some(self.hub.form()?.name)
    }

    /// Returns the codec of its pictures, if they are encoded and that is known.
    pub fn video_codec(&self) -> Option<Codec> {
        self.picture()?.codec
    }

    fn picture(&self) -> Option<PictureForm> {
        self.hub.form()?.picture
    }

    /// Returns its sound, encoded as `settings` say unless it is Opus.
    ///
    /// # Errors
    ///
    /// Fails if it is known to have none.
    pub fn sound(self: &Arc<Self>, settings: OpusSettings) -> Result<Arc<Live>, MediaError> {
        self.check(Kind::Audio)?;
        let (live, pusher) = Live::pushed(Codec::Opus, Arc::clone(self) as _);
        self.hub.add_sound(pusher, settings)?;
        Ok(live)
    }

    /// Returns its picture for a far end that takes `accepted`.
    ///
    /// # Errors
    ///
    /// Fails if it is known to have none, or there is no encoder for that codec.
    pub fn video(self: &Arc<Self>, accepted: &Acceptance) -> Result<Arc<Live>, MediaError> {
        let codec = accepted.codec;
        self.check(Kind::Video)?;
        let form = self.picture();
        if form.and_then(|form| form.codec) == Some(codec) {
            let (live, pusher) = Live::pushed(codec, Arc::clone(self) as _);
            self.hub.add_passing(pusher);
            return Ok(live);
        }
        if let Some(found) = form.and_then(|form| form.codec) {
            tracing::info!(
                source = self.hub.name,
                "its picture is {found} and the node takes {codec}: it is encoded anew"
            );
        }
        self.drawn(accepted, form)
    }

    /// Encodes the pictures as they are at each moment.
    fn drawn(
        self: &Arc<Self>,
        accepted: &Acceptance,
        form: Option<PictureForm>,
    ) -> Result<Arc<Live>, MediaError> {
        let pixels = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let (width, height) = form.and_then(|form| form.size).unwrap_or(DEFAULT_SIZE);
        let rate = form.and_then(|form| form.rate).unwrap_or(DEFAULT_RATE);
        let settings = target_of((pixels(width), pixels(height)), rate.into(), accepted);
        // Others see it, so that it does not name what is here.
        let slate = "No picture at the moment".to_owned();
        let pictures = Arc::clone(&self.hub.pictures);
        let mut drawing = Drawing::new(pictures, slate, (settings.width, settings.height));
        let epoch = Arc::clone(&drawing.epoch);
        let keeps = Arc::clone(self);
        let live = Live::start(accepted.codec, settings, move |_, media_time, _| {
            let _input = &keeps;
            drawing.draw(media_time)
        })?;
        // Set once, by us alone.
        let _ = epoch.set(live.epoch());
        self.hub.add_drawn(&live);
        Ok(live)
    }

    /// Checks that it may have such a thing.
    ///
    /// # Errors
    ///
    /// Fails if it is known to have none.
    pub fn check(&self, kind: Kind) -> Result<(), MediaError> {
        match self.hub.form().filter(|form| !form.has(kind)) {
            Some(form) => Err(MediaError::Input {
                name: self.hub.name.clone(),
                reason: format!("is {} and has no {kind}", form.name),
            }),
            None => Ok(()),
        }
    }
}

type Runner = Box<dyn FnOnce(&Arc<Hub>) + Send>;

/// Returns what an input's thread runs, and whether others decide when something comes.
fn runner(
    origin: &FeedOrigin,
    options: &SourceOptions,
    hub: &Hub,
) -> Result<(Runner, bool), String> {
    let bytes = |inlet: Inlet| -> (Runner, bool) {
        let waits = inlet.waits();
        (Box::new(move |hub| streamed::run(hub, &inlet)), waits)
    };
    let packets = |receiver: rtp::Receiver| -> (Runner, bool) {
        hub.found(receiver.form());
        (Box::new(move |hub| receiver.run(hub)), true)
    };
    Ok(match origin {
        FeedOrigin::Command(command) => bytes(Inlet::Command {
            command: command.clone(),
            restart: options.restart,
        }),
        FeedOrigin::Stdin => bytes(Inlet::Stdin),
        FeedOrigin::Socket(address) if options.listen => {
            let listener = inlet::Listener::bind(address);
            let listener = listener.map_err(|error| format!("cannot be listened at: {error}"))?;
            bytes(Inlet::Listen(listener))
        }
        FeedOrigin::Socket(address) => bytes(Inlet::Connect(address.clone())),
        FeedOrigin::Description(path) => packets(rtp::Receiver::described(path)?),
        FeedOrigin::Rtp(address) => packets(rtp::Receiver::of_one(*address, options)?),
        FeedOrigin::Microphone(device) => {
            let device = device.clone();
            let run = move |hub: &Arc<Hub>| microphone::run(hub, device.as_deref());
            (Box::new(run), false)
        }
        FeedOrigin::Camera(device) => {
            let wish = camera::Wish::new(device.clone(), options);
            (Box::new(move |hub| camera::run(hub, &wish)), false)
        }
    })
}

#[cfg(test)]
mod tests;
