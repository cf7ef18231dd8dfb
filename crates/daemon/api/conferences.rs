//! The verbs about a conference as a whole, and those that mean one participant of it if one is
//! named.

use clap::{Args, Subcommand, ValueEnum};
use infinity::{CallUuid, Command, Dial, DialRole, MessageText, Protocol};

use super::ask::{Prepared, Who};
use super::input;
use crate::exit::Failure;

/// The conference.
#[derive(Subcommand, Debug)]
#[command(rename_all = "snake_case")]
pub(super) enum Verb {
    /// Print whether the conference is locked, and whether guests are muted.
    #[command(after_help = "\
Example:
  standin api conference_status --token-file meet.token --json")]
    ConferenceStatus,
    /// Print the roster.
    #[command(after_help = "\
Example, the ids of everybody with media:
  standin api participants --token-file meet.token --json | jq -r '.[] | select(.has_media) | .uuid'")]
    Participants,
    /// Call somebody into the conference. For hosts.
    ///
    /// Prints the ids of those who are called; whoever answers stays in the roster.
    #[command(after_help = "\
Examples:
  standin api dial bea@example.com --protocol sip --token-file meet.token
  standin api dial rtmp://stream.example.com/live --protocol rtmp --streaming --token-file meet.token")]
    Dial(DialArgs),
    /// Hold newcomers in the waiting room. For hosts.
    #[command(after_help = "\
Example:
  standin api lock --token-file meet.token")]
    Lock,
    /// Let newcomers in, or one participant from the waiting room. For hosts.
    #[command(after_help = "\
Examples:
  standin api unlock --token-file meet.token
  standin api unlock --participant name=Bea --token-file meet.token")]
    Unlock(OneOrAll),
    /// Mute all guests, newcomers too; who is unmuted explicitly is spared. For hosts.
    #[command(
        name = "muteguests",
        after_help = "\
Example:
  standin api muteguests --token-file meet.token"
    )]
    MuteGuests,
    /// Unmute all guests. For hosts.
    #[command(
        name = "unmuteguests",
        after_help = "\
Example:
  standin api unmuteguests --token-file meet.token"
    )]
    UnmuteGuests,
    /// Disconnect one participant, one call, or everybody. For hosts, but everyone may go itself.
    #[command(after_help = "\
Examples:
  standin api disconnect --participant name=Bea --token-file meet.token
  standin api disconnect --call 50ed679d-… --token-file meet.token
  standin api disconnect --everybody --token-file meet.token")]
    Disconnect(DisconnectArgs),
    /// Write a chat message, to everybody or to one participant.
    #[command(after_help = "\
Examples:
  standin api message 'Back in five minutes' --token-file meet.token
  uptime | standin api message - --participant name=Bea --token-file meet.token")]
    Message(MessageArgs),
}

/// One participant, or all of them.
#[derive(Args, Debug)]
pub(super) struct OneOrAll {
    /// The one participant: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO")]
    participant: Option<Who>,
}

/// What `disconnect` takes.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct DisconnectArgs {
    /// The participant: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO", conflicts_with = "everybody")]
    participant: Option<Who>,

    /// A call of that participant, `me` unless named, by the id that `calls` printed
    #[arg(long, value_name = "UUID", conflicts_with = "everybody")]
    call: Option<String>,

    /// Everybody, us included
    #[arg(long)]
    everybody: bool,
}

/// What `dial` takes.
#[derive(Args, Debug)]
pub(super) struct DialArgs {
    /// Whom to call
    #[arg(value_name = "DESTINATION")]
    destination: String,

    /// How to call
    #[arg(long, value_enum, default_value = "sip")]
    protocol: DialProtocol,

    /// What the participant shall be; `chair` is how version 10 spells host
    #[arg(long, value_enum, default_value = "guest")]
    role: DialRoleArg,

    /// Where an RTMP call sends presentations, if not together with the rest
    #[arg(long, value_name = "URL")]
    presentation_url: Option<String>,

    /// Treat it as a stream or a recording
    #[arg(long)]
    streaming: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum DialProtocol {
    Sip,
    H323,
    Mssip,
    Rtmp,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum DialRoleArg {
    Guest,
    Host,
    Chair,
}

/// What `message` takes.
#[derive(Args, Debug)]
pub(super) struct MessageArgs {
    /// What to say; `-` takes it from standard input
    #[arg(value_name = "TEXT")]
    text: String,

    /// Its MIME type
    #[arg(long = "type", value_name = "TYPE", default_value = "text/plain")]
    media_type: String,

    /// The one participant who is meant: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO")]
    participant: Option<Who>,
}

/// Reads what the verb needs, and returns the request.
pub(super) fn prepare(verb: Verb) -> Result<Prepared, Failure> {
    Ok(match verb {
        Verb::ConferenceStatus => Prepared::Conference(Command::ConferenceStatus),
        Verb::Participants => Prepared::Conference(Command::Participants),
        Verb::Dial(args) => Prepared::Conference(Command::Dial(args.into())),
        Verb::Lock => Prepared::Conference(Command::Lock),
        Verb::Unlock(OneOrAll { participant: None }) => Prepared::Conference(Command::Unlock),
        Verb::Unlock(OneOrAll {
            participant: Some(who),
        }) => Prepared::of(who, Command::Admit),
        Verb::MuteGuests => Prepared::Conference(Command::MuteGuests),
        Verb::UnmuteGuests => Prepared::Conference(Command::UnmuteGuests),
        Verb::Disconnect(args) => disconnect(args),
        Verb::Message(args) => {
            let text = MessageText {
                media_type: args.media_type,
                payload: input::argument("the message", args.text)?,
            };
            match args.participant {
                None => Prepared::Conference(Command::Message(text)),
                Some(who) => Prepared::of(who, |who| Command::MessageTo(who, text)),
            }
        }
    })
}

fn disconnect(args: DisconnectArgs) -> Prepared {
    match (args.participant, args.call) {
        (who, Some(call)) => {
            let call = CallUuid::from(call);
            Prepared::of(who.unwrap_or(Who::Me), |who| {
                Command::DisconnectCall(who, call)
            })
        }
        (Some(who), None) => Prepared::of(who, Command::Disconnect),
        (None, None) => Prepared::Conference(Command::DisconnectAll),
    }
}

impl From<DialArgs> for Dial {
    fn from(args: DialArgs) -> Self {
        Self {
            role: match args.role {
                DialRoleArg::Guest => DialRole::Guest,
                DialRoleArg::Host => DialRole::Host,
                DialRoleArg::Chair => DialRole::Chair,
            },
            destination: args.destination,
            protocol: match args.protocol {
                DialProtocol::Sip => Protocol::Sip,
                DialProtocol::H323 => Protocol::H323,
                DialProtocol::Mssip => Protocol::Mssip,
                DialProtocol::Rtmp => Protocol::Rtmp,
            },
            presentation_url: args.presentation_url,
            streaming: args.streaming,
        }
    }
}
