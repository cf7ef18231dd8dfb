//! Live inputs as a whole: what programs write that end, fail, hang, babble and come back.

use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::*;
use crate::decoder::VideoDecoder;
use crate::draw::slate_picture;
use crate::frame::Frame;
use crate::picture::Picture;
use crate::read::{read_audio, read_video};
use crate::video::tests::psnr;

const SOON: Duration = Duration::from_secs(20);

fn data(name: &str) -> String {
    format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn open_within(text: &str, absence: Absence, patience: Duration) -> Result<Arc<Feed>, MediaError> {
    let spec: SourceSpec = text.parse().unwrap();
    let Origin::Feed(origin) = &spec.origin else {
        panic!("{text} is no live input");
    };
    Feed::start(origin, &spec.options, absence, patience)
}

fn open(text: &str) -> Arc<Feed> {
    open_within(text, Absence::Refused, SOON).unwrap()
}

/// Waits for the next frame; nothing where none comes within `limit`.
fn next_within(frames: &mut Receiver<Arc<Frame>>, limit: Duration) -> Option<Arc<Frame>> {
    let deadline = Instant::now() + limit;
    loop {
        match frames.try_recv() {
            Ok(frame) => return Some(frame),
            Err(TryRecvError::Empty) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(TryRecvError::Empty) => return None,
            Err(error) => panic!("{error}"),
        }
    }
}

fn next(frames: &mut Receiver<Arc<Frame>>) -> Arc<Frame> {
    next_within(frames, SOON).expect("a frame")
}

/// Waits for the beginning of something: a key frame after a pause.
fn next_beginning(frames: &mut Receiver<Arc<Frame>>, after: Duration) -> Arc<Frame> {
    let deadline = Instant::now() + SOON;
    loop {
        let frame = next(frames);
        if frame.is_key && frame.media_time > after + Duration::from_millis(300) {
            return frame;
        }
        assert!(Instant::now() < deadline);
    }
}

fn bunny() -> Vec<Arc<Frame>> {
    read_video(Path::new(&data("bunny.ivf"))).unwrap().frames
}

#[test]
fn what_is_not_there_or_makes_no_sense_is_told_with_its_reason() {
    let ivf = data("bunny.ivf");
    for (source, words) in [
        (
            "exec:echo no such camera >&2; exit 3",
            "ended with status 3: no such camera",
        ),
        ("exec:/nowhere/program", "ended with status 127"),
        ("exec:echo hello, world", "`hello, world"),
        ("exec:true", "wrote nothing"),
        ("exec:yes", "`y\\ny\\ny"),
        (
            &*format!("exec:head -c 20 {ivf}"),
            "ended within the header",
        ),
        ("unix:/nowhere/camera.sock", "cannot be opened"),
        ("unix:/nowhere/camera.sock#listen", "cannot be listened at"),
        ("tcp:127.0.0.1:1", "cannot be opened"),
        ("rtp:/nowhere/session.sdp", "cannot be read"),
        ("camera:/dev/video99", "is not there"),
    ] {
        let error = open_within(source, Absence::Refused, SOON).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let hangs = open_within(
        "exec:sleep 1000",
        Absence::Refused,
        Duration::from_millis(200),
    );
    let error = hangs.unwrap_err().to_string();
    assert!(
        error.contains("has shown nothing within 0.2 seconds"),
        "{error}"
    );
    // The control, and what a service does about it.
    assert!(open_within("exec:true", Absence::WaitedFor, SOON).is_ok());
    let feed = open(&format!("exec:cat {ivf}"));
    assert_eq!(feed.video_codec(), Some(Codec::Vp8));
    let error = feed.sound(OpusSettings::default()).unwrap_err();
    assert!(error.to_string().contains("has no audio"), "{error}");
}

#[test]
fn half_a_file_is_passed_on_as_it_is_and_then_nothing() {
    let feed = open(&format!("exec:head -c 60000 {}", data("bunny.ivf")));
    let live = feed.video(&Acceptance::of(Codec::Vp8)).unwrap();
    let mut frames = live.subscribe();
    let mut last = None;
    let mut count = 0;
    for original in bunny() {
        let Some(frame) = next_within(
            &mut frames,
            if count == 0 {
                SOON
            } else {
                Duration::from_secs(2)
            },
        ) else {
            break;
        };
        assert_eq!(frame.encoded().unwrap(), original.encoded().unwrap());
        last = Some(frame.media_time);
        count += 1;
    }
    assert!(last.is_some() && (3..200).contains(&count), "{count}");
}

#[test]
fn a_command_begins_again_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    let command = format!(
        "echo run >> {}; head -c 60000 {}",
        runs.display(),
        data("bunny.ivf")
    );
    let times = || {
        std::fs::read_to_string(&runs)
            .unwrap_or_default()
            .lines()
            .count()
    };

    let feed = open(&format!("exec:{command}"));
    let live = feed.video(&Acceptance::of(Codec::Vp8)).unwrap();
    let mut frames = live.subscribe();
    while next_within(&mut frames, Duration::from_millis(1500)).is_some() {}
    assert_eq!(times(), 1, "nobody asked for more");

    let feed = open(&format!("exec:{command}#restart"));
    let live = feed.video(&Acceptance::of(Codec::Vp8)).unwrap();
    let mut frames = live.subscribe();
    let first = next(&mut frames);
    assert!(first.is_key);
    next_beginning(&mut frames, first.media_time);
    assert!(times() >= 3);
}

#[test]
fn what_was_started_ends_with_whoever_wanted_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let feed = open(&format!(
        "exec:echo $$ > {}; cat {}; sleep 1000",
        file.display(),
        data("bunny.ivf")
    ));
    let live = feed.video(&Acceptance::of(Codec::Vp8)).unwrap();
    let pid = std::fs::read_to_string(&file).unwrap();
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    drop(feed);
    assert!(!stat().is_empty(), "its picture is still wanted");
    drop(live);
    let deadline = Instant::now() + SOON;
    while !stat().is_empty() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn samples_are_encoded_as_each_far_end_asks() {
    let feed = open(&format!("exec:cat {}", data("other-speech.wav")));
    let of = |channels| OpusSettings {
        channels,
        ..OpusSettings::default()
    };
    let lives = [1, 2].map(|channels| feed.sound(of(channels)).unwrap());
    let mut frames = lives.each_ref().map(|live| live.subscribe());
    for (at, frames) in frames.iter_mut().enumerate() {
        let first = next(frames);
        // The bit of RFC 6716 §3.1 that says stereo.
        assert_eq!(first.payloads[0][0] & 4 != 0, at == 1);
        assert_eq!(next(frames).media_time - first.media_time, first.duration);
    }
}

#[test]
fn opus_is_passed_on_as_it_is() {
    let feed = open(&format!("exec:cat {}", data("speech.opus")));
    let live = feed.sound(OpusSettings::default()).unwrap();
    let mut frames = live.subscribe();
    let track = read_audio(Path::new(&data("speech.opus"))).unwrap();
    let heard: Vec<_> = (0..20)
        .map(|_| next(&mut frames).payloads.clone())
        .collect();
    let original: Vec<_> = track
        .frames
        .iter()
        .map(|frame| frame.payloads.clone())
        .collect();
    // What a decoder leaves out at the beginning may be there or not.
    let begin = original.iter().position(|payloads| *payloads == heard[9]);
    let begin = begin.expect("the same packets");
    assert_eq!(heard[9..], original[begin..begin + 11]);
}

#[test]
fn who_connects_is_heard_after_whoever_wrote_nonsense() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("desk.sock");
    let feed = open(&format!("unix:{}#listen", socket.display()));
    let live = feed.sound(OpusSettings::default()).unwrap();
    let mut frames = live.subscribe();
    let speech = std::fs::read(data("speech.opus")).unwrap();
    // A second of it, and some of the next.
    let part = &speech[..5000];
    let mut heard = Vec::new();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], part, b"", part] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // Whoever writes nonsense may be hung up on meanwhile.
        let _ = stream.write_all(bytes);
        drop(stream);
        if bytes.len() < 100 {
            continue;
        }
        let mut payloads = vec![next(&mut frames).payloads.clone()];
        while let Some(frame) = next_within(&mut frames, Duration::from_millis(1500)) {
            payloads.push(frame.payloads.clone());
        }
        heard.push(payloads);
    }
    assert!(heard[0].len() >= 40, "{}", heard[0].len());
    assert_eq!(heard[0], heard[1]);
}

