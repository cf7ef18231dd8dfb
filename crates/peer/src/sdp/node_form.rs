//! Answers in the form of a real Conferencing Node.
//!
//! BUNDLE, `setup:active`, feedback with wildcards, no MID header extension (so that streams are
//! told apart by `a=ssrc`), candidates in the first m-line alone, bandwidth for the session and
//! for each video m-line, `a=content` and `a=label`.

use media::{Codec, Kind};

use super::{
    Chosen, Description, Line, choose::find_codec, description::Section, format,
    toward_webrtc::TRANSPORT_CC,
};
use crate::{Direction, NegotiatedCodec};

/// What an answer says about this peer besides webrtc's part.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) session_id: u32,
    pub(crate) cname: String,
    pub(crate) stream: String,
    pub(crate) audio: (u32, u32),
    pub(crate) video: (u32, u32),
    pub(crate) slides: (u32, u32),
    /// `b=TIAS` of video, in bit/s.
    pub(crate) max_video_bitrate: u32,
}

struct Transport<'a> {
    address: String,
    port: u16,
    ufrag: &'a str,
    password: &'a str,
    fingerprint: &'a str,
    candidates: Vec<&'a str>,
}

enum Place<'a> {
    Media(&'a Line),
    Slides(NegotiatedCodec),
    Rejected,
}

/// Writes the answer to `offer`, m-line by m-line. `local` is webrtc's own answer, gathered.
pub(crate) fn node_form(
    offer: &Description,
    chosen: &Chosen,
    local: &Description,
    identity: &Identity,
    version: u32,
) -> Result<String, String> {
    let transport = Transport::of(local)?;
    let places: Vec<Place<'_>> = (0..offer.media.len())
        .map(|index| place(offer, chosen, index))
        .collect();
    let bundle: Vec<String> = places
        .iter()
        .enumerate()
        .filter(|(_, place)| !matches!(place, Place::Rejected))
        .map(|(index, _)| offer.mid(index))
        .collect();
    let videos = places
        .iter()
        .filter(|place| match place {
            Place::Media(line) => line.codec.codec.kind() == Kind::Video,
            Place::Slides(_) => true,
            Place::Rejected => false,
        })
        .count() as u32;
    let family = family(&transport.address);

    let mut out = Vec::new();
    out.push("v=0".to_owned());
    out.push(format!(
        "o=- {} {} IN IP4 127.0.0.1",
        identity.session_id,
        identity.session_id.wrapping_add(version)
    ));
    out.push("s=-".into());
    out.push(format!("c=IN {family} {}", transport.address));
    // Video and 64 kbit/s of audio.
    let total = videos * (identity.max_video_bitrate / 1000) + 64;
    out.push(format!("b=AS:{total}"));
    out.push("t=0 0".into());
    out.push(format!("a=group:BUNDLE {}", bundle.join(" ")));
    let mut candidates_due = true;
    for (index, (section, place)) in offer.media.iter().zip(&places).enumerate() {
        let mid = offer.mid(index);
        match place {
            Place::Rejected => rejected(&mut out, section, &mid),
            Place::Media(line) => {
                let (content, sources) = match line.codec.codec.kind() {
                    Kind::Audio => (None, identity.audio),
                    Kind::Video => (Some(("main", 11)), identity.video),
                };
                let track = Track {
                    codec: &line.codec,
                    content,
                    sources,
                    mid: &mid,
                };
                track.write(&mut out, section, &transport, identity, candidates_due);
                candidates_due = false;
            }
            Place::Slides(codec) => {
                let track = Track {
                    codec,
                    content: Some(("slides", 12)),
                    sources: identity.slides,
                    mid: &mid,
                };
                track.write(&mut out, section, &transport, identity, candidates_due);
                candidates_due = false;
            }
        }
    }
    let mut text = out.join("\r\n");
    text.push_str("\r\n");
    Ok(text)
}

/// A second video m-line is held inactive, for slides; whatever else was offered is rejected.
fn place<'a>(offer: &Description, chosen: &'a Chosen, index: usize) -> Place<'a> {
    if let Some(line) = chosen.lines().into_iter().find(|line| line.index == index) {
        return Place::Media(line);
    }
    let section = &offer.media[index];
    let bundled = offer.bundle().contains(&offer.mid(index).as_str());
    let slides = section.kind == Kind::Video.name()
        && section.attribute("content") == Some("slides")
        && !section.is_rejected()
        && bundled;
    let Some(main) = chosen.video.as_ref().filter(|_| slides) else {
        return Place::Rejected;
    };
    match find_codec(section, &[main.codec.codec]) {
        Some((_, payload_type)) => Place::Slides(NegotiatedCodec {
            payload_type,
            rtx_payload_type: section.rtx_for(payload_type),
            direction: Direction::Inactive,
            ..main.codec.clone()
        }),
        None => Place::Rejected,
    }
}

fn rejected(out: &mut Vec<String>, section: &Section, mid: &str) {
    out.push(format!(
        "m={} 0 {} {}",
        section.kind,
        section.protocol,
        section.formats.join(" ")
    ));
    out.push("c=IN IP4 0.0.0.0".into());
    out.push("a=inactive".into());
    out.push(format!("a=mid:{mid}"));
}

