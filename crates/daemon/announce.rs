//! `standin announce`: says something once, and tells whether it was heard.

use std::time::Duration;

use announcer::{Limits, NotHeard, Verdict};
use clap::Args;
use driver::StopReason;
use media::SourceSpec;
use peer::Shards;
use serde_json::json;

use crate::destination::DestinationArgs;
use crate::exit::{Exit, Failure};
use crate::join::seconds;
use crate::print::{self, Form};
use crate::shutdown::Signals;
use crate::sources;
use crate::telling::Telling;

const AFTER_HELP: &str = "\
Ends with 0 only if the node received the clip to its last packet and somebody could hear it. It is a
failure, with the reason, when we are muted, when nobody else with media is there, when the PIN is wrong,
when nobody lets us in from the waiting room, or when the clip is cut short.

Examples:
  standin announce --node https://node.example.com --conference meet fire-drill.opus
  standin announce --node node.example.com --conference meet fire-drill.opus exits.ivf
  standin announce --node node.example.com --conference meet fire-drill.webm --json
  standin announce --node node.example.com --conference meet 'say:Fire drill at three.#loop=2&gap=1' card:'Fire drill'

Sources are those of `standin join --help`, as long as the sound has an end.";

/// Play a recording into a conference, once, and report whether it was heard.
///
/// Joins, waits until somebody is there to hear it, plays from the first sample, stays until the
/// node's reports cover the last packet, leaves, and prints a receipt.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AnnounceArgs {
    #[command(flatten)]
    destination: DestinationArgs,

    /// What to play: one source of sound, one of pictures, or one of both, such as a WebM file
    #[arg(value_name = "SOURCE", required = true)]
    media: Vec<SourceSpec>,

    /// Give up if nobody has let us in from the waiting room by then
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    waiting_room: Option<Duration>,

    /// Give up if nobody with media is there by then
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    audience: Option<Duration>,

    /// Print one JSON object a line: each notice, then the receipt
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn announce(args: AnnounceArgs) -> Result<Exit, Failure> {
    let signals = Signals::listen().map_err(Failure::failed)?;
    let form = if args.json { Form::Json } else { Form::Text };
    let (audio, video) = sources::sort(&args.media).map_err(Failure::usage)?;
    let material = sources::open(audio, video).map_err(Failure::usage)?;
    let Some(material) = material else {
        return Err(Failure::usage("there is nothing to announce: name a file"));
    };
    let destination = args.destination.check()?;

    let mut limits = Limits::default();
    limits.waiting_room = args.waiting_room.unwrap_or(limits.waiting_room);
    limits.audience = args.audience.unwrap_or(limits.audience);

    let shards = Shards::new(1).map_err(Failure::failed)?;
    let mut telling = Telling::new(form, &destination);
    let stopping = async { signals.first().await.into() };
    let receipt = announcer::announce(
        &shards.next(),
        destination.caller(),
        material,
        limits,
        |notice| telling.notice(notice),
        stopping,
    )
    .await
    .map_err(Failure::usage)?;
    match form {
        Form::Json => print::json(&json!({ "notice": "receipt", "receipt": receipt })),
        Form::Text => print::line(&receipt),
    }
    match &receipt.verdict {
        Verdict::Heard => Ok(Exit::Done),
        Verdict::NotHeard(why) => Err(Failure::new(
            exit(&receipt.verdict, receipt.stopped),
            format!("not heard in {}: {why}", receipt.conference),
        )),
    }
}

/// Returns the exit code for a verdict, and for being told to stop before there was one.
fn exit(verdict: &Verdict, stopped: Option<StopReason>) -> Exit {
    let Verdict::NotHeard(why) = verdict else {
        return Exit::Done;
    };
    match (why, stopped) {
        (_, Some(StopReason::Interrupted)) => Exit::Interrupted,
        (NotHeard::WaitingRoom, _) => Exit::WaitingRoom,
        (NotHeard::Ended(reason) | NotHeard::CutShort(reason), _) => match Exit::from(reason) {
            // An orderly end is none for an announcement that was not heard.
            Exit::Done => Exit::Failed,
            exit => exit,
        },
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use driver::EndReason;

    use super::*;

    #[test]
    fn exit_codes_tell_the_reasons_apart() {
        let of = |why: NotHeard| exit(&Verdict::NotHeard(why), None);
        let stopped = EndReason::Stopped(StopReason::Terminated);

        assert_eq!(exit(&Verdict::Heard, None), Exit::Done);
        assert_eq!(of(NotHeard::Muted), Exit::Failed);
        assert_eq!(of(NotHeard::WaitingRoom), Exit::WaitingRoom);
        assert_eq!(of(NotHeard::Ended(EndReason::PinWrong)), Exit::Pin);
        assert_eq!(
            of(NotHeard::CutShort(EndReason::Removed("by a host".into()))),
            Exit::Removed
        );
        assert_eq!(of(NotHeard::CutShort(stopped)), Exit::Failed, "never done");
        let interrupted = Some(StopReason::Interrupted);
        assert_eq!(
            exit(&Verdict::NotHeard(NotHeard::NobodyThere), interrupted),
            Exit::Interrupted
        );
    }
}
