//! The command line: its commands, their flags, and help a stranger can use.

use clap::{Parser, Subcommand};

use crate::announce::AnnounceArgs;
use crate::api::ApiArgs;
use crate::check::CheckArgs;
use crate::ctl::CtlArgs;
use crate::demo::DemoArgs;
use crate::doctor::DoctorArgs;
use crate::join::JoinArgs;
use crate::load::LoadArgs;
use crate::media::MediaArgs;
use crate::node::NodeArgs;
use crate::run::RunArgs;

const AFTER_HELP: &str = "\
Try it, on this machine alone:
  standin node                                          a practice node; open the address it prints
  standin join --node http://127.0.0.1:8080 --conference meet --audio tone --video bars

Exit codes:
  0    done                                  5    removed by a host
  1    failed, not heard, threshold missed   6    PIN wanted, or wrong
  2    command line or configuration wrong   7    nobody let us in from the waiting room
  3    node refused, or cannot be reached    130  interrupted; the token is released
  4    load generator overloaded, or the load test cut short

RUST_LOG sets the levels of the log, which goes to standard error (RUST_LOG=driver=debug).";

/// A headless participant for Pexip Infinity conferences.
///
/// Standin joins conferences through the client REST API v2, sends and receives sound and picture,
/// and reports what became of it. It brings a practice Conferencing Node along.
#[derive(Parser, Debug)]
#[command(name = "standin", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Log more, by one level each: what happens, every decision, every packet
    #[arg(short, long = "verbose", action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Play a recording into a conference, once, and report whether it was heard
    Announce(Box<AnnounceArgs>),
    /// Be one participant in the foreground, until stopped
    Join(Box<JoinArgs>),
    /// Make a single request of the client API, for scripts: mute, lock, dial, events, …
    Api(Box<ApiArgs>),
    /// Be one or many participants as a service, as a configuration says, until stopped
    Run(RunArgs),
    /// Ask a running service how it stands, and tell it what to do
    Ctl(Box<CtlArgs>),
    /// Put many callers on a node, measure what each lives through, and judge
    Load(Box<LoadArgs>),
    /// Check a configuration file without opening a socket
    Check(CheckArgs),
    /// Say what a file holds and what of it will be sent to which node, or which devices there are
    Media(Box<MediaArgs>),
    /// Say step by step what works and what does not between here and a conference
    Doctor(Box<DoctorArgs>),
    /// Run a practice Conferencing Node, with a page to watch it at
    Node(Box<NodeArgs>),
    /// Announce a clip into a practice conference and measure what arrives at the other end
    Demo(DemoArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_an_example() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(
                help.contains(&format!("standin {}", command.get_name())),
                "{help}"
            );
        }
    }
}
