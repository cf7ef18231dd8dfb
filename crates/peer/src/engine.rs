//! webrtc, set up our way: codecs, feedback, timers, ciphers.

use std::{sync::Arc, time::Duration};

use media::{Codec, Kind};
use rtc::{
    ice::{mdns::MulticastDnsMode, network_type::NetworkType},
    media_stream::MediaStreamTrack,
    peer_connection::transport::RTCDtlsRole,
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
        RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters,
        RtpCodecKind,
    },
};
use webrtc::peer_connection::{
    MediaEngine, RTCConfiguration, RTCConfigurationBuilder, RTCIceServer, RTCIceTransportPolicy,
    SettingEngine, SettingEngineBuilder, SrtpProtectionProfile,
};

use crate::{
    PeerConfig, PeerError,
    sdp::{TRANSPORT_CC, offered_parameters},
    srtp::Keyring,
};

/// A connectivity check every 20 ms: the default, ten times that, is half of a join.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Checks for as long as ICE may take at all; the far end may learn of us late.
const MAX_CHECKS: u16 = 750;
/// How long a direct path may take to be found before a relayed one is used: the default, two
/// seconds, is what people behind firewalls would wait at every join.
const RELAY_PATIENCE: Duration = Duration::from_millis(500);
/// A relayed address is refreshed well before it is over, and a second time if its nonce was stale:
/// webrtc takes note of the new nonce, and does not ask again before the next time.
const RELAY_REFRESH: Duration = Duration::from_secs(60);

/// Payload types of our offers: the main one, and its retransmissions.
fn payload_types(codec: Codec) -> (u8, Option<u8>) {
    match codec {
        Codec::Opus => (111, None),
        Codec::Vp8 => (96, Some(97)),
        Codec::Vp9 => (98, Some(99)),
        Codec::H264 => (102, Some(103)),
        _ => (45, Some(46)),
    }
}

fn feedback(kind: Kind) -> Vec<RTCPFeedback> {
    let all: &[(&str, &str)] = match kind {
        Kind::Audio => &[("transport-cc", "")],
        Kind::Video => &[
            ("nack", ""),
            ("nack", "pli"),
            ("ccm", "fir"),
            ("goog-remb", ""),
            ("transport-cc", ""),
        ],
    };
    all.iter()
        .map(|(typ, parameter)| RTCPFeedback {
            typ: (*typ).to_owned(),
            parameter: (*parameter).to_owned(),
        })
        .collect()
}

pub(crate) fn codec_kind(kind: Kind) -> RtpCodecKind {
    match kind {
        Kind::Audio => RtpCodecKind::Audio,
        Kind::Video => RtpCodecKind::Video,
    }
}

fn rtp_codec(codec: Codec) -> RTCRtpCodec {
    let kind = codec.kind();
    let channels = match kind {
        Kind::Audio => 2,
        Kind::Video => 0,
    };
    RTCRtpCodec {
        mime_type: format!("{}/{}", kind.name(), codec.name()),
        clock_rate: codec.clock_rate(),
        channels,
        sdp_fmtp_line: offered_parameters(codec).to_owned(),
        rtcp_feedback: feedback(kind),
    }
}

/// A local track of one source, in `codec`.
pub(crate) fn track(codec: Codec, sources: (u32, u32), stream: &str) -> MediaStreamTrack {
    let kind = codec.kind();
    let (ssrc, repair) = sources;
    let rtx = payload_types(codec)
        .1
        .map(|_| RTCRtpRtxParameters { ssrc: repair });
    MediaStreamTrack::new(
        stream.to_owned(),
        format!("{stream}-{kind}"),
        kind.to_string(),
        codec_kind(kind),
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                rtx,
                ..Default::default()
            },
            codec: rtp_codec(codec),
            ..Default::default()
        }],
    )
}

/// `codecs` as webrtc wants them, each followed by its retransmissions.
pub(crate) fn codec_parameters(codecs: &[Codec]) -> Vec<RTCRtpCodecParameters> {
    let mut all = Vec::new();
    for codec in codecs {
        let (payload_type, rtx) = payload_types(*codec);
        all.push(RTCRtpCodecParameters {
            rtp_codec: rtp_codec(*codec),
            payload_type,
        });
        all.extend(rtx.map(|rtx| RTCRtpCodecParameters {
            rtp_codec: RTCRtpCodec {
                mime_type: "video/rtx".to_owned(),
                clock_rate: codec.clock_rate(),
                channels: 0,
                sdp_fmtp_line: format!("apt={payload_type}"),
                rtcp_feedback: Vec::new(),
            },
            payload_type: rtx,
        }));
    }
    all
}

/// Opus, and the video codecs in order of preference.
pub(crate) fn media_engine(video_codecs: &[Codec]) -> Result<MediaEngine, PeerError> {
    let mut engine = MediaEngine::default();
    let failed = |error| PeerError::stack("register codecs", &error);
    for (kind, codecs) in [
        (RtpCodecKind::Audio, &[Codec::Opus][..]),
        (RtpCodecKind::Video, video_codecs),
    ] {
        for parameters in codec_parameters(codecs) {
            engine.register_codec(parameters, kind).map_err(failed)?;
        }
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        let extension = RTCRtpHeaderExtensionCapability {
            uri: TRANSPORT_CC.to_owned(),
        };
        engine
            .register_header_extension(extension, kind, None)
            .map_err(failed)?;
    }
    Ok(engine)
}

/// Timers, ciphers, and the candidates we understand.
pub(crate) fn settings(config: &PeerConfig, keyring: Keyring) -> SettingEngine {
    // Where no other path is allowed, none is waited for.
    let relay_patience = if config.relay_only {
        Duration::ZERO
    } else {
        RELAY_PATIENCE
    };
    SettingEngineBuilder::new()
        .with_ice_timeouts(
            Some(config.disconnected_after),
            Some(config.failed_after),
            Some(config.consent_interval),
        )
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(MAX_CHECKS))
        .with_turn_allocation_refresh_interval_cap(RELAY_REFRESH)
        .with_relay_acceptance_min_wait(Some(relay_patience))
        .with_network_types(vec![NetworkType::Udp4, NetworkType::Udp6])
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_answering_dtls_role(RTCDtlsRole::Client)
        .with_crypto_provider(Arc::new(keyring))
        // GCM costs a third; the other is mandatory (RFC 8827 §6.5).
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        .build()
}

/// ICE servers and policy.
pub(crate) fn configuration(servers: Vec<RTCIceServer>, relay_only: bool) -> RTCConfiguration {
    let policy = if relay_only {
        RTCIceTransportPolicy::Relay
    } else {
        RTCIceTransportPolicy::All
    };
    RTCConfigurationBuilder::new()
        .with_ice_servers(servers)
        .with_ice_transport_policy(policy)
        .build()
}
