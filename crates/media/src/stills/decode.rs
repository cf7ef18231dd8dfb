//! From the bytes of a file to red, green and blue.

use std::io::Cursor;

use png::{ColorType, Limits, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{Rgb, exif};

/// The widest and highest picture that is read, in pixels.
const LARGEST: usize = 16_384;
/// The most pixels of one: what a header says must not decide how much memory we take.
const MOST_PIXELS: usize = 100_000_000;

pub(super) fn png(bytes: &[u8]) -> Result<Rgb, String> {
    let limits = Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let (width, height) = reader.info().size();
    let (width, height) = checked(width as usize, height as usize)?;
    let size = reader.output_buffer_size().ok_or("it is too large")?;
    let mut raw = vec![0; size];
    let info = reader
        .next_frame(&mut raw)
        .map_err(|error| error.to_string())?;
    // What is transparent shows the black behind it.
    let over = |part: u8, alpha: u8| (u32::from(part) * u32::from(alpha) / 255) as u8;
    let bytes = match info.color_type {
        ColorType::Rgb => raw,
        ColorType::Rgba => raw
            .chunks_exact(4)
            .flat_map(|p| [over(p[0], p[3]), over(p[1], p[3]), over(p[2], p[3])])
            .collect(),
        ColorType::Grayscale => raw.iter().flat_map(|grey| [*grey; 3]).collect(),
        ColorType::GrayscaleAlpha => raw
            .chunks_exact(2)
            .flat_map(|p| [over(p[0], p[1]); 3])
            .collect(),
        ColorType::Indexed => return Err("its palette makes no sense".into()),
    };
    whole(width, height, bytes)
}

pub(super) fn jpeg(bytes: &[u8]) -> Result<Rgb, String> {
    let options = DecoderOptions::default()
        .set_max_width(LARGEST)
        .set_max_height(LARGEST)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("it has no header")?;
    let (width, height) = checked(info.width.into(), info.height.into())?;
    let orientation = decoder.exif().and_then(|exif| exif::orientation(exif));
    let rgb = decoder.decode().map_err(|error| error.to_string())?;
    let rgb = whole(width, height, rgb)?;
    Ok(turned(rgb, orientation.unwrap_or(1)))
}

fn checked(width: usize, height: usize) -> Result<(usize, usize), String> {
    if width == 0 || height == 0 || width.max(height) > LARGEST || width * height > MOST_PIXELS {
        return Err(format!(
            "it has {width}x{height} pixels; up to {LARGEST} in a row and {} million in all are shown",
            MOST_PIXELS / 1_000_000
        ));
    }
    Ok((width, height))
}

fn whole(width: usize, height: usize, bytes: Vec<u8>) -> Result<Rgb, String> {
    if bytes.len() != width * height * 3 {
        return Err("it ends too early".into());
    }
    Ok(Rgb {
        width,
        height,
        bytes,
    })
}

/// Turns and mirrors a picture as its camera says (Exif 2.3, tag 274): where row and column 0 are.
fn turned(rgb: Rgb, orientation: u16) -> Rgb {
    let (width, height) = (rgb.width, rgb.height);
    // Which pixel of the file is at `x`, `y` of the upright picture, which has this size.
    type From = fn(usize, usize, usize, usize) -> (usize, usize);
    let (is_tall, from): (bool, From) = match orientation {
        2 => (false, |x, y, w, _| (w - 1 - x, y)),
        3 => (false, |x, y, w, h| (w - 1 - x, h - 1 - y)),
        4 => (false, |x, y, _, h| (x, h - 1 - y)),
        5 => (true, |x, y, _, _| (y, x)),
        6 => (true, |x, y, _, h| (y, h - 1 - x)),
        7 => (true, |x, y, w, h| (w - 1 - y, h - 1 - x)),
        8 => (true, |x, y, w, _| (w - 1 - y, x)),
        _ => return rgb,
    };
    let (across, down) = if is_tall {
        (height, width)
    } else {
        (width, height)
    };
    let mut bytes = Vec::with_capacity(rgb.bytes.len());
    for y in 0..down {
        for x in 0..across {
            let (column, row) = from(x, y, width, height);
            let at = (row * width + column) * 3;
            bytes.extend_from_slice(&rgb.bytes[at..at + 3]);
        }
    }
    Rgb {
        width: across,
        height: down,
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_held_in_eight_ways() {
        // Two by three pixels, 1 to 6; only red counts.
        let picture = || Rgb {
            width: 2,
            height: 3,
            bytes: (1..=6).flat_map(|n| [n, 0, 0]).collect(),
        };
        for (orientation, upright) in [
            (1, [1, 2, 3, 4, 5, 6]),
            (2, [2, 1, 4, 3, 6, 5]),
            (3, [6, 5, 4, 3, 2, 1]),
            (4, [5, 6, 3, 4, 1, 2]),
            (5, [1, 3, 5, 2, 4, 6]),
            (6, [5, 3, 1, 6, 4, 2]),
            (7, [6, 4, 2, 5, 3, 1]),
            (8, [2, 4, 6, 1, 3, 5]),
        ] {
            let turned = turned(picture(), orientation);
            let reds: Vec<u8> = turned.bytes.iter().step_by(3).copied().collect();
            assert_eq!(reds, upright, "{orientation}");
            let size = if orientation > 4 { (3, 2) } else { (2, 3) };
            assert_eq!((turned.width, turned.height), size);
        }
    }
}
