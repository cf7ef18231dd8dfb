//! A raw picture: 8-bit 4:2:0, BT.601 limited range, as VP8 and most WebRTC senders have it.

mod fit;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

pub(crate) use fit::fit;

/// Luma and the two chroma values of one colour.
pub type Yuv = [u8; 3];

/// An I420 picture; rows lie one after another without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    planes: [Vec<u8>; 3],
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

impl Picture {
    /// Makes a picture of one colour, `width` × `height` pixels.
    pub fn filled(width: usize, height: usize, [y, u, v]: Yuv) -> Self {
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        Self {
            width,
            height,
            planes: [vec![y; width * height], vec![u; chroma], vec![v; chroma]],
        }
    }

    /// Makes a picture of three planes; `None` if their lengths do not fit the size.
    pub fn from_planes(width: usize, height: usize, planes: [Vec<u8>; 3]) -> Option<Self> {
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        let fits = planes.each_ref().map(Vec::len) == [width * height, chroma, chroma];
        fits.then_some(Self {
            width,
            height,
            planes,
        })
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the luma plane: `width` × `height` bytes.
    pub fn luma(&self) -> &[u8] {
        &self.planes[0]
    }

    /// Returns the three planes, Y, U and V.
    pub fn planes(&self) -> [&[u8]; 3] {
        self.planes.each_ref().map(Vec::as_slice)
    }

    /// Returns the bytes from one row to the next in each plane.
    pub fn strides(&self) -> [usize; 3] {
        let chroma = self.width.div_ceil(2);
        [self.width, chroma, chroma]
    }

    /// Fills a rectangle, as far as it lies within the picture.
    pub fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, colour: Yuv) {
        let (right, bottom) = (
            x.saturating_add(width).min(self.width),
            y.saturating_add(height).min(self.height),
        );
        if x >= right || y >= bottom {
            return;
        }
        let strides = self.strides();
        for (at, plane) in self.planes.iter_mut().enumerate() {
            let shift = usize::from(at > 0);
            // A chroma sample belongs to the rectangle if its first pixel does.
            let (left, top) = (x.div_ceil(1 << shift), y.div_ceil(1 << shift));
            let (right, bottom) = (right.div_ceil(1 << shift), bottom.div_ceil(1 << shift));
            for row in top..bottom {
                let start = row * strides[at];
                if left < right {
                    plane[start + left..start + right].fill(colour[at]);
                }
            }
        }
    }

    /// Returns it in another size, each pixel the mean of those it covers and their neighbours.
    pub fn scaled(&self, width: usize, height: usize) -> Self {
        let mut scaled = Self::filled(width, height, [16, 128, 128]);
        let mut resizer = Resizer::new();
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let half = |side: usize| side.div_ceil(2);
        for (at, (plane, target)) in self.planes.iter().zip(&mut scaled.planes).enumerate() {
            let side = |side: usize| if at > 0 { half(side) } else { side } as u32;
            let from = TypedImageRef::<U8>::from_buffer(side(self.width), side(self.height), plane);
            let to = TypedImage::<U8>::from_buffer(side(width), side(height), target);
            // Planes have the sizes that go with them; of an empty one there is nothing to see.
            if let (Ok(from), Ok(mut to)) = (from, to) {
                let _ = resizer.resize_typed(&from, &mut to, &options);
            }
        }
        scaled
    }

    /// Returns this picture with `weight` of 256 parts of another one of the same size in it.
    pub(crate) fn mixed_with(&self, other: &Self, weight: u16) -> Self {
        let mut mixed = self.clone();
        let weight = u32::from(weight.min(256));
        for (plane, others) in mixed.planes.iter_mut().zip(&other.planes) {
            for (sample, other) in plane.iter_mut().zip(others) {
                let sum = u32::from(*sample) * (256 - weight) + u32::from(*other) * weight;
                *sample = ((sum + 128) / 256) as u8;
            }
        }
        mixed
    }

    /// Mixes `colour` into one pixel of luma, `weight` of 255 parts; for the edges of letters.
    pub(crate) fn blend_luma(&mut self, x: usize, y: usize, luma: u8, weight: u8) {
        if x < self.width && y < self.height {
            let pixel = &mut self.planes[0][y * self.width + x];
            let (weight, old, new) = (i32::from(weight), i32::from(*pixel), i32::from(luma));
            *pixel = (old + (new - old) * weight / 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_within_bounds_alone() {
        let mut picture = Picture::filled(9, 5, [16, 128, 128]);
        picture.fill(6, 2, 100, 100, [235, 90, 240]);
        assert_eq!(picture.luma().iter().filter(|y| **y == 235).count(), 9);
        assert_eq!(picture.planes()[1].iter().filter(|u| **u == 90).count(), 4);
        picture.fill(20, 20, 1, 1, [0, 0, 0]);
        assert!(picture.luma().iter().all(|y| *y != 0));
    }

    #[test]
    fn scaled_it_looks_the_same() {
        let mut picture = Picture::filled(64, 36, [60, 128, 128]);
        picture.fill(32, 0, 32, 36, [200, 90, 140]);
        for (width, height) in [(32, 18), (20, 10), (128, 72), (63, 35)] {
            let scaled = picture.scaled(width, height);
            assert_eq!((scaled.width(), scaled.height()), (width, height));
            let middle = height / 2 * width;
            let luma = scaled.luma();
            assert_eq!(
                (luma[middle], luma[middle + width - 1]),
                (60, 200),
                "{width}"
            );
            assert_eq!(*scaled.planes()[1].last().unwrap(), 90);
        }
        assert_eq!(Picture::filled(0, 0, [0; 3]).scaled(2, 2).luma(), [16; 4]);
    }

    #[test]
    fn planes_must_fit() {
        assert!(Picture::from_planes(3, 3, [vec![0; 9], vec![0; 4], vec![0; 4]]).is_some());
        assert!(Picture::from_planes(3, 3, [vec![0; 9], vec![0; 4], vec![0; 3]]).is_none());
    }
}
