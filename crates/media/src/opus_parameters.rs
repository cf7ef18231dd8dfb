//! What a receiver says of the Opus it wants: the format parameters of RFC 7587 §6.1.

use crate::opus::OpusSettings;

/// The parameters of an answer's `a=fmtp` line that a sender obeys; each at its default where the line
/// does not name it or names nonsense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpusParameters {
    /// `maxplaybackrate`, in samples a second.
    pub max_playback_rate: u32,
    /// `maxaveragebitrate`, in bits a second.
    pub max_average_bitrate: Option<u32>,
    /// `stereo`: whether two channels are preferred to one.
    pub stereo: bool,
    /// `useinbandfec`: whether redundancy is of use.
    pub use_inband_fec: bool,
    /// `usedtx`: whether silence is better not sent.
    pub use_dtx: bool,
}

impl Default for OpusParameters {
    fn default() -> Self {
        Self {
            max_playback_rate: 48_000,
            max_average_bitrate: None,
            stereo: false,
            use_inband_fec: false,
            use_dtx: false,
        }
    }
}

impl OpusParameters {
    /// Reads what follows the payload type: `name=value` pairs between semicolons.
    pub fn read(line: &str) -> Self {
        let mut parameters = Self::default();
        for pair in line.split(';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            let number = value.parse::<u32>().ok();
            match (name.as_str(), number) {
                ("maxplaybackrate", Some(rate @ 8_000..=48_000)) => {
                    parameters.max_playback_rate = rate;
                }
                ("maxaveragebitrate", Some(rate @ 6_000..=510_000)) => {
                    parameters.max_average_bitrate = Some(rate);
                }
                ("stereo", Some(value)) => parameters.stereo = value == 1,
                ("useinbandfec", Some(value)) => parameters.use_inband_fec = value == 1,
                ("usedtx", Some(value)) => parameters.use_dtx = value == 1,
                _ => {}
            }
        }
        parameters
    }
}

/// What an operator allows of what receivers may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusWishes {
    /// Bits a second of one channel; two take twice as much.
    pub bit_rate: u32,
    /// Whether redundancy is sent to whoever can use it.
    pub fec: bool,
    /// Whether silence is left out for whoever asks for that.
    pub dtx: bool,
    /// Whether two channels are sent to whoever prefers them.
    pub stereo: bool,
}

impl Default for OpusWishes {
    fn default() -> Self {
        Self {
            bit_rate: OpusSettings::default().bit_rate,
            fec: true,
            dtx: true,
            stereo: true,
        }
    }
}

impl OpusWishes {
    /// Returns how to encode for a receiver with these parameters.
    pub fn towards(&self, parameters: &OpusParameters) -> OpusSettings {
        let channels = if self.stereo && parameters.stereo {
            2
        } else {
            1
        };
        OpusSettings {
            channels,
            bit_rate: self.bit_rate.saturating_mul(channels.into()),
            fec: self.fec && parameters.use_inband_fec,
            dtx: self.dtx && parameters.use_dtx,
            playback_rate: parameters.max_playback_rate,
            limit: parameters.max_average_bitrate,
        }
    }

    /// Returns how to encode before anybody has said anything: for one who takes redundancy and nothing
    /// else, as nearly all nodes do.
    pub fn expected(&self) -> OpusSettings {
        self.towards(&OpusParameters {
            use_inband_fec: true,
            ..OpusParameters::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_leniently() {
        let read = OpusParameters::read(
            "minptime=10; useinbandfec=1;stereo=1;MaxAverageBitrate=20000;usedtx=1;maxplaybackrate=16000;x",
        );
        assert_eq!(read.max_playback_rate, 16_000);
        assert_eq!(read.max_average_bitrate, Some(20_000));
        assert!(read.stereo && read.use_inband_fec && read.use_dtx);
        let nonsense = "stereo=yes;maxaveragebitrate=0;maxplaybackrate=1;usedtx=0";
        assert_eq!(OpusParameters::read(nonsense), OpusParameters::default());
        assert_eq!(OpusParameters::read(""), OpusParameters::default());
    }

    #[test]
    fn what_is_asked_for_and_allowed_is_done() {
        let all = OpusParameters::read("useinbandfec=1;stereo=1;usedtx=1;maxaveragebitrate=20000");
        let wishes = OpusWishes::default();
        let settings = wishes.towards(&all);
        assert_eq!((settings.channels, settings.bit_rate), (2, 96_000));
        assert_eq!(settings.limit, Some(20_000));
        assert!(settings.fec && settings.dtx);
        let none = OpusWishes {
            fec: false,
            dtx: false,
            stereo: false,
            ..wishes
        };
        let settings = none.towards(&all);
        assert_eq!((settings.channels, settings.bit_rate), (1, 48_000));
        assert!(!settings.fec && !settings.dtx);
        // RFC 7587 §6.1: whoever does not say so has no use for redundancy.
        assert!(!wishes.towards(&OpusParameters::default()).fec);
        assert_eq!(wishes.expected(), OpusSettings::default());
    }
}
