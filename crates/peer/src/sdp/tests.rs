//! An answer in the form of real nodes, written for these tests.

use media::{Codec, Kind};

use super::{
    Description, choose, choose_in_answer, expand_wildcard_feedback, read_candidate, toward_webrtc,
};
use crate::{Direction, sdp::RemoteCandidate};

const ANSWER: &str = "v=0\r
o=- 77 78 IN IP4 127.0.0.1\r
s=-\r
c=IN IP4 192.0.2.7\r
b=AS:3796\r
t=0 0\r
a=group:BUNDLE 0 1\r
m=audio 40000 UDP/TLS/RTP/SAVPF 111 0 126\r
c=IN IP4 192.0.2.7\r
a=rtpmap:111 opus/48000/2\r
a=fmtp:111 useinbandfec=1;stereo=0\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:126 telephone-event/8000\r
a=rtcp-fb:* transport-cc\r
a=sendrecv\r
a=mid:0\r
a=setup:active\r
a=fingerprint:sha-256 AA:BB:CC\r
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r
a=rtcp-mux\r
a=ssrc:3000 cname:node\r
a=ssrc:3000 msid:stream audio\r
a=candidate:1 1 udp 2042888703 192.0.2.7 40000 typ host\r
a=candidate:2 1 tcp 855900927 192.0.2.7 40000 typ host tcptype passive\r
a=candidate:3 1 udp 2042888702 abcdef.local 40000 typ host\r
a=ice-ufrag:ufrag\r
a=ice-pwd:password\r
m=video 40000 UDP/TLS/RTP/SAVPF 98 96 97 99\r
c=IN IP4 192.0.2.7\r
b=TIAS:3732480\r
a=rtpmap:98 VP9/90000\r
a=rtpmap:96 VP8/90000\r
a=fmtp:96 max-fs=8160;max-fr=30\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=rtpmap:99 rtx/90000\r
a=fmtp:99 apt=98\r
a=rtcp-fb:* nack pli\r
a=rtcp-fb:* nack\r
a=rtcp-fb:96 ccm fir\r
a=ssrc-group:FID 1000 2000\r
a=recvonly\r
a=content:main\r
a=mid:1\r
a=setup:active\r
a=fingerprint:sha-256 AA:BB:CC\r
a=rtcp-mux\r
a=ssrc:1000 cname:node\r
a=ssrc:1000 msid:stream video\r
a=ssrc:2000 cname:node\r
a=ssrc:2000 msid:stream video\r
a=ice-ufrag:ufrag\r
a=ice-pwd:password\r
";

const OFFERED: [(Kind, Direction); 2] = [
    (Kind::Audio, Direction::SendRecv),
    (Kind::Video, Direction::SendRecv),
];

#[test]
fn wildcards_are_written_out_for_every_payload_type_but_retransmissions() {
    let expanded = expand_wildcard_feedback(ANSWER);
    assert!(!expanded.contains("rtcp-fb:*"), "{expanded}");
    let count = |line: &str| expanded.lines().filter(|l| *l == line).count();
    for line in [
        "a=rtcp-fb:111 transport-cc",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:98 nack pli",
        "a=rtcp-fb:96 ccm fir",
    ] {
        assert_eq!(count(line), 1, "{line} in {expanded}");
    }
    assert_eq!(count("a=rtcp-fb:97 nack"), 0);
    assert_eq!(count("a=rtcp-fb:98 ccm fir"), 0);
    // Nothing else has changed, and a second time nothing at all.
    let others = |text: &str| -> Vec<String> {
        let kept = text.lines().filter(|l| !l.starts_with("a=rtcp-fb"));
        kept.map(str::to_owned).collect()
    };
    assert_eq!(others(&expanded), others(ANSWER));
    assert_eq!(expand_wildcard_feedback(&expanded), expanded);
    assert_eq!(expand_wildcard_feedback("not SDP"), "not SDP");
}

#[test]
fn our_codec_is_found_behind_one_we_have_not() {
    let answer = Description::parse(ANSWER).expect("the fixture is SDP");
    let chosen = choose_in_answer(&answer, &OFFERED, &[Codec::Av1, Codec::Vp8]).expect("usable");
    let video = chosen.video.expect("video").codec;
    assert_eq!((video.codec, video.payload_type), (Codec::Vp8, 96));
    assert_eq!(video.rtx_payload_type, Some(97));
    assert_eq!(video.direction, Direction::SendOnly);
    assert_eq!(video.max_bitrate, Some(3_732_480));
    assert_eq!(
        chosen.audio.expect("audio").codec.direction,
        Direction::SendRecv
    );
}

#[test]
fn a_limit_in_the_older_form_is_read_too() {
    let most = |line: &str| {
        let text = ANSWER.replace("b=TIAS:3732480", line);
        let answer = Description::parse(&text).expect("SDP");
        let chosen = choose_in_answer(&answer, &OFFERED, &[Codec::Vp8]).expect("usable");
        chosen.video.expect("video").codec.max_bitrate
    };
    assert_eq!(most("b=AS:512"), Some(512_000));
    assert_eq!(most("b=AS:512\r\nb=TIAS:400000"), Some(400_000));
    assert_eq!(most("b=AS:99999999999"), None);
    assert_eq!(most("b=CT:512"), None);
}

