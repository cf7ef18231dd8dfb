//! `standin check`: validates a configuration without opening a socket.

use std::path::PathBuf;

use clap::Args;
use media::Absence;

use crate::config_file::ConfigFile;
use crate::exit::{Exit, Failure};
use crate::load::LoadWritten;
use crate::node_settings::NodeWritten;
use crate::print;
use crate::run::{Configuration, Materials};

const AFTER_HELP: &str = "\
Examples:
  standin check /etc/standin/town-hall.toml
  standin check /etc/standin/standin.toml    # and the files of its participants
  standin check config/node.toml
  standin check config/load.toml";

/// Check a configuration file without opening a socket.
///
/// Says `ok` and ends with 0, or names file, line and key and ends with 2. The media a file names
/// are opened and read as they would be before joining; live inputs are not started. Files for
/// `standin run`, for `standin node` and for `standin load` are told apart by their keys.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CheckArgs {
    /// The configuration file
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let file = ConfigFile::read(&args.file).map_err(Failure::usage)?;
    // Of participants a scenario has a number, and a service the names of their files.
    let is_service = file.has_text("participants");
    // Both know `conferences`: a scenario is told by what it alone has.
    if !is_service && LoadWritten::MARKS.iter().any(|key| file.has_key(key)) {
        let mut written = file.decode::<LoadWritten>().map_err(Failure::usage)?;
        written.resolve(|path| file.resolve(path));
        let settings = written
            .check()
            .map_err(|wrong| Failure::usage(file.complain(wrong.key, wrong.what)))?;
        print::line(format_args!(
            "ok: a load test with {}",
            counted(settings.scenario.callers(), "caller")
        ));
    } else if file.is_blank() || NodeWritten::MARKS.iter().any(|key| file.has_key(key)) {
        // Nothing set is a practice node with every key at its default, and no participant.
        let written = file.decode::<NodeWritten>().map_err(Failure::usage)?;
        let settings = written
            .check()
            .map_err(|wrong| Failure::usage(file.complain(wrong.key, wrong.what)))?;
        print::line(format_args!(
            "ok: a practice node with {}",
            counted(settings.conferences.len(), "conference")
        ));
    } else {
        let configuration = Configuration::read(&args.file)?;
        let materials = Materials::new(Absence::Ignored);
        for draft in &configuration.participants {
            let settings = draft.check(&materials)?;
            let of_many = match configuration.is_one {
                true => String::new(),
                false => format!("{}: ", draft.name),
            };
            print::line(format_args!(
                "ok: {of_many}{:?} joins {} on {}",
                settings.destination.display_name,
                settings.destination.conference,
                counted(settings.destination.nodes.len(), "node")
            ));
        }
    }
    Ok(Exit::Done)
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
