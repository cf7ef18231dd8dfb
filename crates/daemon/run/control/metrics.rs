//! What a running service measures of its participants, for Prometheus and its like.

use driver::{Frames, PeerStats};
use load::report::{Exposition, FamilyType};
use media::dbov;

use crate::run::attendant::Seen;
use crate::run::company::Company;
use crate::run::standing::State;

/// Labels beside the participant's name.
type Labels<'a> = &'a [(&'a str, &'a str)];

/// What one participant has of a family.
type Samples<'a> = &'a dyn Fn(&Seen, &mut dyn FnMut(Labels<'_>, f64));

const AUDIO: &str = "audio";
const VIDEO: &str = "video";
const IN: &str = "in";
const OUT: &str = "out";

/// Returns all there is to tell.
pub(super) fn exposition(company: &Company) -> String {
    let all = company.look(|name, seen| (name.to_owned(), seen.clone()));
    let mut text = Exposition::default();
    let mut family = |name: &str, unit: &str, kind, help: &str, samples: Samples<'_>| {
        let name = format!("standin_participant_{name}");
        text.family(&name, kind, unit, help);
        let suffix = match kind {
            FamilyType::Counter => "_total",
            FamilyType::Gauge | FamilyType::Summary => "",
        };
        for (participant, seen) in &all {
            samples(seen, &mut |labels, value| {
                let mut with_name = vec![("participant", participant.as_str())];
                with_name.extend_from_slice(labels);
                text.sample(suffix, &with_name, value);
            });
        }
    };
    let gauge = FamilyType::Gauge;
    let counter = FamilyType::Counter;
    family(
        "state",
        "",
        gauge,
        "1 for the state it is in.",
        &|seen, tell| {
            for state in State::ALL {
                let is = f64::from(u8::from(seen.standing.state == state));
                tell(&[("state", state.name())], is);
            }
        },
    );
    family(
        "astray",
        "",
        gauge,
        "1 while it is not where it is meant to be.",
        &|seen, tell| tell(&[], f64::from(u8::from(!seen.standing.is_as_meant()))),
    );
    family(
        "state_seconds",
        "seconds",
        gauge,
        "How long it has been in that state.",
        &|seen, tell| tell(&[], seen.standing.since.elapsed().as_secs_f64()),
    );
    family(
        "join_seconds",
        "seconds",
        gauge,
        "When each step of the last join was reached.",
        &|seen, tell| {
            for (step, after) in seen.measured.steps.iter() {
                let name = serde_json::to_value(step).unwrap_or_default();
                let name = name.as_str().unwrap_or_default();
                tell(&[("step", name)], after.as_secs_f64());
            }
        },
    );
    family(
        "restarts",
        "",
        counter,
        "How often it was begun anew, by reason.",
        &|seen, tell| {
            for (reason, count) in &seen.measured.restarts {
                tell(&[("reason", &reason.name())], *count as f64);
            }
        },
    );
    family(
        "queued",
        "",
        gauge,
        "How many things wait to be played that were ordered.",
        &|seen, tell| tell(&[], seen.played.queued.len() as f64),
    );
    family(
        "packets",
        "",
        gauge,
        "RTP packets of the present call.",
        &|seen, tell| {
            of_call(
                seen,
                &|call, tell| {
                    tell(AUDIO, IN, call.inbound_audio.packets_received as f64);
                    tell(VIDEO, IN, call.inbound_video.packets_received as f64);
                    tell(AUDIO, OUT, call.outbound_audio.packets_sent as f64);
                    tell(VIDEO, OUT, call.outbound_video.packets_sent as f64);
                },
                tell,
            );
        },
    );
    family(
        "packets_lost",
        "",
        gauge,
        "Packets of the present call that did not arrive, ours as the node reports them.",
        &|seen, tell| {
            of_call(
                seen,
                &|call, tell| {
                    tell(AUDIO, IN, call.inbound_audio.packets_lost as f64);
                    tell(VIDEO, IN, call.inbound_video.packets_lost as f64);
                },
                tell,
            );
            for (kind, report) in reports(seen) {
                tell(
                    &[("kind", kind), ("direction", OUT)],
                    report.packets_lost as f64,
                );
            }
        },
    );
    family(
        "jitter_seconds",
        "seconds",
        gauge,
        "Interarrival jitter, of ours as the node reports it.",
        &|seen, tell| {
            of_call(
                seen,
                &|call, tell| {
                    tell(AUDIO, IN, call.inbound_audio.jitter.as_secs_f64());
                    tell(VIDEO, IN, call.inbound_video.jitter.as_secs_f64());
                },
                tell,
            );
            for (kind, report) in reports(seen) {
                let jitter = report.jitter.as_secs_f64();
                tell(&[("kind", kind), ("direction", OUT)], jitter);
            }
        },
    );
    family(
        "round_trip_time_seconds",
        "seconds",
        gauge,
        "Round-trip time of media, where the node's reports allow to tell.",
        &|seen, tell| {
            let of_call = seen.measured.figures.as_ref();
            if let Some(time) = of_call.and_then(|(_, figures)| figures.call.round_trip_time) {
                tell(&[], time.as_secs_f64());
            }
        },
    );
    family(
        "bit_rate_bits_per_second",
        "bits_per_second",
        gauge,
        "RTP payload a second, over the last two seconds.",
        &|seen, tell| {
            let Some(rates) = seen.measured.bit_rates else {
                return;
            };
            let labels = [(AUDIO, IN), (VIDEO, IN), (AUDIO, OUT), (VIDEO, OUT)];
            for ((kind, direction), rate) in labels.into_iter().zip(rates) {
                tell(&[("kind", kind), ("direction", direction)], rate);
            }
        },
    );
    family(
        "audio_level_dbov",
        "dbov",
        gauge,
        "Level of what is heard, over the last two seconds: 0 is the loudest there is, -127 silence.",
        &|seen, tell| {
            if let Some(level) = seen.measured.audio_level {
                tell(&[], dbov(level));
            }
        },
    );
    family(
        "frames_received",
        "",
        counter,
        "Pictures that came.",
        &|seen, tell| of_pictures(seen, &|frames| frames.received as f64, tell),
    );
    family(
        "freezes",
        "",
        counter,
        "How often the picture that comes stood still.",
        &|seen, tell| of_pictures(seen, &|frames| f64::from(frames.freezes), tell),
    );
    family(
        "frozen_seconds",
        "seconds",
        counter,
        "How long the picture that comes stood still, altogether, once it has gone on.",
        &|seen, tell| of_pictures(seen, &|frames| frames.frozen, tell),
    );
    family(
        "frozen",
        "",
        gauge,
        "1 while the picture that comes stands still.",
        &|seen, tell| {
            if let Some((_, figures)) = &seen.measured.figures {
                tell(&[], f64::from(u8::from(figures.frozen)));
            }
        },
    );
    family(
        "frames_sent",
        "",
        counter,
        "Frames that left.",
        &|seen, tell| {
            tell(&[], seen.measured.lateness.sums().0 as f64);
        },
    );
    family(
        "frames_late_seconds",
        "seconds",
        counter,
        "How late frames left, altogether.",
        &|seen, tell| tell(&[], seen.measured.lateness.sums().1),
    );
    text.end()
}

type OfCall<'a> = &'a dyn Fn(&PeerStats, &mut dyn FnMut(&str, &str, f64));

fn of_call(seen: &Seen, look: OfCall<'_>, tell: &mut dyn FnMut(Labels<'_>, f64)) {
    if let Some((_, figures)) = &seen.measured.figures {
        look(&figures.call, &mut |kind, direction, value| {
            tell(&[("kind", kind), ("direction", direction)], value);
        });
    }
}

fn of_pictures(seen: &Seen, look: &dyn Fn(&Frames) -> f64, tell: &mut dyn FnMut(Labels<'_>, f64)) {
    if let Some((_, figures)) = &seen.measured.figures {
        tell(&[], look(&figures.received.video.frames));
    }
}

fn reports(seen: &Seen) -> impl Iterator<Item = (&'static str, &driver::Report)> {
    let kinds = [AUDIO, VIDEO].into_iter().zip(&seen.measured.reports);
    kinds.filter_map(|(kind, report)| Some((kind, report.as_ref()?)))
}
