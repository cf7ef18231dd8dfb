//! The media pump of one caller: sends what is due, when it is due.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Frame, Kind, Repeat};
use peer::ReceiverReport;
use tokio::sync::mpsc;

use crate::gate::StartGate;
use crate::sources::Part;
use crate::{Gauge, Report};

mod lane;

pub(crate) use lane::{Lane, Sink};

/// How many commands may wait for the pump, and events for its caller.
///
/// The pump empties the queue of commands within a packet time; what does not fit is left out, but for another
/// program, with which a new pump begins.
/// A full event queue drops reports, which repeat, and nothing else.
pub(crate) const QUEUE: usize = 64;

/// What a pump is told.
#[derive(Debug)]
pub(crate) enum PumpCommand {
    /// The clip may start as far as the conference is concerned.
    Release,
    /// The far end reported on one of our streams.
    Report(ReceiverReport),
    /// The far end needs a key frame of our picture.
    KeyFrameRequested,
    /// The sound of the program is to be heard, or silence instead.
    Talk(bool),
    /// The picture of the program goes on in another encoding.
    Picture(Part),
    /// Another program is to be played from now on.
    Program {
        program: u32,
        audio: Option<Part>,
        video: Option<Part>,
        repeat: Repeat,
    },
}

/// How a program is played.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// The number that whoever runs the caller knows it by.
    pub(crate) program: u32,
    pub(crate) repeat: Repeat,
    /// Its sound is not to be heard.
    pub(crate) is_hushed: bool,
    /// Who is told of every frame.
    pub(crate) gauge: Option<Arc<dyn Gauge>>,
}

impl From<Repeat> for Manner {
    fn from(repeat: Repeat) -> Self {
        Self {
            program: 0,
            repeat,
            is_hushed: false,
            gauge: None,
        }
    }
}

/// What a pump tells.
#[derive(Debug)]
pub(crate) enum PumpEvent {
    /// The clip starts with the next packets.
    ClipStarted {
        program: u32,
        /// Whether all our streams had been reported on.
        reported: bool,
        /// How long was waited for that.
        waited: Duration,
    },
    /// The clip was sent to its end; so many packets each.
    ClipFinished {
        program: u32,
        audio_packets: u64,
        video_packets: u64,
    },
    /// A report, set against the clip.
    Report(Report),
}

/// Sends audio and video on one clock.
///
/// Silence and slate flow from the first moment; the clip, and whatever is live, starts on both
/// at the same instant, once the [`StartGate`] opens. A file's clock never jumps: a receiver that
/// lost its picture recovers at the file's next key frame.
pub(crate) struct Pump<S> {
    audio: Option<Lane<S>>,
    video: Option<Lane<S>>,
    manner: Manner,
    gate: StartGate,
    is_open: bool,
    finished: bool,
    outbox: VecDeque<PumpEvent>,
}

impl<S: Sink> Pump<S> {
    /// A pump that sends from `now` on.
    pub(crate) fn new(
        audio: Option<Lane<S>>,
        video: Option<Lane<S>>,
        manner: impl Into<Manner>,
        now: Instant,
    ) -> Self {
        let mut gate = StartGate::new(audio.is_some(), video.is_some());
        gate.media_flows(now);
        let mut pump = Self {
            audio,
            video,
            manner: manner.into(),
            gate,
            is_open: false,
            finished: false,
            outbox: VecDeque::new(),
        };
        pump.finished = !pump.has_program();
        pump
    }

    fn has_program(&mut self) -> bool {
        self.lanes().any(|lane| lane.has_program())
    }

    fn lane(&mut self, kind: Kind) -> Option<&mut Lane<S>> {
        match kind {
            Kind::Audio => self.audio.as_mut(),
            Kind::Video => self.video.as_mut(),
        }
    }

    fn lanes(&mut self) -> impl Iterator<Item = &mut Lane<S>> {
        self.audio.iter_mut().chain(&mut self.video)
    }

    /// Takes note of a command.
    pub(crate) fn command(&mut self, now: Instant, command: PumpCommand) {
        match command {
            PumpCommand::Release => self.gate.release(now),
            PumpCommand::Talk(aloud) => {
                let was_hushed = std::mem::replace(&mut self.manner.is_hushed, !aloud);
                let repeat = self.manner.repeat;
                if let Some(lane) = self
                    .audio
                    .as_mut()
                    .filter(|_| self.is_open && was_hushed == aloud)
                {
                    if aloud {
                        lane.start(now, repeat);
                    } else {
                        lane.stop(now);
                    }
                }
            }
            PumpCommand::Program {
                program,
                audio,
                video,
                repeat,
            } => {
                self.manner.program = program;
                self.manner.repeat = repeat;
                for (lane, part) in [(&mut self.audio, audio), (&mut self.video, video)] {
                    if let Some(lane) = lane {
                        lane.change(now, part);
                    }
                }
                self.finished = !self.has_program();
                if self.is_open && !self.finished {
                    self.start(now, self.gate.all_reported(), Duration::ZERO);
                }
            }
            PumpCommand::Picture(part) => {
                if let Some(lane) = &mut self.video {
                    lane.go_on_in(part);
                }
            }
            PumpCommand::KeyFrameRequested => {
                if let Some(lane) = &self.video {
                    lane.request_key_frame();
                }
            }
            PumpCommand::Report(report) => {
                self.gate.reported(report.kind);
                if let Some(lane) = self.lane(report.kind) {
                    let (reached, lost) = lane.report(&report);
                    self.tell(PumpEvent::Report(Report {
                        kind: report.kind,
                        fraction_lost: report.fraction_lost as f32,
                        packets_lost: i64::from(report.packets_lost),
                        highest_sequence_number: report.highest_sequence_number,
                        jitter: report.jitter,
                        round_trip_time: report.round_trip_time,
                        clip_packets_reached: reached,
                        clip_packets_lost: lost,
                    }));
                }
            }
        }
    }

