//! What a node is told before it starts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use infinity::{Credential, Profile};
use media::{Codec, Kind};

use crate::conference_settings::ConferenceSettings;
use crate::fault::Faults;
use crate::ice_servers::IceServers;
use crate::operator::OperatorToken;

/// Reads the profile a node is to speak: `modern` or `v10`.
pub fn profile(name: &str) -> Result<Profile, SettingsError> {
    match name {
        "v10" => Ok(Profile::V10),
        "modern" => Ok(Profile::Modern),
        _ => Err(SettingsError::UnknownProfile(name.to_owned())),
    }
}

/// Where the certificate of the HTTPS side comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsIdentity {
    /// The node makes one for itself, for localhost and this machine's names and addresses.
    #[default]
    SelfMade,
    /// PEM files: the certificate chain, and the key.
    Files {
        /// The certificate, followed by those that vouch for it.
        certificate: PathBuf,
        /// The private key, PKCS #8, PKCS #1 or SEC 1.
        key: PathBuf,
    },
}

/// A user name and password for HTTP, as a reverse proxy may want them (RFC 7617).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCredentials {
    /// The user name, without a colon.
    pub user: String,
    /// The password.
    pub password: Credential,
}

/// Everything a node needs to know; [`NodeSettings::default`] is `standin node` without flags.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Where HTTPS is served; `None` for not at all. Port 0 takes a free one.
    pub https: Option<SocketAddr>,
    /// Where plain HTTP is served, loopback alone; `None` for not at all. Port 0 takes a free one.
    pub http: Option<SocketAddr>,
    /// The conferences of this node.
    pub conferences: Vec<ConferenceSettings>,
    /// Which time's node to speak like.
    pub profile: Profile,
    /// How long a token lives without a refresh, in whole seconds.
    pub token_life: Duration,
    /// How long a guest waits for a host before being sent away.
    pub waiting_room_life: Duration,
    /// The codecs main video may have; each participant sends and sees the one of them that it prefers.
    pub video_codecs: Vec<Codec>,
    /// Addresses on which media is received and offered; empty for all of this machine's.
    pub media_addresses: Vec<IpAddr>,
    /// The STUN and TURN servers clients are told of.
    pub ice_servers: IceServers,
    /// A user name and password wanted of every request, the page's too; `None` for none.
    pub http_credentials: Option<HttpCredentials>,
    /// How long the headers of a request may take to come, the pause on an idle connection included:
    /// longer than the time between two refreshes.
    pub headers_within: Duration,
    /// How long the body of a request may take to come.
    pub patience: Duration,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Where the certificate comes from.
    pub tls: TlsIdentity,
    /// What lets an operator in from other machines; `None` for a new one at each start.
    pub operator_token: Option<OperatorToken>,
    /// Seed of tokens and identifiers, for repeatable tests; `None` for a new one at each start.
    pub seed: Option<u64>,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            https: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8443))),
            http: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            conferences: meet(),
            profile: Profile::default(),
            token_life: Duration::from_secs(120),
            waiting_room_life: Duration::from_secs(900),
            video_codecs: Codec::VIDEO.to_vec(),
            media_addresses: Vec::new(),
            ice_servers: IceServers::default(),
            http_credentials: None,
            headers_within: Duration::from_secs(75),
            patience: Duration::from_secs(20),
            faults: Faults::none(),
            tls: TlsIdentity::default(),
            operator_token: None,
            seed: None,
        }
    }
}

/// The conference of a node that was told of none: `meet`, open to everyone.
fn meet() -> Vec<ConferenceSettings> {
    "meet"
        .parse()
        .map(ConferenceSettings::open)
        .into_iter()
        .collect()
}

