//! `standin join`: one participant in the foreground.

use std::time::Duration;

use clap::Args;
use driver::{NoticeKind, Program, State, StopReason};
use media::SourceSpec;
use peer::Shards;
use tokio::time::{Instant, sleep_until};

use crate::destination::DestinationArgs;
use crate::exit::{Exit, Failure};
use crate::print::Form;
use crate::recording::{self, RecordArgs};
use crate::shutdown::Signals;
use crate::sources;
use crate::telling::Telling;

const AFTER_HELP: &str = "\
Sources of sound: a file (Ogg, WebM, WAV, MP3, AAC, FLAC), tone:HERTZ, babble, silence, say:TEXT.
Sources of pictures: a file (MP4, WebM, Matroska, IVF, H.264, Y4M, PNG, JPEG),
bars:WIDTHxHEIGHT, card:TEXT, slides:DIRECTORY.
Of both: a file with both, playlist:LIST with one source a line; named by --video, it is heard as well, unless
--audio says what is heard. `standin media SOURCE` tells what will be sent as it is, and what encoded anew.
Live inputs: mic, mic:NAME, camera, camera:/dev/video0 (`standin media devices` lists them),
exec:COMMAND, - (standard input), unix:PATH, tcp:HOST:PORT, rtp:FILE.sdp, rtp://ADDRESS:PORT;
while one gives nothing, silence and slate.
Options follow after #: t=START,END  loop=N  gap=SECONDS  gain=DB  fade=SECONDS  loudness=LUFS, and for some
voice=NAME  speed=WORDS  size=WIDTHxHEIGHT  each=SECONDS  crossfade=SECONDS  seed=N; for live inputs
rate=N  restart  listen  codec=NAME  pt=N; the README explains them.
A path with # or : in it is written file:PATH, with %23 for #.

Examples:
  standin join --node https://node.example.com --conference meet --audio hello.opus --video hello.ivf
  standin join --node node.example.com --conference meet --video film.mp4
  standin join --node node.example.com --conference meet --record heard.webm --for 60
  standin join --node node.example.com --conference meet --audio mic --sink speaker
  standin join --node node.example.com --conference meet --video slides:pictures#each=8 \
      --audio 'say:We begin at three.#voice=en-gb&loop=3&gap=20'
  STANDIN_PIN=… standin join --node node.example.com --conference board --audio tone --json";

/// Be one participant in the foreground, until stopped.
///
/// Prints each step of joining with the time it took, and at the end what was heard and seen.
/// Ctrl-C hangs up and releases the token; a second one ends at once.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    destination: DestinationArgs,

    #[command(flatten)]
    media: MediaArgs,

    /// Leave after this time in the conference
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    time_in: Option<Duration>,

    /// Leave if nobody has let us in from the waiting room by then
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    waiting_room: Option<Duration>,

    /// Every so many seconds tell what is received: loss, jitter, level, speech, pictures, freezes.
    /// Decodes what comes for it
    #[arg(long, value_name = "SECONDS", value_parser = seconds, conflicts_with = "no_media")]
    stats: Option<Duration>,

    /// Print one JSON object a line: each notice, then the summary
    #[arg(long)]
    json: bool,
}

/// What is played and kept.
#[derive(Args, Debug)]
#[command(next_help_heading = "Media")]
struct MediaArgs {
    /// What is said; unless given, the sound of what is shown, else silence
    #[arg(long, value_name = "SOURCE")]
    audio: Option<SourceSpec>,

    /// What is shown; a quiet picture unless given
    #[arg(long, value_name = "SOURCE")]
    video: Option<SourceSpec>,

    /// The video codecs to offer, best first, such as `H264,VP8`; all of them unless given: VP8, VP9,
    /// H264, AV1, that of a file first. What --record or a --sink cannot hold is not offered
    #[arg(
        long,
        value_name = "CODEC",
        value_delimiter = ',',
        conflicts_with = "no_video"
    )]
    codecs: Vec<String>,

    /// Send and receive no picture at all
    #[arg(long, conflicts_with = "video")]
    no_video: bool,

    /// No call at all: be in the roster, and receive what the conference tells, without sound and
    /// picture
    #[arg(long, conflicts_with_all = ["audio", "video", "once", "record", "sinks"])]
    no_media: bool,

    /// Play once and leave at the end, instead of over and over
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    record: RecordArgs,
}

/// Runs the command.
pub(crate) async fn join(args: JoinArgs) -> Result<Exit, Failure> {
    let form = if args.json { Form::Json } else { Form::Text };
    // Before anybody listens to signals: a live input may keep us waiting, and Ctrl-C ends that.
    let material = sources::open(args.media.audio.as_ref(), args.media.video.as_ref())
        .map_err(Failure::usage)?;
    if args.media.once
        && material
            .as_ref()
            .is_none_or(|material| material.clip().duration.is_zero())
    {
        return Err(Failure::usage(
            "--once needs a source that ends: give a file with --audio or --video",
        ));
    }
    let codecs = sources::codecs(&args.media.codecs)
        .map_err(|error| Failure::usage(format!("--codecs: {error}")))?;
    let destination = args.destination.check()?;
    let signals = Signals::listen().map_err(Failure::failed)?;

    let mut settings = destination.caller();
    settings.media = !args.media.no_media;
    settings.video = !args.media.no_video;
    settings.waiting_room_limit = args.waiting_room;
    if let Some(material) = material {
        settings.video_codecs = material.video_codecs();
        settings.program = if args.media.once {
            Program::Once(material)
        } else {
            Program::Loop(material)
        };
    }
    if let Some(codecs) = codecs {
        settings.video_codecs = codecs;
    }
    settings.stats = args.stats;
    settings.sinks = args.media.record.sinks();
    for sink in &settings.sinks {
        sink.look().map_err(Failure::usage)?;
    }
    recording::apply(args.media.record.settings(), &mut settings).map_err(Failure::usage)?;

    let shards = Shards::new(1).map_err(Failure::failed)?;
    let mut telling = Telling::new(form, &destination);
    let mut caller = driver::start(&shards.next(), settings);
    let stopper = caller.stopper();
    tokio::spawn(async move {
        stopper.stop(signals.first().await.into());
    });
    let mut leave_at: Option<Instant> = None;
    loop {
        let until = leave_at;
        tokio::select! {
            notice = caller.notice() => {
                let Some(notice) = notice else { break };
                match &notice.kind {
                    NoticeKind::State(State::InConference) => {
                        leave_at = leave_at.or_else(|| args.time_in.map(|time| Instant::now() + time));
                    }
                    NoticeKind::ClipFinished { .. } if args.media.once => caller.stop(StopReason::Finished),
                    _ => {}
                }
                telling.notice(&notice);
            }
            () = async { sleep_until(until.unwrap_or_else(Instant::now)).await }, if until.is_some() => {
                leave_at = None;
                caller.stop(StopReason::Finished);
            }
        }
    }
    let outcome = caller.join().await;
    telling.outcome(&outcome);
    let exit = Exit::from(&outcome.reason);
    match exit {
        Exit::Done | Exit::Interrupted => Ok(exit),
        _ => Err(Failure::new(exit, destination.complain(&outcome))),
    }
}

/// Reads a time in seconds, more than none.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "give seconds, more than 0, such as 60 or 2.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_and_more_than_none() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for text in ["0", "-1", "1h", "nan", "1e30"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
