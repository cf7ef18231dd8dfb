//! All that a load test measured, in a form that merges exactly.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{CallerRow, Generator, Histogram, Metric, metric};

/// More intervals than this are not kept: a test whose end was not known counts what comes later
/// into the last one.
const MOST_INTERVALS: u32 = 480;

/// Things that are counted, over the whole run and over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Counter {
    /// Joins begun, those of churners and of callers that came back included.
    #[serde(rename = "joins.attempted")]
    JoinsAttempted,
    /// Joins that led into the conference with media flowing.
    #[serde(rename = "joins.ok")]
    JoinsOk,
    /// Calls whose media went through a TURN server, at first or after a change of path.
    #[serde(rename = "calls.relayed")]
    CallsRelayed,
    /// Tokens refreshed.
    #[serde(rename = "refreshes.ok")]
    RefreshesOk,
    /// Refreshes that failed, those that were tried again included.
    #[serde(rename = "refreshes.failed")]
    RefreshesFailed,
    /// Requests answered with success.
    #[serde(rename = "requests.ok")]
    RequestsOk,
    /// Requests refused, timed out, or without an answer.
    #[serde(rename = "requests.failed")]
    RequestsFailed,
    /// Events received.
    #[serde(rename = "events.received")]
    EventsReceived,
    /// Bytes of the events received, names and texts.
    #[serde(rename = "events.bytes")]
    EventBytes,
    /// Event streams lost.
    #[serde(rename = "events.lost")]
    EventStreamsLost,
    /// Media packets sent.
    #[serde(rename = "packets.sent")]
    PacketsSent,
    /// Media packets received.
    #[serde(rename = "packets.received")]
    PacketsReceived,
    /// Media packets that never came.
    #[serde(rename = "packets.lost")]
    PacketsLost,
    /// Media packets sent again because the node asked for them (NACK).
    #[serde(rename = "packets.resent")]
    PacketsResent,
    /// Key frames that the node asked for (PLI, FIR).
    #[serde(rename = "key_frames.asked")]
    KeyFramesAsked,
    /// Key frames that callers asked for, because their picture could not be decoded any more (PLI).
    #[serde(rename = "key_frames.wanted")]
    KeyFramesWanted,
    /// Key frames received.
    #[serde(rename = "key_frames.received")]
    KeyFrames,
    /// Frames of sound and picture that could not be decoded, by callers that decode.
    #[serde(rename = "decoded.errors")]
    DecodeErrors,
    /// Marks heard in decoded sound.
    #[serde(rename = "marks.heard")]
    MarksHeard,
    /// Marks seen in decoded pictures.
    #[serde(rename = "marks.seen")]
    MarksSeen,
    /// Marks found that nobody in the conference had sent.
    #[serde(rename = "marks.stray")]
    MarksStray,
    /// Tokens that are not known to be released or expired.
    #[serde(rename = "tokens.kept")]
    TokensKept,
}

impl Counter {
    /// All counters, in the order of the reports.
    pub const ALL: [Self; 22] = [
        Self::JoinsAttempted,
        Self::JoinsOk,
        Self::CallsRelayed,
        Self::RefreshesOk,
        Self::RefreshesFailed,
        Self::RequestsOk,
        Self::RequestsFailed,
        Self::EventsReceived,
        Self::EventBytes,
        Self::EventStreamsLost,
        Self::PacketsSent,
        Self::PacketsReceived,
        Self::PacketsLost,
        Self::PacketsResent,
        Self::KeyFramesAsked,
        Self::KeyFramesWanted,
        Self::KeyFrames,
        Self::DecodeErrors,
        Self::MarksHeard,
        Self::MarksSeen,
        Self::MarksStray,
        Self::TokensKept,
    ];

    /// Its name, as thresholds and reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::JoinsAttempted => "joins.attempted",
            Self::JoinsOk => "joins.ok",
            Self::CallsRelayed => "calls.relayed",
            Self::RefreshesOk => "refreshes.ok",
            Self::RefreshesFailed => "refreshes.failed",
            Self::RequestsOk => "requests.ok",
            Self::RequestsFailed => "requests.failed",
            Self::EventsReceived => "events.received",
            Self::EventBytes => "events.bytes",
            Self::EventStreamsLost => "events.lost",
            Self::PacketsSent => "packets.sent",
            Self::PacketsReceived => "packets.received",
            Self::PacketsLost => "packets.lost",
            Self::PacketsResent => "packets.resent",
            Self::KeyFramesAsked => "key_frames.asked",
            Self::KeyFramesWanted => "key_frames.wanted",
            Self::KeyFrames => "key_frames.received",
            Self::DecodeErrors => "decoded.errors",
            Self::MarksHeard => "marks.heard",
            Self::MarksSeen => "marks.seen",
            Self::MarksStray => "marks.stray",
            Self::TokensKept => "tokens.kept",
        }
    }
}