#[test]
fn pictures_in_another_codec_than_the_calls_are_encoded_anew() {
    let decoded = |frames: &mut dyn Iterator<Item = Arc<Frame>>, codec| -> Vec<Picture> {
        let mut decoder = VideoDecoder::new(codec).unwrap();
        frames
            .filter_map(|frame| decoder.decode(&frame.encoded().unwrap()).unwrap())
            .collect()
    };
    let originals = decoded(&mut bunny().into_iter().take(60), Codec::Vp8);
    let alike = |picture: &Picture| {
        originals
            .iter()
            .step_by(6)
            .any(|original| psnr(original, picture) > 28.0)
    };
    // The control: it is not the slate that is taken for it.
    assert!(!alike(&slate_picture("No picture at the moment", 640, 360)));

    let feed = open(&format!("exec:cat {}", data("bunny.ivf")));
    let live = feed.video(&Acceptance::of(Codec::H264)).unwrap();
    let mut frames = live.subscribe();
    let mut comes = std::iter::from_fn(|| next_within(&mut frames, SOON)).take(40);
    let pictures = decoded(&mut comes, Codec::H264);
    assert!(pictures.iter().any(alike));
}

#[test]
fn packets_become_the_frames_that_they_were() {
    let free = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let feed = open(&format!("rtp://{free}#codec=VP8&pt=96"));
    assert_eq!(feed.video_codec(), Some(Codec::Vp8));
    let live = feed.video(&Acceptance::of(Codec::Vp8)).unwrap();
    let mut frames = live.subscribe();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let originals = &bunny()[..10];
    let mut packets = Vec::new();
    for (n, frame) in originals.iter().enumerate() {
        for (at, payload) in frame.payloads.iter().enumerate() {
            let marker = u8::from(at + 1 == frame.payloads.len()) << 7;
            let number = u16::try_from(packets.len()).unwrap().wrapping_sub(2);
            let mut packet = vec![0x80, marker | 96];
            packet.extend(number.to_be_bytes());
            packet.extend(
                (u32::MAX - 5000)
                    .wrapping_add(3000 * n as u32)
                    .to_be_bytes(),
            );
            packet.extend([0, 0, 0, 7]);
            packet.extend_from_slice(payload);
            packets.push(packet);
        }
    }
    // Out of order, but for the first one; with what is no RTP, of another sender and of another type.
    packets.swap(1, 2);
    packets.swap(4, 6);
    let mut foreign = packets[0].clone();
    foreign[11] = 8;
    let mut other = packets[0].clone();
    other[1] = 111;
    packets.insert(3, foreign);
    packets.insert(0, other);
    packets.insert(0, b"GET / HTTP/1.1\r\n\r\n".to_vec());
    for packet in &packets {
        sender.send_to(packet, free).unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    for original in originals {
        assert_eq!(
            next(&mut frames).encoded().unwrap(),
            original.encoded().unwrap()
        );
    }
}
