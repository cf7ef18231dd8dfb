//! Starting and ending a node.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum_server::Control;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use peer::Shards;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::conference::{Conference, Rules};
use crate::conference_settings::{ConferenceSettings, Service};
use crate::error::NodeError;
use crate::http::{self, Gateway, Journal, PunctualAcceptor, Reception, Served, Site};
use crate::operator::OperatorToken;
use crate::room::{RoomError, RoomPlan, RoomSettings};
use crate::settings::NodeSettings;
use crate::tls::{self, Identity};

/// How long requests that are being answered have when the node ends.
const GRACE: Duration = Duration::from_secs(2);

/// A node before it runs.
#[derive(Debug)]
pub struct Node;

/// A node that runs; it ends when this is dropped, and in good order with [`RunningNode::shutdown`].
pub struct RunningNode {
    /// Where HTTPS is served, such as `https://127.0.0.1:8443`.
    pub https_url: Option<String>,
    /// Where plain HTTP is served, such as `http://127.0.0.1:8080`.
    pub http_url: Option<String>,
    /// SHA-256 of the certificate, as `AB:CD:…`.
    pub fingerprint: Option<String>,
    /// The certificate in PEM form, for clients that are to trust it.
    pub certificate_pem: Option<String>,
    /// What lets an operator in from other machines, at `/node/?token=…`.
    pub operator_token: OperatorToken,
    headers_within: Duration,
    site: Arc<Site>,
    servers: Vec<Server>,
    conferences: JoinSet<()>,
}

struct Server {
    control: Control,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts a node whose media runs on `shards`, and whose HTTP side runs where this is called.
    ///
    /// # Errors
    /// When the settings make no sense, an address cannot be listened on, or a TLS file not used.
    pub async fn start(settings: NodeSettings, shards: &Shards) -> Result<RunningNode, NodeError> {
        settings.check()?;
        let identity = settings
            .https
            .map(|_| tls::identity(&settings.tls))
            .transpose()?;
        // Both are taken before anything is served: a node runs as it was told to, or not at all.
        let https = settings
            .https
            .map(|address| listen("HTTPS", "https", address))
            .transpose()?;
        let http = settings
            .http
            .map(|address| listen("HTTP", "http", address))
            .transpose()?;

        let mut conferences = JoinSet::new();
        let journal = Arc::new(Journal::default());
        let operator = settings.operator_token.clone();
        let operator = operator.unwrap_or_else(OperatorToken::random);
        let opened = open(&settings, shards, &mut conferences, &journal)?;
        let site = Arc::new(Site {
            conferences: opened.conferences,
            gateways: opened.gateways,
            receptions: receptions(&settings),
            profile: settings.profile,
            faults: settings.faults.clone(),
            credentials: settings.http_credentials.clone(),
            patience: settings.patience,
            video_codecs: settings.video_codecs.clone(),
            token_life: settings.token_life,
            operator: operator.clone(),
            journal,
            started: Instant::now(),
        });
        let mut running = RunningNode {
            https_url: None,
            http_url: None,
            fingerprint: identity
                .as_ref()
                .map(|identity| identity.fingerprint.clone()),
            certificate_pem: identity
                .as_ref()
                .map(|identity| identity.certificate_pem.clone()),
            operator_token: operator,
            headers_within: settings.headers_within,
            site,
            servers: Vec::new(),
            conferences,
        };
        if let (Some((listener, address)), Some(identity)) = (https, &identity) {
            running.https_url = Some(format!("https://{}", reachable(address)));
            running.serve("HTTPS", listener, address, Some(identity))?;
        }
        if let Some((listener, address)) = http {
            running.http_url = Some(format!("http://{}", reachable(address)));
            running.serve("HTTP", listener, address, None)?;
        }
        for fault in settings.faults.iter() {
            warn!(%fault, "on purpose: {}", fault.help());
        }
        info!(
            https = running.https_url,
            http = running.http_url,
            fingerprint = running.fingerprint,
            "node serves"
        );
        Ok(running)
    }
}

impl RunningNode {
    /// Ends event streams and calls without a word, as a node that goes away does, and waits until
    /// all is closed, for a few seconds at most.
    pub async fn shutdown(mut self) {
        for server in &self.servers {
            server.control.graceful_shutdown(Some(GRACE));
        }
        for served in self.site.all() {
            served.end();
        }
        for mut server in std::mem::take(&mut self.servers) {
            if tokio::time::timeout(GRACE + Duration::from_secs(1), &mut server.task)
                .await
                .is_err()
            {
                server.task.abort();
            }
        }
        self.conferences.shutdown().await;
        info!("node ended");
    }

