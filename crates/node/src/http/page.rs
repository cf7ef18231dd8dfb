//! The page for people, embedded in the program.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use infinity::ConferenceAlias;
use serde_json::{Value, json};

use super::{Served, Site};

type Text = ([(HeaderName, &'static str); 2], &'static str);

fn text(content_type: &'static str, text: &'static str) -> Text {
    // The page belongs to this build of the node: an older one in a cache would not fit.
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
}

pub(super) async fn index() -> Text {
    text(
        "text/html; charset=utf-8",
        include_str!("../../page/index.html"),
    )
}

pub(super) async fn style() -> Text {
    text(
        "text/css; charset=utf-8",
        include_str!("../../page/page.css"),
    )
}

pub(super) async fn script() -> Text {
    text(
        "text/javascript; charset=utf-8",
        include_str!("../../page/page.js"),
    )
}

/// What the page offers to join. Not part of the client REST API.
pub(super) async fn conferences(State(site): State<Arc<Site>>) -> Json<Value> {
    let count = |served: &Served| served.with(|conference, _| conference.participants().count());
    let entry = |alias: &ConferenceAlias, participants: usize| json!({ "alias": alias, "participants": participants });
    let conferences = site.conferences.iter();
    let conferences = conferences.map(|served| entry(served.alias(), count(served)));
    let gateways = site.gateways.iter().map(|gateway| {
        let calls = gateway.calls();
        entry(gateway.alias(), calls.iter().map(|call| count(call)).sum())
    });
    Json(conferences.chain(gateways).collect())
}
