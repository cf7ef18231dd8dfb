//! What is recorded, into how many files, and who else gets it: the flags of `join` and the keys of
//! `run`.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use driver::{CallerSettings, SinkSpec};
use media::{Codec, Kind, MediaError, RecordSettings};

/// The shortest and the smallest file that is worth one.
const SHORTEST: Duration = Duration::from_secs(2);
const SMALLEST: u64 = 100_000;

/// What is recorded, as written on the command line.
#[derive(Args, Debug)]
#[command(next_help_heading = "Recording")]
pub(crate) struct RecordArgs {
    /// Keep what is heard and seen, as it comes: .webm (VP8, VP9, AV1 and Opus), .mkv (H.264 too),
    /// .mp4 (H.264, VP9, AV1 and Opus), .ogg or .wav (sound alone), .ivf (picture alone). Can be
    /// played up to the last second, whatever ends it. %Y %m %d %H %M %S in the name stand for the
    /// time in UTC
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Begin a new file (FILE-2, FILE-3, …) after this time or size, at a key frame: 10m, 1h,
    /// 100MB; both may be given
    #[arg(long, value_name = "LIMIT", requires = "record", value_delimiter = ',')]
    record_rotate: Vec<Limit>,

    /// Keep so many complete files and remove the oldest
    #[arg(long, value_name = "COUNT", requires = "record", value_parser = clap::value_parser!(u32).range(1..))]
    record_keep: Option<u32>,

    /// Pass on what is heard or seen: speaker or speaker:DEVICE for a loudspeaker (`standin media
    /// devices` lists them), exec:COMMAND for a program that gets what is heard as WAV (48 kHz, one
    /// channel) on its standard input, exec:FORM:COMMAND with s16le, ogg, ivf, webm or mkv for FORM,
    /// or null. May be given more than once. Whatever becomes of it, the call goes on
    #[arg(long = "sink", value_name = "SINK")]
    sinks: Vec<SinkSpec>,

    /// Start the program of a --sink again when it has ended, after a pause
    #[arg(long, requires = "sinks")]
    sink_restart: bool,
}

impl RecordArgs {
    /// Returns who else gets what comes.
    pub(crate) fn sinks(&self) -> Vec<SinkSpec> {
        let sinks = self.sinks.iter().cloned();
        sinks
            .map(|sink| sink.restarting(self.sink_restart))
            .collect()
    }

    /// Returns what to record to.
    pub(crate) fn settings(&self) -> Option<RecordSettings> {
        self.record
            .as_deref()
            .map(|path| settings(path, &self.record_rotate, self.record_keep))
    }
}

/// Puts together what to record to.
pub(crate) fn settings(path: &Path, limits: &[Limit], keep: Option<u32>) -> RecordSettings {
    let mut settings = RecordSettings::new(path);
    for limit in limits {
        match limit {
            Limit::After(time) => settings.rotate_after = Some(*time),
            Limit::At(bytes) => settings.rotate_at = Some(*bytes),
        }
    }
    settings.keep = keep.map(|keep| keep as usize);
    settings
}

/// Why what comes can be kept, or passed on, in no form that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Unheld {
    /// The key of a configuration that asks for it.
    pub(crate) key: &'static str,
    reason: String,
}

impl Unheld {
    fn in_file(error: &MediaError) -> Self {
        Self {
            key: "media.record",
            reason: error.to_string(),
        }
    }
}

/// Has a caller record to `record`, beside its sinks.
///
/// # Errors
///
/// Fails if there are no such files, or if they or the sinks hold none of the codecs that are
/// offered, or not the one that is shown.
pub(crate) fn apply(
    record: Option<RecordSettings>,
    settings: &mut CallerSettings,
) -> Result<(), Unheld> {
    if let Some(record) = &record {
        record
            .container()
            .map_err(|error| Unheld::in_file(&error))?;
    }
    settings.record = record;
    if !settings.video {
        return Ok(());
    }
    // What is sent as it is decides what comes, and is given up neither for a file nor for a sink.
    let material = settings.program.material();
    let shown = material.and_then(|material| material.film_codec());
    if let Some(unheld) = shown.and_then(|codec| unheld(settings, codec)) {
        return Err(unheld);
    }
    if !settings.offered_video_codecs().is_empty() {
        return Ok(());
    }
    let first = settings.video_codecs.first();
    first
        .and_then(|codec| unheld(settings, *codec))
        .map_or(Ok(()), Err)
}

