//! Raw pictures of any layout, as encoders take them.

use crate::film::Sampling;
use crate::picture::Picture;

/// The value of chroma without colour.
const GREY: u8 = 128;

/// Makes a picture of raw bytes of `size`; `None` if they are too few.
pub(super) fn from_raw(
    bytes: &[u8],
    (width, height): (usize, usize),
    sampling: Sampling,
) -> Option<Picture> {
    let wide = if sampling.depth > 8 { 2 } else { 1 };
    // Deep samples are cut down to their eight highest bits.
    let value = |at: usize| match wide {
        1 => bytes[at],
        _ => (u16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]]) >> (sampling.depth - 8)) as u8,
    };
    if bytes.len() < sampling.size(width, height) {
        return None;
    }
    let luma = match wide {
        1 => bytes[..width * height].to_vec(),
        _ => (0..width * height).map(value).collect(),
    };
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let (chroma_width, chroma_height) = sampling.chroma(width, height);
    let chroma = |number: usize| -> Vec<u8> {
        if sampling.is_grey {
            return vec![GREY; half_width * half_height];
        }
        let start = width * height + number * chroma_width * chroma_height;
        let (across, down) = (2 / sampling.across, 2 / sampling.down);
        let mut plane = Vec::with_capacity(half_width * half_height);
        for row in 0..half_height {
            for column in 0..half_width {
                // The mean of those that share a place in 4:2:0; at the edges there are fewer.
                let (mut sum, mut count) = (0u32, 0);
                for y in row * down..(row * down + down).min(chroma_height) {
                    for x in column * across..(column * across + across).min(chroma_width) {
                        sum += u32::from(value(start + y * chroma_width + x));
                        count += 1;
                    }
                }
                plane.push(((sum + count / 2) / count.max(1)) as u8);
            }
        }
        plane
    };
    Picture::from_planes(width, height, [luma, chroma(0), chroma(1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_pictures_of_any_layout_become_plain() {
        let deep = Sampling {
            across: 1,
            down: 1,
            depth: 10,
            is_grey: false,
        };
        let samples: Vec<u8> = [[400u16; 9], [200; 9], [1020; 9]]
            .concat()
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        let picture = from_raw(&samples, (3, 3), deep).unwrap();
        assert_eq!(picture.luma(), [100; 9]);
        assert_eq!(picture.planes()[1], [50; 4]);
        assert_eq!(picture.planes()[2], [255; 4]);
        assert!(from_raw(&samples[1..], (3, 3), deep).is_none());
        let grey = Sampling {
            depth: 8,
            is_grey: true,
            ..deep
        };
        let picture = from_raw(&[7; 4], (2, 2), grey).unwrap();
        assert_eq!(
            (picture.luma(), picture.planes()[1]),
            (&[7; 4][..], &[128][..])
        );
    }
}
