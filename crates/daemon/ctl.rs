//! `standin ctl`: asks a running service how it stands, and tells it what to do.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api;
use crate::exit::{Exit, Failure};
use crate::operator_token;
use crate::print::{self, Form};
use crate::run;
use crate::sources;

mod exchange;
mod words;

use exchange::{Answer, Place};

/// Where a service listens unless another place is named, as `systemd/standin.service` has it.
const SOCKET: &str = "/run/standin/control.sock";

const AFTER_HELP: &str = "\
A participant is called by its file without .toml, or by its table [participant.NAME].

Ends with 0 when it was done, with 2 when what was asked makes no sense, with 3 when the
Conferencing Node refused or cannot be reached, and with 1 otherwise.

Examples:
  standin ctl list
  standin ctl status town-hall
  standin ctl leave town-hall
  standin ctl play town-hall --video film.mp4
  standin ctl say town-hall 'Back in five minutes'
  standin ctl message town-hall 'Back in five minutes'
  standin ctl api town-hall participants/me/buzz
  standin ctl events | jq -r 'select(.event == \"standing\") | [.participant, .state, .why] | @tsv'
  standin ctl --listen 127.0.0.1:9464 --token-file control.token list";

/// Ask a running service how it stands, and tell it what to do.
///
/// It is reached by its Unix socket, or by TCP with a token.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP, arg_required_else_help = true, subcommand_value_name = "VERB")]
pub(crate) struct CtlArgs {
    /// The Unix socket of the service: `control.socket` of its configuration
    #[arg(long, value_name = "PATH", global = true, env = "STANDIN_CONTROL", default_value = SOCKET)]
    socket: PathBuf,

    /// The address of the service instead: `control.listen` of its configuration
    #[arg(long, value_name = "HOST:PORT", global = true)]
    listen: Option<String>,

    /// File that holds the token for --listen, alone on one line
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,

    /// Print what is answered as JSON
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Print how it stands with all participants, a line each
    List,
    /// Print how it stands with one participant, or with all: since when, why, and what happens next
    Status {
        /// The participant
        name: Option<String>,
    },
    /// Let a participant join that is not there
    Join {
        /// The participant
        name: String,
    },
    /// Let a participant leave, and stay out until `join`
    Leave {
        /// The participant
        name: String,
    },
    /// Let a participant leave and join anew, with its PIN and its media read again
    Restart {
        /// The participant
        name: String,
    },
    /// Play something at once; without a source, what the configuration says
    Play {
        /// The participant
        name: String,
        #[command(flatten)]
        media: MediaArgs,
    },
    /// Play something once all else is over that was told to be played
    Queue {
        /// The participant
        name: String,
        #[command(flatten)]
        media: MediaArgs,
    },
    /// Speak a text once all else is over that was told to be played
    Say {
        /// The participant
        name: String,
        /// What to say; `-` takes it from standard input
        text: String,
        /// The voice or language, such as `de`
        #[arg(long)]
        voice: Option<String>,
    },
    /// End what is played that was told to be; what waits comes next, then what the configuration says
    Skip {
        /// The participant
        name: String,
    },
    /// Play nothing, and forget what waits: silence and a slate, until `play`
    Stop {
        /// The participant
        name: String,
    },
    /// Let nobody hear a participant
    Mute {
        /// The participant
        name: String,
    },
    /// Let a participant be heard again
    Unmute {
        /// The participant
        name: String,
    },
    /// Press telephone keys
    Dtmf {
        /// The participant
        name: String,
        /// The keys: 0 to 9, *, # and A to D; `-` takes them from standard input, where a PIN belongs
        digits: String,
        /// Towards another participant of the conference, by its UUID
        #[arg(long, value_name = "UUID")]
        to: Option<String>,
    },
    /// Write a chat message
    Message {
        /// The participant
        name: String,
        /// What to say; `-` takes it from standard input
        text: String,
        /// To one participant of the conference alone, by its UUID
        #[arg(long, value_name = "UUID")]
        to: Option<String>,
    },
    /// Make any request of the client API with the participant's own token, and print the result
    Api {
        /// The participant
        name: String,
        /// What follows the conference in the request's path, such as muteguests or participants/me/buzz
        request: String,
        /// The body, JSON; `-` takes it from standard input
        body: Option<String>,
    },
    /// Print what happens, one JSON object a line, until interrupted
    Events {
        /// The participant; all of them unless named
        name: Option<String>,
    },
    /// Print the description of the service's HTTP interface (OpenAPI)
    Openapi,
}

/// What to play.
#[derive(Args, Debug)]
struct MediaArgs {
    /// What is heard, as `standin join` takes it
    #[arg(long, value_name = "SOURCE")]
    audio: Option<String>,
    /// What is seen, and heard as well, if it has sound and nothing else is to be heard
    #[arg(long, value_name = "SOURCE")]
    video: Option<String>,
    /// Play it over and over
    #[arg(long = "loop")]
    loops: bool,
}

