//! What can be asked of a running service, and how it is answered.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use driver::api::{ApiError, Conference};
use futures_util::stream;
use infinity::{ConferencePath, Digits, MessageText, ParticipantUuid};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::bodies::{AsWritten, Done, Keys, Sources, Speech, Status, Wanted, Words};
use super::problem::Problem;
use super::{metrics, openapi, playing};
use crate::api::hide_secrets;
use crate::run::company::Company;
use crate::run::events::Told;

pub(super) type Shared = State<Arc<Company>>;

/// One thing that can be asked.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) what: &'static str,
    pub(super) takes: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(super) gives: Gives,
    handler: MethodRouter<Arc<Company>>,
}

/// What is answered when all goes well.
pub(super) enum Gives {
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Something of another content type.
    Other(&'static str),
}

fn json<T: JsonSchema>() -> Gives {
    Gives::Json(|generator| generator.subschema_for::<T>())
}

fn asked(
    path: &'static str,
    what: &'static str,
    gives: Gives,
    handler: MethodRouter<Arc<Company>>,
) -> Route {
    Route {
        method: "get",
        path,
        what,
        takes: None,
        gives,
        handler,
    }
}

fn told(
    path: &'static str,
    what: &'static str,
    gives: Gives,
    handler: MethodRouter<Arc<Company>>,
) -> Route {
    Route {
        method: "post",
        ..asked(path, what, gives, handler)
    }
}

fn with<T: JsonSchema>(route: Route) -> Route {
    Route {
        takes: Some(|generator| generator.subschema_for::<T>()),
        ..route
    }
}

/// All that can be asked: the router and the description are made of this.
pub(super) fn all() -> Vec<Route> {
    vec![
        asked(
            "/v1/participants",
            "How it stands with every participant",
            json::<Vec<Status>>(),
            get(list),
        ),
        asked(
            "/v1/participants/{name}",
            "How it stands with one participant",
            json::<Status>(),
            get(status),
        ),
        told(
            "/v1/participants/{name}/join",
            "Let it join, if it is not there",
            json::<Status>(),
            post(join),
        ),
        told(
            "/v1/participants/{name}/leave",
            "Let it leave and stay out",
            json::<Status>(),
            post(leave),
        ),
        told(
            "/v1/participants/{name}/restart",
            "Let it leave and join anew, with its PIN and media read again",
            json::<Status>(),
            post(restart),
        ),
        with::<Option<Sources>>(told(
            "/v1/participants/{name}/play",
            "Play this at once, or, without anything, what the configuration says",
            json::<Status>(),
            post(playing::play),
        )),
        with::<Sources>(told(
            "/v1/participants/{name}/queue",
            "Play this once all else that was ordered is over",
            json::<Status>(),
            post(playing::queue),
        )),
        with::<Speech>(told(
            "/v1/participants/{name}/say",
            "Speak a text once all else that was ordered is over",
            json::<Status>(),
            post(playing::say),
        )),
        told(
            "/v1/participants/{name}/skip",
            "End what was ordered and is played; what waits comes next",
            json::<Status>(),
            post(playing::skip),
        ),
        told(
            "/v1/participants/{name}/stop",
            "Play nothing, and forget what waits, until something is ordered",
            json::<Status>(),
            post(playing::stop),
        ),
        told(
            "/v1/participants/{name}/mute",
            "Let nobody hear it",
            json::<Done>(),
            post(mute),
        ),
        told(
            "/v1/participants/{name}/unmute",
            "Let it be heard again",
            json::<Done>(),
            post(unmute),
        ),
        with::<Keys>(told(
            "/v1/participants/{name}/dtmf",
            "Press telephone keys",
            json::<Done>(),
            post(dtmf),
        )),
        with::<Words>(told(
            "/v1/participants/{name}/message",
            "Write a chat message",
            json::<Done>(),
            post(message),
        )),
        with::<AsWritten>(told(
            "/v1/participants/{name}/api",
            "Make any request of the client API with its token, and return the result",
            json::<Value>(),
            post(as_written),
        )),
        asked(
            "/v1/events",
            "What happens, as JSON lines, until the connection ends; ?participant=NAME for one alone",
            Gives::Other("application/x-ndjson"),
            get(events),
        ),
        asked(
            "/metrics",
            "Figures for Prometheus (OpenMetrics)",
            Gives::Other(load::report::CONTENT_TYPE),
            get(figures),
        ),
        asked(
            "/healthz",
            "Whether all loops turn; 503 where one does not",
            Gives::Other("text/plain; charset=utf-8"),
            get(health),
        ),
        asked(
            "/readyz",
            "Whether all participants are where they are meant to be; 503 where one is not",
            Gives::Other("text/plain; charset=utf-8"),
            get(readiness),
        ),
        asked(
            "/openapi.json",
            "This description",
            json::<Value>(),
            get(description),
        ),
    ]
}

/// Returns what answers.
pub(super) fn router(company: Arc<Company>) -> Router {
    let routes = all().into_iter();
    routes
        .fold(Router::new(), |router, route| {
            router.route(route.path, route.handler)
        })
        .fallback(nothing)
        .method_not_allowed_fallback(otherwise)
        .with_state(company)
}

async fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "see /openapi.json for what there is")
}

async fn otherwise() -> Problem {
    let what = "see /openapi.json for how this is asked";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, what)
}

async fn list(State(company): Shared) -> Json<Vec<Status>> {
    Json(company.look(Status::of))
}

