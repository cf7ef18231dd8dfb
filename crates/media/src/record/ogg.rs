//! Opus in Ogg (RFC 7845), in pages of half a second.

use std::io;
use std::time::Duration;

use ogg::PacketWriter;
use ogg::writing::PacketWriteEndInfo;

use super::configuration::opus_head;
use super::mux::{FRAGMENT, Mux, Sample, Track, Tracks};
use super::output::Output;
use crate::opus::SAMPLE_RATE;
use crate::payload;

/// The only stream in the file.
const SERIAL: u32 = 1;

/// A gap shorter than this is a clock that was set right, and nothing is missing.
const LEAST_GAP: u64 = 480;

/// Writes one file.
pub(super) struct Ogg {
    writer: PacketWriter<'static, Vec<u8>>,
    /// The packet that is not yet written: whether it ends a page shows with the next one.
    pending: Option<Vec<u8>>,
    /// Samples up to the end of the pending packet.
    position: u64,
    /// When the first packet plays: the file begins with it.
    start: Option<Duration>,
    /// Where the present page began.
    page: u64,
}

impl Ogg {
    pub(super) fn begin(tracks: &Tracks, out: &mut Output) -> io::Result<Self> {
        let channels = tracks.audio.as_ref().map_or(2, Track::channels);
        let mut writer = PacketWriter::new(Vec::new());
        let page = PacketWriteEndInfo::EndPage;
        writer.write_packet(opus_head(channels).to_vec(), SERIAL, page, 0)?;
        let mut tags = b"OpusTags\x07\0\0\0standin".to_vec();
        tags.extend_from_slice(&[0; 4]);
        writer.write_packet(tags, SERIAL, page, 0)?;
        let mut ogg = Self {
            writer,
            pending: None,
            position: 0,
            start: None,
            page: 0,
        };
        ogg.hand_over(out)?;
        Ok(ogg)
    }

    fn hand_over(&mut self, out: &mut Output) -> io::Result<()> {
        let bytes = std::mem::take(self.writer.inner_mut());
        if bytes.is_empty() {
            return Ok(());
        }
        out.append(&bytes)
    }

    fn write(&mut self, end: PacketWriteEndInfo) -> io::Result<()> {
        if let Some(packet) = self.pending.take() {
            self.writer
                .write_packet(packet, SERIAL, end, self.position)?;
        }
        Ok(())
    }

    fn push(&mut self, out: &mut Output, packet: Vec<u8>, samples: u64) -> io::Result<()> {
        let is_full = self.position + samples - self.page
            > FRAGMENT.as_millis() as u64 * SAMPLE_RATE as u64 / 1000;
        if is_full && self.pending.is_some() {
            self.write(PacketWriteEndInfo::EndPage)?;
            self.page = self.position;
            self.hand_over(out)?;
        } else {
            self.write(PacketWriteEndInfo::NormalPacket)?;
        }
        self.position += samples;
        self.pending = Some(packet);
        Ok(())
    }
}

impl Mux for Ogg {
    /// The head says nothing that shows later.
    fn describe(&mut self, _: &mut Output, _: &Tracks) -> io::Result<()> {
        Ok(())
    }

    fn put(&mut self, out: &mut Output, sample: Sample) -> io::Result<()> {
        let Some(duration) = payload::opus::duration(&sample.encoded) else {
            return Ok(());
        };
        let start = *self.start.get_or_insert(sample.at);
        let at = samples(sample.at.saturating_sub(start));
        // What is missing is made up for by whoever decodes, who is told so by packets that say
        // nothing (RFC 7845 §4.1), in the manner of the one that follows.
        let toc = sample.encoded.first().map_or(0, |toc| toc & 0xfc);
        let filler = payload::opus::duration(&[toc]).map_or(0, samples);
        while filler > 0 && at >= self.position + filler.max(LEAST_GAP) {
            self.push(out, vec![toc], filler)?;
        }
        self.push(out, sample.encoded.to_vec(), samples(duration))
    }

    fn finish(&mut self, out: &mut Output) -> io::Result<()> {
        self.write(PacketWriteEndInfo::EndStream)?;
        self.hand_over(out)
    }
}

fn samples(time: Duration) -> u64 {
    (time.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000) as u64
}