impl MediaArgs {
    /// Returns what the service is told; it may be somewhere else, so paths are told whole.
    fn body(&self) -> Result<Value, Failure> {
        let whole = |text: &Option<String>| {
            let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let spec = text.as_deref().map(|text| sources::parse(text, whole));
            let spec = spec.transpose().map_err(Failure::usage)?;
            Ok(spec.map(|spec| spec.to_string()))
        };
        Ok(json!({
            "audio": whole(&self.audio)?, "video": whole(&self.video)?, "loop": self.loops,
        }))
    }
}

/// Runs the command.
pub(crate) async fn ctl(args: CtlArgs) -> Result<Exit, Failure> {
    let form = if args.json { Form::Json } else { Form::Text };
    let place = match args.listen {
        None => Place::Socket(args.socket),
        Some(address) => {
            let token =
                operator_token::of_control(args.token_file.as_deref()).map_err(Failure::usage)?;
            Place::Address(address, token)
        }
    };
    let of = |name: &str, verb: &str| format!("/v1/participants/{}/{verb}", encoded(name));
    let answer = match args.verb {
        Verb::List => {
            let answer = place.get("/v1/participants").await?;
            return Ok(print_all(form, &answer.value()?, words::line));
        }
        Verb::Status { name: None } => {
            let answer = place.get("/v1/participants").await?;
            return Ok(print_all(form, &answer.value()?, words::whole));
        }
        Verb::Status { name: Some(name) } => {
            let path = format!("/v1/participants/{}", encoded(&name));
            place.get(&path).await?
        }
        Verb::Join { name } => place.post(&of(&name, "join"), None).await?,
        Verb::Leave { name } => place.post(&of(&name, "leave"), None).await?,
        Verb::Restart { name } => place.post(&of(&name, "restart"), None).await?,
        Verb::Play { name, media } => {
            let body = media.body()?;
            place.post(&of(&name, "play"), Some(body)).await?
        }
        Verb::Queue { name, media } => {
            let body = media.body()?;
            place.post(&of(&name, "queue"), Some(body)).await?
        }
        Verb::Say { name, text, voice } => {
            let text = api::argument("the text", text)?;
            let body = json!({ "text": text, "voice": voice });
            place.post(&of(&name, "say"), Some(body)).await?
        }
        Verb::Skip { name } => place.post(&of(&name, "skip"), None).await?,
        Verb::Stop { name } => place.post(&of(&name, "stop"), None).await?,
        Verb::Mute { name } => place.post(&of(&name, "mute"), None).await?,
        Verb::Unmute { name } => place.post(&of(&name, "unmute"), None).await?,
        Verb::Dtmf { name, digits, to } => {
            let digits = api::argument("the digits", digits)?;
            let body = json!({ "digits": digits.trim(), "to": to });
            place.post(&of(&name, "dtmf"), Some(body)).await?
        }
        Verb::Message { name, text, to } => {
            let text = api::argument("the message", text)?;
            let body = json!({ "text": text, "to": to });
            place.post(&of(&name, "message"), Some(body)).await?
        }
        Verb::Api {
            name,
            request,
            body,
        } => {
            let body = body
                .map(|body| {
                    let text = api::argument("the body", body)?;
                    serde_json::from_str::<Value>(&text)
                        .map_err(|error| Failure::usage(format!("the body is no JSON: {error}")))
                })
                .transpose()?;
            let body = json!({ "request": request, "body": body });
            let answer = place.post(&of(&name, "api"), Some(body)).await?;
            print::json(&answer.value()?);
            return Ok(Exit::Done);
        }
        Verb::Events { name } => {
            let path = match name {
                Some(name) => format!("/v1/events?participant={}", encoded(&name)),
                None => "/v1/events".to_owned(),
            };
            return events(place.get(&path).await?).await;
        }
        Verb::Openapi => {
            print::json(&run::description());
            return Ok(Exit::Done);
        }
    };
    let value = answer.value()?;
    match form {
        Form::Json => print::json(&value),
        Form::Text if value["done"] == true => print::line("done"),
        Form::Text => print::line(words::whole(&value)),
    }
    Ok(Exit::Done)
}

fn print_all(form: Form, value: &Value, words: impl Fn(&Value) -> String) -> Exit {
    match form {
        Form::Json => print::json(value),
        Form::Text => {
            for one in value.as_array().into_iter().flatten() {
                print::line(words(one));
            }
        }
    }
    Exit::Done
}

async fn events(mut answer: Answer) -> Result<Exit, Failure> {
    answer.expect_success()?;
    while let Some(line) = answer.line().await? {
        print::line(line);
    }
    Err(Failure::failed("the service has ended"))
}

/// Names are written as they are; whatever else is typed is not to change the path.
fn encoded(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
