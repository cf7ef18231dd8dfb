//! Offers of all sorts, and the form of the answers.

use media::{Codec, Kind};
use peer::{Direction, Peer, PeerConfig, PeerError, Shard, Shards};

use crate::harness::{config, connected_call, frame, packet, side};

fn lines<'a>(sdp: &'a str, beginning: &str) -> Vec<&'a str> {
    sdp.lines()
        .filter(|line| line.starts_with(beginning))
        .collect()
}

async fn answer(config: PeerConfig, offer: &str) -> Result<String, PeerError> {
    let (peer, _events, answer) = Peer::answerer(&Shard::current(), config, offer).await?;
    peer.close().await;
    Ok(answer)
}

async fn offer(config: PeerConfig) -> String {
    let (peer, _events) = Peer::offerer(&Shard::current(), config).await.unwrap();
    let offer = peer.gathered_offer().await.unwrap();
    peer.close().await;
    offer
}

#[tokio::test]
async fn an_answer_has_the_form_of_a_real_nodes() {
    let answer = answer(config(), &offer(config()).await).await.unwrap();
    assert!(answer.starts_with("v=0\r\no=- "), "{answer}");
    let session: Vec<&str> = answer
        .lines()
        .take_while(|l| !l.starts_with("m="))
        .collect();
    assert!(session.iter().any(|line| line.starts_with("c=IN IP4 ")));
    assert!(session.contains(&"b=AS:3796"), "{session:?}");
    assert!(session.contains(&"a=group:BUNDLE 0 1"), "{session:?}");
    assert_eq!(lines(&answer, "m=").len(), 2);
    assert_eq!(lines(&answer, "a=setup:"), ["a=setup:active"; 2]);
    assert_eq!(lines(&answer, "b=TIAS:"), ["b=TIAS:3732480"]);
    assert_eq!(lines(&answer, "a=content:"), ["a=content:main"]);
    assert_eq!(lines(&answer, "a=label:"), ["a=label:11"]);
    assert_eq!(lines(&answer, "a=ssrc-group:FID ").len(), 1);
    let feedback = lines(&answer, "a=rtcp-fb:");
    assert!(feedback.contains(&"a=rtcp-fb:* nack pli"), "{feedback:?}");
    assert!(feedback.iter().all(|line| line.starts_with("a=rtcp-fb:* ")));
    let extensions = lines(&answer, "a=extmap:");
    assert!(!extensions.is_empty() && extensions.iter().all(|l| l.contains("transport-wide-cc")));
    // Candidates in the first m-line alone.
    let mut sections = answer.split("\r\nm=").skip(1);
    let with = |section: Option<&str>| section.unwrap().contains("a=candidate:");
    assert!(with(sections.next()) && !with(sections.next()));
}

#[tokio::test]
async fn an_offer_is_complete_and_says_what_the_configuration_says() {
    let receiving = PeerConfig {
        audio: Some(Direction::RecvOnly),
        ..config()
    };
    let offer = offer(receiving).await;
    let sections: Vec<&str> = offer.split("\r\nm=").skip(1).collect();
    assert!(sections[0].starts_with("audio ") && sections[1].starts_with("video "));
    assert!(sections[0].contains("a=recvonly") && !sections[0].contains("a=ssrc:"));
    assert!(sections[1].contains("a=sendrecv") && sections[1].contains("a=ssrc:"));
    assert!(offer.contains("a=candidate:") && offer.contains("127.0.0.1"));
    assert!(sections[1].contains("a=rtcp-fb:96 ccm fir"), "{offer}");
    for codec in [
        "111 opus/48000/2",
        "96 VP8/90000",
        "97 rtx/90000",
        "45 AV1/90000",
        "46 rtx/90000",
    ] {
        assert!(offer.contains(&format!("a=rtpmap:{codec}")), "{offer}");
    }
    assert!(offer.contains("useinbandfec=1"));
}