#[test]
fn webrtc_sees_the_chosen_alone() {
    let answer = Description::parse(&expand_wildcard_feedback(ANSWER)).expect("SDP");
    let chosen = choose_in_answer(&answer, &OFFERED, &[Codec::Vp8]).expect("usable");
    let text = toward_webrtc(&answer, &chosen, &[]).expect("complete");
    for gone in [
        "VP9",
        "PCMU",
        "telephone-event",
        ".local",
        "tcptype",
        "max-fs",
    ] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    for kept in [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n",
        "a=rtcp-fb:96 nack pli\r\n",
        "a=ssrc-group:FID 1000 2000\r\n",
        "a=ssrc:3000 ",
        "a=extmap:4 http",
        "a=setup:active\r\n",
        "a=candidate:1 1 udp 2042888703 192.0.2.7 40000 typ host\r\n",
    ] {
        assert!(text.contains(kept), "{kept} not in {text}");
    }
    assert_eq!(text.matches("a=candidate:").count(), 1);
    assert!(Description::parse(&text).is_ok());
}

#[test]
fn a_rejected_m_line_is_none_and_webrtc_sees_it_rejected() {
    let rejected = ANSWER.replace("m=video 40000", "m=video 0");
    let rejected = rejected.replace("BUNDLE 0 1", "BUNDLE 0");
    let answer = Description::parse(&rejected).expect("SDP");
    let chosen = choose_in_answer(&answer, &OFFERED, &[Codec::Vp8]).expect("usable");
    assert!(chosen.video.is_none() && chosen.audio.is_some());
    let text = toward_webrtc(&answer, &chosen, &[(1, Kind::Video)]).expect("complete");
    assert!(text.contains("m=video 0 "), "{text}");
    assert!(text.contains("a=group:BUNDLE 0\r\n"), "{text}");
}

#[test]
fn main_video_is_chosen_wherever_it_stands_and_slides_never() {
    let slides = ANSWER
        .split("m=video")
        .nth(1)
        .expect("a video section")
        .replace("a=content:main", "a=content:slides")
        .replace("a=mid:1", "a=mid:2");
    let (before, video) = ANSWER.split_once("m=video").expect("a video section");
    let offer =
        format!("{before}m=video{slides}m=video{video}").replace("BUNDLE 0 1", "BUNDLE 0 2 1");
    let offer = Description::parse(&offer).expect("SDP");
    let both = Some(Direction::SendRecv);
    let chosen = choose(&offer, both, both, &[Codec::Vp8, Codec::Av1]);
    let video = chosen.video.expect("video");
    assert_eq!((video.index, video.codec.mid.as_str()), (2, "1"));
    // The offer says which one is preferred, and one of ours it has to be.
    let chosen = |codecs: &[Codec]| Some(choose(&offer, both, both, codecs).video?.codec.codec);
    assert_eq!(chosen(&[Codec::Vp8, Codec::Vp9]), Some(Codec::Vp9));
    assert_eq!(chosen(&[Codec::Av1, Codec::Vp8]), Some(Codec::Vp8));
    assert_eq!(chosen(&[Codec::Av1]), None);
    assert!(choose(&offer, both, None, &[Codec::Vp8]).video.is_none());
}

#[test]
fn of_h264_the_payload_type_is_taken_that_is_in_our_form() {
    let h264 = |lines: &[(u8, &str)]| {
        let types: Vec<String> = lines.iter().map(|(pt, _)| pt.to_string()).collect();
        let maps: String = lines
            .iter()
            .map(|(pt, fmtp)| format!("a=rtpmap:{pt} H264/90000\r\na=fmtp:{pt} {fmtp}\r\n"))
            .collect();
        let text = ANSWER
            .replace("98 96 97 99", &types.join(" "))
            .replace("a=rtpmap:98 VP9/90000\r\n", &maps);
        Description::parse(&text).expect("SDP")
    };
    // As a browser offers it.
    let offer = h264(&[
        (
            102,
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
        ),
        (
            104,
            "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f",
        ),
        (
            106,
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        ),
    ]);
    let both = Some(Direction::SendRecv);
    let video = choose(&offer, both, both, &Codec::VIDEO)
        .video
        .expect("video");
    assert_eq!(
        (video.codec.codec, video.codec.payload_type),
        (Codec::H264, 106)
    );
    let chosen = choose(&offer, both, both, &[Codec::H264]);
    let text = toward_webrtc(&offer, &chosen, &[]).expect("complete");
    assert!(
        text.contains("a=fmtp:106 level-asymmetry-allowed=1;"),
        "{text}"
    );

    let refused = h264(&[(106, "packetization-mode=0;profile-level-id=42e01f")]);
    let refused = choose_in_answer(&refused, &OFFERED, &[Codec::H264]).expect_err("not ours");
    assert!(refused.contains("packetization mode 0"), "{refused}");
}

#[test]
fn candidates_are_told_apart() {
    let usable = |line: &str| matches!(read_candidate(line), Ok(RemoteCandidate::Usable(_)));
    let ignored = |line: &str| read_candidate(line) == Ok(RemoteCandidate::Ignored);
    assert!(usable("candidate:1 1 udp 1 192.0.2.1 5000 typ host"));
    assert!(usable(
        "a=candidate:1 1 UDP 1 2001:db8::1 5000 typ srflx raddr :: rport 9"
    ));
    assert!(ignored("candidate:1 1 udp 1 b2c.local 5000 typ host"));
    assert!(ignored("candidate:1 2 udp 1 192.0.2.1 5000 typ host"));
    assert!(ignored(
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active"
    ));
    assert!(ignored("candidate:1 1 udp 1 0.0.0.0 5000 typ host"));
    assert_eq!(read_candidate(""), Ok(RemoteCandidate::End));
    assert_eq!(
        read_candidate("a=end-of-candidates"),
        Ok(RemoteCandidate::End)
    );
    for malformed in [
        "x",
        "candidate:1 1 udp 1 192.0.2.1",
        "candidate:1 1 udp 1 there 5 typ host",
    ] {
        assert!(read_candidate(malformed).is_err(), "{malformed}");
    }
}
