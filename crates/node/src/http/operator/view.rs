//! The node as JSON. Durations are in seconds, times in Unix seconds, rates in bits a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use infinity::{Profile, ReceptionKind};
use serde_json::{Value, json};

use super::super::journal::{Record, What, unix_now};
use super::super::listener::ListenerOverview;
use super::super::{Reception, Served, Site};
use super::call;
use crate::conference::{Overview, ParticipantOverview, StreamId};
use crate::fault::Fault;
use crate::room::CallCounters;

/// The whole node.
pub(super) async fn site(site: &Site) -> Value {
    let mut conferences = Vec::new();
    for served in site.all() {
        conferences.push(conference(site, &served).await);
    }
    // Those of more than one word are so many that only the ones that are on are shown.
    let worded = site.faults.iter();
    let worded = worded.filter(|fault| !Fault::ALL.contains(fault));
    let faults = Fault::ALL.into_iter().chain(worded.cloned()).map(|fault| {
        json!({
            "name": fault.to_string(),
            "help": fault.help(),
            "on": site.faults.has(fault),
        })
    });
    json!({
        "at": unix_now(),
        "version": env!("CARGO_PKG_VERSION"),
        "profile": match site.profile {
            Profile::V10 => "v10",
            Profile::Modern => "modern",
        },
        "up_for": seconds(site.started.elapsed()),
        "video_codecs": site.video_codecs.iter().map(|one| one.name()).collect::<Vec<_>>(),
        "token_life": seconds(site.token_life),
        "faults": faults.collect::<Vec<_>>(),
        "conferences": conferences,
        "receptions": site.receptions.iter().map(reception).collect::<Vec<_>>(),
        "unknown_requests": site.journal.nobodys().len(),
    })
}

/// A log, the latest entry last.
pub(super) fn log(record: &Record) -> Value {
    json!({
        "conference": record.conference,
        "display_name": record.display_name,
        "left": record.left,
        "reason": record.reason,
        "entries": record.entries,
    })
}

/// A duration in seconds, to the millisecond.
pub(super) fn seconds(duration: Duration) -> f64 {
    duration.as_millis() as f64 / 1000.0
}

fn reception(reception: &Reception) -> Value {
    json!({
        "aliases": reception.aliases,
        "kind": match reception.kind {
            ReceptionKind::Mssip => "mssip",
            _ => "standard",
        },
        "wants_pin": reception.pin.is_some(),
    })
}

async fn conference(site: &Site, served: &Arc<Served>) -> Value {
    let figures = served.figures().await;
    let (overview, streams) = served.overview();
    let Overview {
        locked,
        guests_muted,
        started,
        wants_host_pin,
        guests,
        participant_limit,
        participants,
    } = overview;
    let participants = participants
        .iter()
        .map(|one| participant(site, one, &streams, &figures));
    let departed = site.journal.departed(served.alias().as_str());
    let departed = departed.iter().map(|(uuid, record)| {
        json!({
            "uuid": uuid,
            "display_name": record.display_name,
            "left": record.left,
            "reason": record.reason,
            "activity": activity(record),
        })
    });
    json!({
        "alias": served.alias(),
        "aliases": served.aliases(),
        "locked": locked,
        "guests_muted": guests_muted,
        "started": started,
        "wants_host_pin": wants_host_pin,
        "guests": guests,
        "participant_limit": participant_limit,
        "participants": participants.collect::<Vec<_>>(),
        "departed": departed.collect::<Vec<_>>(),
    })
}

fn participant(
    site: &Site,
    one: &ParticipantOverview,
    streams: &HashMap<StreamId, ListenerOverview>,
    figures: &[CallCounters],
) -> Value {
    let streams = one.streams.iter().filter_map(|id| streams.get(id));
    let calls = one.calls.iter().map(|call| {
        let figures = figures.iter().find(|figures| figures.call == call.uuid);
        call::call(call, figures)
    });
    let record = site.journal.record(&one.row.uuid);
    json!({
        "row": one.row,
        "here_for": seconds(one.here_for),
        "token": one.token.map(|token| json!({
            "age": seconds(token.age),
            "left": seconds(token.left),
            "refreshes": token.refreshes,
        })),
        "event_streams": streams.map(stream).collect::<Vec<_>>(),
        "calls": calls.collect::<Vec<_>>(),
        // None of the API's requests come from a far end that the conference has called.
        "activity": record.as_ref().map(activity),
    })
}

fn stream(stream: &ListenerOverview) -> Value {
    json!({
        "open_for": seconds(stream.open_for),
        "sent": stream.sent,
        "waiting": stream.waiting,
        "last": stream.last.map(|(name, ago)| json!({ "name": name, "ago": seconds(ago) })),
    })
}

fn activity(record: &Record) -> Value {
    let is_request = |what: &What| matches!(what, What::Request { .. });
    let requests = record.entries.iter().rev();
    json!({
        "requests": record.requests,
        "refused": record.refused,
        "events": record.events,
        "last_request": requests.clone().find(|entry| is_request(&entry.what)),
        "digits": record.digits,
        "statistics": record.statistics.as_ref().map(|(at, reported)| json!({
            "at": at,
            "reported": reported,
        })),
    })
}
