//! `standin node`: the practice Conferencing Node.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use node::{
    ConferenceSettings, Excuse, Fault, Guests, Node, NodeError, NodeSettings, RunningNode, Service,
    TlsIdentity,
};
use peer::Shards;
use serde_json::json;

use crate::config_file::ConfigFile;
use crate::exit::{Exit, Failure};
use crate::node_settings::{NodeWritten, profile_name};
use crate::operator_token;
use crate::print::{self, Form};
use crate::shutdown::{Signals, Stop};

const EXAMPLES: &str = "\
Examples:
  standin node
  standin node --conference meet --conference 'board,pin=1234,guest_pin=none'
  standin node --profile v10 --fault late-dtls,events-cut
  standin node --https 0.0.0.0:8443 --http off         for other machines too";

/// Run a practice Conferencing Node, with a page to watch it at.
///
/// Speaks the client REST API v2 as a Conferencing Node does, with real media: each participant hears
/// all others, and sees who spoke last. For practice and tests: it keeps nothing, and its PINs stand
/// on its command line.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = long_help())]
pub(crate) struct NodeArgs {
    /// Where to serve HTTPS, or `off` [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS")]
    https: Option<String>,

    /// Where to serve plain HTTP, on loopback alone, or `off` [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,

    /// A conference; may be given more than once [default: meet]
    #[arg(
        long = "conference",
        value_name = "ALIAS[,alias=ALIAS][,pin=PIN][,guest_pin=PIN|none][,limit=N][,fault=FAULT]|ALIAS,reception=standard|mssip[,pin=PIN]|ALIAS,gateway=DESTINATION"
    )]
    conferences: Vec<String>,

    /// Which node to speak like: modern or v10 [default: modern]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,

    /// The codecs of main video, such as `VP8,AV1`; a participant has the one it prefers, and sees what
    /// others send encoded anew where they have another [default: VP8,VP9,H264,AV1]
    #[arg(long, value_name = "CODEC", value_delimiter = ',')]
    video_codecs: Vec<String>,

    /// What goes wrong on purpose, see --help; may be given more than once
    #[arg(long = "fault", value_name = "FAULT", value_delimiter = ',')]
    faults: Vec<String>,

    /// How long a token lives unless refreshed [default: 120]
    #[arg(long, value_name = "SECONDS")]
    token_seconds: Option<u64>,

    /// How long a guest waits for a host before being sent away [default: 900]
    #[arg(long, value_name = "SECONDS")]
    waiting_room_seconds: Option<u64>,

    /// Address to receive media on; may be given more than once [default: all of this machine's]
    #[arg(long = "media-address", value_name = "ADDRESS")]
    media_addresses: Vec<String>,

    /// STUN server to tell clients of, as stun:HOST[:PORT]; may be given more than once. TURN servers
    /// have passwords and stand in the configuration file
    #[arg(long = "stun", value_name = "URI")]
    stun: Vec<String>,

    /// Tell clients that media may go through a TURN server alone
    #[arg(long)]
    use_relay_candidates_only: bool,

    /// PEM file with the certificate chain, instead of a certificate the node makes for itself
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// File with the token that opens the operator's page from other machines; made if it is not there
    #[arg(long, value_name = "FILE")]
    operator_token_file: Option<PathBuf>,

    /// Write the node's certificate to a PEM file, for clients to trust with --ca-file
    #[arg(long, value_name = "FILE")]
    cert_out: Option<PathBuf>,

    /// A file with the same settings; flags go before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print one JSON object with the addresses, once they are served
    #[arg(long)]
    json: bool,
}

fn long_help() -> String {
    let faults = Fault::ALL.map(|fault| format!("  {:<16} {}", fault.name(), fault.help()));
    let reasons = Excuse::ALL.map(Excuse::name).join(", ");
    format!(
        "Faults:\n{}\n  loss=PERCENT     so many percent of the datagrams of media it sends are lost\n  slow-answers=MS  every answer comes so many milliseconds late\n  refuse=REASON    every request_token is refused as a node would for this reason:\n                   {reasons}\n  without=REQUEST  the request is answered with 404: lock, participants/mute, calls/ack …\n  without=event/EVENT  the event is never sent: event/stage …\n\n{EXAMPLES}",
        faults.join("\n")
    )
}

