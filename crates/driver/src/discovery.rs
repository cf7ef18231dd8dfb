//! Finding the Conferencing Nodes of a domain.

use std::fmt;
use std::time::Duration;

use infinity::{Failure, Path, Refusal};
use thiserror::Error;
use tracing::{debug, warn};
use url::Url;

use crate::http::{HttpClient, shown};
use crate::names::Service;
use crate::rest::{self, RequestError};

/// How long a node may take to say how it is before the next one is asked.
const STATUS_LIMIT: Duration = Duration::from_secs(5);

/// How many nodes of a domain are considered; the others would be the last to be asked.
const MOST_NODES: usize = 16;

/// A Conferencing Node, or several, as the operator names them.
///
/// Neither `Debug` nor `Display` shows the user name and password that a URL may hold.
#[derive(Clone, PartialEq, Eq)]
pub enum NodeAddress {
    /// One node, `http` or `https`.
    Url(Url),
    /// A domain whose nodes are found when the caller starts: by its SRV records
    /// `_pexapp._tcp` in the order of RFC 2782, or else at its own addresses; always by `https`.
    Domain(String),
}

impl From<Url> for NodeAddress {
    fn from(url: Url) -> Self {
        Self::Url(url)
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(&shown(url)),
            Self::Domain(domain) => f.write_str(domain),
        }
    }
}

impl fmt::Debug for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Why a domain has no Conferencing Node for us.
#[derive(Debug, Error)]
pub enum DiscoveryError {
    /// RFC 2782: a single record whose target is `.`.
    #[error(
        "the domain {0} says that it has no Conferencing Node (its SRV record _pexapp._tcp.{0} \
         names none): check the domain, or name a node as https://HOST"
    )]
    Declined(String),
    /// No host can be called that.
    #[error("{0:?} is no domain: write example.com, or name a node as https://HOST")]
    NoDomain(String),
    /// Somebody was named, and nobody is of use.
    #[error(
        "no Conferencing Node of {domain} is ready: {looked_up}; {tried}; check the domain and the \
         network, or name a node as https://HOST"
    )]
    NobodyReady {
        /// The domain.
        domain: String,
        /// What was looked up, and what DNS said.
        looked_up: String,
        /// Each node with what came of asking it.
        tried: String,
    },
}

/// Returns the Conferencing Nodes that `addresses` lead to, in the order in which they are to be
/// tried; a domain is looked up, and its nodes are asked for their status.
///
/// # Errors
/// When a domain has no node for us, and nothing else was named.
pub async fn find_nodes(
    client: &HttpClient,
    addresses: &[NodeAddress],
) -> Result<Vec<Url>, DiscoveryError> {
    nodes_of(client, addresses, &mut fastrand::Rng::new()).await
}

/// Returns the nodes of `addresses`, at least one, in the order in which they are to be tried.
pub(crate) async fn nodes_of(
    client: &HttpClient,
    addresses: &[NodeAddress],
    random: &mut fastrand::Rng,
) -> Result<Vec<Url>, DiscoveryError> {
    let mut nodes = Vec::new();
    let mut failure = None;
    for address in addresses {
        match address {
            NodeAddress::Url(url) => nodes.push(url.clone()),
            NodeAddress::Domain(domain) => match nodes_of_domain(client, domain, random).await {
                Ok(found) => nodes.extend(found),
                Err(error) => {
                    warn!(%error, "left aside");
                    failure = Some(error);
                }
            },
        }
    }
    match failure {
        Some(failure) if nodes.is_empty() => Err(failure),
        _ => Ok(nodes),
    }
}

