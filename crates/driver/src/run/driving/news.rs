//! What comes from the peer connection, and what the participant tells.

use std::time::Instant;

use infinity::NewCandidate;
use media::{Kind, OpusParameters, Recorder};
use participant::{Gather, Input, LeaveReason, Milestone, PeerId, PeerInput};
use peer::{IceConnectionState, Negotiated, Peer, PeerEvent, ReceiverReport, TrackReceiver};
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::Driving;
use crate::arrived::Taker;
use crate::listening::{Before, Listening};
use crate::pump::{PumpCommand, PumpEvent};
use crate::recording::Recording;
use crate::run::leg::SOUND;
use crate::run::wakeup::{PeerNews, Wakeup};
use crate::sinks::Sink;
use crate::sources::Sources;
use crate::{EndReason, JoinStep, MediaPath, NoticeKind, Program, State, Warning, sources};

/// Key frames of a file further apart than this are reported.
const RARE: std::time::Duration = std::time::Duration::from_secs(2);

impl Driving {
    /// The leg that news came from is the one we have.
    pub(super) fn news(&mut self, now: Instant, id: PeerId, news: PeerNews) {
        let Some(leg) = &mut self.leg else { return };
        match news {
            PeerNews::Made(peer) => leg.peer = Some(peer),
            PeerNews::Input(input) => self.input(now, Input::Peer(id, input)),
            PeerNews::Measured(stats) => {
                if let Some(statistics) = leg.figures(now, &stats) {
                    let measured = PeerInput::Measured(Box::new(statistics));
                    self.input(now, Input::Peer(id, measured));
                }
            }
            PeerNews::Negotiated(negotiated) => self.negotiated(now, negotiated),
            PeerNews::Event(event) => self.peer_event(now, id, event),
            PeerNews::Sources(number, sources) => self.opened(now, number, sources),
            PeerNews::Picture(number, limit, part) => self.picture(number, limit, part),
            PeerNews::Path(pair) => self.story.path(now, MediaPath::of(&pair)),
            PeerNews::First(first) => self.story.first_packet(first.at, first.kind),
            PeerNews::Pump(event) => self.pump_event(now, event),
            PeerNews::Recording(news) => self.story.recording(now, news),
            PeerNews::Sink { sink, news } => self.story.tell(now, NoticeKind::Sink { sink, news }),
        }
    }

    fn peer_event(&mut self, now: Instant, id: PeerId, event: PeerEvent) {
        let Some(leg) = &mut self.leg else { return };
        let input = match event {
            PeerEvent::LocalCandidate {
                candidate,
                mid,
                ufrag,
            } => {
                leg.first_mid.get_or_insert_with(|| mid.clone());
                if leg.gather == Gather::First {
                    // They are in the offer.
                    return;
                }
                let ufrag = Some(ufrag).filter(|ufrag| !ufrag.is_empty());
                PeerInput::Candidate(NewCandidate {
                    candidate,
                    mid,
                    ufrag,
                    pwd: None,
                })
            }
            PeerEvent::GatheringComplete if leg.gather == Gather::First => return,
            PeerEvent::GatheringComplete => PeerInput::GatheringComplete {
                mid: leg.first_mid.clone().unwrap_or("0".into()),
            },
            PeerEvent::IceConnectionState(state) => {
                debug!(?state, "ICE");
                match state {
                    IceConnectionState::Connected | IceConnectionState::Completed => {
                        if let Some(peer) = leg.peer.clone() {
                            self.shard.spawn(tell_path(id, peer, self.wakeups.clone()));
                        }
                        PeerInput::IceConnected
                    }
                    IceConnectionState::Disconnected => PeerInput::IceDisconnected,
                    IceConnectionState::Failed => PeerInput::IceFailed,
                    IceConnectionState::New
                    | IceConnectionState::Checking
                    | IceConnectionState::Closed => return,
                }
            }
            PeerEvent::DtlsConnected => {
                leg.dtls = true;
                self.story.step(now, JoinStep::Dtls);
                self.start_pump(now);
                return;
            }
            PeerEvent::ConnectionFailed { reason } => PeerInput::Failed(reason),
            PeerEvent::Track(track) => return self.track(track),
            PeerEvent::KeyFrameRequested { kind } => {
                if kind == Kind::Video {
                    leg.tell_pump(PumpCommand::KeyFrameRequested);
                }
                return;
            }
            PeerEvent::ReceiverReport(report) => return self.report(now, report),
            PeerEvent::IceServerFailed { server, error } => {
                self.story.ice_server_failed(now, server, &error);
                return;
            }
            PeerEvent::AvailableOutgoingBitrate(bits) => {
                leg.ladder.available(bits, SOUND);
                return;
            }
            other => {
                debug!(?other, "left aside");
                return;
            }
        };
        self.input(now, Input::Peer(id, input));
    }