impl NodeArgs {
    /// Lays the flags over the file, if there is one, and checks the whole. Returns where the
    /// operator's token is besides.
    fn settings(self) -> Result<(NodeSettings, Option<PathBuf>), Failure> {
        let file = self
            .config
            .as_deref()
            .map(ConfigFile::read)
            .transpose()
            .map_err(Failure::usage)?;
        let mut written = match &file {
            Some(file) => file.decode::<NodeWritten>().map_err(Failure::usage)?,
            None => NodeWritten::default(),
        };
        if let Some(file) = &file {
            written.tls_cert = written.tls_cert.map(|path| file.resolve(&path));
            written.tls_key = written.tls_key.map(|path| file.resolve(&path));
            let token = written.operator_token_file;
            written.operator_token_file = token.map(|path| file.resolve(&path));
        }
        let in_file = written.clone();
        set(&mut written.https, self.https);
        set(&mut written.http, self.http);
        set(&mut written.profile, self.profile);
        set(&mut written.token_seconds, self.token_seconds);
        set(&mut written.waiting_room_seconds, self.waiting_room_seconds);
        set_all(&mut written.conferences, self.conferences);
        set_all(&mut written.video_codecs, self.video_codecs);
        set_all(&mut written.faults, self.faults);
        set_all(&mut written.media_addresses, self.media_addresses);
        set_all(&mut written.stun, self.stun);
        written.use_relay_candidates_only |= self.use_relay_candidates_only;
        if self.tls_cert.is_some() {
            (written.tls_cert, written.tls_key) = (self.tls_cert, self.tls_key);
        }
        if self.operator_token_file.is_some() {
            written.operator_token_file = self.operator_token_file;
        }
        let settings = written.check().map_err(|wrong| match &file {
            // The file is to blame if it is as wrong without the flags.
            Some(file) if in_file.check().is_err_and(|alone| alone.key == wrong.key) => {
                Failure::usage(file.complain(wrong.key, wrong.what))
            }
            _ => Failure::usage(wrong.what),
        })?;
        Ok((settings, written.operator_token_file))
    }
}

fn set<T>(value: &mut T, flag: Option<T>) {
    if let Some(flag) = flag {
        *value = flag;
    }
}

fn set_all<T>(values: &mut Vec<T>, flags: Vec<T>) {
    if !flags.is_empty() {
        *values = flags;
    }
}

/// Runs the command.
pub(crate) async fn node(args: NodeArgs) -> Result<Exit, Failure> {
    let signals = Signals::listen().map_err(Failure::failed)?;
    let form = if args.json { Form::Json } else { Form::Text };
    let cert_out = args.cert_out.clone();
    let (mut settings, token_file) = args.settings()?;
    settings.operator_token = token_file
        .as_deref()
        .map(operator_token::find)
        .transpose()
        .map_err(Failure::usage)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shards = Shards::new(cores).map_err(Failure::failed)?;
    let node = Node::start(settings.clone(), &shards)
        .await
        .map_err(|error| match error {
            NodeError::Settings(_) | NodeError::TlsFile { .. } => Failure::usage(error),
            _ => Failure::failed(error),
        })?;
    if let Some(path) = cert_out {
        let Some(pem) = &node.certificate_pem else {
            return Err(Failure::usage(
                "--cert-out needs HTTPS, which is off: remove one of the two",
            ));
        };
        fs::write(&path, pem).map_err(|error| {
            Failure::failed(format!(
                "cannot write the certificate to {}: {error}",
                path.display()
            ))
        })?;
    }
    match form {
        Form::Json => print_json(&node, &settings),
        Form::Text => print_text(&node, &settings, token_file.as_deref()),
    }
    let stop = signals.first().await;
    node.shutdown().await;
    Ok(match stop {
        Stop::Interrupt => Exit::Interrupted,
        Stop::Terminate => Exit::Done,
    })
}

