//! `standin load`: puts many callers on a node, measures what each lives through, and judges.

use std::sync::Arc;
use std::time::Instant;

use driver::StopReason;
use load::{Equipment, Plan};
use peer::Shards;
use tokio::sync::watch;

use crate::destination::LEAVE_LIMIT;
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};
use crate::shutdown::Signals;

mod args;
mod diff;
mod knee;
mod level;
mod live;
mod locust;
mod plan;
mod results;
mod settings;
mod shard;
mod start;
mod view;

pub(crate) use args::LoadArgs;
use level::Level;
pub(crate) use settings::{LoadSettings, LoadWritten};
use shard::Part;
use start::Start;
use view::View;

/// Runs the command.
pub(crate) async fn load(args: LoadArgs) -> Result<Exit, Failure> {
    if args.figures {
        list_figures();
        return Ok(Exit::Done);
    }
    if let Some(schema) = args.schema {
        print::line(schema.text());
        return Ok(Exit::Done);
    }
    if let Some(results) = args.results {
        return results.run();
    }
    let signals = Signals::listen().map_err(Failure::failed)?;
    let form = if args.json { Form::Json } else { Form::Text };
    let part = args.part()?;
    let (start_at, wants_plan, master) = (args.start_at, args.plan, args.locust.clone());
    let settings = args.settings()?;
    if wants_plan {
        plan::print(&settings.scenario, part);
        return Ok(Exit::Done);
    }
    if settings.knee_step > 0 && part.is_partial() {
        return Err(Failure::usage(
            "a knee is found level by level, and the parts of a test do not wait for each other: leave \
             out --knee-step, or run the whole in one process",
        ));
    }
    let (told, interrupted) = watch::channel(None);
    tokio::spawn(async move {
        let stop: StopReason = signals.first().await.into();
        told.send_replace(Some(stop));
        // Kept until the end: whoever waits for the signal waits on.
        told.closed().await;
    });
    let shards = Arc::new(Shards::new(settings.threads).map_err(Failure::failed)?);
    let mut test = Test {
        settings,
        part,
        shards,
        interrupted,
        view: View::new(form == Form::Json),
        form,
    };
    let mut page = None;
    if let Some(address) = test.settings.listen {
        let live = live::Live::default();
        let serving = live.serve(address).map_err(|error| {
            Failure::failed(format!("cannot serve the live page at {address}: {error}"))
        })?;
        print::progress(format_args!("Live page: http://{}/", serving.address));
        test.view.also_on(live);
        page = Some(serving);
    }
    let ended = match master {
        Some(master) => locust::work(test, master).await,
        None => test.run(start_at).await,
    };
    if let Some(page) = page {
        page.close().await;
    }
    ended
}

/// A load test about to be run.
struct Test {
    settings: LoadSettings,
    part: Part,
    shards: Arc<Shards>,
    interrupted: watch::Receiver<Option<StopReason>>,
    view: View,
    form: Form,
}

impl Test {
    /// Runs it, once or level by level, and tells what became of it.
    async fn run(&mut self, start_at: Option<f64>) -> Result<Exit, Failure> {
        let start = Start::at(start_at)?;
        if self.settings.knee_step > 0 {
            return knee::find(self, start).await;
        }
        let participants = self.settings.scenario.participants;
        let level = self.level(participants, start).await?;
        self.view.ended(&level.result);
        level.tell(self.form, self.settings.report.as_deref())?;
        Ok(level.exit())
    }

    /// Returns what callers are made of.
    fn equipment(&self) -> Equipment {
        Equipment {
            client: self.settings.client.clone(),
            connections: self.settings.connections,
            sound: self.settings.sound.clone(),
            picture: self.settings.picture.clone(),
            voices: self.settings.voices.clone(),
            network: self.settings.network.clone(),
            limits: self.settings.limits,
            leave_limit: LEAVE_LIMIT,
            shards: Arc::clone(&self.shards),
        }
    }

    /// Waits until a signal asks for the end.
    fn stop(&self) -> impl Future<Output = StopReason> + use<> {
        let mut interrupted = self.interrupted.clone();
        async move {
            match interrupted.wait_for(Option::is_some).await {
                Ok(stop) => stop.unwrap_or(StopReason::Interrupted),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Runs it with so many participants in each conference.
    async fn level(&mut self, participants: usize, start: Start) -> Result<Level, Failure> {
        let mut scenario = self.settings.scenario.clone();
        scenario.participants = participants;
        scenario.check().map_err(Failure::usage)?;
        let plan = Plan::shard(&scenario, self.part.index, self.part.count);
        let callers = plan.callers.len();
        if self.form == Form::Text {
            print::progress(format_args!(
                "{} in {} on {}, for {:.0} s; Ctrl-C lets them leave",
                counted(callers, "caller"),
                counted(scenario.conferences.len(), "conference"),
                counted(scenario.nodes.len(), "node"),
                plan.end.as_secs_f64(),
            ));
        }
        let (equipment, stop) = (self.equipment(), self.stop());
        let view = &mut self.view;
        let ended = load::run(
            &scenario,
            plan,
            u32::try_from(self.part.index).unwrap_or(u32::MAX),
            equipment,
            Instant::now() + start.after,
            stop,
            |progress| view.show(progress),
        )
        .await;
        self.view.end();
        Ok(Level::judge(
            &self.settings,
            &scenario,
            self.part,
            start.moment,
            ended,
        ))
    }
}

/// Prints what thresholds may be about.
fn list_figures() {
    print::line("Figures, each with .min .mean .max .count and any percentile, such as .p95:");
    for metric in load::metric::ALL {
        print::line(format_args!("  {:<20} {}", metric.name, metric.what));
    }
    print::line("Counts:");
    let rates = ["failures.rate", "failures", "capacity.rate"];
    let counters = load::Counter::ALL.map(load::Counter::name);
    for name in counters.into_iter().chain(rates) {
        print::line(format_args!("  {name}"));
    }
    print::line("R and MOS are made with:");
    print::line(format_args!("  {}", load::mos::Constants::OPUS));
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
