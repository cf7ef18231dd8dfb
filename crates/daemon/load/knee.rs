//! Finds the knee: more participants level by level, until a threshold breaks.

use load::Scenario;

use super::level::Level;
use super::{Start, Test};
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};

/// What a participant takes of a node, in Pexip's units of HD ports.
const AUDIO: f64 = 1.0 / 12.0;
const SD: f64 = 0.5;

/// Runs level after level. The report is that of the last level that held, or of the first if
/// none did.
pub(super) async fn find(test: &mut Test, start: Start) -> Result<Exit, Failure> {
    let (step, most) = (test.settings.knee_step, test.settings.scenario.participants);
    let mut held: Option<Level> = None;
    let mut start = start;
    for participants in levels(step, most) {
        let level = test.level(participants, start).await?;
        start = Start::now();
        if test.form == Form::Text {
            print::line(format_args!(
                "{participants} participants: {}",
                level.result.verdict.line()
            ));
        }
        if level.stopped.is_some() || !level.holds() {
            let Some(held) = held else {
                level.tell(test.form, test.settings.report.as_deref())?;
                return Ok(level.exit());
            };
            held.tell(test.form, test.settings.report.as_deref())?;
            say(test, &held, true);
            // What was asked for is found, unless it was the generator that gave in.
            return Ok(if level.exit() == Exit::Failed {
                Exit::Done
            } else {
                level.exit()
            });
        }
        held = Some(level);
    }
    if let Some(held) = held {
        held.tell(test.form, test.settings.report.as_deref())?;
        say(test, &held, false);
    }
    Ok(Exit::Done)
}

fn levels(step: usize, most: usize) -> impl Iterator<Item = usize> {
    (1..)
        .map(move |level| step.saturating_mul(level).min(most))
        .scan(false, move |done, participants| {
            let last = std::mem::replace(done, participants >= most);
            (!last).then_some(participants)
        })
}

fn say(test: &Test, held: &Level, broke: bool) {
    if test.form == Form::Json {
        return;
    }
    let scenario = &test.settings.scenario;
    let callers = scenario.conferences.len() * held.participants;
    let end = if broke {
        "the next level broke a threshold"
    } else {
        "all levels held: raise participants to find the limit"
    };
    print::line(format_args!(
        "The last level that held: {} participants a conference, {callers} callers, {} ({end})",
        held.participants,
        capacity(scenario, callers)
    ));
}

/// Says so many callers in Pexip's units: Full HD is 2 HD, SD half, sound alone a twelfth.
fn capacity(scenario: &Scenario, callers: usize) -> String {
    let callers = callers as f64;
    if scenario.video {
        format!(
            "{:.1} HD ports if the node counts them as SD, {callers:.0} as HD",
            callers * SD
        )
    } else {
        format!("{:.1} HD ports (sound alone)", callers * AUDIO)
    }
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