pub(super) async fn status(
    State(company): Shared,
    Path(name): Path<String>,
) -> Result<Json<Status>, Problem> {
    let status = company.look_at(&name, |seen| Status::of(&name, seen))?;
    Ok(Json(status))
}

async fn join(company: Shared, Path(name): Path<String>) -> Result<Json<Status>, Problem> {
    company.remote(&name)?.join().await;
    status(company, Path(name)).await
}

async fn leave(company: Shared, Path(name): Path<String>) -> Result<Json<Status>, Problem> {
    company.remote(&name)?.leave().await;
    status(company, Path(name)).await
}

async fn restart(company: Shared, Path(name): Path<String>) -> Result<Json<Status>, Problem> {
    company.restart(&name).await?;
    status(company, Path(name)).await
}

async fn mute(company: Shared, Path(name): Path<String>) -> Result<Json<Done>, Problem> {
    let conference = conference(&company, &name, "mute").await?;
    let own = conference.own_uuid().await?;
    conference.participant(own).mute().await?;
    Ok(Json(Done::YES))
}

async fn unmute(company: Shared, Path(name): Path<String>) -> Result<Json<Done>, Problem> {
    let conference = conference(&company, &name, "unmute").await?;
    let own = conference.own_uuid().await?;
    conference.participant(own).unmute().await?;
    Ok(Json(Done::YES))
}

async fn dtmf(
    company: Shared,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Done>, Problem> {
    let Keys { digits, to } = read(&body)?;
    let digits: Digits = digits.parse().map_err(Problem::wrong)?;
    let conference = conference(&company, &name, "dtmf").await?;
    let to = match to {
        Some(to) => ParticipantUuid::from(to),
        None => conference.own_uuid().await?,
    };
    conference.participant(to).dtmf(digits).await?;
    Ok(Json(Done::YES))
}

async fn message(
    company: Shared,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Done>, Problem> {
    let Words { text, to } = read(&body)?;
    if text.trim().is_empty() {
        return Err(Problem::wrong("the message is empty: write something"));
    }
    let message = MessageText {
        media_type: "text/plain".to_owned(),
        payload: text,
    };
    let conference = conference(&company, &name, "message").await?;
    match to {
        Some(to) => conference.participant(to).message(message).await?,
        None => conference.message(message).await?,
    }
    Ok(Json(Done::YES))
}

async fn as_written(
    company: Shared,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let AsWritten { request, body } = read(&body)?;
    let conference = conference(&company, &name, "the request").await?;
    let path = match request.strip_prefix("participants/me/") {
        Some(rest) => format!("participants/{}/{rest}", conference.own_uuid().await?),
        None => request,
    };
    let path = conference_path(&path).ok_or_else(|| {
        Problem::wrong(format_args!(
            "{path:?} is no request of the client API: write what follows the conference in its path, such as \
             muteguests or participants/me/buzz"
        ))
    })?;
    let mut result = conference.ask_as_written(path, body.as_ref()).await?;
    hide_secrets(&mut result);
    Ok(Json(result))
}

fn conference_path(path: &str) -> Option<ConferencePath> {
    let whole = format!("/api/client/v2/conferences/any/{path}");
    match infinity::Path::decode(&whole)? {
        infinity::Path::Conference(_, path) => Some(path),
        infinity::Path::Status => None,
    }
}

async fn events(State(company): Shared, Query(wanted): Query<Wanted>) -> Response {
    let listener = company.events.listen();
    let lines = stream::unfold((listener, wanted), |(mut listener, wanted)| async move {
        let line = next_line(&mut listener, &wanted).await?;
        Some((Ok::<_, Infallible>(line), (listener, wanted)))
    });
    let content_type = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (content_type, Body::from_stream(lines)).into_response()
}

async fn next_line(listener: &mut Receiver<Arc<Told>>, wanted: &Wanted) -> Option<Bytes> {
    loop {
        match listener.recv().await {
            Ok(told) if wanted.is(&told) => {
                return Some(Bytes::copy_from_slice(told.line.as_bytes()));
            }
            // Another participant's; or the listener was too slow, and goes on with what there is.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

impl Wanted {
    fn is(&self, told: &Told) -> bool {
        let wanted = self.participant.as_ref();
        wanted.is_none_or(|wanted| told.participant == **wanted)
    }
}

async fn figures(State(company): Shared) -> Response {
    let content_type = [(header::CONTENT_TYPE, load::report::CONTENT_TYPE)];
    (content_type, metrics::exposition(&company)).into_response()
}

async fn health(State(company): Shared) -> (StatusCode, &'static str) {
    if company.turns().await {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "a loop does not turn; see the log\n",
        )
    }
}

async fn readiness(State(company): Shared) -> (StatusCode, String) {
    let all = company.look(|_, seen| seen.standing.is_as_meant());
    let missing = all.iter().filter(|is| !**is).count();
    if missing == 0 {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        // Whoever asks need not have brought the token, and is told no names.
        let all = all.len();
        let text = format!(
            "not where they are meant to be: {missing} of {all}; `standin ctl list` says who and why\n"
        );
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

async fn description() -> Json<Value> {
    Json(openapi::description())
}

/// Returns the conference of a participant that is there; `request` is what is to be done in it.
async fn conference(
    company: &Shared,
    name: &str,
    request: &'static str,
) -> Result<Conference, Problem> {
    let lent = company.remote(name)?.lend().await;
    lent.ok_or_else(|| ApiError::NotIn { request }.into())
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // The position of a fault is of use, what stands there may be a PIN.
    serde_json::from_slice(body).map_err(|error| {
        Problem::wrong(format_args!(
            "the body is not what /openapi.json says: line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}
