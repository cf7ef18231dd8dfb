//! Remote candidates (RFC 8839 §5.1): which ones are worth handing on.

/// What a candidate line turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemoteCandidate {
    /// One to try, without `a=` and `candidate:`.
    Usable(String),
    /// A well-formed one that is of no use to us: an mDNS name, TCP, or the RTCP component.
    Ignored,
    /// The end of candidates (RFC 8838 §9).
    End,
}

/// Reads a candidate, with or without `a=` and `candidate:`.
pub(crate) fn read_candidate(line: &str) -> Result<RemoteCandidate, String> {
    let line = line.trim();
    let line = line.strip_prefix("a=").unwrap_or(line);
    let line = line.strip_prefix("candidate:").unwrap_or(line).trim();
    if line.is_empty() || line == "end-of-candidates" {
        return Ok(RemoteCandidate::End);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let [
        _foundation,
        component,
        transport,
        priority,
        address,
        port,
        "typ",
        _kind,
        ..,
    ] = words.as_slice()
    else {
        return Err("it has not the eight words of a candidate".into());
    };
    let component: u16 = component
        .parse()
        .map_err(|_| format!("component {component:?} is not a number"))?;
    let _: u32 = priority
        .parse()
        .map_err(|_| format!("priority {priority:?} is not a number"))?;
    let port: u16 = port
        .parse()
        .map_err(|_| format!("port {port:?} is not a number"))?;
    // A browser hides its address behind an mDNS name; its checks reach us all the same, and give
    // a peer-reflexive candidate.
    let address: std::net::IpAddr = match address.parse() {
        Ok(address) => address,
        Err(_) if address.contains('.') => return Ok(RemoteCandidate::Ignored),
        Err(_) => return Err(format!("{address:?} is not an address")),
    };
    let usable = component == 1
        && transport.eq_ignore_ascii_case("udp")
        && port != 0
        && !address.is_unspecified()
        && !address.is_multicast();
    if !usable {
        return Ok(RemoteCandidate::Ignored);
    }
    Ok(RemoteCandidate::Usable(words.join(" ")))
}