/// One stretch of the run, of the same length as all others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// How many callers were in which state at its end, by the state's name.
    pub callers: BTreeMap<String, u64>,
    /// What was counted in it.
    pub counters: BTreeMap<Counter, u64>,
    /// Figures that are kept over time, by name.
    pub histograms: BTreeMap<String, Histogram>,
}

/// All that was measured. Merging adds it up, in any order, to the same result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// The length of an interval, in whole milliseconds; it follows from the scenario.
    interval_ms: u64,
    /// Figures, by name.
    histograms: BTreeMap<String, Histogram>,
    /// What was counted, by name.
    counters: BTreeMap<Counter, u64>,
    /// Joins and calls that failed, by reason.
    failures: BTreeMap<String, u64>,
    /// Joins that the node had no room or licence for, by reason.
    capacity: BTreeMap<String, u64>,
    /// By number, counted from the start of the run.
    intervals: BTreeMap<u32, Interval>,
    /// By the caller's number in the plan.
    callers: BTreeMap<u32, CallerRow>,
    /// By the shard's index.
    generators: BTreeMap<u32, Generator>,
}

impl Measurements {
    /// Nothing measured yet, of a run whose plan lasts `duration`.
    ///
    /// There are at most 240 intervals of whole seconds, so that a long run needs no more memory
    /// than a short one.
    pub fn new(duration: Duration) -> Self {
        let seconds = duration.as_secs().div_ceil(240).max(1);
        Self {
            interval_ms: seconds * 1000,
            histograms: BTreeMap::new(),
            counters: BTreeMap::new(),
            failures: BTreeMap::new(),
            capacity: BTreeMap::new(),
            intervals: BTreeMap::new(),
            callers: BTreeMap::new(),
            generators: BTreeMap::new(),
        }
    }

    /// The length of an interval.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }

    /// The number of the interval that `at`, counted from the start of the run, belongs to.
    pub fn interval_of(&self, at: Duration) -> u32 {
        let number = at.as_millis() / u128::from(self.interval_ms.max(1));
        u32::try_from(number)
            .unwrap_or(u32::MAX)
            .min(MOST_INTERVALS - 1)
    }

    /// Takes note of a value, in the unit of the figure, at a time counted from the start.
    pub fn record(&mut self, metric: &Metric, value: f64, at: Duration) {
        recorded(&mut self.histograms, metric, Histogram::new).record(value);
        if metric.over_time {
            let interval = self.interval_mut(at);
            recorded(&mut interval.histograms, metric, Histogram::of_interval).record(value);
        }
    }

    /// Takes note of values that were gathered elsewhere.
    pub fn add(&mut self, metric: &Metric, values: &Histogram, at: Duration) {
        if values.count() == 0 {
            return;
        }
        recorded(&mut self.histograms, metric, Histogram::new).merge(values);
        if metric.over_time {
            let interval = self.interval_mut(at);
            recorded(&mut interval.histograms, metric, Histogram::of_interval).merge(values);
        }
    }

    /// Takes note of a time.
    pub fn record_time(&mut self, metric: &Metric, value: Duration, at: Duration) {
        self.record(metric, value.as_secs_f64(), at);
    }

    /// Counts.
    pub fn count(&mut self, counter: Counter, more: u64, at: Duration) {
        *self.counters.entry(counter).or_default() += more;
        let interval = self.interval_mut(at);
        *interval.counters.entry(counter).or_default() += more;
    }

    /// Takes note of a join or call that failed. The reason is one of few, without names or
    /// numbers in it, so that equal ones add up.
    pub fn failed(&mut self, reason: &str) {
        *self.failures.entry(reason.to_owned()).or_default() += 1;
    }

    /// Takes note of a join that the node had no room or licence for.
    pub fn at_capacity(&mut self, reason: &str) {
        *self.capacity.entry(reason.to_owned()).or_default() += 1;
    }

