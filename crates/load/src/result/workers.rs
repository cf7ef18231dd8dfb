//! Results of a Locust master's workers, which have no plan in common: only the master, the scenario,
//! and the time.

use super::{ResultError, RunResult};

/// Begins what a result says of one worker alone.
const WORKER: &str = "worker ";

impl RunResult {
    /// A worker's result is of the same test when it was there at the same time.
    pub(super) fn same_time(&self, other: &Self) -> Result<(), ResultError> {
        let (mine, theirs) = (self.span(), other.span());
        let is_same_width = self.measurements.interval() == other.measurements.interval();
        if is_same_width && mine.0 < theirs.1 && theirs.0 < mine.1 {
            return Ok(());
        }
        let master = self.run.master.clone().unwrap_or_default();
        Err(ResultError::OtherTime(master))
    }

    /// Adds what another worker measured. What is over time begins with the worker that came first,
    /// to the interval; all else adds up exactly.
    pub(super) fn add_worker(&mut self, mut other: Self) {
        // Counted on one clock, so that it does not depend on the order.
        let width = u64::try_from(self.measurements.interval().as_millis()).unwrap_or(u64::MAX);
        let number = |result: &Self| result.run.started_ms / width.max(1);
        let (mine, theirs) = (number(self), number(&other));
        let first = mine.min(theirs);
        let later = |number: u64| u32::try_from(number - first).unwrap_or(u32::MAX);
        self.measurements.later(later(mine));
        other.measurements.later(later(theirs));

        let run = &mut self.run;
        run.started_ms = run.started_ms.min(other.run.started_ms);
        run.callers = run.callers.saturating_add(other.run.callers);
        let more = other.run.described.into_iter();
        let more: Vec<String> = more.filter(|line| !run.described.contains(line)).collect();
        run.described.extend(more);
        // What is said of all, and then each worker by its number.
        run.described.sort_by_key(|line| worker_of(line));
        self.measurements.merge(other.measurements);
        let workers = self.measurements.generators().len();
        self.shards = u32::try_from(workers).unwrap_or(u32::MAX);
        let master = run.master.clone().unwrap_or_default();
        run.title = format!("{workers} workers of the Locust master at {master}");
    }

    /// From when to when something was measured, in milliseconds since 1970.
    fn span(&self) -> (u64, u64) {
        let begin = self.run.started_ms;
        let last = self.measurements.intervals().keys().next_back();
        let count = u64::from(last.copied().unwrap_or_default()) + 1;
        let width = u64::try_from(self.measurements.interval().as_millis()).unwrap_or(u64::MAX);
        (begin, begin.saturating_add(count.saturating_mul(width)))
    }
}

/// Which worker a line is about; nothing for what is said of all.
fn worker_of(line: &str) -> Option<u64> {
    let rest = line.strip_prefix(WORKER)?;
    rest.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{CallerRow, Counter, Generator, Measurements, Run, Threshold, metric};

    /// What worker `index` measured, which came so many milliseconds after the first.
    fn worker(index: u32, after_ms: u64) -> RunResult {
        let mut measured = Measurements::new(Duration::from_secs(60));
        for second in 0..20 {
            let at = Duration::from_secs(second);
            measured.count(Counter::JoinsAttempted, 1, at);
            let value = f64::from(index + 1) * 0.1 + second as f64 * 0.01;
            measured.record(&metric::JOIN_TOTAL, value, at);
            let number = index * 1_000_000 + second as u32;
            let over_time = [(second as u32, 400)].into();
            let row = CallerRow {
                over_time,
                ..CallerRow::default()
            };
            measured.caller(number, row);
        }
        measured.generator(index, Generator::default());
        let run = Run {
            title: format!("worker {index} of the Locust master at locust:5557"),
            plan: "5eed".to_owned(),
            seed: 1,
            started_ms: 1_700_000_000_900 + after_ms,
            callers: 20,
            described: vec![
                "nodes: http://127.0.0.1".to_owned(),
                format!("worker {index}: at most 20 listeners at the same time"),
            ],
            master: Some("locust:5557".to_owned()),
        };
        let thresholds: [Threshold; 1] = ["join.total.count == 60".parse().expect("a threshold")];
        RunResult::new(run, 1, &thresholds, measured)
    }

    #[test]
    fn workers_add_up_in_any_order() {
        let [a, b, c] = [worker(0, 0), worker(1, 200), worker(2, 7_450)];
        let merge = |all: &[&RunResult]| {
            let all = all.iter().map(|one| (*one).clone()).collect();
            RunResult::merge(all).expect("one test")
        };
        let whole = merge(&[&a, &b, &c]);
        assert_eq!(
            whole.run.title,
            "3 workers of the Locust master at locust:5557"
        );
        assert_eq!((whole.run.callers, whole.shards), (60, 3));
        assert_eq!(whole.run.described.len(), 4);
        assert_eq!(whole.measurements.callers().len(), 60);
        assert_eq!(whole.measurements.counter(Counter::JoinsAttempted), 60);
        assert!(whole.verdict.thresholds[0].holds);
        for other in [
            merge(&[&c, &b, &a]),
            merge(&[&merge(&[&a, &c]), &b]),
            merge(&[&merge(&[&c, &b]), &a]),
        ] {
            assert!(other.to_json() == whole.to_json(), "{:#?}", other.run);
        }
        // Not rounded, not averaged: the quantiles are those of all values together.
        let mut all = crate::Histogram::new(crate::Unit::Seconds);
        for index in 0..3 {
            for second in 0..20 {
                all.record(f64::from(index + 1) * 0.1 + f64::from(second) * 0.01);
            }
        }
        assert_eq!(
            whole.measurements.histogram(&metric::JOIN_TOTAL),
            Some(&all)
        );
        // What is over time lies where it was: the second worker came in the second after.
        let attempted = |number: u32| {
            let interval = whole.measurements.intervals().get(&number);
            interval.map(|one| one.counters[&Counter::JoinsAttempted])
        };
        let told = [0, 1, 8, 19, 20, 27, 28].map(attempted);
        assert_eq!(
            told,
            [Some(1), Some(2), Some(3), Some(3), Some(2), Some(1), None]
        );
        let row = &whole.measurements.callers()[&2_000_000];
        assert!(row.over_time.contains_key(&8), "{:?}", row.over_time);
    }

    #[test]
    fn other_tests_of_the_same_master_are_refused() {
        let error = |all| RunResult::merge(all).expect_err("not one test").to_string();
        let later = error(vec![worker(0, 0), worker(1, 60_000)]);
        assert!(later.contains("not at the same time"), "{later}");
        let twice = error(vec![worker(0, 0), worker(0, 0)]);
        assert!(twice.contains("part 0 is there twice"), "{twice}");
        let mut other = worker(1, 0);
        other.run.master = Some("elsewhere:5557".to_owned());
        assert!(error(vec![worker(0, 0), other]).contains("Locust masters"));
        let mut planned = worker(1, 0);
        planned.run.master = None;
        assert!(error(vec![worker(0, 0), planned]).contains("Locust masters"));
    }
}
