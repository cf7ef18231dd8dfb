//! Finds the knee: more participants level by level, until a threshold breaks.

use load::{Conclusion, HdPorts, Knee, KneeEnd};

use super::level::Level;
use super::{Start, Test};
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};

/// Runs level after level. The report is that of the last level that held, or of the first if
/// none did.
pub(super) async fn find(test: &mut Test, start: Start) -> Result<Exit, Failure> {
    let (step, most) = (test.settings.knee_step, test.settings.scenario.participants);
    let mut held: Option<Level> = None;
    let mut start = start;
    for participants in levels(step, most) {
        let level = test.level(participants, start).await?;
        start = Start::now();
        let end = end_of(&level);
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
            level.tell(test.form, test.settings.report.as_deref())?;
            return Ok(match level.exit() {
                Exit::Done => Exit::Failed,
                other => other,
            });
        };
        tell(test, held, Some(participants), end)?;
        // What was asked for is found, unless it was the generator that gave in, or somebody else.
        return Ok(match end {
            KneeEnd::Threshold | KneeEnd::Capacity => Exit::Done,
            _ => level.exit(),
        });
    }
    if let Some(held) = held {
        tell(test, held, None, KneeEnd::AllHeld)?;
    }
    Ok(Exit::Done)
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
) -> Result<(), Failure> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let scenario = &test.settings.scenario;
    let callers = number(scenario.conferences.len().saturating_mul(held.participants));
    let knee = Knee {
        participants: number(held.participants),
        callers,
        hd_ports: HdPorts::of(callers, scenario.video),
        broke_at: broke_at.map(number),
        end,
    };
    let line = line(&knee);
    held.result.knee = Some(knee);
    held.tell(test.form, test.settings.report.as_deref())?;
    if test.form == Form::Text {
        print::line(line);
    }
    Ok(())
}

fn line(knee: &Knee) -> String {
    let next = knee.broke_at.unwrap_or_default();
    let end = match knee.end {
        KneeEnd::AllHeld => "all levels held: raise participants to find the limit".to_owned(),
        KneeEnd::Threshold => format!("with {next} a threshold broke"),
        KneeEnd::Capacity => format!("for {next} the node had no room"),
        KneeEnd::Generator => format!("with {next} the generator was overloaded"),
        KneeEnd::Stopped => format!("stopped with {next}"),
    };
    let ports = &knee.hd_ports;
    let ports = match (ports.audio, ports.sd, ports.hd, ports.full_hd) {
        (_, Some(sd), Some(hd), Some(full)) => {
            format!(
                "{sd:.1} HD ports if the node counts them as SD, {hd:.0} as HD, {full:.0} as Full HD"
            )
        }
        (audio, ..) => format!("{:.1} HD ports (sound alone)", audio.unwrap_or_default()),
    };
    format!(
        "The last level that held: {} participants a conference, {} callers, {ports} ({end})",
        knee.participants, knee.callers
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_told_in_ports() {
        let knee = |video| Knee {
            participants: 12,
            callers: 24,
            hd_ports: HdPorts::of(24, video),
            broke_at: Some(18),
            end: KneeEnd::Capacity,
        };
        assert_eq!(
            line(&knee(false)),
            "The last level that held: 12 participants a conference, 24 callers, 2.0 HD ports (sound \
             alone) (for 18 the node had no room)"
        );
        assert!(
            line(&knee(true))
                .contains("12.0 HD ports if the node counts them as SD, 24 as HD, 48 as")
        );
    }

    #[test]
    fn levels_end_with_the_most() {
        let all = |step, most| levels(step, most).collect::<Vec<_>>();
        assert_eq!(all(10, 30), [10, 20, 30]);
        assert_eq!(all(10, 25), [10, 20, 25]);
        assert_eq!(all(50, 25), [25]);
    }
}
