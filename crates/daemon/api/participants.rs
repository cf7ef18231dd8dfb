//! The verbs about one participant.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use infinity::{
    CallType, CallUuid, Calls, Change, Command, ConferenceAlias, Digits, Dtmf, OverlayText,
    ParticipantUuid, Present, Role, RoleChange, Transfer,
};

use super::ask::{Prepared, Who};
use super::input;
use crate::exit::Failure;
use crate::pin;

/// Defines the verbs that take a participant and nothing else, with what they ask for.
macro_rules! verbs {
    ($($(#[$meta:meta])* $name:ident($example:literal) = $command:expr,)+) => {
        /// A participant.
        #[derive(Subcommand, Debug)]
        #[command(rename_all = "snake_case")]
        pub(super) enum Verb {
            $(
                $(#[$meta])*
                #[command(after_help = concat!("Example:\n  standin api ", $example, " --token-file meet.token"))]
                $name(One),
            )+
            /// Make a participant a host or a guest. For hosts.
            #[command(after_help = "\
Example:
  standin api role host --participant name=Bea --token-file meet.token")]
            Role(RoleArgs),
            /// Change the text over a participant's picture; an empty one takes it away. For hosts.
            #[command(name = "overlaytext", after_help = "\
Example:
  standin api overlaytext 'Bea, minutes' --participant name=Bea --token-file meet.token")]
            OverlayText(OverlayTextArgs),
            /// Move a participant to another conference. For hosts.
            #[command(after_help = "\
Example:
  standin api transfer board --participant name=Bea --target-pin-file board.pin --token-file meet.token")]
            Transfer(TransferArgs),
            /// Press telephone keys towards a participant, or within a gateway call.
            #[command(after_help = "\
Examples:
  standin api dtmf '1234#' --participant name=Bridge --token-file meet.token
  standin api dtmf - --call 50ed679d-… --token-file call.token < keys")]
            Dtmf(DtmfArgs),
            /// Start a call with an SDP offer, and print the answer.
            ///
            /// The answer alone goes to standard output, the id of the call to standard error; with
            /// --json both are in one object. Media flows after `ack`.
            #[command(after_help = "\
Examples:
  standin api calls --sdp offer.sdp --token-file meet.token > answer.sdp
  standin api calls --sdp - --present receive --token-file meet.token --json < offer.sdp
  standin api calls --rtmp --token-file meet.token")]
            Calls(CallsArgs),
        }

        /// Reads what the verb needs, and returns the request.
        pub(super) fn prepare(verb: Verb) -> Result<Prepared, Failure> {
            Ok(match verb {
                $(
                    Verb::$name(One { participant }) => {
                        let command: fn(ParticipantUuid) -> Command = $command;
                        Prepared::of(participant, command)
                    }
                )+
                Verb::Role(args) => args.prepare(),
                Verb::OverlayText(args) => args.prepare()?,
                Verb::Transfer(args) => args.prepare()?,
                Verb::Dtmf(args) => args.prepare()?,
                Verb::Calls(args) => args.prepare()?,
            })
        }
    };
}

verbs! {
    /// Let nobody hear a participant.
    Mute("mute --participant name=Bea") = Command::Mute,
    /// Let a participant be heard again, whatever `muteguests` says.
    Unmute("unmute --participant name=Bea") = Command::Unmute,
    /// Tell that a participant has muted itself.
    ClientMute("client_mute --participant me") = |who| Command::Change(who, Change::ClientMute),
    /// Tell that a participant has unmuted itself.
    ClientUnmute("client_unmute --participant me") =
        |who| Command::Change(who, Change::ClientUnmute),
    /// Take a participant's picture away from the others.
    VideoMuted("video_muted --participant name=Bea") =
        |who| Command::Change(who, Change::VideoMute),
    /// Give a participant's picture back to the others.
    VideoUnmuted("video_unmuted --participant name=Bea") =
        |who| Command::Change(who, Change::VideoUnmute),
    /// Put a participant into the spotlight, behind those who are there already. For hosts.
    #[command(name = "spotlighton")]
    SpotlightOn("spotlighton --participant name=Bea") =
        |who| Command::Change(who, Change::SpotlightOn),
    /// Take a participant out of the spotlight. For hosts.
    #[command(name = "spotlightoff")]
    SpotlightOff("spotlightoff --participant name=Bea") =
        |who| Command::Change(who, Change::SpotlightOff),
    /// Let a participant see presentations. For hosts.
    #[command(name = "allowrxpresentation")]
    AllowRxPresentation("allowrxpresentation --participant name=Bea") =
        |who| Command::Change(who, Change::AllowRxPresentation),
    /// Keep presentations from a participant. For hosts.
    #[command(name = "denyrxpresentation")]
    DenyRxPresentation("denyrxpresentation --participant name=Bea") =
        |who| Command::Change(who, Change::DenyRxPresentation),
    /// Raise a participant's hand.
    Buzz("buzz --participant me") = |who| Command::Change(who, Change::Buzz),
    /// Lower a participant's hand.
    #[command(name = "clearbuzz")]
    ClearBuzz("clearbuzz --participant name=Bea") = |who| Command::Change(who, Change::ClearBuzz),
    /// Begin to present.
    TakeFloor("take_floor --participant me") = Command::TakeFloor,
    /// End presenting.
    ReleaseFloor("release_floor --participant me") = Command::ReleaseFloor,
}

/// One participant.
#[derive(Args, Debug)]
pub(super) struct One {
    /// The participant: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO")]
    participant: Who,
}

/// A role as people name it.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum RoleArg {
    Host,
    Guest,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Host => Self::Host,
            RoleArg::Guest => Self::Guest,
        }
    }
}

