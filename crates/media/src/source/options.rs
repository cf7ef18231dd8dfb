//! What may be said of a source after `#`, in the manner of W3C Media Fragments.

use std::fmt;
use std::time::Duration;

use super::text::{escape, unescape};
use crate::codec::Codec;

/// The options of a source; each at its default where nothing is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceOptions {
    /// `t=START,END`: where to begin.
    pub start: Duration,
    /// `t=START,END`: where to end; at its own end where it has one, else never.
    pub end: Option<Duration>,
    /// `loop=N`: how often it plays; as the command has it where nothing is said.
    pub rounds: Option<u32>,
    /// `gap=SECONDS`: silence, and the last picture, before it plays again.
    pub gap: Duration,
    /// `gain=DB`: how much louder, or quieter, the sound is made.
    pub gain: Option<f64>,
    /// `fade=SECONDS` or `fade=IN,OUT`: how long the sound takes to come.
    pub fade_in: Duration,
    /// How long it takes to go.
    pub fade_out: Duration,
    /// `loudness=LUFS`: the loudness to bring the sound to (EBU R 128).
    pub loudness: Option<f64>,
    /// `voice=NAME`: the voice or language of speech.
    pub voice: Option<String>,
    /// `speed=WORDS`: how many words of speech a minute.
    pub speed: Option<u16>,
    /// `size=WIDTHxHEIGHT`: the size of a picture that is drawn here, or asked of a camera.
    pub size: Option<(usize, usize)>,
    /// `each=SECONDS`: how long each slide shows that says nothing itself.
    pub each: Option<Duration>,
    /// `crossfade=SECONDS`: how long one slide takes to become the next; 0 is a cut.
    pub crossfade: Duration,
    /// `seed=N`: which babble.
    pub seed: Option<u64>,
    /// `rate=N`: pictures a second that are asked of a camera.
    pub rate: Option<u32>,
    /// `restart`: whether a command is started again when it has ended.
    pub restart: bool,
    /// `listen`: whether others connect to us, one at a time.
    pub listen: bool,
    /// `codec=NAME`: what packets hold.
    pub codec: Option<Codec>,
    /// `pt=N`: their payload type; any where nothing is said.
    pub payload_type: Option<u8>,
}

/// The loudness of broadcasts (EBU R 128), which `loudness` alone means.
const BROADCAST: f64 = -23.0;
/// The longest fade, gap or crossfade: what fades out waits in memory meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// The largest picture that is drawn here.
const LARGEST: (usize, usize) = (1920, 1080);

impl SourceOptions {
    /// Reads one option into its place.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it and what may stand there.
    pub(super) fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        let given = value.unwrap_or_default();
        match key {
            "t" => (self.start, self.end) = interval(given)?,
            "loop" => {
                let rounds = given.parse().ok().filter(|rounds| *rounds > 0);
                self.rounds = Some(rounds.ok_or("`loop` is how often to play, as in `loop=3`")?);
            }
            "gap" => self.gap = pause(given).ok_or("`gap` is seconds up to 600, as in `gap=2`")?,
            "gain" => {
                let gain = number(given, -60.0..=40.0);
                self.gain = Some(gain.ok_or("`gain` is decibels from -60 to 40, as in `gain=-6`")?);
            }
            "fade" => {
                let (first, second) = given.split_once(',').unwrap_or((given, given));
                let fades = pause(first).zip(pause(second));
                (self.fade_in, self.fade_out) = fades
                    .ok_or("`fade` is seconds up to 600, as in `fade=0.5`, or `fade=IN,OUT`")?;
            }
            "loudness" => {
                let loudness = value.map_or(Some(BROADCAST), |v| number(v, -70.0..=-5.0));
                let what =
                    "`loudness` is LUFS from -70 to -5, as in `loudness=-16`; alone it is -23";
                self.loudness = Some(loudness.ok_or(what)?);
            }
            "voice" => {
                let voice = unescape(given);
                let is_sign = |c: char| c.is_ascii_alphanumeric() || "+-_".contains(c);
                if voice.is_empty() || voice.starts_with('-') || !voice.chars().all(is_sign) {
                    let what = "`voice` is one that `espeak-ng --voices` names, as in `voice=de`";
                    return Err(what.into());
                }
                self.voice = Some(voice);
            }
            "speed" => {
                let speed = given
                    .parse()
                    .ok()
                    .filter(|words| (80..=450).contains(words));
                self.speed =
                    Some(speed.ok_or("`speed` is 80 to 450 words a minute, as in `speed=150`")?);
            }
            "size" => {
                let what = "`size` is even, from 32x32 to 1920x1080, as in `size=1280x720`";
                self.size = Some(size(given).ok_or(what)?);
            }
            "each" => {
                let each = pause(given).filter(|each| !each.is_zero());
                self.each = Some(each.ok_or("`each` is seconds up to 600, as in `each=5`")?);
            }
            "crossfade" => {
                let crossfade = pause(given);
                self.crossfade = crossfade
                    .ok_or("`crossfade` is seconds, as in `crossfade=0.5`, or 0 for a cut")?;
            }
            "seed" => {
                let seed = given.parse().ok();
                self.seed = Some(seed.ok_or("`seed` is a whole number, as in `seed=7`")?);
            }
            "rate" => {
                let rate = given.parse().ok().filter(|rate| (1..=120).contains(rate));
                let what = "`rate` is 1 to 120 pictures a second, as in `rate=30`";
                self.rate = Some(rate.ok_or(what)?);
            }
            "restart" | "listen" if value.is_some() => {
                return Err(format!("`{key}` takes no value"));
            }
            "restart" => self.restart = true,
            "listen" => self.listen = true,
            "codec" => {
                let codec = Codec::from_name(given);
                let what = "`codec` is opus, VP8, VP9, H264 or AV1, as in `codec=VP8`";
                self.codec = Some(codec.ok_or(what)?);
            }
            "pt" => {
                let number = given.parse().ok().filter(|number| *number <= 127);
                self.payload_type =
                    Some(number.ok_or("`pt` is a payload type, 0 to 127, as in `pt=96`")?);
            }
            // What may stand with a source is checked before.
            other => return Err(format!("`{other}` is not known")),
        }
        Ok(())
    }

    /// Tells whether the sound is changed, and not only cut or repeated.
    pub(crate) fn shapes_sound(&self) -> bool {
        self.gain.is_some()
            || self.loudness.is_some()
            || !self.fade_in.is_zero()
            || !self.fade_out.is_zero()
    }

    /// Tells whether a part of it is left out.
    pub(crate) fn is_cut(&self) -> bool {
        !self.start.is_zero() || self.end.is_some()
    }
}

