//! `standin api events`: what happens in the conference, line by line.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::Args;
use driver::api::{Conference, EventStream, Heard};
use infinity::{Event, Remedy};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tracing::warn;

use super::access::AccessArgs;
use super::token_file::TokenFile;
use super::{ask, failures, result};
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};
use crate::private_file;

const AFTER_HELP: &str = "\
Lines of text begin with the name of the event; what follows is its data as JSON. With --json each line
is an object: {\"event\": …, \"id\": …, \"data\": …}. Tokens in them are hidden.

The token is kept alive meanwhile, the one in a --token-file too.

Ends with 0 after --count events, with 5 when we are disconnected, and with 130 on SIGINT.

Examples:
  standin api events --node node.example.com --conference meet
  standin api events --only participant_create --count 1 --token-file meet.token --json";

/// No token is refreshed sooner, whatever its life.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// What `events` takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct EventsArgs {
    /// End after this many events were printed
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// Print events of this name alone; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// Keep the one-time token of a `refer` in this file, readable by its owner alone, for
    /// `standin join --token-file` or `standin api request_token --one-time-token-file`
    #[arg(long, value_name = "FILE")]
    refer_file: Option<PathBuf>,
}

pub(super) async fn events(
    args: EventsArgs,
    access: AccessArgs,
    form: Form,
) -> Result<Exit, Failure> {
    let file = access.token_file();
    ask::with_token(access, move |conference, mut stop| async move {
        let stream = conference.events().await.map_err(failures::of)?;
        let (enough, ended) = oneshot::channel();
        let refreshing = tokio::spawn(keep_alive(conference, file, ended));
        let printed = tokio::select! {
            printed = print_all(args, stream, form) => printed,
            _ = &mut stop => Ok(Exit::Done),
        };
        drop(enough);
        // A refresh that has begun is completed: the file must have the token it brings.
        let _ = refreshing.await;
        printed
    })
    .await
}

async fn print_all(args: EventsArgs, mut stream: EventStream, form: Form) -> Result<Exit, Failure> {
    let mut left = args.count;
    while left != Some(0) {
        let heard = stream.next().await.map_err(failures::of)?;
        if args.only.is_empty() || args.only.contains(&heard.name) {
            print_one(form, &heard);
            left = left.map(|left| left - 1);
        }
        match &heard.event {
            Ok(Event::Refer(refer)) => {
                if let (Some(path), Some(token)) = (&args.refer_file, &refer.token) {
                    private_file::write(path, token.expose().as_bytes()).map_err(|error| {
                        Failure::failed(format!("cannot write {}: {error}", path.display()))
                    })?;
                }
            }
            Ok(Event::Disconnect(disconnect)) => {
                return Err(Failure::new(
                    Exit::Removed,
                    format!("disconnected by the node: {}", disconnect.reason),
                ));
            }
            Err(error) => warn!(%error, "not understood"),
            _ => {}
        }
    }
    Ok(Exit::Done)
}

fn print_one(form: Form, heard: &Heard) {
    let mut data =
        serde_json::from_str(&heard.data).unwrap_or_else(|_| Value::String(heard.data.clone()));
    result::hide(&mut data);
    match form {
        Form::Json => print::json(&json!({
            "event": heard.name,
            "id": heard.id,
            "data": data,
        })),
        Form::Text if data.is_null() => print::line(&heard.name),
        Form::Text => print::line(format_args!("{} {data}", heard.name)),
    }
}

/// Refreshes the token at half of its life, over and over, until `ended` says so.
async fn keep_alive(
    conference: Conference,
    file: Option<TokenFile>,
    mut ended: oneshot::Receiver<()>,
) {
    while let Some(membership) = conference.membership() {
        let left = membership
            .expires_at
            .duration_since(SystemTime::now())
            .unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep((left / 2).max(SHORTEST_PAUSE)) => {}
            _ = &mut ended => return,
        }
        if let Some(kept) = file.as_ref().and_then(|file| file.read().ok())
            && kept.membership.token != membership.token
        {
            // Another command has refreshed it meanwhile.
            conference.adopt(kept.membership);
            continue;
        }
        match conference.refresh_token().await {
            Ok(_) => {
                if let (Some(file), Some(membership)) = (&file, conference.membership())
                    && let Err(error) = file.write(&membership)
                {
                    warn!(%error, "the token was refreshed, and its file is out of date");
                }
            }
            Err(error) if error.remedy() == Remedy::JoinAgain => {
                warn!(%error, "the token is lost");
                return;
            }
            Err(error) => warn!(%error, "trying again"),
        }
    }
}
