//! WAV: any rate and number of channels.

use std::io::Cursor;

use bytes::Bytes;
use hound::{SampleFormat, WavReader};

use super::{File, decoded};
use crate::error::MediaError;
use crate::sound::{CHANNELS, Flow, Sink, two_of};

/// Moments that are handed on at a time.
const CHUNK: usize = 1024;

type Reader<'a> = WavReader<Cursor<&'a Bytes>>;

/// Pours its sound into `to`.
pub(super) fn pour(file: &File<'_>, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    let mut reader =
        WavReader::new(Cursor::new(&file.bytes)).map_err(|error| refused(file, error))?;
    refuse_cut_off(file, &reader)?;
    pour_samples(file, &mut reader, to)
}

/// Tells whether it holds samples as they are, and not A-law, ADPCM or another codec.
pub(super) fn holds_samples(bytes: &[u8]) -> bool {
    let format = bytes.get(12..22);
    let codec = format.and_then(|format| format.strip_prefix(b"fmt "));
    // Whole numbers, floating point, and either of them with more channels (mmreg.h).
    matches!(codec, None | Some([.., 1 | 3, 0] | [.., 0xfe, 0xff]))
}

/// The header may promise more than there is.
fn refuse_cut_off(file: &File<'_>, reader: &Reader<'_>) -> Result<(), MediaError> {
    let bytes = reader.spec().bits_per_sample.div_ceil(8);
    let promised = u64::from(reader.len()) * u64::from(bytes);
    if promised > file.bytes.len() as u64 {
        let problem = format!("{promised} bytes of sound are announced and the file ends");
        return Err(file.broken(file.bytes.len() as u64, problem));
    }
    Ok(())
}

fn refused(file: &File<'_>, error: hound::Error) -> MediaError {
    match error {
        hound::Error::FormatError(problem) => file.broken(0, problem),
        other => file.broken(file.bytes.len() as u64, other.to_string()),
    }
}

/// Hands on what there is, in pieces.
fn pour_samples(
    file: &File<'_>,
    reader: &mut Reader<'_>,
    to: &mut dyn Sink,
) -> Result<Flow, MediaError> {
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let mut resample = decoded::resample_of(file, spec.sample_rate, channels)?;
    let samples: &mut dyn Iterator<Item = hound::Result<f32>> = match spec.sample_format {
        SampleFormat::Float => &mut reader.samples::<f32>(),
        SampleFormat::Int => {
            let full = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            &mut reader
                .samples::<i32>()
                .map(move |sample| sample.map(|s| s as f32 / full))
        }
    };
    let mut moment = Vec::with_capacity(channels);
    let mut stereo = Vec::with_capacity(CHUNK * CHANNELS);
    for sample in samples {
        moment.push(sample.map_err(|error| refused(file, error))?);
        if moment.len() < channels {
            continue;
        }
        stereo.extend(two_of(&moment));
        moment.clear();
        if stereo.len() == CHUNK * CHANNELS {
            if resample.take(&stereo, to)?.is_break() {
                return Ok(Flow::Break(()));
            }
            stereo.clear();
        }
    }
    if resample.take(&stereo, to)?.is_break() {
        return Ok(Flow::Break(()));
    }
    resample.finish(to)
}