    fn serve(
        &mut self,
        scheme: &'static str,
        listener: TcpListener,
        address: SocketAddr,
        identity: Option<&Identity>,
    ) -> Result<(), NodeError> {
        let failed = |source: io::Error| NodeError::Listen {
            scheme,
            address,
            source,
        };
        let app = http::router(Arc::clone(&self.site))
            .into_make_service_with_connect_info::<SocketAddr>();
        let handle = axum_server::Handle::new();
        let control = handle.control();
        let mut server = axum_server::from_tcp(listener)
            .map_err(failed)?
            .handle(handle);
        server
            .http_builder()
            .http1()
            .header_read_timeout(self.headers_within);
        let task = if let Some(identity) = identity {
            let config = RustlsConfig::from_config(Arc::clone(&identity.config));
            let acceptor = RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new());
            let acceptor = PunctualAcceptor::new(acceptor, self.headers_within);
            tokio::spawn(ended(scheme, server.acceptor(acceptor).serve(app)))
        } else {
            let acceptor = PunctualAcceptor::new(NoDelayAcceptor::new(), self.headers_within);
            tokio::spawn(ended(scheme, server.acceptor(acceptor).serve(app)))
        };
        self.servers.push(Server { control, task });
        Ok(())
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        for server in &self.servers {
            server.control.shutdown();
            server.task.abort();
        }
    }
}

async fn ended(scheme: &'static str, serving: impl Future<Output = io::Result<()>>) {
    if let Err(error) = serving.await {
        warn!(scheme, %error, "server ended");
    }
}

fn receptions(settings: &NodeSettings) -> Vec<Reception> {
    let reception = |one: &ConferenceSettings| match &one.service {
        Service::Conference | Service::Gateway(_) => None,
        Service::Reception(kind) => Some(Reception {
            aliases: one.all_aliases().cloned().collect(),
            kind: kind.clone(),
            pin: one.host_pin.clone(),
        }),
    };
    settings.conferences.iter().filter_map(reception).collect()
}

struct Opened {
    conferences: Vec<Arc<Served>>,
    gateways: Vec<Arc<Gateway>>,
}

fn open(
    settings: &NodeSettings,
    shards: &Shards,
    tasks: &mut JoinSet<()>,
    journal: &Arc<Journal>,
) -> Result<Opened, NodeError> {
    let rules = Rules {
        profile: settings.profile,
        token_life: settings.token_life,
        waiting_room_life: settings.waiting_room_life,
        ice_servers: settings.ice_servers.clone(),
        faults: settings.faults.clone(),
        ..Rules::default()
    };
    let mut seeds = settings
        .seed
        .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
    let unix_time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let addresses = match settings.media_addresses.as_slice() {
        [] => peer::local_addresses(),
        given => given.to_vec(),
    };
    let (mut served, mut gateways) = (Vec::new(), Vec::new());
    for conference in &settings.conferences {
        let far_end = match &conference.service {
            Service::Conference => None,
            Service::Gateway(destination) => Some(format!("{destination}\nA simulated far end")),
            Service::Reception(_) => continue,
        };
        let alias = conference.alias.clone();
        let failed = |error: RoomError| NodeError::Room {
            conference: alias.to_string(),
            why: error.to_string(),
        };
        let is_gateway = far_end.is_some();
        let faults = settings.faults.with(&conference.faults);
        let rules = Rules {
            faults: faults.clone(),
            ..rules.clone()
        };
        let plan = RoomPlan::new(RoomSettings {
            name: alias.to_string(),
            far_end,
            video_codecs: settings.video_codecs.clone(),
            faults: (&faults).into(),
            addresses: addresses.clone(),
        })
        .map_err(failed)?;
        let (shard, seed) = (shards.next(), seeds.u64(..));
        if is_gateway {
            let settings = conference.clone();
            let journal = Arc::clone(journal);
            let gateway = Gateway::new(settings, rules, plan, shard, seed, journal);
            gateways.push(Arc::new(gateway));
            continue;
        }
        let (room, reports) = plan.open(shard).map_err(failed)?;
        let conference =
            Conference::new(conference.clone(), rules, Instant::now(), unix_time, seed);
        let one = Arc::new(Served::new(
            alias,
            settings.profile,
            conference,
            room,
            Arc::clone(journal),
        ));
        tasks.spawn(Arc::clone(&one).run(reports));
        served.push(one);
    }
    Ok(Opened {
        conferences: served,
        gateways,
    })
}

fn listen(
    scheme: &'static str,
    flag: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), NodeError> {
    TcpListener::bind(address)
        .and_then(|listener| Ok((listener.local_addr()?, listener)))
        .map_or_else(
            |source| {
                Err(match source.kind() {
                    io::ErrorKind::AddrInUse => NodeError::AddressInUse {
                        scheme,
                        address,
                        flag,
                    },
                    _ => NodeError::Listen {
                        scheme,
                        address,
                        source,
                    },
                })
            },
            |(address, listener)| Ok((listener, address)),
        )
}

/// An address people can open: a wildcard cannot be.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