#[tokio::test]
async fn video_without_the_nodes_codec_is_rejected_and_sound_goes_on() {
    let caller = PeerConfig {
        video_codecs: vec![Codec::Vp8],
        ..config()
    };
    let node = PeerConfig {
        video_codecs: vec![Codec::Av1],
        ..config()
    };
    let mut call = connected_call(caller, node).await;
    assert!(
        lines(&call.answer, "m=video 0 ").len() == 1,
        "{}",
        call.answer
    );
    let negotiated = call.caller.peer.negotiated();
    assert!(negotiated.video.is_none() && negotiated.audio.is_some());
    assert!(call.caller.peer.sender(Kind::Video).is_none());
    let sender = call.caller.peer.sender(Kind::Audio).unwrap();
    sender.send(&frame(Codec::Opus, 7, 1), 0).unwrap();
    let mut track = call.node.track(Kind::Audio).await;
    assert_eq!(packet(&mut track).await.payload[..4], [0, 0, 0, 7]);
}

#[tokio::test]
async fn the_answer_takes_one_codec_and_that_one_is_used() {
    let node = PeerConfig {
        video_codecs: vec![Codec::Av1],
        ..config()
    };
    let mut call = connected_call(config(), node).await;
    assert!(!call.answer.contains("VP8"), "{}", call.answer);
    let sender = call.caller.peer.sender(Kind::Video).unwrap();
    assert_eq!(sender.codec(), Codec::Av1);
    sender.send(&frame(Codec::Av1, 3, 2), 0).unwrap();
    let mut track = call.node.track(Kind::Video).await;
    assert_eq!(track.codec(), Codec::Av1);
    assert_eq!(packet(&mut track).await.payload[..4], [0, 0, 0, 3]);
    // The repair stream, reports and feedback are bound to that codec too.
    track.request_key_frame();
    call.caller
        .wait("key-frame request", |event| match event {
            peer::PeerEvent::KeyFrameRequested { kind } => Ok(kind),
            other => Err(other),
        })
        .await;
}

/// What official clients add: slides in a second video m-line, and a data channel.
#[tokio::test]
async fn slides_are_held_inactive_and_data_channels_rejected() {
    let offer = offer(config()).await;
    let video = offer.split("\r\nm=").nth(2).unwrap().to_owned();
    let transport: String = video
        .lines()
        .filter(|line| {
            ["a=ice-", "a=fingerprint", "a=setup"]
                .iter()
                .any(|kept| line.starts_with(kept))
        })
        .map(|line| format!("{line}\r\n"))
        .collect();
    let fuller = offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2 3")
        + "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=rtcp-mux\r\n\
           a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
           a=content:slides\r\na=inactive\r\n"
        + &transport
        + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\n"
        + &transport;
    let answer = answer(config(), &fuller).await.unwrap();
    let sections: Vec<&str> = answer.split("\r\nm=").skip(1).collect();
    assert_eq!(sections.len(), 4, "{answer}");
    assert!(sections[2].contains("a=inactive") && sections[2].contains("a=content:slides"));
    assert!(!sections[2].starts_with("video 0 "), "{answer}");
    assert!(sections[3].starts_with("application 0 "), "{answer}");
    assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n"), "{answer}");
    // Two video m-lines and sound.
    assert!(answer.contains("b=AS:7528\r\n"), "{answer}");
}

