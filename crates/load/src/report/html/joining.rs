//! How joining went: a waterfall of its steps.

use super::plot::{self, Bar};
use super::{panel, put};
use crate::{Metric, RunResult, Unit, metric};

/// A step: its name, its figure, and the steps it may have had to wait for, the likeliest first.
type Step = (&'static str, &'static Metric, &'static [&'static Metric]);

static STEPS: [Step; 14] = [
    ("name looked up", &metric::JOIN_DNS, &[]),
    (
        "connected (TCP, TLS)",
        &metric::JOIN_CONNECTED,
        &[&metric::JOIN_DNS],
    ),
    ("token", &metric::JOIN_TOKEN, &[&metric::JOIN_CONNECTED]),
    ("event stream", &metric::JOIN_EVENTS, &[&metric::JOIN_TOKEN]),
    (
        "in the roster",
        &metric::JOIN_ROSTER,
        &[&metric::JOIN_EVENTS, &metric::JOIN_TOKEN],
    ),
    (
        "SDP answer",
        &metric::JOIN_SDP,
        &[&metric::JOIN_EVENTS, &metric::JOIN_TOKEN],
    ),
    ("ICE", &metric::JOIN_ICE, &[&metric::JOIN_SDP]),
    ("ack", &metric::JOIN_ACK, &[&metric::JOIN_SDP]),
    ("DTLS", &metric::JOIN_DTLS, &[&metric::JOIN_ICE]),
    (
        "first audio in",
        &metric::JOIN_FIRST_AUDIO,
        &[&metric::JOIN_DTLS],
    ),
    (
        "first video in",
        &metric::JOIN_FIRST_VIDEO,
        &[&metric::JOIN_DTLS],
    ),
    (
        "our audio reported",
        &metric::JOIN_AUDIO_REPORTED,
        &[&metric::JOIN_DTLS],
    ),
    (
        "our video reported",
        &metric::JOIN_VIDEO_REPORTED,
        &[&metric::JOIN_DTLS],
    ),
    ("all of it", &metric::JOIN_TOTAL, &[]),
];

pub(super) fn joining(page: &mut String, result: &RunResult) {
    let quantile = |metric: &Metric, share| result.measurements.histogram(metric)?.quantile(share);
    let (mut bars, mut missing) = (Vec::new(), Vec::new());
    for (name, metric, before) in &STEPS {
        let (Some(to), Some(p95)) = (quantile(metric, 0.5), quantile(metric, 0.95)) else {
            missing.push(*name);
            continue;
        };
        let from = before.iter().find_map(|metric| quantile(metric, 0.5));
        bars.push(Bar {
            name: (*name).to_owned(),
            from: from.unwrap_or_default().min(to),
            to,
            p95,
        });
    }
    if bars.is_empty() {
        return;
    }
    let mut body = plot::waterfall("Join waterfall", &bars);
    body += "<p class=\"soft\">Medians, counted from the start of the join: each bar begins where the step it waits for \
             ended, and its whisker ends at p95.</p>\n";
    if let Some(waiting) = result.measurements.histogram(&metric::JOIN_WAITING_ROOM) {
        let told = |share| {
            waiting
                .quantile(share)
                .map(|value| Unit::Seconds.told(value))
        };
        if let (Some(usual), Some(slow)) = (told(0.5), told(0.95)) {
            put(
                &mut body,
                format_args!(
                    "<p class=\"soft\">In the waiting room, which is not counted: {usual}, p95 {slow}.</p>\n"
                ),
            );
        }
    }
    if !missing.is_empty() {
        put(
            &mut body,
            format_args!(
                "<p class=\"soft\">Without values in this run: {}.</p>\n",
                missing.join(", ")
            ),
        );
    }
    panel(page, "Joining, step by step", &body);
}
