//! The HTTP client all callers of a process share.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

mod connecting;

use crate::names::{Names, NoSuchName};
use crate::proxy;
use crate::tls::{self, Tls, TlsError};

/// How long connecting may take, TLS included.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP client with one pool of connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
    names: Names,
    turn: Arc<rustls::ClientConfig>,
    rootless: bool,
    login: Option<Arc<Login>>,
    connecting: Arc<Mutex<Connecting>>,
}

/// How long the first connection of a client took, by its parts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Connecting {
    /// Looking up the name.
    pub(crate) name: Option<Duration>,
    /// All of it: name, TCP and TLS.
    pub(crate) whole: Option<Duration>,
}

/// A user name and password for HTTP Basic (RFC 7617), which a proxy before a node may want.
///
/// Those in the address of a node serve as well, and go first.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    user: String,
    password: String,
}

impl Login {
    /// Returns a login.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(hidden)")
    }
}

/// Returns the address of a node as it may be shown: without user name and password.
pub fn shown(node: &Url) -> String {
    bare(node).as_str().trim_end_matches('/').to_owned()
}

/// Returns the address without user name and password.
pub(crate) fn bare(node: &Url) -> Url {
    let mut node = node.clone();
    // Fails only for addresses that cannot have any.
    let _ = node.set_username("");
    let _ = node.set_password(None);
    node
}

impl HttpClient {
    /// Returns a client that judges certificates as `tls` says.
    ///
    /// # Errors
    /// When the CA file cannot be used. Missing certificate authorities of the system are told by
    /// the first request that needs them, since plain HTTP works without.
    pub fn new(tls: &Tls) -> Result<Self, TlsError> {
        Self::build(tls, Names::System)
    }

    /// Returns a client as [`HttpClient::new`] does that asks these name servers for all names,
    /// instead of the system.
    ///
    /// # Errors
    /// As with [`HttpClient::new`].
    pub fn with_name_servers(tls: &Tls, servers: Vec<SocketAddr>) -> Result<Self, TlsError> {
        Self::build(tls, Names::Servers(servers))
    }

    fn build(tls: &Tls, names: Names) -> Result<Self, TlsError> {
        let tls::Trust {
            config,
            turn,
            rootless,
        } = tls::trust(tls)?;
        let (client, connecting) = Self::connections(&config, &names).map_err(TlsError::Client)?;
        Ok(Self {
            client,
            tls: Arc::new(config),
            names,
            turn,
            rootless,
            login: None,
            connecting,
        })
    }

    /// Returns a client with connections of its own that trusts whom this one trusts; for many
    /// participants in one process that are to cost a node what as many processes would.
    ///
    /// # Errors
    /// When the process has run out of what a client needs.
    pub fn with_own_connections(&self) -> Result<Self, TlsError> {
        let (client, connecting) =
            Self::connections(&self.tls, &self.names).map_err(TlsError::Client)?;
        Ok(Self {
            client,
            connecting,
            ..self.clone()
        })
    }

    fn connections(
        tls: &rustls::ClientConfig,
        names: &Names,
    ) -> Result<(reqwest::Client, Arc<Mutex<Connecting>>), reqwest::Error> {
        let connecting = Arc::new(Mutex::new(Connecting::default()));
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(connecting::TimedNames {
                names: names.clone(),
                connecting: Arc::clone(&connecting),
            })
            .connector_layer(connecting::Timing(Arc::clone(&connecting)))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            // Event streams are silent for long; a node that vanished is noticed all the same.
            .tcp_keepalive(Duration::from_secs(20))
            .user_agent(concat!("standin/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok((client, connecting))
    }

    /// Returns how long the first connection took; nothing before there is one.
    pub(crate) fn connecting(&self) -> Connecting {
        *self
            .connecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a client of the same connections that shows this login to every node.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = Some(Arc::new(login));
        self
    }

    /// Returns where names are looked up.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Returns how certificates of TURN servers are judged: as those of nodes are.
    pub(crate) fn turn_tls(&self) -> Arc<rustls::ClientConfig> {
        self.turn.clone()
    }

    /// Returns a request, or why this client cannot make it.
    pub(crate) fn request(
        &self,
        method: reqwest::Method,
        url: Url,
    ) -> Result<reqwest::RequestBuilder, Unreachable> {
        if self.rootless && url.scheme() == "https" {
            return Err(Unreachable::NoAuthorities);
        }
        let is_bare = url.username().is_empty() && url.password().is_none();
        let request = self.client.request(method, url);
        Ok(match self.login.as_ref().filter(|_| is_bare) {
            Some(login) => request.basic_auth(&login.user, Some(&login.password)),
            None => request,
        })
    }
}

/// Why a Conferencing Node could not be reached; each says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// Its name has no address.
    NoSuchName { detail: String },
    /// Nothing listens there.
    Refused,
    /// No answer to the connection attempt.
    NoRoute { detail: String },
    /// Its certificate is not to be believed.
    Certificate { detail: String },
    /// TLS failed for another reason.
    Tls { detail: String },
    /// What came back is no TLS: it speaks plain HTTP there.
    NoTls,
    /// What came back to plain HTTP is no HTTP: it may speak TLS there.
    NoHttp { detail: String },
    /// The HTTP proxy that this system wants to be used was no help.
    Proxy { proxy: String, detail: String },
    /// This system has no certificate authorities.
    NoAuthorities,
    /// The node, or something on the way, closed the connection.
    Closed { detail: String },
}

impl Unreachable {
    /// Returns the reason behind an error of the client.
    pub(crate) fn from_client(error: reqwest::Error) -> Self {
        let is_connecting = error.is_connect();
        let url = error.url().cloned();
        // An address may have the token in its query.
        let error = error.without_url();
        let mut why = Self::from_causes(&error);
        if is_connecting
            && !why.is_distrust()
            && let Some(proxy) = url.as_ref().and_then(proxy::of)
        {
            why = Self::Proxy {
                proxy,
                detail: why.reason(),
            };
        }
        match why {
            // A port of TLS answers plain HTTP with an alert, or hangs up.
            Self::Closed { detail }
                if !is_connecting && url.is_some_and(|url| url.scheme() == "http") =>
            {
                Self::NoHttp { detail }
            }
            why => why,
        }
    }