struct Track<'a> {
    codec: &'a NegotiatedCodec,
    content: Option<(&'static str, u32)>,
    sources: (u32, u32),
    mid: &'a str,
}

impl Track<'_> {
    fn write(
        &self,
        out: &mut Vec<String>,
        offered: &Section,
        transport: &Transport<'_>,
        identity: &Identity,
        with_candidates: bool,
    ) {
        let payload_type = self.codec.payload_type;
        let rtx = self.codec.rtx_payload_type;
        let video = self.codec.codec.kind() == Kind::Video;
        let formats = match rtx {
            Some(rtx) => format!("{payload_type} {rtx}"),
            None => payload_type.to_string(),
        };
        out.push(format!(
            "m={} {} {} {formats}",
            offered.kind, transport.port, offered.protocol
        ));
        out.push(format!(
            "c=IN {} {}",
            family(&transport.address),
            transport.address
        ));
        if video {
            out.push(format!("b=TIAS:{}", identity.max_video_bitrate));
        }
        self.write_codec(out, offered);
        let feedback = offered.feedback(payload_type);
        for known in ["nack pli", "nack", "goog-remb", "transport-cc"] {
            if feedback.contains(&known) {
                out.push(format!("a=rtcp-fb:* {known}"));
            }
        }
        let (ssrc, repair) = self.sources;
        if rtx.is_some() {
            out.push(format!("a=ssrc-group:FID {ssrc} {repair}"));
        }
        out.push(format!("a={}", self.codec.direction.name()));
        if let Some((content, label)) = self.content {
            out.push(format!("a=content:{content}"));
            out.push(format!("a=label:{label}"));
        }
        out.push(format!("a=mid:{}", self.mid));
        out.push("a=setup:active".into());
        out.push("a=connection:new".into());
        out.push(format!("a=fingerprint:{}", transport.fingerprint));
        if let Some(number) = offered.extension(TRANSPORT_CC) {
            out.push(format!("a=extmap:{number} {TRANSPORT_CC}"));
        }
        out.push("a=rtcp-mux".into());
        for ssrc in std::iter::once(ssrc).chain(rtx.map(|_| repair)) {
            out.push(format!("a=ssrc:{ssrc} cname:{}", identity.cname));
            out.push(format!(
                "a=ssrc:{ssrc} msid:{} {}-{}",
                identity.stream, identity.cname, self.mid
            ));
        }
        if with_candidates {
            for candidate in &transport.candidates {
                out.push(format!("a=candidate:{candidate}"));
            }
        }
        out.push(format!("a=ice-ufrag:{}", transport.ufrag));
        out.push(format!("a=ice-pwd:{}", transport.password));
    }

    fn write_codec(&self, out: &mut Vec<String>, offered: &Section) {
        let payload_type = self.codec.payload_type;
        let codec = self.codec.codec;
        let channels = if codec == Codec::Opus { "/2" } else { "" };
        out.push(format!(
            "a=rtpmap:{payload_type} {}/{}{channels}",
            codec.name(),
            codec.clock_rate()
        ));
        let parameters = format::answered(codec, offered.format_parameters(payload_type));
        if !parameters.is_empty() {
            out.push(format!("a=fmtp:{payload_type} {parameters}"));
        }
        if let Some(rtx) = self.codec.rtx_payload_type {
            out.push(format!("a=rtpmap:{rtx} rtx/{}", codec.clock_rate()));
            out.push(format!("a=fmtp:{rtx} apt={payload_type}"));
        }
    }
}

impl<'a> Transport<'a> {
    fn of(local: &'a Description) -> Result<Self, String> {
        let get = |name: &'static str| {
            local
                .transport_attribute(0, name)
                .ok_or_else(|| format!("no a={name} in our own answer"))
        };
        let mut candidates = Vec::new();
        for section in &local.media {
            for candidate in section.attributes("candidate") {
                if candidate.split_whitespace().nth(1) == Some("1")
                    && !candidates.contains(&candidate)
                {
                    candidates.push(candidate);
                }
            }
        }
        // The default destination: an address that means something elsewhere, if there is one.
        let place = |candidate: &str| {
            let mut words = candidate.split_whitespace().skip(4);
            let address: std::net::IpAddr = words.next()?.parse().ok()?;
            let port: u16 = words.next()?.parse().ok()?;
            Some((address, port))
        };
        let places: Vec<_> = candidates.iter().filter_map(|c| place(c)).collect();
        let (address, port) = places
            .iter()
            .find(|(address, _)| address.is_ipv4() && !address.is_loopback())
            .or_else(|| places.iter().find(|(address, _)| address.is_ipv4()))
            .or(places.first())
            .map_or_else(
                || ("0.0.0.0".to_owned(), 9),
                |(address, port)| (address.to_string(), *port),
            );
        Ok(Self {
            address,
            port,
            ufrag: get("ice-ufrag")?,
            password: get("ice-pwd")?,
            fingerprint: get("fingerprint")?,
            candidates,
        })
    }
}

fn family(address: &str) -> &'static str {
    if address.contains(':') { "IP6" } else { "IP4" }
}
