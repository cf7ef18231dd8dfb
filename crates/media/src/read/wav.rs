//! WAV: any rate and number of channels, mixed down and encoded as Opus.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use hound::{SampleFormat, WavReader};

use super::encoding::Encoding;
use super::{File, decoded};
use crate::error::MediaError;
use crate::track::Track;

/// Samples that are handed on at a time.
const CHUNK: usize = 1024;

type Reader<'a> = WavReader<Cursor<&'a Bytes>>;

pub(super) fn read(file: &File<'_>) -> Result<Track, MediaError> {
    if !holds_samples(&file.bytes) {
        return decoded::read(file);
    }
    let mut reader =
        WavReader::new(Cursor::new(&file.bytes)).map_err(|error| refused(file, error))?;
    refuse_cut_off(file, &reader)?;
    let spec = reader.spec();
    let mut encoding = Encoding::new(file, spec.sample_rate, spec.channels.into())?;
    mix_down(file, &mut reader, &mut encoding)?;
    encoding.finish(Duration::ZERO)
}

/// Tells whether it holds samples as they are, and not A-law, ADPCM or another codec.
fn holds_samples(bytes: &[u8]) -> bool {
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

/// Hands on the mean of all channels, within ±1, in pieces.
fn mix_down(
    file: &File<'_>,
    reader: &mut Reader<'_>,
    to: &mut Encoding<'_>,
) -> Result<(), MediaError> {
    let spec = reader.spec();
    let samples: &mut dyn Iterator<Item = hound::Result<f32>> = match spec.sample_format {
        SampleFormat::Float => &mut reader.samples::<f32>(),
        SampleFormat::Int => {
            let full = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            &mut reader
                .samples::<i32>()
                .map(move |sample| sample.map(|s| s as f32 / full))
        }
    };
    let (mut channel, mut sum) = (0, 0.0f32);
    let mut mono = Vec::with_capacity(CHUNK);
    for sample in samples {
        sum += sample.map_err(|error| refused(file, error))?;
        channel += 1;
        if channel < spec.channels {
            continue;
        }
        let mean = sum / f32::from(spec.channels);
        mono.push(if mean.is_finite() {
            mean.clamp(-1.0, 1.0)
        } else {
            0.0
        });
        (channel, sum) = (0, 0.0);
        if mono.len() == CHUNK {
            to.push(&mono)?;
            mono.clear();
        }
    }
    to.push(&mono)
}
