//! The client REST API v2: one request in, one answer out.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{self, Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use infinity::{
    ConferenceAlias, ConferencePath, Method as ApiMethod, ParticipantUuid, Path, Pin, Refusal,
    Reply, Response, Token,
};
use serde_json::json;
use tracing::debug;

use super::journal::Answered;
use super::{BODY_AT_MOST, Served, Site, decode, is_among};
use crate::conference::{Conference, Requester, RoomRequest, Verdict};
use crate::excuse::Excuse;
use crate::fault::Fault;

/// Answers anything below `/api/client/v2/`.
pub(super) async fn serve(State(site): State<Arc<Site>>, request: Request) -> HttpResponse {
    let began = Instant::now();
    let late = site.faults.lateness();
    if !late.is_zero() {
        tokio::time::sleep(late).await;
    }
    let (parts, body) = request.into_parts();
    let mut note = Note {
        who: token(&parts.headers, &parts.uri).and_then(|token| site.journal.whose(&token)),
        refusal: None,
    };
    let mut taken = Bytes::new();
    let answer = match read(&site, body).await {
        Ok(body) => {
            taken = body;
            answer(&site, &parts, &taken, &mut note).await
        }
        Err(status) => plain(
            status,
            "failed",
            status.canonical_reason().unwrap_or_default(),
        ),
    };
    debug!(method = %parts.method, path = parts.uri.path(), status = answer.status().as_u16(), "answered");
    site.journal.request(Answered {
        who: note.who,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        status: answer.status().as_u16(),
        took: began.elapsed(),
        body: &taken,
        body_out: answer.body().size_hint().exact(),
        refusal: note.refusal,
    });
    answer
}

/// What is learnt of a request while it is answered, for the journal.
struct Note {
    who: Option<ParticipantUuid>,
    refusal: Option<String>,
}

/// Takes a body that is neither too large nor too slow.
async fn read(site: &Site, body: Body) -> Result<Bytes, StatusCode> {
    let read = tokio::time::timeout(site.patience, body::to_bytes(body, BODY_AT_MOST));
    let read = read.await.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
    // The other reason is a client that went away, and takes no answer.
    read.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}

/// Answers what is neither the API nor the page.
pub(super) async fn nothing_here() -> HttpResponse {
    plain(
        StatusCode::NOT_FOUND,
        "failed",
        "Nothing is here: the page is at /, the API below /api/client/v2/",
    )
}

async fn answer(site: &Site, parts: &Parts, body: &[u8], note: &mut Note) -> HttpResponse {
    let (method, uri, headers) = (&parts.method, &parts.uri, &parts.headers);
    let refused = |refusal: &Refusal, note: &mut Note| {
        debug!(path = uri.path(), %refusal, "refused");
        note.refusal = Some(refusal.to_string());
        reply(refusal.encode(site.profile, &Conference::version(site.profile)))
    };
    let Some(path) = path(uri.path()) else {
        return refused(&unknown_request(), note);
    };
    if site.faults.leave_out(&path) {
        return refused(&unknown_request(), note);
    }
    let wanted = if path.method() == ApiMethod::Get {
        Method::GET
    } else {
        Method::POST
    };
    if *method != wanted {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "failed",
            "Method not allowed",
        );
        if let Ok(allow) = wanted.as_str().parse() {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return response;
    }
    let (alias, path) = match path {
        Path::Status if site.faults.has(Fault::Maintenance) => {
            return refused(&Refusal::Maintenance, note);
        }
        Path::Status => return plain(StatusCode::OK, "success", "OK"),
        Path::Conference(alias, path) => (alias, path),
    };
    if path == ConferencePath::RequestToken && site.faults.has(Fault::Maintenance) {
        return refused(&Refusal::Maintenance, note);
    }
    if path == ConferencePath::RequestToken
        && let Some(excuse) = site.faults.excuse()
    {
        return excused(site, excuse, note);
    }
    if !(body.is_empty() || is_json(headers) || path == ConferencePath::ReleaseToken) {
        return plain(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "failed",
            "Unsupported media type: application/json is wanted",
        );
    }
    let (token, pin) = (token(headers, uri), pin(headers));
    let entrance = (token.as_ref(), pin.as_ref());
    let served = match find(site, &alias, &path, entrance, body) {
        Ok(served) => served,
        Err(refusal) => return refused(&refusal, note),
    };
    let by = Requester {
        token: token.as_ref(),
        vendor: text(headers, header::USER_AGENT.as_str()),
    };
    let is_newcomer = path == ConferencePath::RequestToken;
    if is_newcomer && let Some(excuse) = served.with(|conference, _| conference.excuse()) {
        return excused(site, excuse, note);
    }
    let response = conference(site, &served, by, path, headers, body, note).await;
    if is_newcomer && response.is_err() {
        served.with(|conference, _| conference.nobody_came());
    }
    match response {
        Ok(response) => response,
        Err(refusal) => refused(&refusal, note),
    }
}

