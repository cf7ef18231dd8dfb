//! `standin doctor`: joins for a moment, and says step by step what works and what does not.

use std::time::Duration;

use clap::Args;
use driver::{
    Caller, EndReason, JoinStep, NoticeKind, Outcome, Program, State, StopReason, Warning,
    find_nodes, shown,
};
use media::{DeviceKind, SourceSpec};
use peer::Shards;
use tokio::time::{Instant, timeout_at};

use crate::destination::{Destination, DestinationArgs};
use crate::exit::{Exit, Failure};
use crate::print::Form;
use crate::shutdown::Signals;
use crate::sources;

mod findings;

use findings::Findings;

const AFTER_HELP: &str = "\
A line for each thing that was looked at: ✓ it works, ✗ it does not, and why, · there is nothing to say.
It is in the conference, silent, for some seconds, and gives its token back.

Ends with 0 when everything works; else as `standin join` would: with 3 when no node lets it in, 6 when it is
the PIN, 7 when it sits in the waiting room, 2 for a source that cannot be played, and 1 otherwise.

Examples:
  standin doctor --node example.com --conference meet
  standin doctor --node https://node.example.com --conference meet --video film.mp4 --json
  STANDIN_PIN=… standin doctor --node node.example.com --conference board";

/// How long everything may take, from the first request on.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long is waited for what others send, once all else is well: a conference may be silent.
const FOR_OTHERS: Duration = Duration::from_secs(3);

/// Say step by step what works and what does not between here and a conference.
///
/// Looks at sources and devices, finds the nodes, asks each how it is, then joins for a moment as any
/// participant does: token, event stream, call, ICE, DTLS, media both ways, roster.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    destination: DestinationArgs,

    /// A source of sound to look at, as `standin join` takes it
    #[arg(long, value_name = "SOURCE")]
    audio: Option<SourceSpec>,

    /// A source of pictures to look at
    #[arg(long, value_name = "SOURCE")]
    video: Option<SourceSpec>,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// What the steps of joining are called, and what they show.
const STEPS: [(JoinStep, &str, &str); 10] = [
    (JoinStep::Dns, "DNS", "the node's name was looked up"),
    (
        JoinStep::Connected,
        "connection",
        "TCP, and TLS where it is spoken",
    ),
    (JoinStep::Token, "token", "the conference lets us in"),
    (JoinStep::Events, "event stream", "open"),
    (JoinStep::Sdp, "call", "the offer was answered"),
    (JoinStep::Ice, "ICE", "a path for media was found"),
    (JoinStep::Dtls, "DTLS", "keys were agreed on"),
    (JoinStep::Ack, "ack", "the node was told to start media"),
    (JoinStep::Roster, "roster", "others see us"),
    (
        JoinStep::AudioReported,
        "media out",
        "the node reports that our sound arrives",
    ),
];

/// Runs the command.
pub(crate) async fn doctor(args: DoctorArgs) -> Result<Exit, Failure> {
    let form = if args.json { Form::Json } else { Form::Text };
    let mut findings = Findings::new(form);
    let destination = args.destination.check()?;

    let unplayable = look_at_sources(&mut findings, args.audio.as_ref(), args.video.as_ref());
    look_at_devices(&mut findings);
    let nodes = match find_nodes(&destination.client, &destination.nodes).await {
        Ok(nodes) => nodes,
        Err(error) => {
            findings.bad("nodes", error);
            return Ok(Exit::NodeRefused);
        }
    };
    for node in &nodes {
        match driver::api::status(&destination.client, node).await {
            Ok(()) => findings.good("status", format_args!("{} takes calls", shown(node)), None),
            Err(error) => findings.bad("status", error),
        }
    }

    let shards = Shards::new(1).map_err(Failure::failed)?;
    let mut settings = destination.caller();
    settings.program = Program::Idle;
    // How it connects is told where figures are, and seen where nobody has connected before.
    settings.figures = Some(PATIENCE);
    settings.client = destination
        .client
        .with_own_connections()
        .map_err(Failure::failed)?;
    // Whoever interrupts what came before this leaves nothing behind.
    let signals = Signals::listen().map_err(Failure::failed)?;
    let mut caller = driver::start(&shards.next(), settings);
    let stopper = caller.stopper();
    tokio::spawn(async move {
        stopper.stop(signals.first().await.into());
    });
    let reached = watch(&mut caller, &mut findings).await;
    caller.stop(StopReason::Finished);
    let outcome = caller.join().await;
    Ok(conclude(
        &mut findings,
        &destination,
        &outcome,
        &reached,
        unplayable,
    ))
}