/// What `role` takes.
#[derive(Args, Debug)]
pub(super) struct RoleArgs {
    /// What it shall be
    #[arg(value_enum, value_name = "ROLE")]
    role: RoleArg,

    #[command(flatten)]
    one: One,
}

impl RoleArgs {
    fn prepare(self) -> Prepared {
        let role = RoleChange {
            role: self.role.into(),
        };
        Prepared::of(self.one.participant, move |who| {
            Command::Change(who, Change::Role(role))
        })
    }
}

/// What `overlaytext` takes.
#[derive(Args, Debug)]
pub(super) struct OverlayTextArgs {
    /// What to show; `-` takes it from standard input
    #[arg(value_name = "TEXT")]
    text: String,

    #[command(flatten)]
    one: One,
}

impl OverlayTextArgs {
    fn prepare(self) -> Result<Prepared, Failure> {
        let text = OverlayText {
            text: input::argument("the text", self.text)?,
        };
        Ok(Prepared::of(self.one.participant, |who| {
            Command::Change(who, Change::OverlayText(text))
        }))
    }
}

/// What `transfer` takes.
#[derive(Args, Debug)]
pub(super) struct TransferArgs {
    /// The conference it goes to
    #[arg(value_name = "ALIAS")]
    conference_alias: ConferenceAlias,

    #[command(flatten)]
    one: One,

    /// What it shall be there
    #[arg(long, value_enum, default_value = "guest")]
    role: RoleArg,

    /// File that holds the PIN of that role there, alone on one line
    #[arg(long, value_name = "FILE")]
    target_pin_file: Option<PathBuf>,
}

impl TransferArgs {
    fn prepare(self) -> Result<Prepared, Failure> {
        let pin = match &self.target_pin_file {
            Some(path) => pin::find(Some(path)).map_err(Failure::usage)?,
            None => None,
        };
        let transfer = Transfer {
            role: self.role.into(),
            conference_alias: self.conference_alias,
            pin,
        };
        Ok(Prepared::of(self.one.participant, |who| {
            Command::Transfer(who, transfer)
        }))
    }
}

/// What `dtmf` takes.
#[derive(Args, Debug)]
pub(super) struct DtmfArgs {
    /// The keys: 0 to 9, *, # and A to D; `-` takes them from standard input, where a PIN belongs
    #[arg(value_name = "DIGITS")]
    digits: String,

    /// The participant: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO", required_unless_present = "call")]
    participant: Option<Who>,

    /// A gateway call of that participant, `me` unless named, by the id that `calls` printed
    #[arg(long, value_name = "UUID")]
    call: Option<String>,
}

impl DtmfArgs {
    fn prepare(self) -> Result<Prepared, Failure> {
        let digits: Digits = input::argument("the digits", self.digits)?
            .parse()
            .map_err(Failure::usage)?;
        let who = self.participant.unwrap_or(Who::Me);
        Ok(match self.call.map(CallUuid::from) {
            None => Prepared::of(who, |who| Command::Dtmf(who, Dtmf { digits })),
            Some(call) => Prepared::of(who, |who| Command::CallDtmf(who, call, Dtmf { digits })),
        })
    }
}

/// What `calls` takes.
#[derive(Args, Debug)]
pub(super) struct CallsArgs {
    /// File with the SDP offer; `-` is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "rtmp")]
    sdp: Option<PathBuf>,

    /// Ask for a stream (RTMP) instead, and print the addresses to use
    #[arg(long, conflicts_with = "sdp")]
    rtmp: bool,

    /// The call carries the presentation we send or receive, or receives it in place of the main
    /// picture
    #[arg(long, value_enum)]
    present: Option<PresentArg>,

    /// The stream is a recording rather than a participant
    #[arg(long, requires = "rtmp")]
    streaming: bool,

    /// The most the stream may take each way, in kbit/s
    #[arg(long, value_name = "KBITS", requires = "rtmp")]
    bandwidth: Option<u32>,

    /// Whose call it shall be: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO", default_value = "me")]
    participant: Who,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum PresentArg {
    Send,
    Receive,
    Main,
}

impl CallsArgs {
    fn prepare(self) -> Result<Prepared, Failure> {
        let calls = Calls {
            call_type: if self.rtmp {
                CallType::Rtmp
            } else {
                CallType::Webrtc
            },
            sdp: self
                .sdp
                .map(|path| input::sdp(&path))
                .transpose()?
                .unwrap_or_default(),
            present: self.present.map(|present| match present {
                PresentArg::Send => Present::Send,
                PresentArg::Receive => Present::Receive,
                PresentArg::Main => Present::Main,
            }),
            streaming: self.streaming,
            bandwidth: self.bandwidth,
        };
        Ok(Prepared::of(self.participant, |who| {
            Command::Calls(who, calls)
        }))
    }
}
