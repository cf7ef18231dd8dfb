//! One request from beginning to end: a token, the request, the token given back.

use std::time::Duration;

use driver::api::{ApiError, Conference};
use infinity::{CallUuid, Command, ParticipantUuid, Response};
use tokio::sync::oneshot;

use super::access::{self, Access, AccessArgs};
use super::{failures, result};
use crate::exit::{Exit, Failure};
use crate::print::Form;
use crate::shutdown::Signals;

/// Which participant is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The one the token stands for.
    Me,
    /// The one of this id.
    Uuid(ParticipantUuid),
    /// The only one of this name.
    Named(String),
}

impl std::str::FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            _ if text == "me" => Ok(Self::Me),
            Some(("name", name)) if !name.is_empty() => Ok(Self::Named(name.to_owned())),
            _ if text.is_empty() || text.contains('=') => {
                Err("name a participant by its UUID, as name=NAME, or as `me`; \
                 `standin api participants` lists them"
                    .to_owned())
            }
            _ => Ok(Self::Uuid(text.into())),
        }
    }
}

/// A request that waits for a token, and perhaps for a participant's id.
pub(super) enum Prepared {
    /// For the conference.
    Conference(Command),
    /// For a participant, or a call of it.
    Participant(Who, Box<dyn FnOnce(ParticipantUuid) -> Command + Send>),
}

impl Prepared {
    /// A request for a participant.
    pub(super) fn of(
        who: Who,
        command: impl FnOnce(ParticipantUuid) -> Command + Send + 'static,
    ) -> Self {
        Self::Participant(who, Box::new(command))
    }

    /// A request for a call.
    pub(super) fn of_call(
        call: &CallArgs,
        command: impl FnOnce(ParticipantUuid, CallUuid) -> Command + Send + 'static,
    ) -> Self {
        let uuid = CallUuid::from(call.call.as_str());
        Self::of(call.participant.clone(), |who| command(who, uuid))
    }
}

/// Which call is meant.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct CallArgs {
    /// The call, by the id that `calls` printed
    #[arg(long, value_name = "UUID")]
    pub(super) call: String,

    /// Whose call it is: a UUID, name=NAME, or `me`
    #[arg(long, value_name = "WHO", default_value = "me")]
    pub(super) participant: Who,
}

/// Makes the request and prints what came of it.
pub(super) async fn ask(args: AccessArgs, form: Form, what: Prepared) -> Result<Exit, Failure> {
    with_token(args, move |conference, _| async move {
        let response = make(&conference, what).await?;
        result::print(form, &response);
        Ok(match response {
            Response::Done(false) => Exit::Failed,
            _ => Exit::Done,
        })
    })
    .await
}

async fn make(conference: &Conference, what: Prepared) -> Result<Response, Failure> {
    let command = match what {
        Prepared::Conference(command) => command,
        Prepared::Participant(who, command) => command(find(conference, who).await?),
    };
    conference.ask(command).await.map_err(failures::of)
}

async fn find(conference: &Conference, who: Who) -> Result<ParticipantUuid, Failure> {
    match who {
        Who::Uuid(uuid) => Ok(uuid),
        Who::Me => conference.own_uuid().await.map_err(failures::of),
        Who::Named(name) => {
            let rows = conference.participants().await.map_err(failures::of)?;
            let mut named = rows.into_iter().filter(|row| row.display_name == name);
            match (named.next(), named.next()) {
                (Some(row), None) => Ok(row.uuid),
                (None, _) => Err(Failure::failed(format!(
                    "nobody in the conference is called {name:?}: see `standin api participants`"
                ))),
                (Some(_), Some(_)) => Err(Failure::failed(format!(
                    "several participants are called {name:?}: name one by its UUID, see \
                     `standin api participants`"
                ))),
            }
        }
    }
}

/// How long work that listens for its end may take for it.
const WIND_UP: Duration = Duration::from_secs(5);

/// Runs `work` with a token: the one in the token file, or one that is asked for and given back
/// whatever happens, a signal and a panic included. Work that keeps its second argument is told by
/// it of a signal; other work is cut off.
pub(super) async fn with_token<W, F>(args: AccessArgs, work: W) -> Result<Exit, Failure>
where
    W: FnOnce(Conference, oneshot::Receiver<()>) -> F,
    F: Future<Output = Result<Exit, Failure>> + Send + 'static,
{
    let signals = Signals::listen().map_err(Failure::failed)?;
    let access = args.check()?;
    let mut stop = std::pin::pin!(signals.first());
    let (conference, is_ours) = match access {
        Access::Kept(_, conference) => (conference, false),
        Access::Asked(asked) => {
            let mut entering = std::pin::pin!(asked.enter());
            let mut stopped = None;
            // Once asked for, a token may come: it is waited for, to be given back.
            let entered = loop {
                tokio::select! {
                    entered = &mut entering => break entered,
                    signal = &mut stop, if stopped.is_none() => stopped = Some(signal),
                }
            };
            match (entered, stopped) {
                (entered, Some(signal)) => {
                    if let Ok((conference, _)) = entered {
                        access::give_back(&conference).await;
                    }
                    return Ok(access::interrupted(signal));
                }
                (entered, None) => (entered?.0, true),
            }
        }
    };
    let (tell, stopped) = oneshot::channel();
    let mut working = tokio::spawn(work(conference.clone(), stopped));
    let ended = tokio::select! {
        ended = &mut working => ended.unwrap_or_else(|defect| {
            Err(Failure::failed(format!("defect in this program: {defect}")))
        }),
        signal = &mut stop => {
            // Work that listens has something to bring to its end.
            if tell.send(()).is_ok() {
                let _ = tokio::time::timeout(WIND_UP, &mut working).await;
            }
            working.abort();
            Ok(access::interrupted(signal))
        }
    };
    if is_ours {
        access::give_back(&conference).await;
    }
    ended
}

/// Returns the failure of a request, for work that makes its own.
pub(super) fn failed(error: ApiError) -> Failure {
    failures::of(error)
}
