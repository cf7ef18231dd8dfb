//! What cameras give, as pictures.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::picture::Picture;

/// How the pixels of a camera lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Two pixels in four bytes.
    Yuyv,
    /// A plane of luma, and one of both chroma.
    Nv12,
    /// JPEG, one picture after another.
    Mjpeg,
}

impl Layout {
    pub(super) const ALL: [Self; 3] = [Self::Yuyv, Self::Nv12, Self::Mjpeg];

    pub(super) fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Yuyv => *b"YUYV",
            Self::Nv12 => *b"NV12",
            Self::Mjpeg => *b"MJPG",
        }
    }

    pub(super) fn from_fourcc(code: [u8; 4]) -> Option<Self> {
        if code == *b"JPEG" {
            return Some(Self::Mjpeg);
        }
        Self::ALL.into_iter().find(|layout| layout.fourcc() == code)
    }

    /// Makes a picture of `bytes`, in which a row takes `stride`; `None` if they are no such picture.
    pub(super) fn picture(
        self,
        bytes: &[u8],
        width: usize,
        height: usize,
        stride: usize,
    ) -> Option<Picture> {
        match self {
            Self::Yuyv => yuyv(bytes, width, height, stride.max(2 * width)),
            Self::Nv12 => nv12(bytes, width, height, stride.max(width)),
            Self::Mjpeg => jpeg(bytes),
        }
    }
}

fn yuyv(bytes: &[u8], width: usize, height: usize, stride: usize) -> Option<Picture> {
    let (width, height) = (width & !1, height & !1);
    let last = stride
        .checked_mul(height.checked_sub(1)?)?
        .checked_add(2 * width)?;
    bytes.get(..last)?;
    let mut luma = Vec::with_capacity(width * height);
    let (mut u, mut v) = (Vec::new(), Vec::new());
    for rows in 0..height / 2 {
        let row = |number: usize| &bytes[number * stride..number * stride + 2 * width];
        let (upper, lower) = (row(2 * rows), row(2 * rows + 1));
        for row in [upper, lower] {
            luma.extend(row.chunks_exact(2).map(|pixel| pixel[0]));
        }
        for (a, b) in upper.chunks_exact(4).zip(lower.chunks_exact(4)) {
            u.push(mean(a[1], b[1]));
            v.push(mean(a[3], b[3]));
        }
    }
    Picture::from_planes(width, height, [luma, u, v])
}

fn nv12(bytes: &[u8], width: usize, height: usize, stride: usize) -> Option<Picture> {
    let (width, height) = (width & !1, height & !1);
    let rows = |from: usize, count: usize| {
        let plane = bytes.get(from..)?;
        let last = stride
            .checked_mul(count.checked_sub(1)?)?
            .checked_add(width)?;
        plane.get(..last)?;
        Some(
            plane
                .chunks(stride)
                .take(count)
                .map(move |row| &row[..width]),
        )
    };
    let luma = rows(0, height)?.flatten().copied().collect();
    let chroma = rows(stride.checked_mul(height)?, height / 2)?;
    let (mut u, mut v) = (Vec::new(), Vec::new());
    for row in chroma {
        u.extend(row.iter().step_by(2));
        v.extend(row.iter().skip(1).step_by(2));
    }
    Picture::from_planes(width, height, [luma, u, v])
}

/// JPEG has the full range of levels, pictures here the limited one (BT.601).
fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let options = DecoderOptions::default()
        .set_max_width(4096)
        .set_max_height(4096)
        .jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().ok()?;
    let (full_width, full_height) = decoder.dimensions()?;
    let (width, height) = (full_width & !1, full_height & !1);
    if width == 0 || height == 0 || pixels.len() != full_width * full_height * 3 {
        return None;
    }
    let row = |number: usize| &pixels[number * full_width * 3..][..width * 3];
    let mut luma = Vec::with_capacity(width * height);
    let (mut u, mut v) = (Vec::new(), Vec::new());
    for rows in 0..height / 2 {
        let (upper, lower) = (row(2 * rows), row(2 * rows + 1));
        for row in [upper, lower] {
            luma.extend(
                row.chunks_exact(3)
                    .map(|pixel| (16 + (u32::from(pixel[0]) * 219 + 127) / 255) as u8),
            );
        }
        for (a, b) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            let chroma = |at: usize| {
                let sum = [a[at], a[at + 3], b[at], b[at + 3]]
                    .map(i32::from)
                    .iter()
                    .sum::<i32>();
                (128 + (sum - 4 * 128) * 224 / (4 * 255)) as u8
            };
            u.push(chroma(1));
            v.push(chroma(2));
        }
    }
    Picture::from_planes(width, height, [luma, u, v])
}

