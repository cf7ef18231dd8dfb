//! Where requests go and with whose token.

use std::path::PathBuf;

use clap::Args;
use driver::api::{Conference, Entrance};
use driver::{HttpClient, Tls};
use infinity::{ConferenceAlias, Pin, Token};
use tracing::warn;

use super::failures;
use super::token_file::{Kept, TokenFile};
use crate::destination::{DISPLAY_NAME, warn_of_plain_http};
use crate::exit::{Exit, Failure};
use crate::node_url::NodeUrl;
use crate::{login, one_time_token, pin};

/// Where to go and as whom, as written on the command line.
#[derive(Args, Debug)]
#[command(next_help_heading = "Where to go, and as whom")]
pub(crate) struct AccessArgs {
    /// Conferencing Node: https://host[:port] or http://…, or a domain alone, such as example.com,
    /// whose nodes are looked up (SRV _pexapp._tcp, else the domain itself by https); given more
    /// than once, the nodes are tried in turn
    #[arg(long = "node", value_name = "URL", global = true)]
    nodes: Vec<NodeUrl>,

    /// The conference, by the alias people dial
    #[arg(long, value_name = "ALIAS", global = true)]
    conference: Option<ConferenceAlias>,

    /// File with a token from `request_token`; it knows node and conference too
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,

    /// The name in the roster
    #[arg(long, value_name = "NAME", default_value = DISPLAY_NAME, global = true)]
    name: String,

    /// File that holds the PIN, alone on one line; without it the PIN is taken from STANDIN_PIN
    #[arg(long, value_name = "FILE", global = true)]
    pin_file: Option<PathBuf>,

    /// Ask as a guest who has no PIN (`pin: none`) straight away, whatever --pin-file and
    /// STANDIN_PIN say
    #[arg(long, global = true)]
    as_guest: bool,

    /// Which conference a Virtual Reception shall connect to, by its alias
    #[arg(long, value_name = "ALIAS", global = true)]
    extension: Option<String>,

    /// File with the one-time token of a `refer` event, alone on one line
    #[arg(long, value_name = "FILE", global = true)]
    one_time_token_file: Option<PathBuf>,

    /// PEM file with the certificates to believe, instead of the system's
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,

    /// Believe any certificate: for practice alone, anyone on the way can read and change everything
    #[arg(long, global = true)]
    insecure: bool,

    /// File with `USER:PASSWORD` for a proxy before the node that wants one (HTTP Basic)
    #[arg(long, value_name = "FILE", global = true)]
    login_file: Option<PathBuf>,

    /// Print the node's result as JSON, tokens and passwords hidden
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Where requests go, checked.
#[derive(Debug)]
pub(super) enum Access {
    /// With a token that others keep.
    Kept(Box<Kept>, Conference),
    /// With a token that is asked for, and given back.
    Asked(Box<Asked>),
}

/// All that a token is asked for with.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) client: HttpClient,
    pub(super) nodes: Vec<driver::NodeAddress>,
    pub(super) conference: ConferenceAlias,
    pub(super) entrance: Entrance,
}

impl AccessArgs {
    /// Reads the files it names and checks everything; opens no socket.
    pub(super) fn check(self) -> Result<Access, Failure> {
        let client = self.client()?;
        let Some(path) = &self.token_file else {
            return Ok(Access::Asked(Box::new(self.asked(client)?)));
        };
        let kept = TokenFile::at(path).read().map_err(Failure::usage)?;
        if let Some(other) = self
            .conference
            .filter(|other| *other != kept.membership.conference)
        {
            return Err(Failure::usage(format!(
                "the token file {} is for the conference {}, not for {other}: leave out \
                 --conference, or name another token file",
                path.display(),
                kept.membership.conference
            )));
        }
        let conference = Conference::resume(client, kept.membership.clone());
        Ok(Access::Kept(Box::new(kept), conference))
    }

    /// Returns the file that holds the token, if one is named.
    pub(super) fn token_file(&self) -> Option<TokenFile> {
        self.token_file.as_deref().map(TokenFile::at)
    }

    /// Returns what a new token is asked for with, and the file to keep it in, if any.
    pub(super) fn for_a_new_token(self) -> Result<(Asked, Option<TokenFile>), Failure> {
        let client = self.client()?;
        let file = self.token_file();
        Ok((self.asked(client)?, file))
    }

    /// Returns the client and the nodes alone, where no token is needed.
    pub(super) fn nodes(self) -> Result<(HttpClient, Vec<driver::NodeAddress>), Failure> {
        let client = self.client()?;
        if self.nodes.is_empty() {
            return Err(missing("--node"));
        }
        Ok((client, self.nodes.iter().map(NodeUrl::address).collect()))
    }

    fn client(&self) -> Result<HttpClient, Failure> {
        let tls = match (&self.ca_file, self.insecure) {
            (Some(_), true) => {
                return Err(Failure::usage(
                    "--ca-file and --insecure contradict each other: give one of them",
                ));
            }
            (None, true) => Tls::Insecure,
            (Some(file), false) => Tls::CaFile(file.clone()),
            (None, false) => Tls::SystemRoots,
        };
        warn_of_plain_http(&self.nodes);
        let client = HttpClient::new(&tls).map_err(Failure::usage)?;
        Ok(match &self.login_file {
            Some(path) => client.with_login(login::read(path).map_err(Failure::usage)?),
            None => client,
        })
    }

    fn asked(&self, client: HttpClient) -> Result<Asked, Failure> {
        if self.nodes.is_empty() {
            return Err(missing("--node"));
        }
        let conference = self
            .conference
            .clone()
            .ok_or_else(|| missing("--conference"))?;
        let pin = if self.as_guest {
            Some(Pin::none())
        } else {
            pin::find(self.pin_file.as_deref()).map_err(Failure::usage)?
        };
        let one_time_token: Option<Token> = self
            .one_time_token_file
            .as_deref()
            .map(one_time_token::read)
            .transpose()
            .map_err(Failure::usage)?;
        let mut entrance = Entrance::named(self.name.clone());
        entrance.pin = pin;
        entrance.body.conference_extension = self.extension.clone();
        entrance.body.token = one_time_token;
        Ok(Asked {
            client,
            nodes: self.nodes.iter().map(NodeUrl::address).collect(),
            conference,
            entrance,
        })
    }
}

impl Asked {
    /// Asks for the token.
    pub(super) async fn enter(self) -> Result<(Conference, infinity::TokenGranted), Failure> {
        Conference::enter(self.client, &self.nodes, &self.conference, &self.entrance)
            .await
            .map_err(failures::of)
    }
}

fn missing(flag: &str) -> Failure {
    Failure::usage(format!(
        "{flag} is missing: say where to go with --node and --conference, or name a --token-file"
    ))
}

/// Gives a token back that was asked for; a node that cannot be told keeps it until it expires.
pub(super) async fn give_back(conference: &Conference) {
    if let Err(error) = conference.release_token(None).await {
        warn!(%error, "the token could not be released; the node keeps the participant until it expires");
    }
}

/// What a verb ends with when it was interrupted.
pub(super) fn interrupted(stop: crate::shutdown::Stop) -> Exit {
    match stop {
        crate::shutdown::Stop::Interrupt => Exit::Interrupted,
        crate::shutdown::Stop::Terminate => Exit::Done,
    }
}