    /// Takes note of how many callers are in which state; the last of an interval counts.
    pub fn callers_by_state(&mut self, states: BTreeMap<String, u64>, at: Duration) {
        self.interval_mut(at).callers = states;
    }

    /// Takes note of what one caller lived through.
    pub fn caller(&mut self, number: u32, row: CallerRow) {
        self.callers.insert(number, row.rounded());
    }

    /// Takes note of how the generator of a shard did.
    pub fn generator(&mut self, shard: u32, generator: Generator) {
        self.generators.insert(shard, generator.rounded());
    }

    /// Adds what others measured: other callers of the same run.
    pub fn merge(&mut self, other: Self) {
        for (name, histogram) in other.histograms {
            merge_histogram(&mut self.histograms, name, histogram);
        }
        add(&mut self.counters, other.counters);
        add(&mut self.failures, other.failures);
        add(&mut self.capacity, other.capacity);
        for (number, interval) in other.intervals {
            self.add_interval(number, interval);
        }
        self.callers.extend(other.callers);
        self.generators.extend(other.generators);
    }

    /// Lets everything over time have been so many intervals later.
    pub(crate) fn later(&mut self, count: u32) {
        if count == 0 {
            return;
        }
        let moved = |number: u32| number.saturating_add(count).min(MOST_INTERVALS - 1);
        let mut late = Self::new(Duration::ZERO);
        for (number, interval) in std::mem::take(&mut self.intervals) {
            late.add_interval(moved(number), interval);
        }
        self.intervals = late.intervals;
        for row in self.callers.values_mut() {
            let told = std::mem::take(&mut row.over_time).into_iter();
            row.over_time = told.map(|(number, mos)| (moved(number), mos)).collect();
        }
    }

    fn add_interval(&mut self, number: u32, interval: Interval) {
        let mine = self.intervals.entry(number).or_default();
        add(&mut mine.callers, interval.callers);
        add(&mut mine.counters, interval.counters);
        for (name, histogram) in interval.histograms {
            merge_histogram(&mut mine.histograms, name, histogram);
        }
    }

    /// The distribution of a figure, if there were values.
    pub fn histogram(&self, metric: &Metric) -> Option<&Histogram> {
        self.histograms.get(metric.name)
    }

    /// The figures that have values, in the order of the reports.
    pub fn histograms(&self) -> impl Iterator<Item = (&'static Metric, &Histogram)> {
        metric::ALL
            .iter()
            .filter_map(|metric| Some((*metric, self.histogram(metric)?)))
    }

    /// What was counted.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters.get(&counter).copied().unwrap_or_default()
    }

    /// Failures, by reason.
    pub fn failures(&self) -> &BTreeMap<String, u64> {
        &self.failures
    }

    /// Refusals for want of room or licences, by reason.
    pub fn capacity(&self) -> &BTreeMap<String, u64> {
        &self.capacity
    }

    /// The intervals, by number.
    pub fn intervals(&self) -> &BTreeMap<u32, Interval> {
        &self.intervals
    }

    /// The callers, by number.
    pub fn callers(&self) -> &BTreeMap<u32, CallerRow> {
        &self.callers
    }

    /// The generators, by shard.
    pub fn generators(&self) -> &BTreeMap<u32, Generator> {
        &self.generators
    }

    fn interval_mut(&mut self, at: Duration) -> &mut Interval {
        let number = self.interval_of(at);
        self.intervals.entry(number).or_default()
    }
}

fn recorded<'a>(
    histograms: &'a mut BTreeMap<String, Histogram>,
    metric: &Metric,
    empty: fn(crate::Unit) -> Histogram,
) -> &'a mut Histogram {
    histograms
        .entry(metric.name.to_owned())
        .or_insert_with(|| empty(metric.unit))
}

fn merge_histogram(into: &mut BTreeMap<String, Histogram>, name: String, histogram: Histogram) {
    match into.entry(name) {
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(histogram);
        }
        std::collections::btree_map::Entry::Occupied(mut entry) => {
            entry.get_mut().merge(&histogram)
        }
    }
}

fn add<K: Ord>(into: &mut BTreeMap<K, u64>, other: BTreeMap<K, u64>) {
    for (key, more) in other {
        *into.entry(key).or_default() += more;
    }
}