/// Finds the conference that a request is for: the one of the alias, or the one that a Virtual
/// Reception of that alias connects to, or a call through a gateway.
fn find(
    site: &Site,
    alias: &ConferenceAlias,
    path: &ConferencePath,
    (token, pin): (Option<&Token>, Option<&Pin>),
    body: &[u8],
) -> Result<Arc<Served>, Refusal> {
    if let Some(served) = site.conference(alias.as_str()) {
        return Ok(Arc::clone(served));
    }
    let mut gateways = site.gateways.iter();
    if let Some(gateway) = gateways.find(|gateway| gateway.is_called(alias.as_str())) {
        return gateway.connect(path, token);
    }
    site.receptions
        .iter()
        .find(|reception| is_among(&reception.aliases, alias.as_str()))
        .ok_or(Refusal::NoSuchConference)?
        .connect(site, path, token, pin, body)
        .cloned()
}

async fn conference(
    site: &Site,
    served: &Arc<Served>,
    by: Requester<'_>,
    path: ConferencePath,
    headers: &HeaderMap,
    body: &[u8],
    note: &mut Note,
) -> Result<HttpResponse, Refusal> {
    if !Conference::knows(site.profile, &path) {
        return Err(unknown_request());
    }
    match path {
        ConferencePath::Events => return events(site, served, by),
        ConferencePath::PresentationJpeg => return served.picture(by, false).await,
        ConferencePath::PresentationHighJpeg => return served.picture(by, true).await,
        // Real nodes without a theme of their own answer so.
        ConferencePath::Theme => return Ok(StatusCode::NO_CONTENT.into_response()),
        _ => {}
    }
    let command = decode::command(path, pin(headers), body)?.ok_or_else(unknown_request)?;
    let response = match served.with(|conference, now| conference.handle(now, by, &command))? {
        Verdict::Answer(response) => response,
        Verdict::AskRoom(RoomRequest::Call {
            participant, call, ..
        }) if site.faults.has(Fault::NoSdp) => served
            .with(|conference, _| conference.call_answered(&participant, &call, String::new()))?,
        Verdict::AskRoom(request) => served.ask_room(request).await?,
        Verdict::AskConference(who, transfer) => {
            let other = site
                .conference(transfer.conference_alias.as_str())
                .ok_or(Refusal::NoSuchConference)?;
            let token = other.with(|conference, now| conference.invite(now, &transfer))?;
            served.with(|conference, _| conference.refer(&who, &transfer, token))?
        }
    };
    match &response {
        Response::TokenGranted(granted) => {
            let (who, name) = (&granted.participant_uuid, &granted.display_name);
            site.journal
                .joined(served.alias().as_str(), who, name, &granted.token);
            note.who = Some(who.clone());
        }
        Response::TokenRefreshed(fresh) => {
            if let Some(who) = &note.who {
                site.journal.renewed(who, &fresh.token);
            }
        }
        _ => {}
    }
    Ok(reply(response.encode(site.profile)))
}

fn events(site: &Site, served: &Arc<Served>, by: Requester<'_>) -> Result<HttpResponse, Refusal> {
    let mut events = served.open_events(by)?;
    if site.faults.has(Fault::EventsCut) {
        events = events.cut_after_a_while();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Reads a path, and takes `theme` for `theme/`.
fn path(text: &str) -> Option<Path> {
    Path::decode(text).or_else(|| {
        let before = text.strip_suffix("/theme")?;
        Path::decode(&format!("{before}/theme/"))
    })
}

/// The token in the header, or in the query where no header can be set.
pub(super) fn token(headers: &HeaderMap, uri: &Uri) -> Option<Token> {
    match text(headers, "token") {
        "" => infinity::token_in_query(uri.query()?),
        token => Some(Token::new(token)),
    }
}

fn pin(headers: &HeaderMap) -> Option<Pin> {
    match text(headers, "pin") {
        "" => None,
        pin => Some(Pin::new(pin)),
    }
}

/// Whether a body is said to be JSON, or nothing is said of it. What browsers send on leaving
/// (`sendBeacon`) calls itself text, so it is not asked there.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE.as_str());
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.is_empty() || kind.eq_ignore_ascii_case("application/json")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn unknown_request() -> Refusal {
    Refusal::NotFound("Resource not found".to_owned())
}

fn reply(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        reply.body,
    )
        .into_response()
}

fn plain(status: StatusCode, word: &str, result: &str) -> HttpResponse {
    let body = json!({ "status": word, "result": result }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Refuses a newcomer on purpose.
fn excused(site: &Site, excuse: Excuse, note: &mut Note) -> HttpResponse {
    note.refusal = Some(format!("{}", Fault::Refuse(excuse)));
    let answer = excuse.answer(site.profile, &Conference::version(site.profile));
    let kind = if answer.is_json {
        "application/json"
    } else {
        "text/html; charset=utf-8"
    };
    let status = StatusCode::from_u16(answer.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], answer.body).into_response()
}
