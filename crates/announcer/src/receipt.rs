//! What an announcement leaves behind.

use std::fmt;
use std::time::Duration;

use driver::{JoinTimes, StopReason};
use serde::{Serialize, Serializer};

use crate::{NotHeard, Verdict};

/// The truth about one announcement, for a person to read aloud and a program to read.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The conference.
    pub conference: String,
    /// What was announced.
    pub clip: String,
    /// Whether it was heard.
    pub verdict: Verdict,
    /// From the start until in the conference, in seconds; `null`: never.
    #[serde(serialize_with = "seconds")]
    pub joined_after: Option<Duration>,
    /// From the start until ICE was connected, in seconds.
    #[serde(serialize_with = "seconds")]
    pub ice_after: Option<Duration>,
    /// All steps of joining, in seconds.
    pub steps: JoinTimes,
    /// How long the clip is, in seconds.
    #[serde(serialize_with = "all_seconds")]
    pub length: Duration,
    /// How much of it the node received, in seconds.
    #[serde(serialize_with = "all_seconds")]
    pub received: Duration,
    /// Packets of the clip's sound that were sent, or of its picture if it has nothing else; 0 if it
    /// was not played to its end.
    pub packets_sent: u64,
    /// Those of them that did not reach the node: reported lost, or never reported.
    pub packets_lost: u64,
    /// What became of the picture beside the sound. The verdict is about the sound alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureReceipt>,
    /// Whether the clip was started although no report had named our streams.
    pub started_unreported: bool,
    /// Why nothing of the clip's picture was sent, if it has one and none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    /// Everyone else who was seen with media, by name.
    pub audience: Vec<String>,
    /// Whether no token was left behind.
    pub token_released: bool,
    /// Why we were told to stop, if we were, before there was a verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopReason>,
}

/// What became of a clip's picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PictureReceipt {
    /// How long the picture is, in seconds.
    #[serde(serialize_with = "all_seconds")]
    pub length: Duration,
    /// How much of it the node received, in seconds.
    #[serde(serialize_with = "all_seconds")]
    pub received: Duration,
    /// Packets of it that were sent.
    pub packets_sent: u64,
    /// Those of them that did not reach the node: reported lost, or never reported.
    pub packets_lost: u64,
}

impl Receipt {
    /// Returns whether the announcement was heard.
    pub fn is_heard(&self) -> bool {
        self.verdict == Verdict::Heard
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            conference, clip, ..
        } = self;
        match &self.verdict {
            Verdict::Heard => write!(f, "{clip} was heard in {conference}")?,
            Verdict::NotHeard(why) => write!(f, "{clip} was NOT heard in {conference}: {why}")?,
        }
        writeln!(f, ".")?;
        match self.joined_after {
            Some(after) => write!(f, "Joined after {:.2} s", after.as_secs_f64())?,
            None => f.write_str("Never joined")?,
        }
        if let Some(after) = self.ice_after {
            write!(f, ", ICE after {:.2} s", after.as_secs_f64())?;
        }
        let (received, length) = (self.received.as_secs_f64(), self.length.as_secs_f64());
        write!(
            f,
            "; received by the node for {received:.1} of {length:.1} s"
        )?;
        if self.packets_sent > 0 {
            write!(
                f,
                ", lost {} of {} packets",
                self.packets_lost, self.packets_sent
            )?;
        }
        if let Some(picture) = &self.picture {
            let PictureReceipt {
                length,
                received,
                packets_sent,
                packets_lost,
            } = picture;
            let (received, length) = (received.as_secs_f64(), length.as_secs_f64());
            write!(
                f,
                "; its picture for {received:.1} of {length:.1} s, lost {packets_lost} of {packets_sent} packets"
            )?;
        }
        if self.started_unreported {
            f.write_str("; started before the node reported us, its first words may be lost")?;
        }
        if let Some(why) = &self.unseen {
            write!(f, "; its picture was not sent: {why}")?;
        }
        match self.audience.as_slice() {
            [] => f.write_str("; nobody else with media was seen.")?,
            names => write!(f, "; with media in the roster: {}.", names.join(", "))?,
        }
        if !self.token_released {
            f.write_str(" The token could not be released and will expire by itself.")?;
        }
        Ok(())
    }
}

/// Says of which sort a reason is, for a receipt that was never begun.
impl From<NotHeard> for Verdict {
    fn from(why: NotHeard) -> Self {
        Self::NotHeard(why)
    }
}

fn seconds<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| value.as_secs_f64()).serialize(serializer)
}

fn all_seconds<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(verdict: Verdict) -> Receipt {
        Receipt {
            conference: "meet".into(),
            clip: "fire-drill.ogg".into(),
            verdict,
            joined_after: Some(Duration::from_millis(420)),
            ice_after: Some(Duration::from_millis(180)),
            steps: JoinTimes::default(),
            length: Duration::from_secs(12),
            received: Duration::from_secs(12),
            packets_sent: 600,
            packets_lost: 0,
            picture: None,
            started_unreported: false,
            unseen: None,
            audience: vec!["Alice".into(), "Bob".into()],
            token_released: true,
            stopped: None,
        }
    }

    #[test]
    fn a_person_can_read_it_aloud() {
        assert_eq!(
            receipt(Verdict::Heard).to_string(),
            "fire-drill.ogg was heard in meet.\n\
             Joined after 0.42 s, ICE after 0.18 s; received by the node for 12.0 of 12.0 s, lost \
             0 of 600 packets; with media in the roster: Alice, Bob."
        );
        let empty = receipt(Verdict::NotHeard(NotHeard::NobodyThere)).to_string();
        assert!(
            empty.starts_with("fire-drill.ogg was NOT heard in meet: nobody else"),
            "{empty}"
        );
    }

    #[test]
    fn a_picture_that_stayed_away_is_told() {
        let mut receipt = receipt(Verdict::Heard);
        receipt.unseen = Some("the node rejected our video".into());
        assert!(
            receipt
                .to_string()
                .contains("; its picture was not sent: the node rejected our video; "),
            "{receipt}"
        );
    }

    #[test]
    fn what_was_lost_of_the_picture_is_told_beside_the_sound() {
        let mut receipt = receipt(Verdict::Heard);
        receipt.picture = Some(PictureReceipt {
            length: Duration::from_secs(12),
            received: Duration::from_secs(8),
            packets_sent: 900,
            packets_lost: 300,
        });
        assert!(
            receipt.to_string().contains(
                "lost 0 of 600 packets; its picture for 8.0 of 12.0 s, lost 300 of 900 packets; "
            ),
            "{receipt}"
        );
        let json = serde_json::to_value(&receipt).expect("plain values");
        assert_eq!(json["picture"]["packets_lost"], 300);
    }

    #[test]
    fn a_program_can_read_it() {
        let json = serde_json::to_value(receipt(Verdict::NotHeard(NotHeard::Missing {
            missing: 50,
            sent: 600,
        })))
        .expect("plain values");
        assert_eq!(json["verdict"]["not_heard"]["because"], "missing");
        assert_eq!(json["verdict"]["not_heard"]["detail"]["missing"], 50);
        assert_eq!(json["joined_after"], 0.42);
        assert_eq!(
            serde_json::to_value(Verdict::Heard).expect("plain"),
            "heard"
        );
    }
}
