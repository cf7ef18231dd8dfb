use super::*;

/// Writes a PNG picture whose left half is red and right half blue.
pub(crate) fn write_png(path: &Path, width: u32, height: u32) {
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&halves(width, height)).unwrap();
}

/// Writes the same picture as JPEG.
pub(crate) fn write_jpeg(path: &Path, width: u16, height: u16) {
    let encoder = jpeg_encoder::Encoder::new_file(path, 95).unwrap();
    let rgb = halves(width.into(), height.into());
    encoder
        .encode(&rgb, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
}

fn halves(width: u32, height: u32) -> Vec<u8> {
    let pixels = (0..width * height).map(|at| at % width < width / 2);
    pixels
        .flat_map(|is_left| if is_left { [255, 0, 0] } else { [0, 0, 255] })
        .collect()
}

fn at(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    let [luma, u, v] = picture.planes();
    let chroma = y / 2 * (picture.width() / 2) + x / 2;
    [luma[y * picture.width() + x], u[chroma], v[chroma]]
}

fn is_near(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(a, b)| a.abs_diff(b) < 6)
}

#[test]
fn pictures_are_fitted_between_bars() {
    let directory = tempfile::tempdir().unwrap();
    let (png, jpeg) = (directory.path().join("a.png"), directory.path().join("b"));
    write_png(&png, 400, 400);
    write_jpeg(&jpeg, 400, 400);
    for path in [png, jpeg] {
        assert!(is_still(&path));
        let picture = load(&path, 320, 180).unwrap();
        assert_eq!((picture.width(), picture.height()), (320, 180));
        // BT.601's red, blue and black.
        for (x, colour) in [
            (100, [82, 90, 240]),
            (220, [41, 240, 110]),
            (20, [16, 128, 128]),
            (310, [16, 128, 128]),
        ] {
            let found = at(&picture, x, 90);
            assert!(is_near(found, colour), "{path:?}, {x}: {found:?}");
        }
    }
}

#[test]
fn what_is_no_picture_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.png");
    write_png(&path, 64, 64);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = load(&path, 64, 64).unwrap_err().to_string();
    assert!(
        error.contains("x.png") && error.contains("save it again"),
        "{error}"
    );
    for bytes in [
        &b"\x89PNG\r\n\x1a\n"[..],
        &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xc0],
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(load(&path, 64, 64).is_err());
    }
    assert!(!is_still(directory.path()));
    assert!(!is_still(Path::new("/nowhere.png")));
    std::fs::write(&path, b"OggS....").unwrap();
    assert!(!is_still(&path));
}

#[test]
fn a_picture_of_any_shape_fits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.png");
    for (width, height) in [(1, 1), (3000, 2), (1, 3000), (1920, 1080)] {
        write_png(&path, width, height);
        let picture = load(&path, 640, 360).unwrap();
        assert_eq!((picture.width(), picture.height()), (640, 360));
    }
    write_png(&path, 16_385, 1);
    let error = load(&path, 64, 64).unwrap_err().to_string();
    assert!(error.contains("16385x1"), "{error}");
}
