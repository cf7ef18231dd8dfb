//! Pictures of any size brought to the size that is encoded: whole, in the middle, black around.

use super::Picture;

const BLACK: [u8; 3] = [16, 128, 128];

/// Returns `picture` as large as it can be in `width` × `height`.
pub(crate) fn fit(picture: &Picture, width: usize, height: usize) -> Picture {
    if (picture.width(), picture.height()) == (width, height) {
        return picture.clone();
    }
    let (from_width, from_height) = (picture.width().max(1), picture.height().max(1));
    // Even, so that chroma has the same edges.
    let even = |size: usize, most: usize| (size & !1).clamp(2, most.max(2));
    let (wide, high) = if width * from_height <= height * from_width {
        (width, even(width * from_height / from_width, height))
    } else {
        (even(height * from_width / from_height, width), height)
    };
    let (left, top) = (((width - wide) / 2) & !1, ((height - high) / 2) & !1);
    let (inner, mut whole) = (
        picture.scaled(wide, high),
        Picture::filled(width, height, BLACK),
    );
    let (from, to) = (inner.strides(), whole.strides());
    for at in 0..3 {
        let half = usize::from(at > 0);
        let start = (top >> half) * to[at] + (left >> half);
        for (row, samples) in inner.planes[at].chunks_exact(from[at]).enumerate() {
            let begin = start + row * to[at];
            whole.planes[at][begin..begin + from[at]].copy_from_slice(samples);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::tests::{moving, psnr};

    #[test]
    fn there_and_back_is_much_the_same() {
        let picture = moving(320, 180, 3);
        assert_eq!(fit(&picture, 320, 180), picture);
        let back = fit(&fit(&picture, 640, 360), 320, 180);
        assert!(psnr(&picture, &back) > 30.0, "{}", psnr(&picture, &back));
        let other = fit(&moving(320, 180, 40), 320, 180);
        assert!(psnr(&picture, &other) < 22.0);
    }

    #[test]
    fn another_shape_has_black_around() {
        let square = Picture::filled(100, 100, [200, 90, 160]);
        let wide = fit(&square, 320, 180);
        let row = &wide.luma()[90 * 320..91 * 320];
        assert_eq!((row[10], row[160], row[310]), (16, 200, 16));
        assert_eq!(row.iter().filter(|y| **y == 200).count(), 180);
        let tall = fit(&square, 64, 400);
        assert_eq!((tall.luma()[32], tall.luma()[200 * 64 + 32]), (16, 200));
    }

    #[test]
    fn every_size_fits() {
        for (width, height) in [(2, 2), (3, 5), (1920, 2), (2, 1080), (33, 17)] {
            for (to_width, to_height) in [(64, 36), (2, 2), (640, 360)] {
                let fitted = fit(&Picture::filled(width, height, BLACK), to_width, to_height);
                assert_eq!((fitted.width(), fitted.height()), (to_width, to_height));
            }
        }
    }
}
