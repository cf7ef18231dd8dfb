//! `standin load --locust MASTER`: a worker of Locust's own master.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use driver::StopReason;
use load::locust::{End, Event, Tested, Told};
use load::{Conclusion, Role, Run, RunResult};

use super::level::{Level, digest, named};
use super::{Test, counted};
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};

/// Where Locust's masters listen for workers (`--master-bind-port`).
const PORT: u16 = 5557;

/// A Locust master's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Master(String);

impl FromStr for Master {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no master: give its host, and its port if that is not {PORT}");
        let bare = text.strip_prefix("tcp://").unwrap_or(text);
        // As in a URL: an IPv6 address stands in brackets.
        let url = url::Url::parse(&format!("tcp://{bare}")).map_err(|_| wrong())?;
        let is_more = !matches!(url.path(), "" | "/")
            || !url.username().is_empty()
            || url.query().is_some()
            || url.fragment().is_some();
        match url.host_str() {
            Some(host) if !host.is_empty() && !is_more => {
                Ok(Self(format!("{host}:{}", url.port().unwrap_or(PORT))))
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Works for a master until it ends, and tells what became of each of its tests.
pub(super) async fn work(mut test: Test, master: Master) -> Result<Exit, Failure> {
    let mut worker = Worker {
        master,
        tests: 0,
        exit: Exit::Done,
        failure: None,
    };
    if test.form == Form::Text {
        print::progress(format_args!(
            "a Locust worker of {}, for {} on {}; Ctrl-C lets its callers leave",
            worker.master,
            counted(test.settings.scenario.conferences.len(), "conference"),
            counted(test.settings.scenario.nodes.len(), "node"),
        ));
    }
    let (scenario, equipment) = (test.settings.scenario.clone(), test.equipment());
    let (master, stop) = (worker.master.0.clone(), test.stop());
    let end = load::locust::work(&master, &scenario, &equipment, stop, |told| match told {
        Told::Master(event) => worker.tell(&mut test, &event),
        Told::Progress(progress) => test.view.show(progress),
        Told::Tested(tested) => worker.tested(&mut test, *tested),
    })
    .await;
    if let Some(failure) = worker.failure {
        return Err(failure);
    }
    match end {
        End::Stopped(StopReason::Interrupted) => Ok(Exit::Interrupted),
        End::Quit | End::Stopped(_) => Ok(worker.exit),
        End::NoMaster(why) => Err(Failure::new(
            Exit::NodeRefused,
            format!(
                "no Locust master at {master} ({why}): start one with `locust --master`, or name \
                 the right one"
            ),
        )),
    }
}

/// What a worker has come to.
struct Worker {
    master: Master,
    tests: u32,
    /// The worst end of all its tests.
    exit: Exit,
    /// The first report that could not be written.
    failure: Option<Failure>,
}

impl Worker {
    fn tell(&self, test: &mut Test, event: &Event) {
        if test.form == Form::Json {
            return;
        }
        let line = match event {
            Event::Accepted(Some(index)) => {
                format!("the master takes us as its worker {index}")
            }
            Event::Accepted(None) => "the master takes us as a worker".to_owned(),
            Event::Unreachable(why) => format!("no master at {} yet: {why}", self.master),
            Event::Complaint(what) => format!("not as the master wishes: {what}"),
            Event::Stopped => "the master stops the test: everyone leaves".to_owned(),
            Event::Quit => "the master ends: everyone leaves".to_owned(),
            Event::Silent => {
                "the master is gone, or knows us no more: everyone leaves, and it is looked for"
                    .to_owned()
            }
            // The line of progress has it, as soon as they have come.
            _ => return,
        };
        test.view.end();
        print::progress(line);
    }

    /// Judges a test, prints its result and writes its report.
    fn tested(&mut self, test: &mut Test, tested: Tested) {
        test.view.end();
        self.tests += 1;
        let run = self.run(test, &tested);
        let result = RunResult::new(run, 1, &test.settings.thresholds, tested.measurements);
        self.exit = worse(self.exit, result.verdict.conclusion);
        let level = Level {
            result,
            participants: test.settings.scenario.participants,
            stopped: None,
            part: test.part,
        };
        test.view.ended(&level.result);
        let report = self.report(test);
        if let Err(failure) = level.tell(test.form, report.as_deref()) {
            self.failure.get_or_insert(failure);
        }
    }

    /// Returns where the report of the present test goes: each later one beside the first.
    fn report(&self, test: &Test) -> Option<PathBuf> {
        let first = test.settings.report.as_ref()?;
        Some(match self.tests {
            0 | 1 => first.clone(),
            later => {
                let mut name = first.file_name().unwrap_or_default().to_owned();
                name.push(format!("-{later}"));
                first.with_file_name(name)
            }
        })
    }

    /// Returns what is to be said about a test.
    fn run(&self, test: &Test, tested: &Tested) -> Run {
        let scenario = &test.settings.scenario;
        let since_1970 = tested
            .started
            .duration_since(std::time::SystemTime::UNIX_EPOCH);
        let most: Vec<String> = tested
            .most
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(role, count)| told(*role, *count))
            .collect();
        let mut described = named(scenario);
        described.push(format!(
            "callers: as the Locust master at {} said",
            self.master
        ));
        described.push(format!(
            "worker {}: at most {} at the same time",
            tested.worker,
            list(&most)
        ));
        Run {
            title: format!(
                "worker {} of the Locust master at {}",
                tested.worker, self.master
            ),
            plan: digest(scenario),
            seed: scenario.seed,
            started_ms: u64::try_from(since_1970.unwrap_or_default().as_millis())
                .unwrap_or(u64::MAX),
            master: Some(self.master.to_string()),
            callers: u32::try_from(tested.measurements.callers().len()).unwrap_or(u32::MAX),
            described,
        }
    }
}

fn told(role: Role, count: usize) -> String {
    counted(count, role.name())
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => "nobody".to_owned(),
        parts => parts.join(", "),
    }
}

/// Returns the worse of how it was and what came.
fn worse(exit: Exit, conclusion: Conclusion) -> Exit {
    match (exit, conclusion) {
        (Exit::Invalid, _) | (_, Conclusion::Invalid | Conclusion::Interrupted) => Exit::Invalid,
        (Exit::Failed, _) | (_, Conclusion::Fail) => Exit::Failed,
        (exit, Conclusion::Pass) => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_is_named_by_host_and_port_or_by_host_alone() {
        for (text, expected) in [
            ("127.0.0.1:5557", "127.0.0.1:5557"),
            ("locust-master", "locust-master:5557"),
            ("tcp://locust:6000", "locust:6000"),
            ("[::1]", "[::1]:5557"),
        ] {
            let master: Master = text.parse().expect(text);
            assert_eq!(master.to_string(), expected);
        }
        for text in ["", ":5557", "host:port", "host/path", "a b", "host:70000"] {
            let error = text.parse::<Master>().expect_err(text);
            assert!(error.contains("5557"), "{error}");
        }
    }

    #[test]
    fn the_worst_of_several_tests_is_the_exit_code() {
        let after =
            |conclusions: &[Conclusion]| conclusions.iter().copied().fold(Exit::Done, worse);
        use Conclusion::{Fail, Invalid, Pass};
        assert_eq!(after(&[Pass, Pass]), Exit::Done);
        assert_eq!(after(&[Fail, Pass]), Exit::Failed);
        assert_eq!(after(&[Invalid, Fail, Pass]), Exit::Invalid);
    }
}
