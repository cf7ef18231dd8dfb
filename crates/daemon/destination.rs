//! Where to go and as whom: the flags that `join` and `announce` have in common.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use driver::{CallerSettings, HttpClient, Network, NodeAddress, Outcome, Tls};
use infinity::{ConferenceAlias, Pin, Token};
use tracing::warn;

use crate::exit::Failure;
use crate::login;
use crate::network::NetworkArgs;
use crate::node_url::NodeUrl;
use crate::one_time_token;
use crate::pin;

/// The name in the roster unless another is given.
pub(crate) const DISPLAY_NAME: &str = "Standin";

/// How long hanging up and releasing the token may take together.
pub(crate) const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// Where to go and as whom, as written on the command line.
#[derive(Args, Debug)]
#[command(next_help_heading = "Where to go, and as whom")]
pub(crate) struct DestinationArgs {
    /// Conferencing Node: https://host[:port] or http://…, or a domain alone, such as example.com,
    /// whose nodes are looked up (SRV _pexapp._tcp, else the domain itself by https); given more
    /// than once, the nodes are tried in turn
    #[arg(long = "node", value_name = "URL", required = true)]
    nodes: Vec<NodeUrl>,

    /// The conference to join, by the alias people dial
    #[arg(long, value_name = "ALIAS")]
    conference: ConferenceAlias,

    /// The conference that a Virtual Reception shall connect to, where --conference is the alias of
    /// one: what a caller would type at its prompt
    #[arg(long, value_name = "ALIAS", value_parser = NonEmptyStringValueParser::new())]
    extension: Option<String>,

    /// The name in the roster
    #[arg(long, value_name = "NAME", default_value = DISPLAY_NAME)]
    name: String,

    /// File that holds the PIN, alone on one line; without it the PIN is taken from STANDIN_PIN.
    /// A PIN never stands on the command line, which everyone on the machine can read
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,

    /// File that holds a one-time token, alone on one line, to join with instead of a PIN: a node
    /// gives one out with a transfer
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// PEM file with the certificates to believe, instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca_file: Option<PathBuf>,

    /// Believe any certificate: for practice alone, anyone on the way can read and change everything
    #[arg(long)]
    insecure: bool,

    /// File with USER:PASSWORD for a proxy before the node that wants one (HTTP Basic)
    #[arg(long, value_name = "FILE")]
    login_file: Option<PathBuf>,

    #[command(flatten)]
    network: NetworkArgs,
}

/// Where to go and as whom, checked.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    /// The HTTP client, which knows whom to believe.
    pub(crate) client: HttpClient,
    /// The nodes, at least one.
    pub(crate) nodes: Vec<NodeAddress>,
    /// The conference.
    pub(crate) conference: ConferenceAlias,
    /// The conference that a Virtual Reception shall connect to.
    pub(crate) extension: Option<String>,
    /// The name in the roster.
    pub(crate) display_name: String,
    /// The PIN, if there is one.
    pub(crate) pin: Option<Pin>,
    /// A one-time token to join with the first time.
    pub(crate) one_time_token: Option<Token>,
    /// How media uses the network.
    pub(crate) network: Network,
}

impl DestinationArgs {
    /// Reads the files it names and checks everything; opens no socket.
    pub(crate) fn check(self) -> Result<Destination, Failure> {
        let tls = match (self.ca_file, self.insecure) {
            (_, true) => Tls::Insecure,
            (Some(file), false) => Tls::CaFile(file),
            (None, false) => Tls::SystemRoots,
        };
        warn_of_plain_http(&self.nodes);
        Ok(Destination {
            client: login::client(&tls, self.login_file.as_deref())?,
            nodes: self.nodes.iter().map(NodeUrl::address).collect(),
            conference: self.conference,
            extension: self.extension,
            display_name: self.name,
            pin: pin::find(self.pin_file.as_deref()).map_err(Failure::usage)?,
            one_time_token: self
                .token_file
                .as_deref()
                .map(one_time_token::read)
                .transpose()
                .map_err(Failure::usage)?,
            network: self.network.into(),
        })
    }
}

impl Destination {
    /// Returns the settings of a caller that goes there and listens.
    pub(crate) fn caller(&self) -> CallerSettings {
        let mut settings = CallerSettings::new(
            self.client.clone(),
            self.nodes[0].clone(),
            self.conference.clone(),
            self.display_name.clone(),
        );
        settings.nodes = self.nodes.clone();
        settings.pin = self.pin.clone();
        settings.conference_extension = self.extension.clone();
        settings.one_time_token = self.one_time_token.clone();
        settings.network = self.network.clone();
        settings.leave_limit = LEAVE_LIMIT;
        settings
    }

    /// Says in one line why a caller that went there ended.
    pub(crate) fn complain(&self, outcome: &Outcome) -> String {
        let verb = if outcome.was_in {
            "no longer in"
        } else {
            "cannot join"
        };
        format!("{verb} {}: {}", self.conference, outcome.reason)
    }
}

/// Says which nodes would be spoken to in the clear.
pub(crate) fn warn_of_plain_http(nodes: &[NodeUrl]) {
    for node in nodes.iter().filter(|node| node.is_in_the_clear()) {
        warn!(node = %node.url(), "plain http: PIN and token cross the network in the clear; write https://");
    }
}
