//! `standin api`: any single request of the client API, for scripts.

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};
use crate::print::Form;

mod access;
mod ask;
mod calls;
mod conferences;
mod events;
mod failures;
mod input;
mod measured;
mod participants;
mod picture;
mod result;
mod token_file;
mod tokens;

use access::AccessArgs;
pub(crate) use input::argument;
pub(crate) use result::hide as hide_secrets;

/// The verbs in groups, since clap lists them in one row.
const VERBS: &str = "\
Coming and going:
  status               Ask the node whether it takes calls
  request_token        Ask for a token, and keep it in a file for the verbs that follow
  refresh_token        Lengthen the life of the token in a file
  release_token        Leave: give the token in a file back

The conference:
  conference_status    Print whether it is locked, whether guests are muted
  participants         Print the roster
  events               Print what happens, until interrupted
  message              Write a chat message, to everybody or to one participant
  dial                 Call somebody into the conference
  lock, unlock         Hold newcomers in the waiting room; let them in, all or one
  muteguests, unmuteguests
                       Mute all guests, newcomers too; unmute them
  disconnect           Disconnect one participant, one call, or everybody
  presentation.jpeg    Save the latest picture of the presentation

A participant (--participant UUID, name=NAME or me):
  mute, unmute         Let nobody hear it; let it be heard again
  client_mute, client_unmute
                       Tell that it has muted or unmuted itself
  video_muted, video_unmuted
                       Take its picture away; give it back
  role                 Make it a host or a guest
  spotlighton, spotlightoff
                       Put it into the spotlight; take it out
  allowrxpresentation, denyrxpresentation
                       Let it see presentations; keep them from it
  buzz, clearbuzz      Raise its hand; lower it
  overlaytext          Change the text over its picture
  transfer             Move it to another conference
  dtmf                 Press telephone keys towards it, or within a gateway call
  take_floor, release_floor
                       Begin to present; end it
  calls                Start a call with an SDP offer, and print the answer

A call (--call UUID):
  ack                  Start its media
  new_candidate        Add an ICE candidate
  update               Renegotiate with a new offer, and print the answer
  statistics           Tell the node what was measured";

const AFTER_HELP: &str = "\
Without --token-file a verb asks for a token, does its work and gives the token back; meanwhile it
stands in the roster, as `Standin`. Verbs for hosts need a host's PIN: --pin-file or STANDIN_PIN.
PINs and tokens are neither taken from the command line nor printed.

Examples:
  standin api participants --node https://node.example.com --conference meet
  standin api muteguests --node node.example.com --conference meet --pin-file host.pin
  standin api request_token --node … --conference meet --pin-file host.pin --token-file meet.token
  standin api mute --token-file meet.token --participant name=Bea
  standin api events --token-file meet.token --json
  standin api release_token --token-file meet.token";

/// Make a single request of the client API, for scripts.
#[derive(Args, Debug)]
#[command(
    before_help = VERBS,
    after_help = AFTER_HELP,
    help_template = "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}{after-help}",
    arg_required_else_help = true,
    subcommand_value_name = "VERB"
)]
pub(crate) struct ApiArgs {
    #[command(flatten)]
    access: AccessArgs,

    #[command(subcommand)]
    verb: Verb,
}

/// The verbs, spelt as the API spells them.
#[derive(Subcommand, Debug)]
#[command(rename_all = "snake_case")]
enum Verb {
    #[command(flatten)]
    Token(tokens::Verb),
    #[command(flatten)]
    Conference(conferences::Verb),
    #[command(flatten)]
    Participant(participants::Verb),
    #[command(flatten)]
    Call(calls::Verb),
    /// Print what happens in the conference, until interrupted.
    Events(events::EventsArgs),
    /// Save the latest picture of the presentation, JPEG.
    #[command(name = "presentation.jpeg")]
    Picture(picture::PictureArgs),
}

/// Runs the command.
pub(crate) async fn api(args: ApiArgs) -> Result<Exit, Failure> {
    let ApiArgs { access, verb } = args;
    let form = if access.json { Form::Json } else { Form::Text };
    match verb {
        Verb::Token(verb) => tokens::run(verb, access, form).await,
        Verb::Conference(verb) => ask::ask(access, form, conferences::prepare(verb)?).await,
        Verb::Participant(verb) => ask::ask(access, form, participants::prepare(verb)?).await,
        Verb::Call(verb) => ask::ask(access, form, calls::prepare(verb)?).await,
        Verb::Events(args) => events::events(args, access, form).await,
        Verb::Picture(args) => picture::picture(args, access, form).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser, Debug)]
    struct Alone {
        #[command(flatten)]
        api: ApiArgs,
    }

    #[test]
    fn every_verb_is_listed_and_shows_an_example() {
        for verb in Alone::command().get_subcommands_mut() {
            let name = verb.get_name().to_owned();
            assert!(
                VERBS.split([' ', ',', '\n']).any(|word| word == name),
                "{name} is not listed"
            );
            let help = verb.render_long_help().to_string();
            assert!(
                help.contains(&format!("standin api {name}")),
                "{name}: {help}"
            );
        }
    }

    #[test]
    fn whatever_is_listed_is_a_verb() {
        let command = Alone::command();
        for line in VERBS.lines().filter(|line| line.starts_with("  ")) {
            let names = line.trim_start();
            if line.starts_with("     ") {
                continue;
            }
            let names = names.split("  ").next().expect("names");
            for name in names.split(", ") {
                assert!(command.find_subcommand(name).is_some(), "{name}");
            }
        }
    }
}