fn mean(a: u8, b: u8) -> u8 {
    (u16::from(a) + u16::from(b)).div_ceil(2) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::tests::{moving, psnr};

    fn packed(picture: &Picture, layout: Layout, stride: usize) -> Vec<u8> {
        let (width, height) = (picture.width(), picture.height());
        let [y, u, v] = picture.planes();
        let mut bytes = Vec::new();
        let pad = |bytes: &mut Vec<u8>, row: usize| bytes.resize((row + 1) * stride, 0xee);
        match layout {
            Layout::Yuyv => {
                for row in 0..height {
                    for column in 0..width / 2 {
                        let (luma, chroma) =
                            (row * width + 2 * column, row / 2 * width / 2 + column);
                        bytes.extend([y[luma], u[chroma], y[luma + 1], v[chroma]]);
                    }
                    pad(&mut bytes, row);
                }
            }
            Layout::Nv12 => {
                for row in 0..height {
                    bytes.extend(&y[row * width..(row + 1) * width]);
                    pad(&mut bytes, row);
                }
                for row in 0..height / 2 {
                    for column in 0..width / 2 {
                        let chroma = row * width / 2 + column;
                        bytes.extend([u[chroma], v[chroma]]);
                    }
                    pad(&mut bytes, height + row);
                }
            }
            Layout::Mjpeg => bytes = crate::jpeg(picture, 95).unwrap(),
        }
        bytes
    }

    #[test]
    fn pictures_come_out_as_they_went_in() {
        let picture = moving(96, 64, 5);
        for (layout, stride) in [
            (Layout::Yuyv, 192),
            (Layout::Yuyv, 208),
            (Layout::Nv12, 96),
            (Layout::Nv12, 128),
        ] {
            let bytes = packed(&picture, layout, stride);
            let unpacked = layout.picture(&bytes, 96, 64, stride).unwrap();
            assert!(unpacked == picture, "{layout:?} {stride}");
            assert!(
                layout
                    .picture(&bytes[..bytes.len() / 2], 96, 64, stride)
                    .is_none()
            );
        }
        let bytes = packed(&picture, Layout::Mjpeg, 0);
        let unpacked = Layout::Mjpeg.picture(&bytes, 96, 64, 0).unwrap();
        assert!(
            psnr(&picture, &unpacked) > 30.0,
            "{}",
            psnr(&picture, &unpacked)
        );
        assert!(psnr(&moving(96, 64, 20), &unpacked) < 25.0);
        // Colours too, within what JPEG and its levels leave.
        for plane in [1, 2] {
            let apart = picture.planes()[plane].iter().zip(unpacked.planes()[plane]);
            let most = apart.map(|(a, b)| a.abs_diff(*b)).max();
            let mean: u32 = picture.planes()[plane]
                .iter()
                .zip(unpacked.planes()[plane])
                .map(|(a, b)| u32::from(a.abs_diff(*b)))
                .sum::<u32>()
                / (48 * 32);
            assert!(mean <= 3, "{plane}: {mean}, at most {most:?}");
        }
    }

    #[test]
    fn rubbish_is_no_picture() {
        let mut random = fastrand::Rng::with_seed(3);
        let jpeg = packed(&moving(96, 64, 5), Layout::Mjpeg, 0);
        for _ in 0..2000 {
            let mut bytes = jpeg.clone();
            for _ in 0..random.usize(1..20) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(..=bytes.len()));
            let _ = Layout::Mjpeg.picture(&bytes, 96, 64, 0);
            assert!(
                Layout::Yuyv
                    .picture(&bytes[..100.min(bytes.len())], 96, 64, 0)
                    .is_none()
            );
        }
        for layout in Layout::ALL {
            assert!(layout.picture(&[], 0, 0, 0).is_none());
            assert!(layout.picture(&[0; 64], 4096, 4096, usize::MAX).is_none());
        }
    }
}
