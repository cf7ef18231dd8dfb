use super::*;

fn frames(codec: Codec, size: (usize, usize), count: u32) -> Vec<Arc<Frame>> {
    let settings = VideoSettings {
        width: size.0,
        height: size.1,
        ..VideoSettings::default()
    };
    let mut encoder = VideoEncoder::new(codec, settings).expect("an encoder");
    let encoded = (0..count).flat_map(|n| {
        let mut picture = Picture::filled(size.0, size.1, [60, 128, 128]);
        picture.fill(n as usize * 8, 20, 60, 60, [200, 90, 140]);
        let at = settings.frame_duration() * n;
        encoder.encode(&picture, at, n == 0).expect("a picture")
    });
    let frames = encoded.map(|one| one.packetize(codec, Duration::from_millis(40)));
    frames
        .map(|frame| Arc::new(frame.expect("a whole frame")))
        .collect()
}

/// Feeds frames, each when what the one before made has come, as in a room that keeps up.
fn transcoded(
    transcoders: &mut Transcoders,
    codecs: (Codec, Codec),
    frames: &[Arc<Frame>],
) -> Vec<(Arc<Frame>, u32)> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut made = Vec::new();
    for (n, frame) in (0u32..).zip(frames) {
        transcoders.take(7, frame, n * 3600);
        while made.len() <= n as usize {
            assert!(Instant::now() < deadline, "{n} of {}", frames.len());
            thread::sleep(Duration::from_millis(2));
            transcoders.need(Instant::now(), 7, codecs, false);
            for (source, stamped) in transcoders.made(Instant::now()) {
                assert_eq!(source, 7);
                made.push(stamped);
            }
        }
    }
    made
}

#[test]
fn a_picture_comes_in_another_codec_with_its_timestamps() {
    for (from, to) in [(Codec::Vp8, Codec::H264), (Codec::H264, Codec::Vp9)] {
        let sent = frames(from, (320, 180), 12);
        let mut transcoders = Transcoders::default();
        assert!(transcoders.need(Instant::now(), 7, (from, to), true));
        let made = transcoded(&mut transcoders, (from, to), &sent);
        let mut decoder = VideoDecoder::new(to).expect("a decoder");
        let mut last = None;
        for (n, (frame, timestamp)) in made.iter().enumerate() {
            assert_eq!((frame.codec, frame.is_key), (to, n == 0));
            assert!(last < Some(*timestamp) && timestamp % 3600 == 0);
            last = Some(*timestamp);
            let encoded = frame.encoded().expect("a whole frame");
            let picture = decoder
                .decode(&encoded)
                .expect("decodes")
                .expect("is shown");
            assert_eq!((picture.width(), picture.height()), (320, 180));
        }
        // Having begun, it needs no key frame of the source.
        assert!(!transcoders.need(Instant::now(), 7, (from, to), false));
    }
}

#[test]
fn what_is_too_large_for_a_codec_is_made_smaller() {
    let picture = |width, height| Picture::filled(width, height, [60, 128, 128]);
    let size = |picture: Picture, most| {
        let fitted = fitting(picture, most);
        (fitted.width(), fitted.height())
    };
    assert_eq!(
        size(picture(1280, 720), most_pixels(Codec::Av1)),
        (640, 360)
    );
    assert_eq!(
        size(picture(720, 1280), most_pixels(Codec::Av1)),
        (360, 640)
    );
    assert_eq!(
        size(picture(1280, 720), most_pixels(Codec::Vp8)),
        (1280, 720)
    );
    assert_eq!(size(picture(321, 181), most_pixels(Codec::Vp8)), (320, 180));
}

#[test]
fn frames_before_a_key_frame_make_nothing_and_what_nobody_needs_ends() {
    let sent = frames(Codec::Vp8, (320, 180), 3);
    let mut transcoders = Transcoders::default();
    let now = Instant::now();
    let codecs = (Codec::Vp8, Codec::Vp9);
    transcoders.need(now, 7, codecs, true);
    for frame in &sent[1..] {
        transcoders.take(7, frame, 0);
    }
    thread::sleep(Duration::from_millis(100));
    assert!(transcoders.made(now).is_empty());
    assert!(transcoders.need(now, 7, codecs, false), "it waits for one");
    assert!(transcoders.made(now + IDLE).is_empty() && transcoders.running.is_empty());
}