fn print_json(node: &RunningNode, settings: &NodeSettings) {
    print::json(&json!({
        "https": node.https_url,
        "http": node.http_url,
        "fingerprint": node.fingerprint,
        "operator": http_or_https(node).map(|base| format!("{base}/node/")),
        "conferences": settings.conferences.iter().map(|conference| &conference.alias).collect::<Vec<_>>(),
        "profile": profile_name(settings.profile),
        "video_codecs": names(settings),
        "faults": settings.faults.iter().map(Fault::to_string).collect::<Vec<_>>(),
    }));
}

/// Returns the names of the codecs of video.
fn names(settings: &NodeSettings) -> Vec<&'static str> {
    settings
        .video_codecs
        .iter()
        .map(|codec| codec.name())
        .collect()
}

fn print_text(node: &RunningNode, settings: &NodeSettings, token_file: Option<&Path>) {
    let (https, http) = (node.https_url.as_deref(), node.http_url.as_deref());
    print::line(format_args!(
        "Practice node ({}, main video {}). Open one of these in a browser to join, watch and hear:",
        profile_name(settings.profile),
        names(settings).join(", ")
    ));
    if let Some(http) = http {
        print::line(format_args!("  {http}/"));
    }
    if let Some(https) = https {
        let note = match settings.tls {
            TlsIdentity::SelfMade => "   (its certificate is its own making: the browser will ask)",
            TlsIdentity::Files { .. } => "",
        };
        print::line(format_args!("  {https}/{note}"));
    }
    print_operators_page(node, settings, token_file);
    for conference in &settings.conferences {
        print::line(format_args!(
            "conference {}: {}",
            conference.alias,
            entrance(conference)
        ));
    }
    for fault in settings.faults.iter() {
        print::line(format_args!("fault {fault}: {}", fault.help()));
    }
    if let (Some(base), Some(conference)) = (http.or(https), settings.conferences.first()) {
        let insecure = if base.starts_with("https") && settings.tls == TlsIdentity::SelfMade {
            " --insecure"
        } else {
            ""
        };
        print::line("Send something from another terminal, and stop the node with Ctrl-C:");
        print::line(format_args!(
            "  standin join --node {base}{insecure} --conference {} --audio tone --video bars",
            conference.alias
        ));
    }
}

fn http_or_https(node: &RunningNode) -> Option<&str> {
    node.http_url.as_deref().or(node.https_url.as_deref())
}

/// Says where to see what clients do. The token is shown to a person at a terminal alone: whatever
/// else standard output leads to keeps it.
fn print_operators_page(node: &RunningNode, settings: &NodeSettings, token_file: Option<&Path>) {
    let Some(base) = http_or_https(node) else {
        return;
    };
    print::line("What clients do, for whoever debugs one:");
    print::line(format_args!("  {base}/node/"));
    let Some(https) = settings.https.filter(|https| !https.ip().is_loopback()) else {
        return;
    };
    let port = node
        .https_url
        .as_deref()
        .and_then(|url| url.rsplit_once(':'))
        .map_or_else(|| https.port().to_string(), |(_, port)| port.to_owned());
    let token = match token_file {
        Some(path) => format!("(the token is in {})", path.display()),
        None if io::stdout().is_terminal() => node.operator_token.expose().to_owned(),
        None => "(needs --operator-token-file)".to_owned(),
    };
    print::line(format_args!(
        "  https://THIS-MACHINE:{port}/node/?token={token}   from other machines"
    ));
}

fn entrance(conference: &ConferenceSettings) -> &'static str {
    match &conference.service {
        Service::Conference => {}
        Service::Reception(_) if conference.host_pin.is_some() => {
            return "a Virtual Reception, asks which conference is wanted, and for a PIN";
        }
        Service::Reception(_) => return "a Virtual Reception, asks which conference is wanted",
        Service::Gateway(_) => return "a gateway, each caller talks to a far end of its own",
    }
    match (&conference.host_pin, &conference.guests) {
        (None, _) => "open, everyone is a host",
        (Some(_), Guests::Nobody) => "with a PIN",
        (Some(_), Guests::WithPin(_)) => "hosts and guests each with their PIN",
        (Some(_), Guests::WithoutPin) => "hosts with a PIN, guests without",
    }
}
