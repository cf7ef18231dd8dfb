//! Still pictures of files: PNG and JPEG, fitted into the size in which they are sent.

mod decode;
mod exif;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeOptions, Resizer};

use crate::error::MediaError;
use crate::picture::Picture;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 128 << 20;

/// The first bytes of a PNG file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The first bytes of a JPEG file.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// Red, green and blue of every pixel, row by row.
struct Rgb {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

/// Tells whether a file is a still picture that is read here, by its first bytes.
pub(crate) fn is_still(path: &Path) -> bool {
    let mut first = [0; 8];
    // Reading a pipe might never end.
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let mut read = || File::open(path).and_then(|mut file| file.read_exact(&mut first));
    is_file && read().is_ok() && (first.starts_with(PNG) || first.starts_with(JPEG))
}

/// Reads a picture and fits it into `width` × `height`, between black bars where its shape is another.
pub(crate) fn load(path: &Path, width: usize, height: usize) -> Result<Picture, MediaError> {
    let unreadable = |source| MediaError::Unreadable {
        path: path.into(),
        source,
    };
    let broken = |problem: String| MediaError::Broken {
        path: path.into(),
        position: 0,
        problem,
        remedy: "save it again as PNG or JPEG".into(),
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(broken("it has more than 128 MB".into()));
    }
    let rgb = if bytes.starts_with(PNG) {
        decode::png(&bytes)
    } else {
        decode::jpeg(&bytes)
    };
    let fitted = rgb.and_then(|rgb| fitted(&rgb, width, height).map_err(|error| error.to_string()));
    fitted.map_err(broken)
}

fn fitted(rgb: &Rgb, width: usize, height: usize) -> Result<Picture, Box<dyn std::error::Error>> {
    let scale = (width as f64 / rgb.width as f64).min(height as f64 / rgb.height as f64);
    let side =
        |pixels: usize, most: usize| ((pixels as f64 * scale).round() as usize).clamp(1, most);
    let (wide, high) = (side(rgb.width, width), side(rgb.height, height));
    let source =
        TypedImageRef::<U8x3>::from_buffer(rgb.width as u32, rgb.height as u32, &rgb.bytes)?;
    let mut small = vec![0; wide * high * 3];
    let mut target = TypedImage::<U8x3>::from_buffer(wide as u32, high as u32, &mut small)?;
    // The one kind of pixel by name: of every kind, it takes longer to compile than all of this crate.
    Resizer::new().resize_typed(&source, &mut target, &ResizeOptions::new())?;

    let mut canvas = vec![0; width * height * 3];
    let (left, top) = ((width - wide) / 2, (height - high) / 2);
    for (row, pixels) in small.chunks_exact(wide * 3).enumerate() {
        let begin = ((top + row) * width + left) * 3;
        canvas[begin..begin + wide * 3].copy_from_slice(pixels);
    }
    Ok(from_rgb(&canvas, width, height))
}

/// Converts to BT.601 limited range; a sample of chroma is the mean of its four pixels.
fn from_rgb(rgb: &[u8], width: usize, height: usize) -> Picture {
    let (across, down) = (width.div_ceil(2), height.div_ceil(2));
    let mut luma = Vec::with_capacity(width * height);
    let mut sums = vec![[0.0f32; 3]; across * down];
    for (at, pixel) in rgb.chunks_exact(3).enumerate() {
        let (x, y) = (at % width, at / width);
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        luma.push((16.5 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b) as u8);
        let sum = &mut sums[y / 2 * across + x / 2];
        sum[0] += 1.0;
        sum[1] += -0.148_223 * r - 0.290_993 * g + 0.439_216 * b;
        sum[2] += 0.439_216 * r - 0.367_788 * g - 0.071_427 * b;
    }
    let chroma = |part: usize| {
        sums.iter()
            .map(|sum| (128.5 + sum[part] / sum[0]) as u8)
            .collect()
    };
    let planes = [luma, chroma(1), chroma(2)];
    // The planes were made for this size.
    Picture::from_planes(width, height, planes)
        .unwrap_or_else(|| Picture::filled(width, height, [16, 128, 128]))
}

#[cfg(test)]
pub(crate) mod tests;
