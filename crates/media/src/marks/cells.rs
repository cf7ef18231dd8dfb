//! The strip of cells in a marked picture.

use super::VOICES;
use crate::picture::Picture;

/// Cells in a row, and rows.
const COLUMNS: usize = 16;
const ROWS: usize = 2;

/// The strip's height is this part of the picture's: two rows at its bottom.
const PART: usize = 6;

/// Luma of cells; the full range would cost bits and bring nothing.
const DARK: u8 = 40;
const LIGHT: u8 = 215;

/// Up to where a cell is surely dark, and from where it is surely light.
const SURE: std::ops::RangeInclusive<u32> = 95..=160;

/// What a marked picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureMark {
    /// Whose it is.
    pub voice: usize,
    /// The number of the frame in its track, below 4096.
    pub count: u32,
}

impl PictureMark {
    fn bits(self) -> u32 {
        let said = (self.voice as u16) << 12 | (self.count & 0xfff) as u16;
        u32::from(said) << 16 | u32::from(checksum(said))
    }
}

/// Draws the strip of `mark`.
pub(super) fn draw_mark(picture: &mut Picture, mark: PictureMark) {
    let (width, height) = (picture.width(), picture.height());
    let bits = mark.bits();
    for cell in 0..COLUMNS * ROWS {
        let (left, top, right, bottom) = place(cell, width, height);
        let luma = if bits >> (31 - cell) & 1 == 1 {
            LIGHT
        } else {
            DARK
        };
        picture.fill(left, top, right - left, bottom - top, [luma, 128, 128]);
    }
}

/// Reads what a picture says; nothing where a cell is neither dark nor light, or the checksum is wrong.
pub fn read_mark(picture: &Picture) -> Option<PictureMark> {
    let (width, height) = (picture.width(), picture.height());
    let mut bits = 0;
    for cell in 0..COLUMNS * ROWS {
        let (left, top, right, bottom) = place(cell, width, height);
        // The middle: edges are blurred, by codecs and by scaling.
        let (inset_x, inset_y) = ((right - left) / 4, (bottom - top) / 4);
        let (mut sum, mut count) = (0u32, 0u32);
        for row in top + inset_y..bottom - inset_y {
            for luma in &picture.luma()[row * width..][left + inset_x..right - inset_x] {
                sum += u32::from(*luma);
                count += 1;
            }
        }
        let mean = sum.checked_div(count)?;
        if SURE.contains(&mean) {
            return None;
        }
        bits = bits << 1 | u32::from(mean > *SURE.end());
    }
    let said = (bits >> 16) as u16;
    let mark = PictureMark {
        voice: usize::from(said >> 12),
        count: u32::from(said & 0xfff),
    };
    (mark.bits() == bits && mark.voice < VOICES).then_some(mark)
}

/// Returns left, top, right and bottom of a cell.
fn place(cell: usize, width: usize, height: usize) -> (usize, usize, usize, usize) {
    let (column, row) = (cell % COLUMNS, cell / COLUMNS);
    let strip = height / PART;
    let top = height - strip;
    (
        column * width / COLUMNS,
        top + row * strip / ROWS,
        (column + 1) * width / COLUMNS,
        top + (row + 1) * strip / ROWS,
    )
}

/// CRC-16/CCITT-FALSE; it begins with ones, so that neither all dark nor all light is a mark.
fn checksum(said: u16) -> u16 {
    said.to_be_bytes().iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc: u16, _| {
            let carried = crc & 0x8000 != 0;
            crc << 1 ^ if carried { 0x1021 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::decode;
    use crate::read_video;

    #[test]
    fn the_checksum_is_the_published_one() {
        // The check value of CRC-16/CCITT-FALSE is that of nine digits; two of them by hand: 0x3DBA.
        assert_eq!(checksum(u16::from_be_bytes(*b"12")), 0x3dba);
    }

    #[test]
    fn what_is_drawn_is_read() {
        for (width, height) in [(640, 360), (160, 90), (1280, 720), (320, 180)] {
            for (voice, count) in [(0, 0), (7, 4095), (3, 77)] {
                let mut picture = Picture::filled(width, height, [120, 90, 200]);
                let mark = PictureMark { voice, count };
                draw_mark(&mut picture, mark);
                assert_eq!(read_mark(&picture), Some(mark), "{width}x{height}");
            }
        }
    }

    #[test]
    fn pictures_without_a_mark_have_none() {
        for luma in 0..=255 {
            assert_eq!(
                read_mark(&Picture::filled(640, 360, [luma, 128, 128])),
                None
            );
        }
        assert_eq!(read_mark(&Picture::filled(2, 2, [16, 128, 128])), None);
        let mut random = fastrand::Rng::with_seed(1);
        let mut found = 0;
        for _ in 0..200_000 {
            let mut picture = Picture::filled(32, 12, [16, 128, 128]);
            for cell in 0..COLUMNS * ROWS {
                let (left, top, _, _) = place(cell, 32, 12);
                picture.fill(
                    left,
                    top,
                    2,
                    1,
                    [if random.bool() { 235 } else { 16 }, 128, 128],
                );
            }
            found += usize::from(read_mark(&picture).is_some());
        }
        // Half of one in 65536 strips of pure chance, and no picture is a strip of chance.
        assert!(found <= 6, "{found}");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
        for film in ["bunny.ivf", "other-picture.ivf"] {
            let film = read_video(&path.join(film)).unwrap();
            let mut seen = 0;
            decode::each_picture(&film, |_, picture| {
                seen += 1;
                assert_eq!(read_mark(picture), None);
            })
            .unwrap();
            assert!(seen > 50, "{seen}");
        }
    }
}
