//! Streams that cannot be rewound, cut into units as they come.

mod annexb;
mod container;
mod ivf;
mod y4m;

use std::io::{self, Cursor, Read};

use super::unit::{Form, Item};

/// Bytes that come as time goes by.
pub(super) type Bytes = Box<dyn Read + Send + Sync>;

/// The largest encoded picture that is believed.
const LARGEST: usize = 8 << 20;

/// Cuts one kind of stream.
pub(super) trait Demux: Send {
    /// Returns what the stream holds.
    fn form(&self) -> Form;

    /// Waits for the next unit; `None` where the stream ends.
    ///
    /// # Errors
    ///
    /// Says what makes no sense; the stream cannot be read on.
    fn next(&mut self) -> Result<Option<Item>, String>;
}

/// Waits for the first bytes, and finds out by them what the stream is.
///
/// # Errors
///
/// Says what came instead.
pub(super) fn open(mut bytes: Bytes) -> Result<Box<dyn Demux>, String> {
    let mut first = [0; 12];
    let count = fill(&mut bytes, &mut first).map_err(|error| error.to_string())?;
    let first = &first[..count];
    let stream: Bytes = Box::new(Cursor::new(first.to_vec()).chain(bytes));
    Ok(match first {
        [] => return Err("wrote nothing".into()),
        [b'D', b'K', b'I', b'F', ..] => Box::new(ivf::Ivf::open(stream)?),
        [b'Y', b'U', b'V', b'4', b'M', b'P', b'E', b'G', b'2', ..] => {
            Box::new(y4m::Y4m::open(stream)?)
        }
        [b'O', b'g', b'g', b'S', ..]
        | [b'R', b'I', b'F', b'F', ..]
        | [0x1a, 0x45, 0xdf, 0xa3, ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [b'I', b'D', b'3', ..] => Box::new(container::Container::open(stream)?),
        [0, 0, 1, ..] | [0, 0, 0, 1, ..] => Box::new(annexb::AnnexB::open(stream)?),
        // What MPEG audio begins with: twelve bits that are set.
        [0xff, second, ..] if second & 0xe0 == 0xe0 => {
            Box::new(container::Container::open(stream)?)
        }
        other => {
            let shown = other.escape_ascii();
            return Err(format!(
                "wrote `{shown}`…, which begins no stream that is known here: Ogg, WAV, IVF, Y4M, \
                 H.264, Matroska, FLAC and MP3 are"
            ));
        }
    })
}

/// Reads until `to` is full or the stream ends; returns how much that was.
fn fill(bytes: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < to.len() {
        match bytes.read(&mut to[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