/// Opens what is to be played, as it would be before joining. Returns whether something cannot be.
fn look_at_sources(
    findings: &mut Findings,
    audio: Option<&SourceSpec>,
    video: Option<&SourceSpec>,
) -> bool {
    let mut is_bad = false;
    for (spec, audio, video) in [(audio, audio, None), (video, None, video)] {
        let Some(spec) = spec else { continue };
        match sources::open(audio, video) {
            Ok(_) => findings.good(
                "source",
                format_args!("{} can be played", spec.label()),
                None,
            ),
            Err(error) => {
                findings.bad("source", error);
                is_bad = true;
            }
        }
    }
    is_bad
}

fn look_at_devices(findings: &mut Findings) {
    let found = media::devices();
    let count = |kind| found.iter().filter(|device| device.kind == kind).count();
    findings.aside(
        "devices",
        format_args!(
            "{} microphones, {} speakers, {} cameras: `standin media devices` lists them",
            count(DeviceKind::Microphone),
            count(DeviceKind::Speaker),
            count(DeviceKind::Camera),
        ),
    );
}

/// Tells how a caller gets on, until all is reached, or it ends, or it takes too long.
async fn watch(caller: &mut Caller, findings: &mut Findings) -> Vec<JoinStep> {
    let mut reached = Vec::new();
    let mut deadline = Instant::now() + PATIENCE;
    let is_done = |reached: &[JoinStep]| missing(reached).is_none();
    while let Ok(Some(notice)) = timeout_at(deadline, caller.notice()).await {
        match &notice.kind {
            NoticeKind::Step(step, after) => {
                let was_done = is_done(&reached);
                reached.push(*step);
                if let Some((_, name, what)) = STEPS.iter().find(|(known, _, _)| known == step) {
                    findings.good(name, what, Some(*after));
                }
                if *step == JoinStep::FirstAudio {
                    findings.good("media in", "sound comes from the node", Some(*after));
                }
                if !was_done && is_done(&reached) {
                    deadline = Instant::now() + FOR_OTHERS;
                }
                if is_done(&reached) && reached.contains(&JoinStep::FirstAudio) {
                    return reached;
                }
            }
            NoticeKind::Path(path) => findings.good(
                "path",
                format_args!(
                    "{path}: {} ({}) to {} ({})",
                    path.local, path.local_type, path.remote, path.remote_type
                ),
                None,
            ),
            NoticeKind::State(State::WaitingRoom) => {
                findings.bad(
                    "waiting room",
                    "a host must let us in: try again once one is there",
                );
                return reached;
            }
            NoticeKind::Warning(Warning::IceServer { server, why }) => {
                findings.bad("ICE server", format_args!("{server}: {why}"));
            }
            NoticeKind::Warning(warning) => findings.aside("warning", warning),
            _ => {}
        }
    }
    if is_done(&reached) {
        findings.aside("media in", "nobody has sent any sound meanwhile");
    }
    reached
}

/// Returns the first step that was not reached: its name, and what it would have shown.
fn missing(reached: &[JoinStep]) -> Option<(&'static str, &'static str)> {
    // A node that is named by its address has no name to look up; whoever has a token has connected.
    let wanted = STEPS
        .iter()
        .filter(|(step, ..)| !matches!(step, JoinStep::Dns | JoinStep::Connected));
    let mut missing = wanted.filter(|(step, ..)| !reached.contains(step));
    missing.next().map(|(_, name, what)| (*name, *what))
}

/// Says what was not reached, and why; returns how the command ends.
fn conclude(
    findings: &mut Findings,
    destination: &Destination,
    outcome: &Outcome,
    reached: &[JoinStep],
    unplayable: bool,
) -> Exit {
    let exit = Exit::from(&outcome.reason);
    if !matches!(exit, Exit::Done | Exit::Interrupted) {
        findings.bad("joining", destination.complain(outcome));
    } else if outcome.reason == EndReason::Stopped(StopReason::Finished)
        && !findings.has_bad("waiting room")
        && let Some((name, what)) = missing(reached)
    {
        let limit = PATIENCE.as_secs();
        findings.bad(name, format_args!("not within {limit} s: {what}"));
    }
    if reached.contains(&JoinStep::Token) {
        match outcome.token_released {
            true => findings.good("leaving", "the token was given back", None),
            false => findings.bad(
                "leaving",
                "the token could not be given back, and lasts until it expires",
            ),
        }
    }
    match exit {
        Exit::Done if findings.has_bad("waiting room") => Exit::WaitingRoom,
        Exit::Done if unplayable => Exit::Usage,
        Exit::Done if findings.has_any_bad() => Exit::Failed,
        exit => exit,
    }
}