#[tokio::test]
async fn candidates_may_trickle_in_later_and_mdns_names_are_ignored() {
    let shards = Shards::new(1).unwrap();
    let (peer, events) = Peer::offerer(&shards.next(), config()).await.unwrap();
    let mut caller = side(peer, events);
    let offer = caller.peer.create_offer().await.unwrap();
    let bare: String = offer
        .lines()
        .filter(|line| !line.starts_with("a=candidate") && *line != "a=end-of-candidates")
        .map(|line| format!("{line}\r\n"))
        .collect();
    let (peer, events, answer) = Peer::answerer(&shards.next(), config(), &bare)
        .await
        .unwrap();
    let mut node = side(peer, events);
    let local = caller
        .wait("candidate", |event| match event {
            peer::PeerEvent::LocalCandidate {
                candidate,
                mid,
                ufrag,
            } => Ok((candidate, mid, ufrag)),
            other => Err(other),
        })
        .await;
    assert!(local.0.starts_with("candidate:"), "{local:?}");
    assert_eq!(local.1, "0");
    assert!(
        offer.contains(&format!("a=ice-ufrag:{}\r\n", local.2)),
        "{local:?}"
    );
    let add = |line: &'static str| node.peer.add_candidate(line, Some("0"), None);
    add("candidate:1 1 udp 2122 4f3a2b1c-aaaa.local 5000 typ host")
        .await
        .unwrap();
    add("candidate:1 1 tcp 2122 127.0.0.1 9 typ host tcptype active")
        .await
        .unwrap();
    add("").await.unwrap();
    assert!(add("candidate:nonsense").await.is_err());
    assert!(
        add("candidate:1 1 udp x 127.0.0.1 9 typ host")
            .await
            .is_err()
    );
    // Even with no candidate of the caller's: its checks make a peer-reflexive one.
    caller.peer.set_answer(&answer).await.unwrap();
    caller.connected().await;
    node.connected().await;
}

#[tokio::test]
async fn malformed_sdp_is_a_typed_error() {
    let good = offer(config()).await;
    let without = |beginning: &str| -> String {
        good.lines()
            .filter(|line| !line.starts_with(beginning))
            .map(|line| format!("{line}\r\n"))
            .collect()
    };
    let bad = [
        String::new(),
        "hello".into(),
        "v=0\r\n".into(),
        "v=0\r\nm=audio\r\n".into(),
        "v=0\r\nm=audio x UDP/TLS/RTP/SAVPF 111\r\n".into(),
        without("a=ice-ufrag"),
        without("a=ice-pwd"),
        without("a=fingerprint"),
        without("a=group"),
        good.replace("opus", "silk").replace("/90000", "/90001"),
        good.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz"),
        "v=0\r\n".to_owned() + &"m=audio 9 x 0\r\n".repeat(1000),
        "a=".repeat(200_000),
    ];
    for sdp in bad {
        let result = answer(config(), &sdp).await;
        assert!(
            matches!(result, Err(PeerError::MalformedSdp { what: "offer", .. })),
            "{result:?} for {sdp:.80}"
        );
    }
    // The same text, whole, is fine.
    answer(config(), &good).await.unwrap();
}

/// Texts cut and bent at random: an error or an answer, never a panic.
#[tokio::test]
async fn bent_offers_never_panic() {
    let good = offer(config()).await;
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..150 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = random.u8(32..127),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random.u8(32..127)),
            }
        }
        let _ = answer(config(), &String::from_utf8_lossy(&bytes)).await;
    }
}

#[tokio::test]
async fn answers_that_cannot_be_carried_out_are_refused_in_words() {
    let (peer, _events) = Peer::offerer(&Shard::current(), config()).await.unwrap();
    let offer = peer.gathered_offer().await.unwrap();
    let good = answer(config(), &offer).await.unwrap();
    let audio_only = good.split("\r\nm=video").next().unwrap().to_owned() + "\r\n";
    for (sdp, reason) in [
        (audio_only, "1 m-lines in answer to 2"),
        (good.replace("a=group:BUNDLE 0 1\r\n", ""), "not bundled"),
        (good.replace("VP8", "VP7"), "none of our video codecs"),
        (
            good.replace("m=audio", "m=video"),
            "m-line 0 is video where audio was offered",
        ),
    ] {
        let error = peer.set_answer(&sdp).await.unwrap_err();
        assert!(matches!(error, PeerError::UnusableAnswer(_)), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    // None of these has done any harm.
    peer.set_answer(&good).await.unwrap();
}