    fn report(&mut self, now: Instant, report: ReceiverReport) {
        let Some(leg) = &mut self.leg else { return };
        let lane = match report.kind {
            Kind::Audio => 0,
            Kind::Video => 1,
        };
        leg.flow.report(now, lane, report.highest_sequence_number);
        leg.meter.report(lane, &report);
        leg.tell_pump(PumpCommand::Report(report));
        let is_dead = leg.pump.as_ref().is_some_and(|pump| pump.is_closed());
        self.story.reported(now, report.kind);
        if is_dead {
            // Only a defect ends a pump that is still wanted; in silence nobody would notice.
            self.story
                .fault(EndReason::Defect("the media pump ended by itself".into()));
            self.leave(now, LeaveReason::Failed);
        }
    }

    fn negotiated(&mut self, now: Instant, negotiated: Negotiated) {
        let Some(leg) = &mut self.leg else { return };
        if leg.negotiated.replace(negotiated.clone()).is_some() {
            // ICE was restarted; what is sent stays the same.
            return;
        }
        let codec = |kind: &Option<peer::NegotiatedCodec>| kind.as_ref().map(|kind| kind.codec);
        let (audio, video) = (codec(&negotiated.audio), codec(&negotiated.video));
        self.story
            .tell(now, NoticeKind::Negotiated { audio, video });
        if video.is_none() && self.settings.video {
            self.story.warn(now, Warning::VideoRejected);
        }
        self.begin_recording(now, audio, video);
        self.begin_sinks(now, [audio, video]);
        self.receive_early();
        self.open_sources(now);
    }

    /// Opens what the program takes, for what the answer agreed on; as soon as there is one.
    fn open_sources(&mut self, now: Instant) {
        let Some(leg) = &self.leg else { return };
        let Some(negotiated) = &leg.negotiated else {
            return;
        };
        let material = self.material();
        if let Some(longest) = material
            .as_ref()
            .and_then(|m| m.longest_key_interval())
            .filter(|gap| *gap > RARE)
            && !std::mem::replace(&mut self.told_rare_key_frames, true)
        {
            self.story.warn(now, Warning::RareKeyFrames { longest });
        }
        let (wakeups, id, number) = (self.wakeups.clone(), leg.id, self.program);
        let parameters = negotiated.audio.as_ref().map(|audio| {
            let written = audio.format_parameters.as_deref();
            OpusParameters::read(written.unwrap_or_default())
        });
        let accepted = leg.accepted();
        self.shard.handle().spawn_blocking(move || {
            let opened = sources::open(material.as_deref(), parameters, accepted.as_ref());
            // A loop that is gone needs no sources.
            let _ = wakeups.blocking_send(Wakeup::Peer(id, PeerNews::Sources(number, opened)));
        });
    }

    /// Another program is played from now on.
    pub(super) fn play(&mut self, number: u32, program: Program) {
        self.program = number;
        self.settings.program = program;
        self.played = false;
        self.open_sources(Instant::now());
    }