/// Returns the nodes of a domain: first one that is ready, then those not asked, and last those
/// that were not of use.
async fn nodes_of_domain(
    client: &HttpClient,
    domain: &str,
    random: &mut fastrand::Rng,
) -> Result<Vec<Url>, DiscoveryError> {
    let (candidates, looked_up) = candidates(client, domain, random).await?;
    let mut useless = Vec::new();
    let mut tried = Vec::new();
    let mut candidates = candidates.into_iter();
    while let Some(node) = candidates.next() {
        match status(client, &node).await {
            Ok(()) => {
                debug!(%node, "ready");
                return Ok(std::iter::once(node)
                    .chain(candidates)
                    .chain(useless)
                    .collect());
            }
            Err(why) => {
                warn!(%node, why, "not ready; trying the next node");
                tried.push(format!("{}: {why}", node.as_str().trim_end_matches('/')));
                useless.push(node);
            }
        }
    }
    Err(DiscoveryError::NobodyReady {
        domain: domain.to_owned(),
        looked_up,
        tried: tried.join("; "),
    })
}

/// Returns who may be a node of the domain, in their order, and what was looked up for that.
async fn candidates(
    client: &HttpClient,
    domain: &str,
    random: &mut fastrand::Rng,
) -> Result<(Vec<Url>, String), DiscoveryError> {
    let name = format!("_pexapp._tcp.{domain}");
    let (services, looked_up) = match client.names().services(&name).await {
        Ok(services) if services.is_empty() => {
            let looked_up = format!("{name} has no SRV record, so the domain itself was asked");
            (services, looked_up)
        }
        Ok(services) => (services, format!("found by the SRV records of {name}")),
        Err(error) => {
            warn!(name, %error, "cannot look up the SRV records; asking the domain itself");
            let looked_up =
                format!("{name} could not be looked up ({error}), so the domain itself was asked");
            (Vec::new(), looked_up)
        }
    };
    if services.is_empty() {
        let node = https(domain, None).ok_or(DiscoveryError::NoDomain(domain.to_owned()))?;
        return Ok((vec![node], looked_up));
    }
    let nodes: Vec<Url> = in_order(services, random)
        .into_iter()
        .filter_map(|service| https(&service.target, Some(service.port)))
        .take(MOST_NODES)
        .collect();
    debug!(domain, ?nodes, "found");
    if nodes.is_empty() {
        return Err(DiscoveryError::Declined(domain.to_owned()));
    }
    Ok((nodes, looked_up))
}

/// Returns the services in the order of RFC 2782: by priority, and by chance according to their
/// weights among equals.
fn in_order(mut services: Vec<Service>, random: &mut fastrand::Rng) -> Vec<Service> {
    // Those without weight come first, so that they have a small chance at all.
    services.sort_by_key(|service| (service.priority, service.weight));
    let mut ordered = Vec::with_capacity(services.len());
    while let Some(priority) = services.first().map(|service| service.priority) {
        let equals = || services.iter().take_while(|s| s.priority == priority);
        let total: u32 = equals().map(|service| u32::from(service.weight)).sum();
        let chosen = random.u32(0..=total);
        let mut sum = 0;
        let index = equals().position(|service| {
            sum += u32::from(service.weight);
            sum >= chosen
        });
        ordered.push(services.remove(index.unwrap_or(0)));
    }
    ordered
}

/// Returns the address of a host; none where it cannot be the name of one. Always `https`: records
/// that anybody on the way could have forged must not take the PIN into the clear.
fn https(host: &str, port: Option<u16>) -> Option<Url> {
    if host.is_empty() {
        return None;
    }
    let mut url = Url::parse("https://host").ok()?;
    url.set_host(Some(host)).ok()?;
    url.set_port(port).ok()?;
    Some(url)
}

/// Asks a node whether it takes calls, or returns why not, in a few words.
async fn status(client: &HttpClient, node: &Url) -> Result<(), String> {
    match ask_status(client, node).await {
        Ok(()) => Ok(()),
        Err(RequestError::Answered(Failure::Refused(refusal))) => Err(match refusal {
            Refusal::NoSuchNode | Refusal::NotFound(_) => {
                "answers 404: there is no Pexip there".to_owned()
            }
            Refusal::Maintenance | Refusal::Unavailable(503) => {
                "answers 503: it is in maintenance".to_owned()
            }
            refusal => refusal.to_string(),
        }),
        Err(RequestError::TimedOut(limit)) => Err(format!("does not answer within {limit:?}")),
        Err(error) => Err(error.to_failure().to_string()),
    }
}

