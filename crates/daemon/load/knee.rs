//! Finds the knee: more participants level by level, until a threshold breaks.

use load::{Conclusion, HdPorts, Knee, KneeEnd, KneeLevel};

use super::level::Level;
use super::{Start, Test};
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};

/// Runs level after level. The report is that of the last level that held, or of the first if
/// none did.
pub(super) async fn find(test: &mut Test, start: Start) -> Result<Exit, Failure> {
    let (step, most) = (test.settings.knee_step, test.settings.scenario.participants);
    let mut held: Option<Level> = None;
    let mut levels_run = Vec::new();
    let mut start = start;
    for participants in levels(step, most) {
        let level = test.level(participants, start).await?;
        start = Start::now();
        let end = end_of(&level);
        levels_run.push(told(test, &level, end.is_none()));
        if test.form == Form::Text {
            let full = match end {
                Some(KneeEnd::Capacity) => ", but the node had no room for all",
                _ => "",
            };
            print::line(format_args!(
                "{participants} participants: {}{full}",
                level.result.verdict.line()
            ));
        }
        let Some(end) = end else {
            held = Some(level);
            continue;
        };
        let Some(held) = held else {
            test.view.ended(&level.result);
            level.tell(test.form, test.settings.report.as_deref())?;
            return Ok(match level.exit() {
                Exit::Done => Exit::Failed,
                other => other,
            });
        };
        tell(test, held, Some(participants), end, levels_run)?;
        // What was asked for is found, unless it was the generator that gave in, or somebody else.
        return Ok(match end {
            KneeEnd::Threshold | KneeEnd::Capacity => Exit::Done,
            _ => level.exit(),
        });
    }
    if let Some(held) = held {
        tell(test, held, None, KneeEnd::AllHeld, levels_run)?;
    }
    Ok(Exit::Done)
}

/// Returns what is kept of a level.
fn told(test: &Test, level: &Level, held: bool) -> KneeLevel {
    let callers = callers(test, level.participants);
    KneeLevel {
        participants: number(level.participants),
        callers,
        hd_ports: HdPorts::of(callers, test.settings.scenario.video),
        held,
        thresholds: level.result.verdict.thresholds.clone(),
        refused: level.result.measurements.capacity().values().sum(),
    }
}

fn callers(test: &Test, participants: usize) -> u32 {
    let conferences = test.settings.scenario.conferences.len();
    number(conferences.saturating_mul(participants))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Says why a level did not hold. A node without room for somebody is no failure, and an end.
fn end_of(level: &Level) -> Option<KneeEnd> {
    let result = &level.result;
    match result.verdict.conclusion {
        _ if level.stopped.is_some() => Some(KneeEnd::Stopped),
        Conclusion::Invalid => Some(KneeEnd::Generator),
        Conclusion::Fail => Some(KneeEnd::Threshold),
        Conclusion::Pass if !result.measurements.capacity().is_empty() => Some(KneeEnd::Capacity),
        Conclusion::Pass => None,
        Conclusion::Interrupted => Some(KneeEnd::Stopped),
    }
}

fn levels(step: usize, most: usize) -> impl Iterator<Item = usize> {
    (1..)
        .map(move |level| step.saturating_mul(level).min(most))
        .scan(false, move |done, participants| {
            let last = std::mem::replace(done, participants >= most);
            (!last).then_some(participants)
        })
}

/// Tells the last level that held, and what it comes to.
fn tell(
    test: &Test,
    mut held: Level,
    broke_at: Option<usize>,
    end: KneeEnd,
    levels: Vec<KneeLevel>,
) -> Result<(), Failure> {
    let callers = callers(test, held.participants);
    let knee = Knee {
        participants: number(held.participants),
        callers,
        hd_ports: HdPorts::of(callers, test.settings.scenario.video),
        broke_at: broke_at.map(number),
        end,
        levels,
    };
    let line = knee.line();
    held.result.knee = Some(knee);
    test.view.ended(&held.result);
    held.tell(test.form, test.settings.report.as_deref())?;
    if test.form == Form::Text {
        print::line(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_end_with_the_most() {
        let all = |step, most| levels(step, most).collect::<Vec<_>>();
        assert_eq!(all(10, 30), [10, 20, 30]);
        assert_eq!(all(10, 25), [10, 20, 25]);
        assert_eq!(all(50, 25), [25]);
    }
}
