//! Cut, broken and wrong files say what is wrong.

use std::path::Path;

use media::{MediaError, Track, read_audio, read_video};

use crate::place::{PICTURE, Place, TONE, record};

#[test]
fn cut_and_wrong_files_say_what_is_wrong() {
    let place = Place::new();
    let ogg = place.make("x.ogg", TONE, &["-c:a", "libopus"]);
    let ivf = place.vp8("x.ivf");
    let wav = place.make("x.wav", TONE, &["-ar", "16000"]);
    let webm = place.path("x.webm");
    record(
        &webm,
        Some(&read_audio(&ogg).unwrap()),
        Some(&read_video(&ivf).unwrap()),
    );
    type Reader = fn(&Path) -> Result<Track, MediaError>;
    let readers: [(&Path, Reader); 4] = [
        (&ogg, read_audio),
        (&ivf, read_video),
        (&wav, read_audio),
        (&webm, read_video),
    ];
    let cut = place.path("cut");
    for (path, read) in readers {
        let bytes = std::fs::read(path).unwrap();
        for keep in [1, 5, 30, 60, bytes.len() / 2, bytes.len() - 7] {
            std::fs::write(&cut, &bytes[..keep]).unwrap();
            match read(&cut) {
                Err(MediaError::Broken { .. } | MediaError::Unsupported { .. }) => {}
                other => panic!("{} cut to {keep}: {other:?}", path.display()),
            }
        }
        // One byte turned in each place: an error or another track, and no panic.
        for at in (0..bytes.len().min(4000)).step_by(37) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x55;
            std::fs::write(&cut, &bytes).unwrap();
            let _ = read(&cut);
        }
    }
    let dense = [
        "-c:a",
        "libopus",
        "-b:a",
        "256k",
        "-vbr",
        "off",
        "-frame_duration",
        "60",
    ];
    let dense = read_audio(&place.make("d.ogg", TONE, &dense))
        .unwrap_err()
        .to_string();
    assert!(dense.contains("more than one RTP packet"), "{dense}");
    // Sound that nothing here decodes.
    let ac3 = place.make("v.mka", TONE, &["-c:a", "ac3"]);
    let told = read_audio(&ac3).unwrap_err().to_string();
    assert!(
        told.contains("v.mka") && told.contains("-c:a libopus"),
        "{told}"
    );
    let h264 = place.make("h.mp4", PICTURE, &["-c:v", "mpeg4"]);
    assert!(
        read_video(&h264)
            .unwrap_err()
            .to_string()
            .contains("ffmpeg")
    );
    assert!(
        read_video(&ogg)
            .unwrap_err()
            .to_string()
            .contains("sound file")
    );
    assert!(
        read_audio(&ivf)
            .unwrap_err()
            .to_string()
            .contains("pictures alone")
    );
    assert!(
        read_audio(place.0.path())
            .unwrap_err()
            .to_string()
            .contains("regular file")
    );
}