/// Returns who does not hold pictures of this codec, if anybody.
fn unheld(settings: &CallerSettings, codec: Codec) -> Option<Unheld> {
    let container = settings.record.as_ref().and_then(|to| to.container().ok());
    if let (Some(record), Some(container)) = (&settings.record, container)
        && container.takes(Kind::Video)
        && !container.holds(codec)
    {
        return Some(Unheld::in_file(&MediaError::Unwritable {
            path: record.path.clone(),
            reason: container.refusal(codec),
        }));
    }
    let mut sinks = settings.sinks.iter();
    sinks.find_map(|sink| {
        Some(Unheld {
            key: "media.sinks",
            reason: sink.refusal(codec)?,
        })
    })
}

/// When a new file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    After(Duration),
    At(u64),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no time and no size: write 90s, 10m or 1h, or 500KB, 100MB or 2GB")
        };
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let times = |factor: u64| number.checked_mul(factor).ok_or_else(wrong);
        let limit = match unit {
            "s" => Self::After(Duration::from_secs(number)),
            "m" => Self::After(Duration::from_secs(times(60)?)),
            "h" => Self::After(Duration::from_secs(times(3600)?)),
            "KB" | "kB" => Self::At(times(1_000)?),
            "MB" => Self::At(times(1_000_000)?),
            "GB" => Self::At(times(1_000_000_000)?),
            _ => return Err(wrong()),
        };
        match limit {
            Self::After(time) if time < SHORTEST => {
                Err(format!("{text} is too short for a file: 2s is the least"))
            }
            Self::At(bytes) if bytes < SMALLEST => Err(format!(
                "{text} is too small for a file: 100KB is the least"
            )),
            limit => Ok(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use driver::{HttpClient, Tls};

    use super::*;
    use crate::node_url::NodeUrl;

    #[test]
    fn where_no_codec_is_left_it_is_said_who_holds_it_not() {
        let applied = |codecs: &[Codec], sink: &str, file: Option<&str>| {
            let client = HttpClient::new(&Tls::Insecure).expect("a client");
            let node: NodeUrl = "http://127.0.0.1".parse().expect("an address");
            let conference = "meet".parse().expect("an alias");
            let mut settings = CallerSettings::new(client, node.address(), conference, "Listener");
            settings.video_codecs = codecs.to_vec();
            settings.sinks = vec![sink.parse().expect("a sink")];
            let applied = apply(file.map(RecordSettings::new), &mut settings);
            applied.map_err(|unheld| (unheld.key, unheld.to_string()))
        };
        let (webm, h264) = ("exec:webm:cat", [Codec::H264]);
        assert_eq!(applied(&Codec::VIDEO, webm, None), Ok(()));
        assert_eq!(applied(&h264, "exec:mkv:cat", None), Ok(()));
        let (key, said) = applied(&h264, webm, None).expect_err("WebM holds no H.264");
        assert_eq!(key, "media.sinks");
        assert!(said.contains("write exec:mkv:COMMAND"), "{said}");
        let in_webm = Some("heard.webm");
        let (key, said) = applied(&h264, webm, in_webm).expect_err("WebM holds no H.264");
        assert_eq!(key, "media.record");
        assert!(said.contains("record to .mkv"), "{said}");
        // Each holds one of them, and both hold none.
        let codecs = [Codec::Vp8, Codec::H264];
        let (key, _) = applied(&codecs, webm, Some("heard.mp4")).expect_err("nothing is left");
        assert_eq!(key, "media.record");
    }

    #[test]
    fn limits_are_times_or_sizes() {
        let secs = |n| Ok(Limit::After(Duration::from_secs(n)));
        assert_eq!("10m".parse(), secs(600));
        assert_eq!("90s".parse(), secs(90));
        assert_eq!("1h".parse(), secs(3600));
        assert_eq!("100MB".parse(), Ok(Limit::At(100_000_000)));
        for text in [
            "",
            "10",
            "m",
            "-1m",
            "1s",
            "1KB",
            "99999999999999999999s",
            "1.5h",
            "10 m",
        ] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }
}
