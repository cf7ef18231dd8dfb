//! The head of a fragmented MP4 file: what its tracks are, and none of their samples.

use super::boxes::{boxed, full, put16, put32, put64, unity, zeros};
use super::configuration;
use super::mux::{Track, Tracks};
use crate::codec::Codec;
use crate::opus::SAMPLE_RATE;

/// Room for it, so that it can be written again when more is known.
const ROOM: usize = 4096;

/// Returns the head with room for a longer one, and where in it the duration of the whole stands:
/// eight bytes, in milliseconds.
pub(super) fn head(tracks: &Tracks, duration: u64) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    boxed(&mut out, b"ftyp", |out| {
        out.extend_from_slice(b"iso6\0\0\0\0iso6mp41");
    });
    let place = put(&mut out, tracks, duration);
    let left = ROOM.saturating_sub(out.len() + 8);
    boxed(&mut out, b"free", |out| zeros(out, left));
    (out, place)
}

fn put(out: &mut Vec<u8>, tracks: &Tracks, duration: u64) -> usize {
    let mut place = 0;
    boxed(out, b"moov", |out| {
        full(out, b"mvhd", 0, 0, |out| {
            // Made and changed at no stated time, in milliseconds, without samples of its own.
            for value in [0, 0, 1000, 0, 0x1_0000] {
                put32(out, value);
            }
            put16(out, 0x100);
            zeros(out, 10);
            unity(out);
            zeros(out, 24);
            put32(out, 3);
        });
        if let Some(video) = &tracks.video {
            trak(out, 1, video.codec, Some(video.size()), |out| {
                picture(out, video)
            });
        }
        if let Some(audio) = &tracks.audio {
            trak(out, 2, audio.codec, None, |out| {
                sound(out, audio.channels())
            });
        }
        boxed(out, b"mvex", |out| {
            full(out, b"mehd", 1, 0, |out| {
                place = out.len();
                put64(out, duration);
            });
            let ids = [(1, tracks.video.is_some()), (2, tracks.audio.is_some())];
            for (id, _) in ids.into_iter().filter(|(_, is_there)| *is_there) {
                full(out, b"trex", 0, 0, |out| {
                    for value in [id, 1, 0, 0, 0] {
                        put32(out, value);
                    }
                });
            }
        });
    });
    place
}

fn trak(
    out: &mut Vec<u8>,
    id: u32,
    codec: Codec,
    size: Option<(u32, u32)>,
    entry: impl FnOnce(&mut Vec<u8>),
) {
    boxed(out, b"trak", |out| {
        // Enabled, and part of what is played.
        full(out, b"tkhd", 0, 3, |out| {
            for value in [0, 0, id, 0, 0] {
                put32(out, value);
            }
            zeros(out, 12);
            put16(out, if size.is_none() { 0x100 } else { 0 });
            zeros(out, 2);
            unity(out);
            let (width, height) = size.unwrap_or_default();
            put32(out, width << 16);
            put32(out, height << 16);
        });
        boxed(out, b"mdia", |out| {
            full(out, b"mdhd", 0, 0, |out| {
                for value in [0, 0, codec.clock_rate(), 0] {
                    put32(out, value);
                }
                // "und", five bits a letter.
                put16(out, 0x55c4);
                zeros(out, 2);
            });
            full(out, b"hdlr", 0, 0, |out| {
                zeros(out, 4);
                out.extend_from_slice(if size.is_some() { b"vide" } else { b"soun" });
                zeros(out, 12);
                out.extend_from_slice(b"standin\0");
            });
            boxed(out, b"minf", |out| {
                if size.is_some() {
                    full(out, b"vmhd", 0, 1, |out| zeros(out, 8));
                } else {
                    full(out, b"smhd", 0, 0, |out| zeros(out, 4));
                }
                boxed(out, b"dinf", |out| {
                    full(out, b"dref", 0, 0, |out| {
                        put32(out, 1);
                        // In this same file.
                        full(out, b"url ", 0, 1, |_| {});
                    });
                });
                boxed(out, b"stbl", |out| {
                    full(out, b"stsd", 0, 0, |out| {
                        put32(out, 1);
                        entry(out);
                    });
                    for name in [b"stts", b"stsc", b"stco"] {
                        full(out, name, 0, 0, |out| put32(out, 0));
                    }
                    full(out, b"stsz", 0, 0, |out| zeros(out, 8));
                });
            });
        });
    });
}

fn picture(out: &mut Vec<u8>, track: &Track) {
    let (entry, record) = match track.codec {
        Codec::H264 => (b"avc1", b"avcC"),
        Codec::Av1 => (b"av01", b"av1C"),
        Codec::Vp9 | Codec::Vp8 | Codec::Opus => (b"vp09", b"vpcC"),
    };
    let (width, height) = track.size();
    let content = configuration::of_pictures(track);
    boxed(out, entry, |out| {
        zeros(out, 6);
        put16(out, 1);
        zeros(out, 16);
        // Sizes over 65535 are none that a codec here can have.
        put16(out, width as u16);
        put16(out, height as u16);
        // 72 dots an inch.
        put32(out, 0x48_0000);
        put32(out, 0x48_0000);
        zeros(out, 4);
        put16(out, 1);
        zeros(out, 32);
        put16(out, 24);
        put16(out, 0xffff);
        if let Some(content) = content {
            boxed(out, record, |out| out.extend_from_slice(&content));
        }
    });
}

fn sound(out: &mut Vec<u8>, channels: u8) {
    boxed(out, b"Opus", |out| {
        zeros(out, 6);
        put16(out, 1);
        zeros(out, 8);
        put16(out, channels.into());
        put16(out, 16);
        zeros(out, 4);
        put32(out, SAMPLE_RATE << 16);
        // "Encapsulation of Opus in ISO Base Media File Format" §4.3.2: no pre-skip, no gain.
        boxed(out, b"dOps", |out| {
            out.extend_from_slice(&[0, channels, 0, 0]);
            put32(out, SAMPLE_RATE);
            zeros(out, 3);
        });
    });
}
