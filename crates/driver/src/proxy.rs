//! Which HTTP proxy this system wants to be used, for errors that name it.

use std::sync::LazyLock;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// The wishes of the system as the HTTP client reads them, once for the process.
static SYSTEM: LazyLock<Matcher> = LazyLock::new(Matcher::from_system);

/// Returns the proxy that `url` is asked through, without its user name and password.
pub(crate) fn of(url: &Url) -> Option<String> {
    through(&SYSTEM, url)
}

fn through(matcher: &Matcher, url: &Url) -> Option<String> {
    let mut bare = url.clone();
    bare.set_query(None);
    let intercept = matcher.intercept(&bare.as_str().parse().ok()?)?;
    let proxy = intercept.uri();
    let scheme = proxy.scheme_str().unwrap_or("http");
    let host = proxy.host()?;
    Some(match proxy.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let matcher = Matcher::builder()
            .https("http://user:s3cret@proxy.example:3128")
            .no("practice.example")
            .build();
        let through = |url: &str| through(&matcher, &url.parse().expect("a URL"));
        assert_eq!(
            through("https://node.example/api").as_deref(),
            Some("http://proxy.example:3128")
        );
        assert_eq!(through("https://practice.example/api"), None);
        assert_eq!(through("http://node.example/api"), None);
    }
}
