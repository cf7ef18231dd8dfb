//! Ogg Opus (RFC 7845), packet by packet.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use ogg::{OggReadError, Packet, PacketReader};

use super::{File, opus_packets};
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::payload;
use crate::sound::{Flow, Sink};
use crate::track::Track;

/// Reads the first Opus stream; nothing if there is none.
pub(super) fn read(file: &File<'_>) -> Result<Option<Track>, MediaError> {
    match stream(file)? {
        Some(stream) => track(file, &stream.head, stream.packets).map(Some),
        None => Ok(None),
    }
}

/// Tells whether there is an Opus stream.
pub(super) fn is_there(file: &File<'_>) -> Result<bool, MediaError> {
    let mut reader = PacketReader::new(Cursor::new(&file.bytes[..]));
    Ok(find_opus(file, &mut reader)?.is_some())
}

/// Pours the first Opus stream into `to`, from its first sample to its last; nothing if there is none.
pub(super) fn pour(file: &File<'_>, to: &mut dyn Sink) -> Result<Option<Flow>, MediaError> {
    let Some(stream) = stream(file)? else {
        return Ok(None);
    };
    // RFC 7845 §4.5: the last page says how long it is, in samples that include the pre-skip.
    let skip = stream.head.skip;
    let most = stream.end.checked_sub(skip).filter(|most| *most > 0);
    let mut decoding = opus_packets::Decoding::new(most)?;
    decoding.leave_out(skip);
    for (_, packet) in stream.packets {
        if decoding.packet(None, &packet, to)?.is_break() {
            return Ok(Some(Flow::Break(())));
        }
    }
    Ok(Some(Flow::Continue(())))
}

/// The first Opus stream of a file.
struct Stream {
    head: Head,
    /// Each with where it is in the file.
    packets: Vec<(u64, Bytes)>,
    /// The granule position of its last page.
    end: u64,
}

fn stream(file: &File<'_>) -> Result<Option<Stream>, MediaError> {
    let mut reader = PacketReader::new(Cursor::new(&file.bytes[..]));
    let Some(head) = find_opus(file, &mut reader)? else {
        return Ok(None);
    };
    let mut packets = Vec::new();
    let mut has_tags = false;
    let mut has_end = false;
    let mut end = 0;
    while let Some(packet) = next(file, &mut reader)? {
        if packet.stream_serial() != head.serial {
            continue;
        }
        if !has_tags {
            // RFC 7845 §5.2: the second packet holds comments.
            has_tags = true;
            continue;
        }
        has_end |= packet.last_in_stream();
        end = packet.absgp_page();
        let position = reader.get_ref().position();
        packets.push((position, Bytes::from(packet.data)));
        if has_end {
            break;
        }
    }
    if !has_end {
        let end = file.bytes.len() as u64;
        return Err(file.broken(end, "the file ends before its stream does"));
    }
    Ok(Some(Stream { head, packets, end }))
}

/// What the identification header says (RFC 7845 §5.1).
struct Head {
    serial: u32,
    pre_skip: Duration,
    /// The same in samples.
    skip: u64,
}

fn find_opus(
    file: &File<'_>,
    reader: &mut PacketReader<Cursor<&[u8]>>,
) -> Result<Option<Head>, MediaError> {
    while let Some(packet) = next(file, reader)? {
        if !packet.first_in_stream() {
            break;
        }
        let Some(head) = packet.data.strip_prefix(b"OpusHead") else {
            continue;
        };
        let [version, channels, low, high, _, _, _, _, _, _, mapping, ..] = *head else {
            return Err(file.broken(0, "the Opus header is cut off"));
        };
        if version & 0xf0 != 0 {
            return Err(file.broken(0, format!("the Opus header has version {version}")));
        }
        if mapping != 0 || channels > 2 {
            let found = format!("holds Opus with {channels} channels; one or two are played");
            return Err(file.unsupported(&found, Some(Kind::Audio)));
        }
        let samples = u64::from(u16::from_le_bytes([low, high]));
        return Ok(Some(Head {
            serial: packet.stream_serial(),
            skip: samples,
            pre_skip: Duration::from_nanos(samples * 1_000_000_000 / 48_000),
        }));
    }
    Ok(None)
}

fn next(
    file: &File<'_>,
    reader: &mut PacketReader<Cursor<&[u8]>>,
) -> Result<Option<Packet>, MediaError> {
    reader.read_packet().map_err(|error| {
        let position = reader.get_ref().position();
        let problem = match error {
            OggReadError::HashMismatch(..) => "a page has a wrong checksum".into(),
            OggReadError::NoCapturePatternFound => {
                "there is no Ogg page where one should be".into()
            }
            OggReadError::ReadError(_) => "the file ends within a page".into(),
            other => other.to_string(),
        };
        file.broken(position, problem)
    })
}

fn track(file: &File<'_>, head: &Head, packets: Vec<(u64, Bytes)>) -> Result<Track, MediaError> {
    let mut frames = Vec::with_capacity(packets.len());
    let mut before = Duration::ZERO;
    let mut media_time = Duration::ZERO;
    let count = packets.len();
    for (number, (position, packet)) in packets.into_iter().enumerate() {
        let Some(duration) = payload::opus::duration(&packet) else {
            return Err(file.broken(position, format!("packet {number} is no Opus packet")));
        };
        before += duration;
        // What lies wholly in the pre-skip is there for a decoder to settle, not to be heard; a
        // part of a packet cannot be left out, and settles the receivers' decoders.
        if before <= head.pre_skip && number + 1 < count {
            continue;
        }
        let frame = Frame::packetize(Codec::Opus, packet, media_time, duration, true)
            .map_err(|error| file.no_frame(position, number, &error))?;
        media_time += duration;
        frames.push(frame);
    }
    if frames.is_empty() {
        return Err(file.broken(file.bytes.len() as u64, "there is no sound in it"));
    }
    file.track(frames)
}
