//! A remote description as webrtc is to see it: the chosen m-lines, one codec each.
//!
//! Everything is written anew from what was parsed. So nothing of a stranger's text reaches
//! webrtc's parser but tokens we have looked at, and what it gets wrong never comes up: wildcard
//! feedback, tracks without `a=ssrc`, data channels, mDNS names, a third m-line.

use media::{Codec, Kind};

use super::{Chosen, Description, Line, RemoteCandidate, format, read_candidate};

/// The transport-wide congestion control extension, the only one we use.
pub(crate) const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// Writes the description. `placeholders` are the m-lines to show as rejected because our own
/// offer had them; an offer has none.
pub(crate) fn toward_webrtc(
    remote: &Description,
    chosen: &Chosen,
    placeholders: &[(usize, Kind)],
) -> Result<String, String> {
    let lines = chosen.lines();
    let Some(first) = lines.first() else {
        return Err("nothing in it that we can use".into());
    };
    let ufrag = token(remote, first.index, "ice-ufrag")?;
    let password = token(remote, first.index, "ice-pwd")?;
    let fingerprint = fingerprint(remote, first.index)?;
    let setup = remote
        .transport_attribute(first.index, "setup")
        .filter(|setup| ["active", "passive", "actpass"].contains(setup))
        .unwrap_or("actpass");
    let lite = remote.session.iter().any(|line| line == "a=ice-lite");
    let trickle = remote
        .transport_attribute(first.index, "ice-options")
        .is_some_and(|options| options.split_whitespace().any(|option| option == "trickle"));

    let mids: Vec<&str> = lines.iter().map(|line| line.codec.mid.as_str()).collect();
    let mut out = String::from("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    let mut put = |line: String| {
        out.push_str(&line);
        out.push_str("\r\n");
    };
    put(format!("a=group:BUNDLE {}", mids.join(" ")));
    if lite {
        put("a=ice-lite".into());
    }
    let total = remote.media.len();
    for index in 0..total {
        if let Some((_, kind)) = placeholders.iter().find(|(at, _)| *at == index) {
            put(format!("m={} 0 UDP/TLS/RTP/SAVPF 0", kind.name()));
            put("c=IN IP4 0.0.0.0".into());
            put(format!("a=mid:{}", remote.mid(index)));
            put("a=inactive".into());
            continue;
        }
        let Some(line) = lines.iter().find(|line| line.index == index) else {
            continue;
        };
        media_lines(remote, line, &mut put);
        put(format!("a=ice-ufrag:{ufrag}"));
        put(format!("a=ice-pwd:{password}"));
        if trickle {
            put("a=ice-options:trickle".into());
        }
        put(format!("a=fingerprint:{fingerprint}"));
        put(format!("a=setup:{setup}"));
        if line.index == first.index {
            for candidate in candidates(remote) {
                put(format!("a=candidate:{candidate}"));
            }
        }
    }
    Ok(out)
}

fn media_lines(remote: &Description, line: &Line, put: &mut impl FnMut(String)) {
    let section = &remote.media[line.index];
    let negotiated = &line.codec;
    let payload_type = negotiated.payload_type;
    let formats = match negotiated.rtx_payload_type {
        Some(rtx) => format!("{payload_type} {rtx}"),
        None => payload_type.to_string(),
    };
    put(format!("m={} 9 UDP/TLS/RTP/SAVPF {formats}", section.kind));
    put("c=IN IP4 0.0.0.0".into());
    put(format!("a=mid:{}", negotiated.mid));
    put("a=rtcp-mux".into());
    // Direction is ours to keep: webrtc would stop an inactive transceiver for good.
    put("a=sendrecv".into());
    let codec = negotiated.codec;
    let channels = if codec == Codec::Opus { "/2" } else { "" };
    put(format!(
        "a=rtpmap:{payload_type} {}/{}{channels}",
        codec.name(),
        codec.clock_rate()
    ));
    let parameters = format::offered(codec);
    if !parameters.is_empty() {
        put(format!("a=fmtp:{payload_type} {parameters}"));
    }
    for feedback in section.feedback(payload_type) {
        put(format!("a=rtcp-fb:{payload_type} {feedback}"));
    }
    if let Some(rtx) = negotiated.rtx_payload_type {
        put(format!("a=rtpmap:{rtx} rtx/90000"));
        put(format!("a=fmtp:{rtx} apt={payload_type}"));
    }
    if let Some(number) = section.extension(TRANSPORT_CC) {
        put(format!("a=extmap:{number} {TRANSPORT_CC}"));
    }
    let sources = section.sources();
    for (ssrc, repair) in &sources {
        if let Some(repair) = repair {
            put(format!("a=ssrc-group:FID {ssrc} {repair}"));
        }
    }
    for (ssrc, repair) in &sources {
        for ssrc in [Some(ssrc), repair.as_ref()].into_iter().flatten() {
            put(format!("a=ssrc:{ssrc} cname:remote"));
            put(format!("a=ssrc:{ssrc} msid:remote {}", negotiated.mid));
        }
    }
}

/// All remote candidates worth trying, whichever m-line they stand in.
fn candidates(remote: &Description) -> Vec<String> {
    let mut usable = Vec::new();
    for section in &remote.media {
        for candidate in section.attributes("candidate") {
            if let Ok(RemoteCandidate::Usable(candidate)) = read_candidate(candidate)
                && !usable.contains(&candidate)
            {
                usable.push(candidate);
            }
        }
    }
    usable
}

/// ICE credentials are `ice-char`s: letters, digits, `+` and `/` (RFC 8839 §5.4). Some write others.
fn token<'a>(remote: &'a Description, index: usize, name: &'static str) -> Result<&'a str, String> {
    let value = remote
        .transport_attribute(index, name)
        .ok_or_else(|| format!("no a={name}"))?;
    if value.is_empty() || value.len() > 256 || !value.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("malformed a={name}"));
    }
    Ok(value)
}

/// `a=fingerprint` (RFC 8122 §5), SHA-256 where there are several.
fn fingerprint(remote: &Description, index: usize) -> Result<String, String> {
    let all = remote
        .media
        .get(index)
        .into_iter()
        .flat_map(|section| section.attributes("fingerprint"))
        .chain(remote.attribute("fingerprint"))
        .chain(
            remote
                .media
                .iter()
                .flat_map(|section| section.attributes("fingerprint")),
        );
    let well_formed = |value: &&str| {
        value.split_once(' ').is_some_and(|(hash, digits)| {
            hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        })
    };
    let all: Vec<&str> = all.filter(well_formed).collect();
    all.iter()
        .find(|value| value.to_ascii_lowercase().starts_with("sha-256 "))
        .or(all.first())
        .map(|value| {
            let (hash, digits) = value.split_once(' ').unwrap_or((value, ""));
            format!("{} {digits}", hash.to_ascii_lowercase())
        })
        .ok_or_else(|| "no usable a=fingerprint".into())
}