/// Reads a size in even pixels.
pub(super) fn size(text: &str) -> Option<(usize, usize)> {
    let (width, height) = text.split_once('x')?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    let fits = (32..=LARGEST.0).contains(&width) && (32..=LARGEST.1).contains(&height);
    (fits && width % 2 == 0 && height % 2 == 0).then_some((width, height))
}

/// Reads normal play time (Media Fragments §4.2.1): `START`, `START,END` or `,END`.
fn interval(text: &str) -> Result<(Duration, Option<Duration>), String> {
    let what = || {
        "`t` is where to begin and where to end, in seconds or as MM:SS, as in `t=10`, `t=10,20` or \
         `t=,1:30`"
            .to_owned()
    };
    let text = text.strip_prefix("npt:").unwrap_or(text);
    let (start, end) = match text.split_once(',') {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let start = match start {
        "" if end.is_some() => Duration::ZERO,
        start => clock(start).ok_or_else(what)?,
    };
    let end = end.map(|end| clock(end).ok_or_else(what)).transpose()?;
    if end.is_some_and(|end| end <= start) {
        return Err("`t` ends before it begins".into());
    }
    Ok((start, end))
}

/// Reads seconds, minutes and seconds, or hours, minutes and seconds.
fn clock(text: &str) -> Option<Duration> {
    let (above, seconds) = text.rsplit_once(':').unwrap_or(("", text));
    let seconds = seconds_of(seconds)?;
    if above.is_empty() {
        return (!text.starts_with(':')).then_some(seconds);
    }
    let mut minutes: u64 = 0;
    let parts: Vec<&str> = above.split(':').collect();
    if parts.len() > 2 || seconds >= Duration::from_secs(60) {
        return None;
    }
    for part in parts {
        minutes = minutes * 60 + part.parse::<u64>().ok().filter(|n| *n < 100_000)?;
    }
    Some(seconds + Duration::from_secs(minutes * 60))
}

fn pause(text: &str) -> Option<Duration> {
    seconds_of(text).filter(|pause| *pause <= LONGEST_PAUSE)
}

/// Reads seconds with decimals, to the microsecond.
fn seconds_of(text: &str) -> Option<Duration> {
    let seconds = number(text, 0.0..=1e9)?;
    Some(Duration::from_micros((seconds * 1e6).round() as u64))
}

fn number(text: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    // `f64` would take "inf" and "1e3" as well.
    let is_plain = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let number = text.parse::<f64>().ok()?;
    (text.chars().all(is_plain) && range.contains(&number)).then_some(number)
}

impl fmt::Display for SourceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = Vec::new();
        let seconds = |time: Duration| time.as_secs_f64();
        match (self.start, self.end) {
            (Duration::ZERO, None) => {}
            (Duration::ZERO, Some(end)) => options.push(format!("t=0,{}", seconds(end))),
            (start, None) => options.push(format!("t={}", seconds(start))),
            (start, Some(end)) => options.push(format!("t={},{}", seconds(start), seconds(end))),
        }
        options.extend(self.rounds.map(|rounds| format!("loop={rounds}")));
        if !self.gap.is_zero() {
            options.push(format!("gap={}", seconds(self.gap)));
        }
        options.extend(self.gain.map(|gain| format!("gain={gain}")));
        options.extend(self.loudness.map(|loudness| format!("loudness={loudness}")));
        match (self.fade_in, self.fade_out) {
            (Duration::ZERO, Duration::ZERO) => {}
            (one, other) if one == other => options.push(format!("fade={}", seconds(one))),
            (one, other) => options.push(format!("fade={},{}", seconds(one), seconds(other))),
        }
        options.extend(self.voice.as_ref().map(|v| format!("voice={}", escape(v))));
        options.extend(self.speed.map(|speed| format!("speed={speed}")));
        options.extend(self.size.map(|(w, h)| format!("size={w}x{h}")));
        options.extend(self.each.map(|each| format!("each={}", seconds(each))));
        if !self.crossfade.is_zero() {
            options.push(format!("crossfade={}", seconds(self.crossfade)));
        }
        options.extend(self.seed.map(|seed| format!("seed={seed}")));
        options.extend(self.rate.map(|rate| format!("rate={rate}")));
        options.extend(self.restart.then(|| "restart".to_owned()));
        options.extend(self.listen.then(|| "listen".to_owned()));
        options.extend(self.codec.map(|codec| format!("codec={codec}")));
        options.extend(self.payload_type.map(|number| format!("pt={number}")));
        f.write_str(&options.join("&"))
    }
}