impl NodeSettings {
    /// Checks what the types cannot, before any socket is opened.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.https.is_none() && self.http.is_none() {
            return Err(SettingsError::ServesNothing);
        }
        if let Some(http) = self.http
            && !http.ip().is_loopback()
        {
            return Err(SettingsError::PlainHttpInTheOpen(http));
        }
        if self.conferences.is_empty() {
            return Err(SettingsError::NoConference);
        }
        for (index, conference) in self.conferences.iter().enumerate() {
            conference.check()?;
            let others = &self.conferences[..index];
            for (nth, alias) in conference.all_aliases().enumerate() {
                let own = conference.all_aliases().take(nth);
                let is_own = own.map(|one| one.as_str().to_lowercase());
                if is_own
                    .into_iter()
                    .any(|one| one == alias.as_str().to_lowercase())
                    || others.iter().any(|other| other.is_called(alias.as_str()))
                {
                    return Err(SettingsError::AliasTwice(alias.to_string()));
                }
            }
        }
        if self.token_life < Duration::from_secs(1) || self.token_life.subsec_nanos() != 0 {
            return Err(SettingsError::TokenLife(self.token_life));
        }
        if let Some(codec) = self
            .video_codecs
            .iter()
            .find(|one| one.kind() != Kind::Video)
        {
            return Err(SettingsError::NotVideo(codec.name()));
        }
        if self.video_codecs.is_empty() {
            return Err(SettingsError::NoVideoCodec);
        }
        self.ice_servers.check()?;
        if let Some(credentials) = &self.http_credentials
            && (credentials.user.is_empty() || credentials.user.contains(':'))
        {
            return Err(SettingsError::HttpUser);
        }
        Ok(())
    }
}

/// Why a node cannot be started with these settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Neither HTTPS nor HTTP was asked for.
    #[error("the node would serve nothing: give an address for HTTPS or for HTTP")]
    ServesNothing,
    /// Plain HTTP was to be served to other machines.
    #[error(
        "plain HTTP on {0} would show PINs and tokens to the network: use a loopback address, or HTTPS there"
    )]
    PlainHttpInTheOpen(SocketAddr),
    /// There is no conference.
    #[error("the node has no conference: name at least one, for example `meet`")]
    NoConference,
    /// Two conferences have one alias.
    #[error(
        "{0:?} is the alias of two conferences, or twice of one: aliases are compared without regard to case, give each its own"
    )]
    AliasTwice(String),
    /// A conference was described in a way we do not understand.
    #[error(
        "cannot use the conference {alias:?}: {why}; write `ALIAS[,alias=ALIAS][,pin=PIN][,guest_pin=PIN|none][,limit=N]`, `ALIAS,reception=standard|mssip` or `ALIAS,gateway=DESTINATION`"
    )]
    Conference {
        /// Its alias, as written.
        alias: String,
        /// What is wrong with it.
        why: String,
    },
    /// The life of tokens is not whole seconds, or less than one.
    #[error("tokens cannot live for {0:?}: give whole seconds, at least 1")]
    TokenLife(Duration),
    /// The codec for video is one for sound.
    #[error("{0} is no video codec: choose among VP8, VP9, H264 and AV1")]
    NotVideo(&'static str),
    /// No codec for video is named.
    #[error("no video codec is named: choose among VP8, VP9, H264 and AV1")]
    NoVideoCodec,
    /// A STUN or TURN server has no URI of its kind.
    #[error("{uri:?} is no {scheme} URI: write for example `{scheme}:{scheme}.example.com:3478`")]
    IceUri {
        /// What was written.
        uri: String,
        /// What it should begin with.
        scheme: &'static str,
    },
    /// A TURN server has no URI at all.
    #[error("a TURN server has no URI: give it at least one in `urls`")]
    TurnWithoutUri,
    /// Media is to go through TURN servers, and there are none.
    #[error(
        "media through relays alone needs a relay: give a TURN server in `turn`, or leave use_relay_candidates_only out"
    )]
    RelayWithoutTurn,
    /// The user name of HTTP cannot be sent (RFC 7617 §2).
    #[error("the user name of HTTP is empty or has a colon in it: choose another one")]
    HttpUser,
    /// The profile does not exist.
    #[error("no profile is called {0:?}: choose v10 or modern")]
    UnknownProfile(String),
}
