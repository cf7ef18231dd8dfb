//! One call as JSON: `in` is what comes from the client, `out` what goes to it.

use std::time::{Duration, Instant};

use peer::{Direction, IceConnectionState, NegotiatedCodec, ReceiverReport};
use serde_json::{Value, json};

use super::view::seconds;
use crate::conference::CallOverview;
use crate::room::CallCounters;

/// Bit rates over more than this say nothing about now.
const RECENT: Duration = Duration::from_secs(5);

/// A call as the conference and, once it has answered, the room know it.
pub(super) fn call(call: &CallOverview, figures: Option<&CallCounters>) -> Value {
    let mut value = json!({
        "uuid": call.uuid,
        "state": call.state,
        "present": call.present,
        "media": null,
    });
    if let Some(figures) = figures {
        value["media"] = media(figures, Instant::now());
    }
    value
}

fn media(figures: &CallCounters, now: Instant) -> Value {
    let stats = &figures.stats;
    let pair = stats.selected_candidate_pair.as_ref();
    let acked = figures.acknowledged;
    json!({
        "answered_ago": ago(now, figures.answered),
        "acked_ago": acked.map(|at| ago(now, at)),
        "ack_after": acked.map(|at| seconds(at.saturating_duration_since(figures.answered))),
        "ice": ice(figures.ice),
        "dtls": if figures.connected { "connected" } else { "waiting" },
        "dtls_cipher": stats.dtls_cipher,
        "srtp_cipher": stats.srtp_cipher,
        "candidate_pair": pair.map(|pair| json!({
            "local": pair.local,
            "local_type": pair.local_type,
            "remote": pair.remote,
            "remote_type": pair.remote_type,
        })),
        "round_trip_time": stats.round_trip_time.map(seconds_fine),
        "sees": figures.sees,
        "packets_discarded": stats.packets_discarded,
        "audio": audio(figures, now),
        "video": video(figures, now),
    })
}

fn audio(figures: &CallCounters, now: Instant) -> Value {
    let (inbound, outbound) = (&figures.stats.inbound_audio, &figures.stats.outbound_audio);
    json!({
        "negotiated": figures.negotiated.audio.as_ref().map(negotiated),
        "in": {
            "bit_rate": rate(figures, figures.rates.audio_in),
            "packets": inbound.packets_received,
            "bytes": inbound.bytes_received,
            "lost": inbound.packets_lost,
            "jitter": seconds_fine(inbound.jitter),
            "nacks_sent": inbound.nack_count,
            "late": figures.audio_late,
            "concealed": figures.audio_concealed,
            "dropped": figures.audio_dropped,
            "buffered": seconds(figures.audio_delay),
        },
        "out": {
            "bit_rate": rate(figures, figures.rates.audio_out),
            "packets": outbound.packets_sent,
            "bytes": outbound.bytes_sent,
            "retransmitted": outbound.retransmitted_packets_sent,
            "nacks_received": outbound.nack_count,
            "reported": reported(figures, media::Kind::Audio, now),
        },
    })
}

fn video(figures: &CallCounters, now: Instant) -> Value {
    let (inbound, outbound) = (&figures.stats.inbound_video, &figures.stats.outbound_video);
    json!({
        "negotiated": figures.negotiated.video.as_ref().map(negotiated),
        "in": {
            "bit_rate": rate(figures, figures.rates.video_in),
            "packets": inbound.packets_received,
            "bytes": inbound.bytes_received,
            "lost": inbound.packets_lost,
            "jitter": seconds_fine(inbound.jitter),
            "nacks_sent": inbound.nack_count,
            "frames": figures.video.frames_in,
            "key_frames": figures.video.key_frames_in,
            "key_frames_asked": figures.video.key_frames_asked,
        },
        "out": {
            "bit_rate": rate(figures, figures.rates.video_out),
            "packets": outbound.packets_sent,
            "bytes": outbound.bytes_sent,
            "retransmitted": outbound.retransmitted_packets_sent,
            "nacks_received": outbound.nack_count,
            "frames": figures.video.frames_out,
            "key_frames": figures.video.key_frames_out,
            "key_frames_asked": outbound.pli_count,
            "reported": reported(figures, media::Kind::Video, now),
        },
    })
}

fn negotiated(codec: &NegotiatedCodec) -> Value {
    json!({
        "codec": codec.codec.name(),
        "payload_type": codec.payload_type,
        "rtx_payload_type": codec.rtx_payload_type,
        // Seen from the node, as in its answer.
        "direction": match codec.direction {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        },
        "max_bit_rate": codec.max_bitrate,
    })
}

/// What the client's receiver reports say of what it gets.
fn reported(figures: &CallCounters, kind: media::Kind, now: Instant) -> Value {
    let Some((at, report)) = &figures.reported[kind as usize] else {
        return Value::Null;
    };
    let ReceiverReport {
        fraction_lost,
        packets_lost,
        jitter,
        round_trip_time,
        ..
    } = report;
    json!({
        "ago": ago(now, *at),
        "fraction_lost": fraction_lost,
        "lost": packets_lost,
        "jitter": seconds_fine(*jitter),
        "round_trip_time": round_trip_time.map(seconds_fine),
    })
}

fn ice(state: IceConnectionState) -> &'static str {
    match state {
        IceConnectionState::New => "new",
        IceConnectionState::Checking => "checking",
        IceConnectionState::Connected => "connected",
        IceConnectionState::Completed => "completed",
        IceConnectionState::Disconnected => "disconnected",
        IceConnectionState::Failed => "failed",
        IceConnectionState::Closed => "closed",
    }
}

/// A bit rate, where the time it was measured over is short enough to mean something.
fn rate(figures: &CallCounters, rate: u64) -> Option<u64> {
    let over = figures.rates.over;
    (!over.is_zero() && over <= RECENT).then_some(rate)
}

fn ago(now: Instant, at: Instant) -> f64 {
    seconds(now.saturating_duration_since(at))
}

/// A duration in seconds, to the microsecond: a jitter is often less than a millisecond.
fn seconds_fine(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e6
}