    fn start(&mut self, now: Instant, reported: bool, waited: Duration) {
        let Manner {
            program,
            repeat,
            is_hushed,
            ..
        } = self.manner;
        // Both begin together, and after what a live source may have given ahead of its time.
        let ahead = self.lanes().filter_map(|lane| lane.last_moment()).max();
        let at = ahead.map_or(now, |ahead| ahead.max(now));
        if let Some(lane) = self.audio.as_mut().filter(|_| !is_hushed) {
            lane.start(at, repeat);
        }
        if let Some(lane) = &mut self.video {
            lane.start(at, repeat);
        }
        self.tell(PumpEvent::ClipStarted {
            program,
            reported,
            waited,
        });
    }

    /// Forwards a frame of a live source.
    pub(crate) fn live_frame(&mut self, now: Instant, kind: Kind, frame: &Frame) {
        if let Some(lane) = self.lane(kind) {
            lane.live_frame(now, frame);
        }
    }

    /// Sends all that is due at `now`. Returns when to come back.
    pub(crate) fn turn(&mut self, now: Instant) -> Option<Instant> {
        if !self.finished
            && let Some(opened) = self.gate.poll(now)
        {
            self.is_open = true;
            self.start(now, opened.reported, opened.waited);
        }
        let gauge = self.manner.gauge.clone();
        for lane in self.lanes() {
            lane.send_due(now, gauge.as_deref());
        }
        self.note_finish();
        let gate = if self.finished {
            None
        } else {
            self.gate.next_due()
        };
        self.lanes()
            .filter_map(|lane| lane.next_due())
            .chain(gate)
            .min()
    }

    fn note_finish(&mut self) {
        if self.finished {
            return;
        }
        let (mut any, mut all) = (false, true);
        for lane in self.lanes().filter(|lane| lane.has_clip()) {
            any = true;
            all &= lane.is_finished();
        }
        if !(any && all) {
            return;
        }
        self.finished = true;
        let sent = |lane: &Option<Lane<S>>| lane.as_ref().map_or(0, Lane::clip_packets);
        let (audio_packets, video_packets) = (sent(&self.audio), sent(&self.video));
        self.tell(PumpEvent::ClipFinished {
            program: self.manner.program,
            audio_packets,
            video_packets,
        });
    }

    fn tell(&mut self, event: PumpEvent) {
        if matches!(event, PumpEvent::Report(_)) && self.outbox.len() >= QUEUE {
            return;
        }
        self.outbox.push_back(event);
    }

    /// Returns the next thing to tell.
    pub(crate) fn poll_event(&mut self) -> Option<PumpEvent> {
        self.outbox.pop_front()
    }
}

/// Runs a pump until nobody commands it any more.
pub(crate) async fn run<S: Sink>(
    mut pump: Pump<S>,
    mut commands: mpsc::Receiver<PumpCommand>,
    events: mpsc::Sender<PumpEvent>,
) {
    let mut sleep = pin!(tokio::time::sleep(Duration::ZERO));
    loop {
        let next = pump.turn(Instant::now());
        while let Ok(place) = events.try_reserve() {
            match pump.poll_event() {
                Some(event) => place.send(event),
                None => break,
            }
        }
        // Far enough away to be never, where nothing is due at all.
        let next = next.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
        sleep.as_mut().reset(next.into());
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(command) => pump.command(Instant::now(), command),
                None => return,
            },
            frame = next_live(&mut pump.audio) => {
                pump.live_frame(Instant::now(), Kind::Audio, &frame);
            }
            frame = next_live(&mut pump.video) => {
                pump.live_frame(Instant::now(), Kind::Video, &frame);
            }
            () = sleep.as_mut() => {}
        }
    }
}

/// Waits for the next frame of a lane's live source; for ever where there is none.
async fn next_live<S: Sink>(lane: &mut Option<Lane<S>>) -> Arc<Frame> {
    match lane {
        Some(lane) => lane.next_live().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
