//! Which m-lines and codecs of a remote description we take.

use media::{Codec, Kind};

use super::{Description, description::Section, format, toward_webrtc::TRANSPORT_CC};
use crate::{Direction, NegotiatedCodec};

/// The m-lines that carry our media; all others are answered with nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) audio: Option<Line>,
    pub(crate) video: Option<Line>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Which m-line, from 0.
    pub(crate) index: usize,
    /// What will be negotiated on it.
    pub(crate) codec: NegotiatedCodec,
    /// Whether the far end sends again what it is asked for, and asks itself.
    pub(crate) nack: bool,
    /// The number of the extension for transport-wide numbers.
    pub(crate) transport_wide: Option<u8>,
    /// The far end's sources, each with the one that repairs it.
    pub(crate) sources: Vec<(u32, Option<u32>)>,
}

impl Line {
    fn new(description: &Description, index: usize, codec: NegotiatedCodec) -> Self {
        let section = &description.media[index];
        Self {
            index,
            nack: section.feedback(codec.payload_type).contains(&"nack"),
            transport_wide: section.extension(TRANSPORT_CC),
            sources: section.sources(),
            codec,
        }
    }
}

impl Chosen {
    /// The chosen lines, in the order of the description.
    pub(crate) fn lines(&self) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.audio.iter().chain(&self.video).collect();
        lines.sort_by_key(|line| line.index);
        lines
    }
}

/// What this peer wants of one kind.
struct Wanted<'a> {
    direction: Option<Direction>,
    codecs: &'a [Codec],
}

/// Chooses in an offer: the first audio m-line with Opus, and the main video m-line with the
/// first codec there that is one of `video_codecs`: the offer says what is preferred (RFC 3264 §6.1).
pub(crate) fn choose(
    offer: &Description,
    audio: Option<Direction>,
    video: Option<Direction>,
    video_codecs: &[Codec],
) -> Chosen {
    let audio = Wanted {
        direction: audio,
        codecs: &[Codec::Opus],
    };
    let video = Wanted {
        direction: video,
        codecs: video_codecs,
    };
    Chosen {
        audio: choose_of_kind(offer, Kind::Audio, &audio),
        video: choose_of_kind(offer, Kind::Video, &video),
    }
}

fn choose_of_kind(offer: &Description, kind: Kind, wanted: &Wanted<'_>) -> Option<Line> {
    let direction = wanted.direction?;
    let mut candidates: Vec<(usize, &Section)> = offer
        .media
        .iter()
        .enumerate()
        .filter(|(_, section)| section.kind == kind.name() && !section.is_rejected())
        .filter(|(_, section)| section.attribute("content") != Some("slides"))
        .collect();
    // `content:main` says so itself; otherwise the first is meant (RFC 4796 §5).
    candidates
        .sort_by_key(|(index, section)| (section.attribute("content") != Some("main"), *index));
    candidates.into_iter().find_map(|(index, section)| {
        let codec = find_codec(section, wanted.codecs)?;
        let direction = both(direction, section.direction());
        let codec = negotiated(offer, index, codec, direction);
        Some(Line::new(offer, index, codec))
    })
}

/// Chooses in an answer: the m-lines stand where our offer had them.
pub(crate) fn choose_in_answer(
    answer: &Description,
    offered: &[(Kind, Direction)],
    video_codecs: &[Codec],
) -> Result<Chosen, String> {
    if answer.media.len() != offered.len() {
        return Err(format!(
            "{} m-lines in answer to {}",
            answer.media.len(),
            offered.len()
        ));
    }
    let mut chosen = Chosen::default();
    let bundle = answer.bundle();
    let accepted = answer.media.iter().filter(|s| !s.is_rejected()).count();
    for (index, (section, (kind, direction))) in answer.media.iter().zip(offered).enumerate() {
        if section.kind != kind.name() {
            return Err(format!(
                "m-line {index} is {} where {kind} was offered",
                section.kind
            ));
        }
        if section.is_rejected() {
            continue;
        }
        let mid = answer.mid(index);
        if accepted > 1 && !bundle.contains(&mid.as_str()) {
            return Err(format!(
                "m-line {index} ({kind}) is not bundled with the others, and we have one transport"
            ));
        }
        let codecs: &[Codec] = match kind {
            Kind::Audio => &[Codec::Opus],
            Kind::Video => video_codecs,
        };
        // The answerer's order counts (RFC 3264 §6.1).
        let codec = codecs_of(section, codecs, true)
            .find_map(Result::ok)
            .ok_or_else(|| no_codec(section, *kind, codecs))?;
        let direction = both(*direction, section.direction());
        let codec = negotiated(answer, index, codec, direction);
        let line = Line::new(answer, index, codec);
        match kind {
            Kind::Audio => chosen.audio = Some(line),
            Kind::Video => chosen.video = Some(line),
        }
    }
    Ok(chosen)
}

fn negotiated(
    description: &Description,
    index: usize,
    (codec, payload_type): (Codec, u8),
    direction: Direction,
) -> NegotiatedCodec {
    let section = &description.media[index];
    NegotiatedCodec {
        codec,
        payload_type,
        rtx_payload_type: section.rtx_for(payload_type),
        direction,
        mid: description.mid(index),
        format_parameters: section.format_parameters(payload_type).map(str::to_owned),
        max_bitrate: section.max_bitrate(),
    }
}

/// Finds the first payload type of an offered m-line that is one of `codecs`, in our form of it.
pub(super) fn find_codec(section: &Section, codecs: &[Codec]) -> Option<(Codec, u8)> {
    codecs_of(section, codecs, false).find_map(Result::ok)
}

/// Goes through the payload types of an m-line that are of one of `codecs`; an error tells what
/// keeps one from being ours.
fn codecs_of<'a>(
    section: &'a Section,
    codecs: &'a [Codec],
    is_answer: bool,
) -> impl Iterator<Item = Result<(Codec, u8), String>> + 'a {
    section.rtp_maps().into_iter().filter_map(move |map| {
        let codec = *codecs.iter().find(|codec| {
            codec.name().eq_ignore_ascii_case(map.name) && codec.clock_rate() == map.clock_rate
        })?;
        let parameters = section.format_parameters(map.payload_type);
        Some(format::check(codec, parameters, is_answer).map(|()| (codec, map.payload_type)))
    })
}

/// Says why no codec of an answer is ours.
fn no_codec(section: &Section, kind: Kind, codecs: &[Codec]) -> String {
    let near = codecs_of(section, codecs, true).find_map(Result::err);
    let near = near.map_or_else(String::new, |near| format!(": there is {near}"));
    format!("none of our {kind} codecs is in it{near}")
}

/// The direction both sides agree to, seen from us (RFC 3264 §6.1).
fn both(ours: Direction, theirs: Direction) -> Direction {
    let sends = ours.sends() && theirs.receives();
    let receives = ours.receives() && theirs.sends();
    match (sends, receives) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}