/// Asks a node whether it takes calls.
pub(crate) async fn ask_status(client: &HttpClient, node: &Url) -> Result<(), RequestError> {
    let url = rest::api_url(node, &Path::Status.encode());
    let request = client
        .request(reqwest::Method::GET, url)
        .map_err(RequestError::Unreachable)?;
    match rest::fetch(request, STATUS_LIMIT).await? {
        (200, _) => Ok(()),
        (code, body) => Err(RequestError::Answered(Refusal::decode(code, &body).into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::Scripted;

    fn service(priority: u16, weight: u16, target: &str) -> Service {
        Service {
            priority,
            weight,
            port: 443,
            target: target.to_owned(),
        }
    }

    fn targets(services: Vec<Service>) -> Vec<String> {
        services.into_iter().map(|service| service.target).collect()
    }

    #[test]
    fn a_lower_priority_comes_first_whatever_its_weight() {
        let services = vec![
            service(20, 65535, "c"),
            service(10, 0, "a"),
            service(15, 1, "b"),
        ];
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            assert_eq!(
                targets(in_order(services.clone(), &mut random)),
                ["a", "b", "c"]
            );
        }
    }

    #[test]
    fn among_equals_chance_follows_the_weights_and_nobody_is_left_out() {
        let services = vec![
            service(1, 0, "none"),
            service(1, 10, "light"),
            service(1, 90, "heavy"),
        ];
        let mut random = fastrand::Rng::with_seed(7);
        let mut first = [0; 3];
        for _ in 0..10_000 {
            let order = targets(in_order(services.clone(), &mut random));
            let mut sorted = order.clone();
            sorted.sort();
            assert_eq!(sorted, ["heavy", "light", "none"]);
            let index = ["none", "light", "heavy"]
                .iter()
                .position(|t| *t == order[0]);
            first[index.expect("one of them")] += 1;
        }
        // 1, 10 and 90 of 101.
        assert!((50..200).contains(&first[0]), "{first:?}");
        assert!((800..1200).contains(&first[1]), "{first:?}");
        assert!((8600..9200).contains(&first[2]), "{first:?}");
    }

    #[tokio::test]
    async fn a_node_is_ready_when_its_status_says_so() {
        const AT_ONCE: Duration = Duration::ZERO;
        let client = HttpClient::new(&crate::Tls::SystemRoots).expect("a client");
        let ready = Scripted::serve(|_| (AT_ONCE, 200, "{}")).await;
        assert_eq!(status(&client, &ready.url).await, Ok(()));
        assert_eq!(ready.tokens_of("status"), [""]);
        let busy = Scripted::serve(|_| (AT_ONCE, 503, "")).await;
        let why = status(&client, &busy.url).await.expect_err("not ready");
        assert!(why.contains("maintenance"), "{why}");
        let other = Scripted::serve(|_| (AT_ONCE, 404, "")).await;
        let why = status(&client, &other.url).await.expect_err("not ready");
        assert!(why.contains("no Pexip"), "{why}");
    }

    #[test]
    fn nodes_are_reached_by_https_and_names_that_are_none_are_left_out() {
        let url = |host, port| https(host, port).map(|url| url.to_string());
        assert_eq!(
            url("a.example", Some(443)).as_deref(),
            Some("https://a.example/")
        );
        assert_eq!(
            url("a.example", Some(80)).as_deref(),
            Some("https://a.example:80/")
        );
        assert_eq!(url("", Some(443)), None);
        assert_eq!(url("two words", None), None);
    }
}
