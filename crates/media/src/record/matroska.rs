//! Matroska and WebM (RFC 9559): clusters of half a second, each written at once with its size.

use std::io;
use std::time::Duration;

use super::configuration;
use super::ebml;
use super::mux::{FRAGMENT, Mux, Sample, Tracks};
use super::output::Output;
use crate::codec::{Codec, Kind};
use crate::opus::SAMPLE_RATE;

const AUDIO: u8 = 1;
const VIDEO: u8 = 2;

/// Room at the front for where to find everything, the index too, once there is one.
const SEEK_HEAD: usize = 128;

/// Room for the description of the tracks, which is written again when more is known.
const DESCRIPTION: usize = 2048;

/// Without pictures, one can find one's way in steps of this.
const CUE_INTERVAL: Duration = Duration::from_secs(5);

mod id {
    pub(super) const EBML: u32 = 0x1a45_dfa3;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114d_9b74;
    pub(super) const INFO: u32 = 0x1549_a966;
    pub(super) const TRACKS: u32 = 0x1654_ae6b;
    pub(super) const CLUSTER: u32 = 0x1f43_b675;
    pub(super) const CUES: u32 = 0x1c53_bb6b;
}

/// Writes one file.
pub(super) struct Matroska {
    video: Option<Codec>,
    has_pictures: bool,
    /// Where the segment's content begins; its size stands in the eight bytes before.
    segment: u64,
    /// Where to find what, counted from there.
    places: Vec<(u32, u64)>,
    /// Where the tracks are described.
    described: u64,
    /// Where the duration stands, if it can be changed.
    duration: Option<u64>,
    /// The blocks of the cluster that is not yet written.
    blocks: Vec<u8>,
    /// The time of that cluster, in milliseconds.
    cluster: Option<i64>,
    /// A decoder can start in it.
    is_entry: bool,
    end: Duration,
    /// Time and position of clusters where one can begin to play.
    cues: Vec<(i64, u64)>,
}

impl Matroska {
    pub(super) fn begin(doc_type: &str, tracks: &Tracks, out: &mut Output) -> io::Result<Self> {
        let mut head = Vec::new();
        ebml::master(&mut head, id::EBML, |head| {
            for (id, value) in [(0x4286, 1), (0x42f7, 1), (0x42f2, 4), (0x42f3, 8)] {
                ebml::uint(head, id, value);
            }
            ebml::text(head, 0x4282, doc_type);
            ebml::uint(head, 0x4287, 4);
            ebml::uint(head, 0x4285, 2);
        });
        ebml::open_head(&mut head, id::SEGMENT);
        let segment = head.len();
        // Filled in when the places are known.
        head.resize(segment + SEEK_HEAD, 0);
        ebml::master(&mut head, id::INFO, |info| {
            ebml::uint(info, 0x2a_d7b1, 1_000_000);
            ebml::text(info, 0x4d80, "standin");
            ebml::text(info, 0x5741, "standin");
            if out.can_patch() {
                ebml::float(info, 0x4489, 0.0);
            }
        });
        // The last thing in it, eight bytes long.
        let duration = out.can_patch().then(|| head.len() as u64 - 8);
        let described = head.len() as u64;
        let places = vec![
            (id::INFO, SEEK_HEAD as u64),
            (id::TRACKS, described - segment as u64),
        ];
        head[segment..segment + SEEK_HEAD].copy_from_slice(&seek_head(&places));
        head.extend_from_slice(&description(tracks));
        out.append(&head)?;
        Ok(Self {
            video: tracks.video.as_ref().map(|track| track.codec),
            has_pictures: false,
            segment: segment as u64,
            places,
            described,
            duration,
            blocks: Vec::new(),
            cluster: None,
            is_entry: false,
            end: Duration::ZERO,
            cues: Vec::new(),
        })
    }

    fn flush(&mut self, out: &mut Output) -> io::Result<()> {
        let Some(time) = self.cluster.take() else {
            return Ok(());
        };
        let blocks = std::mem::take(&mut self.blocks);
        let mut cluster = Vec::with_capacity(blocks.len() + 32);
        ebml::master(&mut cluster, id::CLUSTER, |cluster| {
            ebml::uint(cluster, 0xe7, time.unsigned_abs());
            cluster.extend_from_slice(&blocks);
        });
        let position = out.length() - self.segment;
        out.append(&cluster)?;
        let far = self
            .cues
            .last()
            .is_none_or(|(last, _)| time - last >= CUE_INTERVAL.as_millis() as i64);
        if self.is_entry && (far || self.has_pictures) {
            self.cues.push((time, position));
        }
        if let Some(duration) = self.duration {
            let milliseconds = self.end.as_secs_f64() * 1000.0;
            out.patch(duration, &milliseconds.to_be_bytes())?;
        }
        Ok(())
    }
}

impl Mux for Matroska {
    fn describe(&mut self, out: &mut Output, tracks: &Tracks) -> io::Result<()> {
        out.patch(self.described, &description(tracks))
    }