    fn opened(&mut self, now: Instant, number: u32, sources: Sources) {
        let repeat = self.repeat();
        let Some(leg) = &mut self.leg else { return };
        if number != self.program {
            // What is to be played instead is being opened.
            return;
        }
        for warning in &sources.warnings {
            self.story.warn(now, warning.clone());
        }
        let has_nothing = sources.audio.is_none() && sources.video.is_none();
        if number > 0 && has_nothing && self.settings.program.material().is_some() && !self.played {
            // None of it can be sent, which has been told; whoever waits for its end goes on.
            self.played = matches!(self.settings.program, Program::Once(_));
            let over = NoticeKind::ClipFinished {
                program: number,
                audio_packets: 0,
                video_packets: 0,
            };
            self.story.tell(now, over);
        }
        let is_told = leg.tell_pump(PumpCommand::Program {
            program: number,
            audio: sources.audio.clone(),
            video: sources.video.clone(),
            repeat,
        });
        leg.sources = Some(sources);
        if !is_told {
            // A new pump begins with it.
            leg.pump = None;
        }
        let is_limited = leg.ladder.limit().is_some();
        self.start_pump(now);
        if is_limited {
            // The limit may be another one than when it began to be opened.
            self.fit_picture(now);
        }
    }

    fn begin_recording(
        &mut self,
        now: Instant,
        audio: Option<media::Codec>,
        video: Option<media::Codec>,
    ) {
        let (Some(leg), Some(parts)) = (&mut self.leg, &self.parts) else {
            return;
        };
        let (wakeups, id) = (self.wakeups.clone(), leg.id);
        let tell = move |news| {
            // What matters is told again when the recording is finished.
            let _ = wakeups.try_send(Wakeup::Peer(id, PeerNews::Recording(news)));
        };
        match Recorder::to_files(parts.clone(), audio, video) {
            Ok(recorder) => {
                leg.recording = Some(Recording::begin(self.shard.handle(), recorder, now, tell));
            }
            Err(error) => {
                self.story.fault(EndReason::Media(error.to_string()));
                self.leave(now, LeaveReason::Failed);
            }
        }
    }

    fn begin_sinks(&mut self, now: Instant, codecs: [Option<media::Codec>; 2]) {
        let Some(leg) = &mut self.leg else { return };
        if self.settings.stats.is_some() {
            let listening = Listening::begin(self.shard.handle());
            leg.listening = Some((listening, Before::new(now)));
        }
        for spec in &self.settings.sinks {
            let (wakeups, id, sink) = (self.wakeups.clone(), leg.id, spec.to_string());
            let tell = move |news| {
                let sink = sink.clone();
                // A loop that is gone or busy has the log.
                let _ = wakeups.try_send(Wakeup::Peer(id, PeerNews::Sink { sink, news }));
            };
            let runtime = self.shard.handle();
            leg.sinks
                .push(Sink::begin(runtime, spec, codecs, now, tell));
        }
    }

    fn track(&mut self, track: TrackReceiver) {
        if let Some(leg) = &mut self.leg {
            leg.early.push(track);
            if leg.negotiated.is_some() {
                self.receive_early();
            }
        }
    }

    fn receive_early(&mut self) {
        let Some(leg) = &mut self.leg else { return };
        for track in std::mem::take(&mut leg.early) {
            debug!(kind = %track.kind(), codec = %track.codec(), ssrc = track.ssrc(), "receiving");
            let recording = leg.recording.as_ref().map(Recording::queue);
            let frames = self.settings.frames.clone();
            let takers = recording
                .into_iter()
                .chain(leg.sinks.iter().map(Sink::queue))
                .chain(leg.listening.iter().map(|(listening, _)| listening.queue()))
                .map(Taker::Recording)
                .chain(frames.map(Taker::Frames))
                .collect();
            leg.inflow
                .receive(&self.shard, track, takers, leg.id, self.wakeups.clone());
        }
    }

