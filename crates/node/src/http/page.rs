//! The page for people, embedded in the program.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Value, json};

use super::Site;

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
    let list = site.conferences.iter().map(|served| {
        let participants = served.with(|conference, _| conference.participants().count());
        json!({ "alias": served.alias(), "participants": participants })
    });
    Json(list.collect())
}