    fn put(&mut self, out: &mut Output, sample: Sample) -> io::Result<()> {
        let at = sample.at.as_millis() as i64;
        let opens = sample.kind == Kind::Video && sample.is_key;
        if self
            .cluster
            .is_some_and(|began| opens || at - began >= FRAGMENT.as_millis() as i64)
        {
            self.flush(out)?;
        }
        let began = *self.cluster.get_or_insert(at);
        if self.blocks.is_empty() {
            self.is_entry = opens || !self.has_pictures;
        }
        self.has_pictures |= opens;
        let content = configuration::in_container(sample.kind, self.video, &sample.encoded);
        ebml::head(&mut self.blocks, 0xa3, content.len() + 4);
        self.blocks.push(match sample.kind {
            Kind::Audio => 0x80 | AUDIO,
            Kind::Video => 0x80 | VIDEO,
        });
        let relative = i16::try_from(at - began).unwrap_or(0);
        self.blocks.extend_from_slice(&relative.to_be_bytes());
        self.blocks.push(if sample.is_key { 0x80 } else { 0 });
        self.blocks.extend_from_slice(&content);
        self.end = self.end.max(sample.at + sample.duration);
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> io::Result<()> {
        self.flush(out)?;
        let position = out.length() - self.segment;
        let track = if self.has_pictures { VIDEO } else { AUDIO };
        let mut cues = Vec::new();
        ebml::master(&mut cues, id::CUES, |cues| {
            for (time, cluster) in &self.cues {
                ebml::master(cues, 0xbb, |point| {
                    ebml::uint(point, 0xb3, time.unsigned_abs());
                    ebml::master(point, 0xb7, |place| {
                        ebml::uint(place, 0xf7, track.into());
                        ebml::uint(place, 0xf1, *cluster);
                    });
                });
            }
        });
        out.append(&cues)?;
        self.places.push((id::CUES, position));
        out.patch(self.segment, &seek_head(&self.places))?;
        let size = out.length() - self.segment;
        out.patch(self.segment - 8, &ebml::wide_size(size))
    }
}

/// Returns where to find what, and room for more.
fn seek_head(places: &[(u32, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    ebml::master(&mut out, id::SEEK_HEAD, |out| {
        for (id, position) in places {
            ebml::master(out, 0x4dbb, |out| {
                ebml::binary(out, 0x53ab, &id.to_be_bytes());
                ebml::wide_uint(out, 0x53ac, *position);
            });
        }
    });
    let left = SEEK_HEAD.saturating_sub(out.len());
    ebml::void(&mut out, left);
    out
}

/// Returns the description of the tracks, and room for a longer one.
fn description(tracks: &Tracks) -> Vec<u8> {
    let mut out = Vec::new();
    ebml::master(&mut out, id::TRACKS, |out| describe(out, tracks));
    let left = DESCRIPTION.saturating_sub(out.len());
    ebml::void(&mut out, left);
    out
}

fn describe(out: &mut Vec<u8>, tracks: &Tracks) {
    let head = |out: &mut Vec<u8>, number: u8, kind: u64, codec: &str| {
        ebml::uint(out, 0xd7, number.into());
        ebml::uint(out, 0x73c5, number.into());
        ebml::uint(out, 0x83, kind);
        // No lacing: one frame a block.
        ebml::uint(out, 0x9c, 0);
        ebml::text(out, 0x22_b59c, "und");
        ebml::text(out, 0x86, codec);
    };
    if let Some(track) = &tracks.video {
        let name = match track.codec {
            Codec::Vp9 => "V_VP9",
            Codec::Av1 => "V_AV1",
            Codec::H264 => "V_MPEG4/ISO/AVC",
            Codec::Vp8 | Codec::Opus => "V_VP8",
        };
        ebml::master(out, 0xae, |out| {
            head(out, VIDEO, 1, name);
            if let Some(record) = configuration::of_pictures(track)
                && track.codec != Codec::Vp9
            {
                ebml::binary(out, 0x63a2, &record);
            }
            let (width, height) = track.size();
            ebml::master(out, 0xe0, |out| {
                ebml::uint(out, 0xb0, width.into());
                ebml::uint(out, 0xba, height.into());
            });
        });
    }
    if let Some(track) = &tracks.audio {
        let channels = track.channels();
        ebml::master(out, 0xae, |out| {
            head(out, AUDIO, 2, "A_OPUS");
            ebml::binary(out, 0x63a2, &configuration::opus_head(channels));
            // What a decoder needs before a point to sound right at it (RFC 9559, Opus mapping): 80 ms.
            ebml::uint(out, 0x56bb, 80_000_000);
            ebml::master(out, 0xe1, |out| {
                ebml::float(out, 0xb5, f64::from(SAMPLE_RATE));
                ebml::uint(out, 0x9f, channels.into());
            });
        });
    }
}
