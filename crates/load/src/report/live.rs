//! A test while it runs: what its live page shows, and how that came about.

use std::time::Instant;

use super::escape::Escaped;
use super::html::{self, colour, numbers, panel, put, reasons};
use super::plot::{self, Across, Line, Scale};
use crate::{Progress, RunResult, Standing, Unit};

mod conferences;

use conferences::conferences;

/// More moments than this are thinned out: a page that is sent again and again stays small.
const MOST: usize = 240;

/// What was seen of a test so far.
#[derive(Debug, Default)]
pub struct Live {
    history: Vec<Progress>,
    latest: Option<Progress>,
    /// Every how many looks one is kept.
    every: usize,
    looks: usize,
    /// The verdict as HTML, once the test is over.
    verdict: Option<String>,
}

/// A figure that is drawn over time.
type Figure = fn(&Progress) -> Option<f64>;

impl Live {
    /// Takes note of how far the test has come; one that begins anew is another test.
    pub fn shows(&mut self, progress: &Progress) {
        let begins_anew = |latest: &Progress| progress.at < latest.at;
        if self.latest.as_ref().is_some_and(begins_anew) {
            *self = Self::default();
        }
        if self.looks.is_multiple_of(self.every.max(1)) {
            self.history.push(progress.clone());
        }
        self.looks += 1;
        if self.history.len() > MOST {
            let mut number = 0;
            self.history.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every = self.every.max(1) * 2;
        }
        self.latest = Some(progress.clone());
    }

    /// The test is over, and this came of it. What was seen of it stays.
    pub fn ended(&mut self, result: &RunResult) {
        self.verdict = Some(html::outcome(result));
    }

    /// How far the test has come.
    pub fn latest(&self) -> Option<&Progress> {
        self.latest.as_ref()
    }

    /// What changes from one second to the next, as HTML: where callers stand, or the verdict; the
    /// numbers; each conference; failures.
    pub fn now(&self, now: Instant) -> String {
        let mut page = String::new();
        match (&self.latest, &self.verdict) {
            (None, None) => panel(
                &mut page,
                "Nobody has come yet",
                "<p>The test is about to start.</p>\n",
            ),
            (Some(latest), None) => head(&mut page, latest),
            (_, Some(verdict)) => page += verdict,
        }
        if let Some(latest) = &self.latest {
            latest.so_far.read(|measured| numbers(&mut page, measured));
            conferences(&mut page, latest.so_far.conferences(now));
            latest.so_far.read(|measured| reasons(&mut page, measured));
        }
        page
    }

    /// What grows slowly, as HTML: the test over time.
    pub fn plots(&self) -> String {
        let mut page = String::new();
        let Some(latest) = &self.latest else {
            return page;
        };
        let seconds = latest.end.max(latest.at).as_secs_f64();
        page += "<div class=\"two\">\n";
        panel(&mut page, "Callers, by state", &self.states(seconds));
        let plots: [(&str, Scale, Figure); 5] = [
            ("Join so far, p95", Scale::of(Unit::Seconds), |at| {
                at.join_p95
            }),
            (
                "MOS so far, mean, estimated without decoding",
                Scale::of_mos(),
                |at| at.mos,
            ),
            ("Audio lost so far, mean", Scale::of(Unit::Ratio), |at| {
                at.audio_loss
            }),
            (
                "Own CPU: share of the cores in use",
                Scale::of(Unit::Ratio),
                |at| Some(at.cpu),
            ),
            (
                "Own frames sent late by, p99",
                Scale::of(Unit::Seconds),
                |at| at.late_p99,
            ),
        ];
        for (title, scale, figure) in plots {
            let points = self.history.iter();
            let points = points.filter_map(|at| Some((at.at.as_secs_f64(), figure(at)?)));
            let line = Line {
                name: "every second".to_owned(),
                colour: 0,
                points: points.collect(),
            };
            panel(
                &mut page,
                title,
                &plot::lines(title, &scale, &Across::time(seconds), &[line]),
            );
        }
        page += "</div>\n";
        page
    }

    fn states(&self, seconds: f64) -> String {
        let counts = |standing: Standing| {
            self.history.iter().map(move |at| {
                let here = at.standing.iter().find(|(other, _)| *other == standing);
                (
                    at.at.as_secs_f64(),
                    here.map_or(0.0, |(_, count)| *count as f64),
                )
            })
        };
        let lines: Vec<Line> = Standing::ALL
            .into_iter()
            .enumerate()
            .filter(|(_, standing)| counts(*standing).any(|(_, count)| count > 0.0))
            .map(|(place, standing)| Line {
                name: standing.name().to_owned(),
                colour: colour(place),
                points: counts(standing).collect(),
            })
            .collect();
        plot::lines(
            "Callers, by state",
            &Scale::of(Unit::Count),
            &Across::time(seconds),
            &lines,
        )
    }
}

fn head(page: &mut String, latest: &Progress) {
    let standing: Vec<String> = latest
        .standing
        .iter()
        .map(|(standing, count)| format!("{count} {}", standing.name()))
        .collect();
    let far = match latest.end.as_secs() {
        0 => format!("{} s", latest.at.as_secs()),
        end => format!("{} of {end} s", latest.at.as_secs().min(end)),
    };
    put(
        page,
        format_args!(
            "<header class=\"panel verdict running\">\n<p class=\"badge\">RUNNING</p>\n<div>\n<h1>{far}</h1>\n\
             <p class=\"why\">{}</p>\n<p>Own CPU {:.0} %. The verdict comes at the end.</p>\n</div>\n</header>\n",
            Escaped(&standing.join(", ")),
            latest.cpu * 100.0
        ),
    );
}
