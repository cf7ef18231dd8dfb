//! Answers to the offers of a bench: Opus and VP8 as they were offered, ICE lite.

use std::net::SocketAddr;

/// What an answer says of the far end.
pub(super) struct Identity<'a> {
    pub(super) address: SocketAddr,
    pub(super) ufrag: &'a str,
    pub(super) password: &'a str,
    pub(super) fingerprint: &'a str,
    /// SSRCs of sound and picture.
    pub(super) sources: [u32; 2],
}

/// Payload types of sound and picture.
pub(super) const PAYLOAD_TYPES: [u8; 2] = [111, 96];

/// Answers `offer` m-line by m-line.
pub(super) fn answer(offer: &str, identity: &Identity<'_>) -> String {
    let sections: Vec<Vec<&str>> = sections(offer);
    let mids: Vec<&str> = sections.iter().filter_map(|s| value(s, "a=mid:")).collect();
    let mut out = vec![
        "v=0".to_owned(),
        "o=- 1 1 IN IP4 127.0.0.1".to_owned(),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        "a=ice-lite".to_owned(),
        format!("a=group:BUNDLE {}", mids.join(" ")),
    ];
    for section in &sections {
        media(section, identity, &mut out);
    }
    out.join("\r\n") + "\r\n"
}

fn media(section: &[&str], identity: &Identity<'_>, out: &mut Vec<String>) {
    let is_audio = section.first().is_some_and(|m| m.starts_with("m=audio"));
    let [audio, video] = PAYLOAD_TYPES;
    let (kind, payload_type, ssrc) = match is_audio {
        true => ("audio", audio, identity.sources[0]),
        false => ("video", video, identity.sources[1]),
    };
    let port = identity.address.port();
    let rtx = (!is_audio).then_some(payload_type + 1);
    let formats = match rtx {
        Some(rtx) => format!("{payload_type} {rtx}"),
        None => payload_type.to_string(),
    };
    out.push(format!("m={kind} {port} UDP/TLS/RTP/SAVPF {formats}"));
    out.push(format!("c=IN IP4 {}", identity.address.ip()));
    if is_audio {
        out.push(format!("a=rtpmap:{payload_type} opus/48000/2"));
        out.push(format!("a=fmtp:{payload_type} minptime=10;useinbandfec=1"));
    } else {
        out.push(format!("a=rtpmap:{payload_type} VP8/90000"));
        for feedback in ["nack", "nack pli", "transport-cc"] {
            out.push(format!("a=rtcp-fb:{payload_type} {feedback}"));
        }
    }
    if let Some(rtx) = rtx {
        out.push(format!("a=rtpmap:{rtx} rtx/90000"));
        out.push(format!("a=fmtp:{rtx} apt={payload_type}"));
    }
    if let Some(extension) = section
        .iter()
        .find(|line| line.contains("transport-wide-cc"))
    {
        out.push((*extension).to_owned());
    }
    for line in section.iter().filter(|line| line.starts_with("a=mid:")) {
        out.push((*line).to_owned());
    }
    out.push("a=sendrecv".to_owned());
    out.push("a=rtcp-mux".to_owned());
    out.push("a=setup:active".to_owned());
    out.push(format!("a=fingerprint:sha-256 {}", identity.fingerprint));
    out.push(format!("a=ice-ufrag:{}", identity.ufrag));
    out.push(format!("a=ice-pwd:{}", identity.password));
    out.push(format!("a=ssrc:{ssrc} cname:far"));
    out.push(format!("a=ssrc:{ssrc} msid:far {kind}"));
    out.push(format!(
        "a=candidate:1 1 udp 2130706431 {} {port} typ host",
        identity.address.ip()
    ));
    out.push("a=end-of-candidates".to_owned());
}

fn sections(sdp: &str) -> Vec<Vec<&str>> {
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for line in sdp.lines() {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line);
        }
    }
    sections
}

fn value<'a>(section: &[&'a str], name: &str) -> Option<&'a str> {
    section.iter().find_map(|line| line.strip_prefix(name))
}
