//! The address of a Conferencing Node, as a person writes it.

use std::str::FromStr;

use driver::NodeAddress;
use url::{Host, Url};

/// The address of a Conferencing Node: `http` or `https`, a host, perhaps a port, nothing else.
///
/// A name with a dot and nothing around it is a domain, whose nodes are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeUrl {
    url: Url,
    is_domain: bool,
}

/// Why a text is no address of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NodeUrlError {
    /// No URL can be read from it.
    #[error("no address of a node: write https://host, https://host:port, or the host alone")]
    Unreadable,
    /// Another scheme than HTTP.
    #[error("a node speaks http or https: write https://host")]
    Scheme,
    /// A path, a query or a fragment.
    #[error(
        "the address of a node ends after host and port: leave out what follows (the conference goes into --conference)"
    )]
    Path,
    /// A user name or a password.
    #[error("the address of a node holds no user name: everyone on this machine could read it")]
    UserName,
}

impl NodeUrl {
    /// Returns the URL.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns what a caller is to be told.
    pub(crate) fn address(&self) -> NodeAddress {
        match self.url.host_str().filter(|_| self.is_domain) {
            Some(domain) => NodeAddress::Domain(domain.to_owned()),
            None => NodeAddress::Url(self.url.clone()),
        }
    }

    /// Returns whether PIN and token would cross the network in the clear.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        let loopback = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.url.scheme() == "http" && !loopback
    }
}

impl FromStr for NodeUrl {
    type Err = NodeUrlError;

    fn from_str(text: &str) -> Result<Self, NodeUrlError> {
        // `host:8443` alone would be read as a scheme with a path.
        let text = text.trim();
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        };
        let url = url.map_err(|_| NodeUrlError::Unreadable)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NodeUrlError::Scheme);
        }
        if !url.has_host() {
            return Err(NodeUrlError::Unreadable);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NodeUrlError::UserName);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(NodeUrlError::Path);
        }
        let is_domain = matches!(url.host(), Some(Host::Domain(name)) if name.contains('.'))
            && !text.contains([':', '/']);
        Ok(Self { url, is_domain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, NodeUrlError> {
        text.parse::<NodeUrl>().map(|node| node.url().to_string())
    }

    #[test]
    fn a_bare_host_is_reached_by_https() {
        assert_eq!(
            read("node.example.com").as_deref(),
            Ok("https://node.example.com/")
        );
        assert_eq!(
            read("node.example.com:8443").as_deref(),
            Ok("https://node.example.com:8443/")
        );
        assert_eq!(read("[::1]:8443").as_deref(), Ok("https://[::1]:8443/"));
        assert_eq!(
            read("http://127.0.0.1:8080").as_deref(),
            Ok("http://127.0.0.1:8080/")
        );
    }

    #[test]
    fn a_name_alone_is_a_domain_and_all_else_one_node() {
        let domain = |text: &str| match text.parse::<NodeUrl>().map(|node| node.address()) {
            Ok(NodeAddress::Domain(domain)) => Some(domain),
            _ => None,
        };

        assert_eq!(domain("Example.com").as_deref(), Some("example.com"));
        for text in [
            "https://example.com",
            "example.com:443",
            "example.com/",
            "localhost",
            "192.0.2.1",
            "[::1]",
        ] {
            assert_eq!(domain(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_node_is_refused_with_the_reason() {
        assert_eq!(read(""), Err(NodeUrlError::Unreadable));
        assert_eq!(read("two words"), Err(NodeUrlError::Unreadable));
        assert_eq!(read("sip://node.example.com"), Err(NodeUrlError::Scheme));
        assert_eq!(
            read("https://node.example.com/webapp3/m/meet"),
            Err(NodeUrlError::Path)
        );
        assert_eq!(
            read("https://me:secret@node.example.com"),
            Err(NodeUrlError::UserName)
        );
    }

    #[test]
    fn plain_http_is_in_the_clear_unless_it_stays_on_this_machine() {
        let clear = |text: &str| {
            text.parse::<NodeUrl>()
                .expect("an address")
                .is_in_the_clear()
        };

        assert!(clear("http://node.example.com"));
        assert!(!clear("http://localhost:8080"));
        assert!(!clear("http://127.0.0.1:8080"));
        assert!(!clear("https://node.example.com"));
    }
}
