//! Standin: a headless participant for Pexip Infinity conferences.
//!
//! The only crate that reads configuration, environment and credentials, and the only one that
//! prints. Each command is a file; [`cli`] lists them.

mod announce;
mod api;
#[cfg(test)]
mod card;
mod check;
mod cli;
mod config_file;
mod ctl;
mod demo;
mod destination;
mod doctor;
mod exit;
mod join;
mod load;
mod login;
mod media;
mod network;
mod node;
mod node_ice;
mod node_settings;
mod node_url;
mod notify;
mod one_time_token;
mod operator_token;
mod pin;
mod print;
mod private_file;
mod recording;
mod redaction;
mod run;
mod settings;
mod shutdown;
mod sources;
mod telemetry;
mod telling;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::run::Service;
use crate::telemetry::{LogFormat, Verbosity};

fn main() -> ExitCode {
    match command(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            print::failure(&failure);
            failure.exit.into()
        }
    }
}

/// Begins to log, then runs the command to its end.
fn command(cli: Cli) -> Result<Exit, Failure> {
    let log = |least: Verbosity| telemetry::start(LogFormat::Text, least.raised(cli.verbose));
    match cli.command {
        Command::Announce(args) => {
            log(Verbosity::Untold);
            block_on(announce::announce(*args))
        }
        Command::Join(args) => {
            log(Verbosity::Untold);
            block_on(join::join(*args))
        }
        Command::Load(args) => {
            log(Verbosity::Untold);
            block_on(load::load(*args))
        }
        Command::Api(args) => {
            log(Verbosity::Warnings);
            block_on(api::api(*args))
        }
        Command::Run(args) => {
            let service = Service::read(&args)?;
            let settings = service.log();
            telemetry::start(settings.format, settings.verbosity.raised(cli.verbose));
            block_on(service.run())
        }
        Command::Ctl(args) => {
            log(Verbosity::Warnings);
            block_on(ctl::ctl(*args))
        }
        Command::Check(args) => {
            log(Verbosity::Warnings);
            check::check(&args)
        }
        Command::Media(args) => {
            log(Verbosity::Warnings);
            media::media(&args)
        }
        Command::Node(args) => {
            log(Verbosity::Info);
            block_on(node::node(*args))
        }
        Command::Doctor(args) => {
            log(Verbosity::Untold);
            block_on(doctor::doctor(*args))
        }
        Command::Demo(args) => {
            log(Verbosity::Warnings);
            block_on(demo::demo(args))
        }
    }
}

/// Runs `command` on a runtime of its own. Media does not run there but on the shards of `peer`.
fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::failed)?
        .block_on(command)
}
