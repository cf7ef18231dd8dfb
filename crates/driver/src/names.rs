//! Names of hosts and services, and where they are looked up.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How long one name server may take, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// Where names are looked up.
#[derive(Debug, Clone, Default)]
pub(crate) enum Names {
    /// As the system does it, files such as `/etc/hosts` included.
    #[default]
    System,
    /// By these name servers and nothing else.
    Servers(Vec<SocketAddr>),
}

/// One SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    /// The host, without the dot at the end; empty where the service is decidedly not offered.
    pub(crate) target: String,
}

impl Names {
    /// Returns the SRV records of `name`; none is no error.
    pub(crate) async fn services(&self, name: &str) -> Result<Vec<Service>, NetError> {
        // Absolute: the system's search list is for hosts.
        let found = match self.resolver()?.srv_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let services = found.answers().iter().filter_map(|record| {
            let RData::SRV(service) = &record.data else {
                return None;
            };
            let target = service.target.to_ascii();
            Some(Service {
                priority: service.priority,
                weight: service.weight,
                port: service.port,
                target: target.trim_end_matches('.').to_owned(),
            })
        });
        Ok(services.collect())
    }

    /// Returns the addresses of a host, at least one.
    pub(crate) async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found: Vec<IpAddr> = match self {
            Self::System => tokio::net::lookup_host((host, 0))
                .await?
                .map(|address| address.ip())
                .collect(),
            Self::Servers(_) => {
                let resolver = self.resolver().map_err(io::Error::other)?;
                let name = format!("{}.", host.trim_end_matches('.'));
                let found = resolver.lookup_ip(name).await.map_err(io::Error::other)?;
                found.iter().collect()
            }
        };
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
        }
        Ok(found)
    }

    /// A resolver for one lookup: its tasks belong to the runtime that asks.
    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut builder = match self {
            Self::System => TokioResolver::builder_tokio()?,
            Self::Servers(servers) => {
                let servers = servers.iter().map(name_server).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = ATTEMPTS;
        builder.build()
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.into_iter().map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.collect())
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            match names.addresses(name.as_str()).await {
                Ok(found) => {
                    let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
                    Ok(Box::new(found) as Addrs)
                }
                Err(error) => Err(NoSuchName(error).into()),
            }
        })
    }
}

/// A host whose address is not to be found; recognised in what the HTTP client reports.
#[derive(Debug)]
pub(crate) struct NoSuchName(io::Error);

impl fmt::Display for NoSuchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NoSuchName {}
