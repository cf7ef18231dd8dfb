//! Single values of a scenario, and what is said of one that is wrong.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use load::ScenarioError;

use crate::node_settings::WrongValue;

pub(super) fn wrong(key: &'static str, what: impl ToString) -> WrongValue {
    WrongValue {
        key,
        what: what.to_string(),
    }
}

/// Returns the key that a complaint about the whole is about.
pub(super) fn key_of(error: &ScenarioError) -> &'static str {
    match error {
        ScenarioError::NoNode | ScenarioError::NotAllowed { .. } => "nodes",
        ScenarioError::TooManyRoles { .. } | ScenarioError::Nobody => "participants",
        ScenarioError::TooMany { .. } => "most_callers",
        ScenarioError::ChurnWithoutStay => "stay_seconds",
        ScenarioError::VideoWithoutVideo => "video_senders",
        ScenarioError::MarksWithoutBothEnds => "marks",
        _ => "nodes",
    }
}

pub(super) fn all<T, E: ToString>(
    key: &'static str,
    texts: &[String],
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, WrongValue> {
    texts
        .iter()
        .map(|text| {
            read(text).map_err(|error| wrong(key, format!("{text:?}: {}", error.to_string())))
        })
        .collect()
}

pub(super) fn seconds(key: &'static str, value: f64) -> Result<Duration, WrongValue> {
    // A hundred years: longer than anything may last, and far from what times cannot tell.
    let most = Duration::from_secs(100 * 365 * 86_400);
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|time| *time <= most)
        .ok_or_else(|| wrong(key, format!("{value} is no time: give 0 or more")))
}

pub(super) fn milliseconds(key: &'static str, value: f64) -> Result<Duration, WrongValue> {
    seconds(key, value / 1000.0)
}

pub(super) fn share(key: &'static str, percent: f64) -> Result<f64, WrongValue> {
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err(wrong(key, format!("{percent} is no share: give 0 to 100")))
    }
}

/// Where a page is served: an address and a port, or a port of this machine alone.
pub(super) fn listen(text: Option<&str>) -> Result<Option<SocketAddr>, WrongValue> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let port = || Some(SocketAddr::from((Ipv4Addr::LOCALHOST, text.parse().ok()?)));
    let address = text.parse().ok().or_else(port);
    address.map(Some).ok_or_else(|| {
        let what = format!("{text:?} is no address with a port: write 127.0.0.1:9100, or 9100");
        wrong("listen", what)
    })
}
