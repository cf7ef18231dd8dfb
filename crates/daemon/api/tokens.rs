//! The verbs about the token itself, and `status`.

use clap::{Args, Subcommand};
use driver::api::ApiError;
use driver::find_nodes;
use infinity::Response;
use serde_json::json;

use super::access::{self, Access, AccessArgs};
use super::{failures, result};
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};
use crate::shutdown::Signals;

/// Coming and going.
#[derive(Subcommand, Debug)]
#[command(rename_all = "snake_case")]
pub(super) enum Verb {
    /// Ask the node whether it takes calls.
    ///
    /// All nodes are asked, those of a domain too; one that is ready is enough.
    #[command(after_help = "\
Example:
  standin api status --node example.com")]
    Status,
    /// Ask for a token, and keep it in a file for the verbs that follow.
    ///
    /// The file is readable by its owner alone. Without --token-file the token is given back at
    /// once: a way to try a PIN.
    #[command(after_help = "\
Examples:
  standin api request_token --node … --conference meet --pin-file host.pin --token-file meet.token
  standin api request_token --node … --conference reception --extension board --token-file board.token")]
    RequestToken(RequestTokenArgs),
    /// Lengthen the life of the token in a file, which is replaced.
    #[command(after_help = "\
Example, once a minute while the token is needed:
  standin api refresh_token --token-file meet.token")]
    RefreshToken,
    /// Leave: give the token in a file back, and remove the file.
    #[command(after_help = "\
Example:
  standin api release_token --token-file meet.token --reason 'end of shift'")]
    ReleaseToken(ReleaseTokenArgs),
}

/// What `request_token` takes.
#[derive(Args, Debug)]
pub(super) struct RequestTokenArgs {
    /// Tell the node that media may go from peer to peer
    #[arg(long)]
    direct_media: bool,

    /// A text the participant is marked with in the node's own records
    #[arg(long, value_name = "TEXT")]
    call_tag: Option<String>,
}

/// What `release_token` takes.
#[derive(Args, Debug)]
pub(super) struct ReleaseTokenArgs {
    /// Why, for the node's own records
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) async fn run(verb: Verb, access: AccessArgs, form: Form) -> Result<Exit, Failure> {
    match verb {
        Verb::Status => status(access, form).await,
        Verb::RequestToken(args) => request(args, access, form).await,
        Verb::RefreshToken => refresh(access, form).await,
        Verb::ReleaseToken(args) => release(args, access, form).await,
    }
}

async fn status(access: AccessArgs, form: Form) -> Result<Exit, Failure> {
    let (client, addresses) = access.nodes()?;
    let nodes = find_nodes(&client, &addresses)
        .await
        .map_err(|error| failures::of(ApiError::from(error)))?;
    let mut failure = None;
    let mut is_any_ready = false;
    for node in nodes {
        let answer = driver::api::status(&client, &node).await;
        let shown = driver::shown(&node);
        match (&answer, form) {
            (Ok(()), Form::Text) => print::line(format_args!("{shown} is ready")),
            (Err(error), Form::Text) => print::line(format_args!("{shown}: {error}")),
            (_, Form::Json) => print::json(&json!({
                "node": shown,
                "ready": answer.is_ok(),
                "reason": answer.as_ref().err().map(ToString::to_string),
            })),
        }
        match answer {
            Ok(()) => is_any_ready = true,
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if !is_any_ready => Err(failures::of(error)),
        _ => Ok(Exit::Done),
    }
}

async fn request(args: RequestTokenArgs, access: AccessArgs, form: Form) -> Result<Exit, Failure> {
    let signals = Signals::listen().map_err(Failure::failed)?;
    let (mut asked, file) = access.for_a_new_token()?;
    asked.entrance.body.direct_media = Some(args.direct_media);
    asked.entrance.body.call_tag = args.call_tag;
    if let Some(file) = &file {
        file.prepare().map_err(Failure::usage)?;
    }
    let mut stop = std::pin::pin!(signals.first());
    let mut entering = std::pin::pin!(asked.enter());
    let mut stopped = None;
    let (conference, granted) = loop {
        tokio::select! {
            entered = &mut entering => break entered?,
            signal = &mut stop, if stopped.is_none() => stopped = Some(signal),
        }
    };
    if let Some(signal) = stopped {
        access::give_back(&conference).await;
        return Ok(access::interrupted(signal));
    }
    match &file {
        Some(file) => {
            if let Some(membership) = conference.lend_token()
                && let Err(error) = file.write(&membership)
            {
                access::give_back(&conference).await;
                return Err(Failure::failed(error));
            }
        }
        None => access::give_back(&conference).await,
    }
    result::granted(form, &granted, file.as_ref());
    Ok(Exit::Done)
}

async fn refresh(access: AccessArgs, form: Form) -> Result<Exit, Failure> {
    let Access::Kept(kept, conference) = access.check()? else {
        return Err(needs_a_file("refresh_token"));
    };
    // To its end even when interrupted: the node replaces the token, and the file must follow.
    let signals = Signals::listen().map_err(Failure::failed)?;
    let refreshed = conference.refresh_token().await.map_err(failures::of)?;
    drop(signals);
    if let Some(membership) = conference.lend_token() {
        kept.file.write(&membership).map_err(Failure::failed)?;
    }
    result::print(form, &Response::TokenRefreshed(refreshed));
    Ok(Exit::Done)
}

async fn release(args: ReleaseTokenArgs, access: AccessArgs, form: Form) -> Result<Exit, Failure> {
    let Access::Kept(kept, conference) = access.check()? else {
        return Err(needs_a_file("release_token"));
    };
    let _signals = Signals::listen().map_err(Failure::failed)?;
    conference
        .release_token(args.reason.as_deref())
        .await
        .map_err(failures::of)?;
    kept.file.remove().map_err(Failure::failed)?;
    result::print(form, &Response::TokenReleased);
    Ok(Exit::Done)
}

fn needs_a_file(verb: &str) -> Failure {
    Failure::usage(format!(
        "{verb} is for a token that is kept: name its --token-file, which request_token writes"
    ))
}
