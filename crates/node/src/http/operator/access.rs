//! Who may see the operator's view: this machine, and whoever has the operator's token.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::operator::OperatorToken;

/// What a proxy adds: behind one, everybody seems to be on this machine.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

const REFUSAL: &str = "The operator's view of this node is for the machine it runs on, or for those who have the operator's token.\n\
Open it with ?token=TOKEN, or send the token in a header called `token`. The node prints its token on its terminal when it starts\n\
and other machines can reach it, and takes another from a file: `standin node --operator-token-file FILE`.\n";

/// Lets a request pass, or says why it may not.
pub(super) fn admit(
    from: SocketAddr,
    uri: &Uri,
    headers: &HeaderMap,
    operator: &OperatorToken,
) -> Result<(), Box<Response>> {
    let given = headers.get("token").and_then(|token| token.to_str().ok());
    let given = given.map(str::to_owned).or_else(|| {
        let token = infinity::token_in_query(uri.query()?)?;
        Some(token.expose().to_owned())
    });
    let admitted = match given {
        Some(given) => operator.is(&given),
        None => is_this_machine(from, uri, headers),
    };
    if admitted {
        return Ok(());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Err(Box::new(
        (StatusCode::FORBIDDEN, headers, REFUSAL).into_response(),
    ))
}

/// Whether a request comes from this machine and was meant for it: not through a proxy, and not
/// from a web page whose name was made to lead here (DNS rebinding).
fn is_this_machine(from: SocketAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    let host = match headers.get(header::HOST) {
        Some(host) => host.to_str().unwrap_or("?"),
        // HTTP/2 has it elsewhere.
        None => uri.authority().map_or("?", |authority| authority.as_str()),
    };
    from.ip().to_canonical().is_loopback()
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
        && is_local_name(host)
}

fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(from: &str, uri: &str, headers: &[(&'static str, &str)]) -> u16 {
        let operator = OperatorToken::new("0123456789abcdef").expect("long enough");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header"));
        }
        let uri = uri.parse().expect("a URI");
        let from = from.parse().expect("an address");
        admit(from, &uri, &map, &operator)
            .map_or_else(|refused| refused.status().as_u16(), |()| 200)
    }

    const HERE: (&str, &str) = ("host", "127.0.0.1:8080");

    #[test]
    fn this_machine_needs_no_token() {
        assert_eq!(code("127.0.0.1:9", "/node/", &[HERE]), 200);
        assert_eq!(code("[::1]:9", "/node/", &[("host", "[::1]:8080")]), 200);
        assert_eq!(code("[::1]:9", "/node/", &[("host", "localhost")]), 200);
        assert_eq!(code("[::ffff:127.0.0.1]:9", "/node/", &[HERE]), 200);
    }

    #[test]
    fn others_need_the_token_in_a_header_or_in_the_query() {
        let elsewhere = ("host", "192.0.2.7:8443");
        assert_eq!(code("192.0.2.9:9", "/node/", &[elsewhere]), 403);
        assert_eq!(
            code("192.0.2.9:9", "/node/?token=0123456789abcdef", &[elsewhere]),
            200
        );
        let token = ("token", "0123456789abcdef");
        assert_eq!(code("192.0.2.9:9", "/node/", &[elsewhere, token]), 200);
        assert_eq!(
            code("192.0.2.9:9", "/node/?token=0123456789abcdee", &[elsewhere]),
            403
        );
    }

    #[test]
    fn a_wrong_token_does_not_pass_on_this_machine_either() {
        assert_eq!(code("127.0.0.1:9", "/node/?token=wrong", &[HERE]), 403);
    }

    #[test]
    fn proxies_and_borrowed_names_are_not_this_machine() {
        let forwarded = ("x-forwarded-for", "192.0.2.9");
        assert_eq!(code("127.0.0.1:9", "/node/", &[HERE, forwarded]), 403);
        assert_eq!(
            code("127.0.0.1:9", "/node/", &[("host", "evil.example:8080")]),
            403
        );
        assert_eq!(code("127.0.0.1:9", "/node/", &[]), 403);
    }
}