    fn from_causes(error: &reqwest::Error) -> Self {
        let mut cause = error.source();
        let mut last = error.to_string();
        while let Some(error) = cause {
            last = error.to_string();
            if let Some(error) = error.downcast_ref::<NoSuchName>() {
                return Self::NoSuchName {
                    detail: error.to_string(),
                };
            }
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Self::from_tls(error);
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                if let Some(tls) = wrapped_tls(error) {
                    return Self::from_tls(tls);
                }
                match error.kind() {
                    io::ErrorKind::ConnectionRefused => return Self::Refused,
                    io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::NetworkDown => {
                        return Self::NoRoute {
                            detail: error.to_string(),
                        };
                    }
                    _ => {}
                }
            }
            cause = error.source();
        }
        Self::Closed { detail: last }
    }

    fn from_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(why) => Self::Certificate {
                detail: why.to_string(),
            },
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
                Self::NoTls
            }
            other => Self::Tls {
                detail: other.to_string(),
            },
        }
    }

    /// Says whether it is the node's identity that is in doubt.
    pub(crate) fn is_distrust(&self) -> bool {
        matches!(self, Self::Certificate { .. } | Self::NoAuthorities)
    }

    /// Returns a few words, without what to do.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Refused => "connection refused".to_owned(),
            Self::NoAuthorities => "no CA certificates on this system".to_owned(),
            Self::NoSuchName { detail } => format!("no such name: {detail}"),
            Self::Tls { detail } => format!("TLS: {detail}"),
            Self::NoTls => "it speaks plain HTTP there; write http://".to_owned(),
            Self::NoHttp { detail } => {
                format!("{detail}; if it speaks TLS there, write https://")
            }
            Self::Proxy { proxy, detail } => format!("the proxy {proxy}: {detail}"),
            Self::NoRoute { detail } | Self::Certificate { detail } | Self::Closed { detail } => {
                detail.clone()
            }
        }
    }

    /// Returns a sentence for `node` that says what to do.
    pub(crate) fn at(&self, node: &Url) -> String {
        let host = node.host_str().unwrap_or("?");
        let node = shown(node);
        match self {
            Self::NoSuchName { detail } => {
                format!("cannot find the node {host}: {detail}; check its name and DNS")
            }
            Self::Refused => format!(
                "cannot reach the node {node}: connection refused; check the port, and that the \
                 node is running"
            ),
            Self::NoRoute { detail } => {
                format!("cannot reach the node {node}: {detail}; check address, route and firewall")
            }
            Self::Certificate { detail } => format!(
                "the certificate of {host} is not to be trusted: {detail}; give its authority with \
                 --ca-file, or use --insecure for a test"
            ),
            Self::Tls { detail } => {
                format!("cannot speak TLS with {node}: {detail}; check address and port")
            }
            Self::NoTls => format!(
                "{node} does not speak TLS, but plain HTTP: write http:// if you mean that port, \
                 where everybody on the way can read along"
            ),
            Self::NoHttp { detail } => format!(
                "{node} does not answer in plain HTTP ({detail}): if it speaks TLS there, write \
                 https://; else check that it is up"
            ),
            Self::Proxy { proxy, detail } => format!(
                "cannot reach the node {node} through the proxy {proxy} ({detail}): check \
                 HTTPS_PROXY and HTTP_PROXY, or name the node's host in NO_PROXY"
            ),
            Self::NoAuthorities => "no CA certificates found on this system, so no node can be \
                 verified: install `ca-certificates`, or give the node's authority with --ca-file"
                .to_owned(),
            Self::Closed { detail } => {
                format!("lost the connection to the node {node}: {detail}; check that it is up")
            }
        }
    }
}

/// Returns the TLS error inside an `io::Error`, which does not name what it wraps as its source and
/// may wrap another of its kind.
fn wrapped_tls(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner
        .downcast_ref()
        .or_else(|| wrapped_tls(inner.downcast_ref()?))
}
