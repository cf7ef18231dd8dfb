//! The knee: how many callers a node holds, found by growing until it does not.

use serde::{Deserialize, Serialize};

use crate::{Judged, Threshold, Unit};

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
    /// All levels that were run, one after the other.
    #[serde(default)]
    pub levels: Vec<KneeLevel>,
}

/// One level of a search for the knee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KneeLevel {
    /// Participants in each conference.
    pub participants: u32,
    /// Callers in all.
    pub callers: u32,
    /// What so many take of a node.
    pub hd_ports: HdPorts,
    /// Whether it held.
    pub held: bool,
    /// How the thresholds fared.
    pub thresholds: Vec<Judged>,
    /// Callers that the node had no room for.
    pub refused: u64,
}

/// The figure by which the levels are told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct KneeFigure {
    /// What it is, as its threshold names it.
    pub what: String,
    /// Its unit.
    pub unit: Unit,
    /// What it is held against.
    pub limit: f64,
    /// Participants in each conference, and what was measured with them.
    pub points: Vec<(u32, f64)>,
}

impl Knee {
    /// The figure that broke; where none did, the first that was measured.
    pub fn figure(&self) -> Option<KneeFigure> {
        let points = |measured: &dyn Fn(&KneeLevel) -> Option<f64>| -> Vec<(u32, f64)> {
            let levels = self.levels.iter();
            levels
                .filter_map(|level| Some((level.participants, measured(level)?)))
                .collect()
        };
        if self.end == KneeEnd::Capacity {
            return Some(KneeFigure {
                what: "callers without room".to_owned(),
                unit: Unit::Count,
                limit: 0.0,
                points: points(&|level| Some(level.refused as f64)),
            });
        }
        let last = self.levels.last()?;
        let missed = last.thresholds.iter().position(|judged| !judged.holds);
        let number = missed.or_else(|| {
            let mut all = last.thresholds.iter();
            all.position(|judged| judged.measured.is_some())
        })?;
        let threshold: Threshold = last.thresholds[number].threshold.parse().ok()?;
        Some(KneeFigure {
            what: threshold.to_string(),
            unit: threshold.unit(),
            limit: threshold.limit(),
            points: points(&|level| level.thresholds.get(number)?.measured),
        })
    }

    /// What was found, in a line.
    pub fn line(&self) -> String {
        let next = self.broke_at.unwrap_or_default();
        let end = match self.end {
            KneeEnd::AllHeld => "all levels held: raise participants to find the limit".to_owned(),
            KneeEnd::Threshold => format!("with {next} a threshold broke"),
            KneeEnd::Capacity => format!("for {next} the node had no room"),
            KneeEnd::Generator => format!("with {next} the generator was overloaded"),
            KneeEnd::Stopped => format!("stopped with {next}"),
        };
        format!(
            "The last level that held: {} participants a conference, {} callers, {} ({end})",
            self.participants,
            self.callers,
            self.hd_ports.told()
        )
    }
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

    /// The ports in words.
    pub fn told(&self) -> String {
        match (self.audio, self.sd, self.hd, self.full_hd) {
            (_, Some(sd), Some(hd), Some(full)) => format!(
                "{sd:.1} HD ports if the node counts them as SD, {hd:.0} as HD, {full:.0} as Full HD"
            ),
            (audio, ..) => format!("{:.1} HD ports (sound alone)", audio.unwrap_or_default()),
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

    fn level(participants: u32, told: &str, holds: bool, refused: u64) -> KneeLevel {
        let measured = told.parse().ok();
        KneeLevel {
            participants,
            callers: participants * 2,
            hd_ports: HdPorts::of(participants * 2, false),
            held: holds && refused == 0,
            thresholds: vec![
                Judged {
                    threshold: "failures == 0".to_owned(),
                    measured: Some(0.0),
                    told: "0".to_owned(),
                    holds: true,
                },
                Judged {
                    threshold: "join.total.p95 < 2s".to_owned(),
                    measured,
                    told: told.to_owned(),
                    holds,
                },
            ],
            refused,
        }
    }

    fn knee(video: bool, end: KneeEnd) -> Knee {
        Knee {
            participants: 12,
            callers: 24,
            hd_ports: HdPorts::of(24, video),
            broke_at: Some(18),
            end,
            levels: vec![
                level(6, "0.2", true, 0),
                level(12, "0.9", true, 0),
                level(18, "3.5", end != KneeEnd::Threshold, 3),
            ],
        }
    }

    #[test]
    fn the_knee_is_told_in_ports() {
        assert_eq!(
            knee(false, KneeEnd::Capacity).line(),
            "The last level that held: 12 participants a conference, 24 callers, 2.0 HD ports (sound \
             alone) (for 18 the node had no room)"
        );
        assert!(
            knee(true, KneeEnd::Threshold)
                .line()
                .contains("12.0 HD ports if the node counts them as SD, 24 as HD, 48 as")
        );
    }

    #[test]
    fn levels_are_told_apart_by_what_broke() {
        let figure = |end| knee(false, end).figure().expect("measured");
        let broke = figure(KneeEnd::Threshold);
        assert_eq!(
            (broke.what.as_str(), broke.limit),
            ("join.total.p95 < 2s", 2.0)
        );
        assert_eq!(broke.points, [(6, 0.2), (12, 0.9), (18, 3.5)]);
        let full = figure(KneeEnd::Capacity);
        assert_eq!((full.unit, full.points[2]), (Unit::Count, (18, 3.0)));
        assert_eq!(figure(KneeEnd::AllHeld).what, "failures == 0");
        let empty = Knee {
            levels: vec![],
            ..knee(false, KneeEnd::Stopped)
        };
        assert_eq!(empty.figure(), None);
    }
}
