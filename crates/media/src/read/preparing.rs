//! From the way MP4 and Matroska keep frames to the way a decoder, and the RTP payload formats, want
//! them: H.264 in Annex B form with its parameter sets before each IDR picture, AV1 with its sequence
//! header in each key frame.

use bytes::{BufMut, Bytes, BytesMut};

use super::File;
use crate::codec::Codec;
use crate::error::MediaError;
use crate::payload;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// How many bytes of headers may come before key frames on top of what the file has itself: in real
/// ones a header is shorter than its picture.
const SPARE: u64 = 1 << 20;

/// Prepares the frames of one track.
pub(super) struct Preparing<'a> {
    file: &'a File<'a>,
    codec: Codec,
    /// Bytes of the size before each unit of H.264; none where units are in Annex B form already.
    size_length: Option<usize>,
    /// What goes before a key frame that comes without: parameter sets, or a sequence header.
    headers: Bytes,
    /// How many bytes of them may still be put there.
    left: u64,
}

impl<'a> Preparing<'a> {
    /// Begins with what the container keeps beside the frames.
    ///
    /// # Errors
    ///
    /// Fails if that is no configuration of this codec.
    pub(super) fn new(
        file: &'a File<'_>,
        codec: Codec,
        private: &[u8],
    ) -> Result<Self, MediaError> {
        let (size_length, headers) = match codec {
            Codec::H264 if private.first() == Some(&1) => {
                let Some((length, sets)) = avc_configuration(private) else {
                    return Err(file.broken(0, "its H.264 configuration makes no sense"));
                };
                (Some(length), sets)
            }
            // The units after the four bytes of `av1C`: muxers may leave them out of the frames.
            Codec::Av1 => (
                None,
                Bytes::copy_from_slice(private.get(4..).unwrap_or_default()),
            ),
            _ => (None, Bytes::new()),
        };
        Ok(Self {
            file,
            codec,
            size_length,
            headers,
            left: file.bytes.len() as u64 + SPARE,
        })
    }

    /// Returns frame `number` as it is sent, and whether a decoder can start there.
    ///
    /// # Errors
    ///
    /// Fails if it is cut off.
    pub(super) fn frame(
        &mut self,
        bytes: Bytes,
        number: usize,
    ) -> Result<(Bytes, bool), MediaError> {
        let bytes = match self.size_length {
            Some(length) => annex_b(&bytes, length).ok_or_else(|| {
                let problem = format!("frame {number} ends within a unit of H.264");
                self.file.broken(0, problem)
            })?,
            None => bytes,
        };
        if self.codec == Codec::H264
            && let Some(sets) = parameter_sets(&bytes)
        {
            // The last ones hold, where they change on the way.
            self.headers = sets;
        }
        if self.codec.is_key_frame(&bytes) {
            return Ok((bytes, true));
        }
        let has_idr = || payload::h264::nal_units(&bytes).any(|nal| nal[0] & 0x1f == 5);
        let may_be_key = self.codec != Codec::H264 || has_idr();
        if self.headers.is_empty() || !may_be_key {
            return Ok((bytes, false));
        }
        let mut whole = BytesMut::with_capacity(self.headers.len() + bytes.len());
        whole.put_slice(&self.headers);
        whole.put_slice(&bytes);
        let whole = whole.freeze();
        if !self.codec.is_key_frame(&whole) {
            return Ok((bytes, false));
        }
        let left = self.left.checked_sub(self.headers.len() as u64);
        self.left = left.ok_or_else(|| {
            let problem = format!("up to frame {number}, its headers are longer than its pictures");
            self.file.broken(0, problem)
        })?;
        Ok((whole, true))
    }
}

/// Returns the parameter sets in an access unit, in Annex B form, if there are both kinds.
fn parameter_sets(bytes: &[u8]) -> Option<Bytes> {
    let is_set = |nal: &&[u8]| matches!(nal[0] & 0x1f, 7 | 8);
    let mut sets = BytesMut::new();
    let mut kinds = [false; 2];
    for nal in payload::h264::nal_units(bytes).filter(is_set) {
        kinds[usize::from(nal[0] & 0x1f == 8)] = true;
        sets.put_slice(&START_CODE);
        sets.put_slice(nal);
    }
    (kinds == [true; 2]).then(|| sets.freeze())
}

/// Reads an `AVCDecoderConfigurationRecord` (ISO/IEC 14496-15 §5.3.3.1): how long sizes are, and the
/// parameter sets in Annex B form.
fn avc_configuration(record: &[u8]) -> Option<(usize, Bytes)> {
    let (&[_, _, _, _, length, count], mut rest) = record.split_first_chunk::<6>()?;
    let mut sets = BytesMut::new();
    let mut take = |count: u8, rest: &mut &[u8]| -> Option<()> {
        for _ in 0..count {
            let (size, after) = rest.split_first_chunk::<2>()?;
            let (set, after) = after.split_at_checked(u16::from_be_bytes(*size).into())?;
            sets.put_slice(&START_CODE);
            sets.put_slice(set);
            *rest = after;
        }
        Some(())
    };
    take(count & 0x1f, &mut rest)?;
    let (&count, after) = rest.split_first()?;
    rest = after;
    take(count, &mut rest)?;
    Some((usize::from(length & 3) + 1, sets.freeze()))
}

/// Puts start codes where sizes of `length` bytes are; `None` if a unit is cut off.
fn annex_b(mut bytes: &[u8], length: usize) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(bytes.len() + 64);
    while !bytes.is_empty() {
        let (size, rest) = bytes.split_at_checked(length)?;
        let size = size
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(size)?;
        if !unit.is_empty() {
            out.put_slice(&START_CODE);
            out.put_slice(unit);
        }
        bytes = rest;
    }
    Some(out.freeze())
}
