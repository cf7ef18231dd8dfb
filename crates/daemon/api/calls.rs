//! The verbs about one call.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use infinity::{Command, NewCandidate, Statistics, Update};

use super::ask::{CallArgs, Prepared};
use super::{input, measured};
use crate::exit::Failure;

/// A call.
#[derive(Subcommand, Debug)]
#[command(rename_all = "snake_case")]
pub(super) enum Verb {
    /// Start the media of a call, once the answer to the offer is taken.
    #[command(after_help = "\
Example:
  standin api ack --call 50ed679d-… --token-file meet.token")]
    Ack(CallArgs),
    /// Add an ICE candidate to a call, or say that there are no more.
    #[command(after_help = "\
Examples:
  standin api new_candidate 'candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host' --mid 0 \\
      --call 50ed679d-… --token-file meet.token
  standin api new_candidate --end --mid 0 --call 50ed679d-… --token-file meet.token")]
    NewCandidate(NewCandidateArgs),
    /// Renegotiate a call with a new offer, and print the answer.
    #[command(after_help = "\
Example:
  standin api update --sdp offer.sdp --call 50ed679d-… --token-file meet.token > answer.sdp")]
    Update(UpdateArgs),
    /// Tell the node what was measured of a call's media.
    ///
    /// Each of --audio, --video and --presentation takes measurements as NAME=VALUE: rx_bitrate and
    /// tx_bitrate in kbit/s, rx_codec, tx_codec, rx_fps, tx_fps, rx_resolution and tx_resolution
    /// such as 1280x720, rx_jitter and tx_rb_jitter in ms, rx_packets_received, rx_packets_lost,
    /// tx_packets_sent, tx_rb_packetslost, and losses in percent as rx_historic_packet_loss,
    /// rx_windowed_packet_loss, tx_historic_packet_loss, tx_windowed_packet_loss.
    #[command(after_help = "\
Example:
  standin api statistics --call 50ed679d-… --audio rx_bitrate=31.5 rx_codec=opus \\
      --video tx_bitrate=640 tx_resolution=1280x720 --token-file meet.token")]
    Statistics(StatisticsArgs),
}

/// What `new_candidate` takes.
#[derive(Args, Debug)]
pub(super) struct NewCandidateArgs {
    /// The candidate, as in SDP without its `a=`
    #[arg(value_name = "CANDIDATE", required_unless_present = "end")]
    candidate: Option<String>,

    /// There are no more candidates
    #[arg(long, conflicts_with = "candidate")]
    end: bool,

    /// The a=mid of the m-line it belongs to
    #[arg(long, value_name = "MID")]
    mid: String,

    /// The ICE user name fragment it belongs to
    #[arg(long, value_name = "UFRAG")]
    ufrag: Option<String>,

    /// File that holds the ICE password that goes with it, alone on one line
    #[arg(long, value_name = "FILE")]
    pwd_file: Option<PathBuf>,

    #[command(flatten)]
    call: CallArgs,
}

/// What `update` takes.
#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    /// File with the SDP offer; `-` is standard input
    #[arg(long, value_name = "FILE")]
    sdp: PathBuf,

    #[command(flatten)]
    call: CallArgs,
}

/// What `statistics` takes.
#[derive(Args, Debug)]
pub(super) struct StatisticsArgs {
    /// Measurements of sound
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    audio: Vec<String>,

    /// Measurements of the main picture
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    video: Vec<String>,

    /// Measurements of the presentation
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    presentation: Vec<String>,

    #[command(flatten)]
    call: CallArgs,
}

/// Reads what the verb needs, and returns the request.
pub(super) fn prepare(verb: Verb) -> Result<Prepared, Failure> {
    Ok(match verb {
        Verb::Ack(call) => Prepared::of_call(&call, Command::Ack),
        Verb::NewCandidate(args) => {
            let candidate = NewCandidate {
                candidate: args.candidate.unwrap_or_default(),
                mid: args.mid,
                ufrag: args.ufrag,
                pwd: args
                    .pwd_file
                    .map(|path| input::text("the ICE password", &path))
                    .transpose()?
                    .map(|pwd| pwd.trim().to_owned()),
            };
            Prepared::of_call(&args.call, |who, call| {
                Command::NewCandidate(who, call, candidate)
            })
        }
        Verb::Update(args) => {
            let update = Update {
                sdp: input::sdp(&args.sdp)?,
            };
            Prepared::of_call(&args.call, |who, call| Command::Update(who, call, update))
        }
        Verb::Statistics(args) => {
            let statistics = Statistics {
                audio: measured::read(&args.audio)?,
                video: measured::read(&args.video)?,
                presentation: measured::read(&args.presentation)?,
            };
            Prepared::of_call(&args.call, |who, call| {
                Command::Statistics(who, call, Box::new(statistics))
            })
        }
    })
}
