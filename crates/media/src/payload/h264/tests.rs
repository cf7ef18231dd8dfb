use super::*;

/// Constrained baseline, level 3.1, 640 × 360: 40 × 23 macroblocks, eight rows cropped.
pub(crate) const SPS_640X360: &[u8] = &[0x67, 0x42, 0xc0, 0x1f, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40];
pub(crate) const PPS_UNIT: &[u8] = &[0x68, 0xce, 0x3c, 0x80];

/// Units, each after a start code of four bytes.
pub(crate) fn stream(units: &[&[u8]]) -> Bytes {
    let mut out = BytesMut::new();
    for unit in units {
        out.put_slice(&START_CODE);
        out.put_slice(unit);
    }
    out.freeze()
}

/// A slice of this type and `len` bytes, with the first macroblock.
pub(crate) fn slice(header: u8, len: usize) -> Vec<u8> {
    let mut unit = vec![header, 0x88];
    // Never zero, so that no start code is in it and the unit does not end in one.
    unit.extend((unit.len()..len).map(|n| (n % 255) as u8 + 1));
    unit.truncate(len.max(2));
    unit
}

/// A key frame whose slice has `len` bytes.
pub(crate) fn key(len: usize) -> Bytes {
    stream(&[SPS_640X360, PPS_UNIT, &slice(0x65, len)])
}

#[test]
fn units_are_found_behind_every_form_of_start_code() {
    let bytes = [
        9, 9, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 0, 3,
    ];
    let units: Vec<&[u8]> = nal_units(&bytes).collect();
    assert_eq!(units, [&[0x67, 1][..], &[0x68], &[0x65, 0, 3]]);
    assert_eq!(nal_units(&[0x65, 1, 2, 3]).count(), 0);
    assert_eq!(nal_units(&[]).count(), 0);
}

#[test]
fn the_size_is_read_off_the_parameter_set() {
    let sps = Sps::read(SPS_640X360).unwrap();
    assert_eq!((sps.width, sps.height), (640, 360));
    assert_eq!((sps.profile, sps.constraints, sps.level), (66, 0xc0, 31));
    assert_eq!(dimensions(&key(30)), Some((640, 360)));
    assert!(Sps::read(&SPS_640X360[..6]).is_none(), "cut off");
}

#[test]
fn only_idr_pictures_with_parameter_sets_are_key_frames() {
    assert!(is_key_frame(&key(30)));
    assert!(!is_key_frame(&stream(&[&slice(0x65, 30)])));
    assert!(!is_key_frame(&stream(&[
        SPS_640X360,
        PPS_UNIT,
        &slice(0x41, 30)
    ])));
    // A slice from further down: the one before it is missing.
    assert!(!is_key_frame(&stream(&[
        SPS_640X360,
        PPS_UNIT,
        &[0x65, 0x40, 1]
    ])));
}

#[test]
fn parameter_sets_share_a_payload_and_large_slices_are_cut() {
    let payloads = packetize(&key(3000)).unwrap();
    assert_eq!(payloads.len(), 4);
    assert_eq!(payloads[0][..4], [0x78, 0, 10, 0x67]);
    assert_eq!(payloads[1][..3], [0x7c, 0x85, 0x88]);
    assert_eq!([payloads[2][1], payloads[3][1]], [0x05, 0x45]);
    assert_eq!(payload_dimensions(&payloads[0]), Some((640, 360)));
    let begins: Vec<bool> = payloads.iter().map(|p| begins_key_frame(p)).collect();
    assert_eq!(begins, [false, true, false, false]);
    let starts: Vec<bool> = payloads.iter().map(|p| is_frame_start(p)).collect();
    assert_eq!(starts, [true, true, false, false]);
    // All of it in one, where it fits.
    let payloads = packetize(&key(30)).unwrap();
    assert_eq!(payloads.len(), 1);
    assert!(begins_key_frame(&payloads[0]));
}

#[test]
fn delimiters_and_filler_are_left_out() {
    let with = stream(&[
        &[9, 0xf0],
        SPS_640X360,
        PPS_UNIT,
        &slice(0x65, 9),
        &[12, 0xff, 0x80],
    ]);
    let payloads = packetize(&with).unwrap();
    assert_eq!(depacketize(&payloads).unwrap(), key(9));
    assert!(
        packetize(&stream(&[SPS_640X360, PPS_UNIT])).is_none(),
        "no picture"
    );
    assert!(packetize(&stream(&[&[0x7c, 1, 2], &slice(0x65, 9)])).is_none());
}

#[test]
fn fragments_that_do_not_meet_are_refused() {
    let payloads = packetize(&key(3000)).unwrap();
    assert!(depacketize(&payloads).is_some());
    // One from the middle is missed by its sequence number alone.
    for left_out in [1, 3] {
        let mut some = payloads.clone();
        some.remove(left_out);
        assert!(depacketize(&some).is_none(), "without {left_out}");
    }
    for malformed in [
        &[0x78, 0, 9, 1][..],
        &[0x78],
        &[0x78, 0, 2, 0x65, 0x88, 0],
        &[0x7c, 0x85],
        &[0x79, 0, 0, 0, 2, 0x65, 0x88],
        &[0x7d, 0x85, 0, 0, 1],
    ] {
        assert!(
            depacketize(&[Bytes::from_static(malformed)]).is_none(),
            "{malformed:?}"
        );
    }
    // The first slice was lost.
    assert!(depacketize(&[Bytes::from_static(&[0x65, 0x40, 1])]).is_none());
}

#[test]
fn a_key_frame_without_its_parameter_sets_gets_the_last_ones() {
    let mut sets = ParameterSets::default();
    let mut complete = |encoded: Bytes| {
        let mut payloads = packetize(&encoded).unwrap();
        sets.complete(&mut payloads);
        depacketize(&payloads).unwrap()
    };
    let bare = stream(&[&slice(0x65, 9)]);
    assert_eq!(complete(bare.clone()), bare, "none is known yet");
    assert_eq!(complete(key(20)), key(20));
    assert_eq!(complete(bare), key(9));
    let delta = stream(&[&slice(0x41, 9)]);
    assert_eq!(complete(delta.clone()), delta);
}
