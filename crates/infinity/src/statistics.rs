//! `statistics`: what a client tells the node about its own media.

use serde::{Deserialize, Serialize};

/// The body of `statistics`. What is not measured is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statistics {
    /// Sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<MediaStatistics>,
    /// The main picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<MediaStatistics>,
    /// The presentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation: Option<MediaStatistics>,
}

/// What was measured of one kind of media, both ways: `rx_` came in, `tx_` went out.
///
/// "Recent" losses are those of the last few seconds, as the client sees fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaStatistics {
    /// Bit rate, in kbit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_bitrate: Option<f64>,
    /// Name of the codec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_codec: Option<String>,
    /// Pictures a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_fps: Option<f64>,
    /// Packets lost since the beginning, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_historic_packet_loss: Option<f64>,
    /// Interarrival jitter (RFC 3550 §6.4.1), in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_jitter: Option<f64>,
    /// Packets lost since the beginning; negative where more came than were sent (RFC 3550 §6.4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_packets_lost: Option<i64>,
    /// Packets received since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_packets_received: Option<u64>,
    /// Size of the picture, such as `1280x720`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_resolution: Option<String>,
    /// Packets lost recently, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_windowed_packet_loss: Option<f64>,
    /// Bit rate, in kbit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_bitrate: Option<f64>,
    /// Name of the codec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_codec: Option<String>,
    /// Pictures a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_fps: Option<f64>,
    /// Packets lost since the beginning as the far end reports, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_historic_packet_loss: Option<f64>,
    /// Packets sent since the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_packets_sent: Option<u64>,
    /// Interarrival jitter as the far end reports it, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_rb_jitter: Option<f64>,
    /// Packets lost since the beginning as the far end reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_rb_packetslost: Option<i64>,
    /// Size of the picture, such as `1280x720`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_resolution: Option<String>,
    /// Packets lost recently as the far end reports, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_windowed_packet_loss: Option<f64>,
}