    fn pump_event(&mut self, now: Instant, event: PumpEvent) {
        match event {
            // What is no longer to be played is nobody's business.
            PumpEvent::ClipStarted { program, .. } | PumpEvent::ClipFinished { program, .. }
                if program != self.program => {}
            PumpEvent::ClipStarted {
                program,
                reported,
                waited,
            } => {
                self.story
                    .tell(now, NoticeKind::ClipStarted { program, reported });
                if !reported {
                    self.story.warn(now, Warning::StartedUnreported { waited });
                }
            }
            PumpEvent::ClipFinished {
                program,
                audio_packets,
                video_packets,
            } => {
                self.played = matches!(self.settings.program, Program::Once(_));
                self.story.tell(
                    now,
                    NoticeKind::ClipFinished {
                        program,
                        audio_packets,
                        video_packets,
                    },
                );
            }
            PumpEvent::Report(report) => self.story.tell(now, NoticeKind::Report(report)),
        }
    }

    /// The participant tells something.
    pub(super) fn notice(&mut self, now: Instant, notice: participant::Notice) {
        use participant::Notice as Told;
        debug!(?notice, "notice");
        match notice {
            Told::State(standing) => self.standing(now, &standing),
            Told::Milestone(milestone) => {
                self.story.milestone(now, &milestone);
                if milestone == Milestone::EventsOpened && self.settings.figures.is_some() {
                    self.story.tell(now, NoticeKind::EventStreamOpened);
                }
            }
            Told::Presence(_) | Told::Came(_) | Told::Gone(_) => {
                self.story.roster(now, &self.participant);
            }
            Told::Role(role) => self.story.tell(now, NoticeKind::Role(role)),
            Told::Refreshed => self.story.tell(now, NoticeKind::Refreshed),
            Told::Referred(conference) => {
                info!(%conference, "sent on");
                self.story.tell(now, NoticeKind::Referred(conference));
            }
            Told::PresentationFrame => self.story.tell(now, NoticeKind::PresentationFrame),
            Told::Retrying {
                request,
                failure,
                after,
            } => {
                let text = format!("{request} failed and is tried again in {after:.1?}: {failure}");
                self.story.warn(now, Warning::Retrying(text));
            }
            Told::EventStreamLost { why, after } => {
                if self.settings.figures.is_some() {
                    self.story.tell(now, NoticeKind::EventStreamLost);
                }
                let text = format!("the event stream is lost ({why}), open again in {after:.1?}");
                self.story.warn(now, Warning::Retrying(text));
            }
            Told::Mending { by, why } => {
                self.story.warn(
                    now,
                    Warning::Retrying(format!("mending media by {by}: {why}")),
                );
            }
            Told::JoiningAgain { why, after } => {
                self.story.state(
                    now,
                    State::Rejoining {
                        reason: why,
                        pause: after,
                    },
                );
            }
            Told::Unanswered => self.story.warn(now, Warning::Unanswered),
            Told::Malformed(error) => self.story.warn(now, Warning::Ignored(error.to_string())),
            Told::Ended(exit) => self.exit = Some(exit),
            Told::Message(message) => self.story.tell(now, NoticeKind::Message(message)),
            Told::Stage(stage) => self.story.stage(now, &stage, &self.participant),
            Told::Conference(_) | Told::Presentation { .. } | Told::Ignored { .. } => {}
        }
    }

    fn standing(&mut self, now: Instant, standing: &participant::Standing) {
        use participant::State as Stands;
        self.in_conference = standing.state == Stands::InConference;
        let state = match standing.state {
            Stands::Connecting => State::Connecting,
            Stands::WaitingRoom => State::WaitingRoom,
            Stands::InConference => State::InConference,
            Stands::Degraded(_) => State::Degraded(standing.why.clone()),
            Stands::Leaving => State::Leaving,
            // Told with the request for the token, or by the outcome.
            Stands::Idle
            | Stands::Joining
            | Stands::PinWanted
            | Stands::Removed
            | Stands::Stopped => {
                return;
            }
        };
        self.story.state(now, state);
        self.release_clip();
    }
}

/// Asks for the path that media takes, and tells it.
async fn tell_path(id: PeerId, peer: Peer, wakeups: mpsc::Sender<crate::run::Wakeup>) {
    if let Some(pair) = peer.selected_pair().await {
        // A loop that is gone needs no news.
        let _ = wakeups
            .send(crate::run::Wakeup::Peer(id, PeerNews::Path(pair)))
            .await;
    }
}
