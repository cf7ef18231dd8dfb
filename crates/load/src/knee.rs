//! The knee: how many callers a node holds, found by growing until it does not.

use serde::{Deserialize, Serialize};

/// The last level that held, and why the next one did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// Participants in each conference.
    pub participants: u32,
    /// Callers in all.
    pub callers: u32,
    /// What so many take of a node, in Pexip's unit.
    pub hd_ports: HdPorts,
    /// Participants in each conference at the level that did not hold; nothing if all did.
    pub broke_at: Option<u32>,
    /// Why it did not.
    pub end: KneeEnd,
}

/// Why a search for the knee ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KneeEnd {
    /// Every level held, up to the last.
    AllHeld,
    /// A threshold was missed.
    Threshold,
    /// The node had no room or no licence for somebody.
    Capacity,
    /// The generator was overloaded.
    Generator,
    /// It was stopped.
    Stopped,
}

/// Callers in HD ports, the unit of Pexip's capacity: sound alone is a twelfth, SD a half, Full HD
/// two. What a node counts them as depends on what it sends them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HdPorts {
    /// With sound alone; nothing if there was video.
    pub audio: Option<f64>,
    /// In SD; nothing if there was no video.
    pub sd: Option<f64>,
    /// In HD; nothing if there was no video.
    pub hd: Option<f64>,
    /// In Full HD; nothing if there was no video.
    pub full_hd: Option<f64>,
}

impl HdPorts {
    /// Returns what so many callers take.
    pub fn of(callers: u32, with_video: bool) -> Self {
        // As numbers can be written and read back without change.
        let ports = |each: f64| Some((f64::from(callers) * each * 1e6).round() / 1e6);
        let none = Self {
            audio: None,
            sd: None,
            hd: None,
            full_hd: None,
        };
        if with_video {
            Self {
                sd: ports(0.5),
                hd: ports(1.0),
                full_hd: ports(2.0),
                ..none
            }
        } else {
            Self {
                audio: ports(1.0 / 12.0),
                ..none
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_twelve_voices_two_sd_one_hd_and_half_a_full_hd() {
        assert_eq!(HdPorts::of(120, false).audio, Some(10.0));
        assert_eq!(HdPorts::of(120, false).hd, None);
        let video = HdPorts::of(120, true);
        let all = (video.audio, video.sd, video.hd, video.full_hd);
        assert_eq!(all, (None, Some(60.0), Some(120.0), Some(240.0)));
    }
}
