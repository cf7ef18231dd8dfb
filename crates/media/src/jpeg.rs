//! Pictures as JPEG files.

use jpeg_encoder::{ColorType, Encoder};

use crate::error::MediaError;
use crate::picture::Picture;

/// Writes a picture as a JPEG file (JFIF). `quality` goes from 1, small, to 100, true.
///
/// # Errors
///
/// Fails for a picture that is empty, or larger than JPEG allows.
pub fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, MediaError> {
    let (width, height) = (picture.width(), picture.height());
    let ([y, u, v], [.., stride]) = (picture.planes(), picture.strides());
    let mut pixels = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        for column in 0..width {
            let chroma = row / 2 * stride + column / 2;
            pixels.push(full_luma(y[row * width + column]));
            pixels.extend([full_chroma(u[chroma]), full_chroma(v[chroma])]);
        }
    }
    let mut file = Vec::new();
    let written = match (u16::try_from(width), u16::try_from(height)) {
        (Ok(width), Ok(height)) => Encoder::new(&mut file, quality.clamp(1, 100))
            .encode(&pixels, width, height, ColorType::Ycbcr)
            .map_err(|error| error.to_string()),
        _ => Err(format!("{width} × {height} pixels are too many")),
    };
    written.map_err(MediaError::Jpeg)?;
    Ok(file)
}

/// From limited range to full range, as JFIF has it.
fn full_luma(y: u8) -> u8 {
    (i32::from(y) - 16)
        .clamp(0, 219)
        .saturating_mul(255)
        .div_euclid(219) as u8
}

fn full_chroma(c: u8) -> u8 {
    ((i32::from(c) - 128) * 255 / 224 + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_grey_keep_their_place() {
        assert_eq!([16, 235, 0, 255].map(full_luma), [0, 255, 0, 255]);
        assert_eq!([16, 128, 240].map(full_chroma), [1, 128, 255]);
    }

    #[test]
    fn a_file_begins_and_ends_as_jpeg_does() {
        let picture = Picture::filled(33, 17, [126, 90, 170]);
        let file = jpeg(&picture, 80).unwrap();
        assert_eq!(
            (&file[..3], &file[file.len() - 2..]),
            (&[0xff, 0xd8, 0xff][..], &[0xff, 0xd9][..])
        );
        assert!(jpeg(&Picture::filled(0, 0, [0, 0, 0]), 80).is_err());
    }
}
