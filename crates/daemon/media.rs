//! `standin media`: what a source holds, and what of it will be sent to which node; which devices there
//! are.

mod devices;
mod text;

use clap::{Args, Subcommand};
use media::{Absence, Acceptance, Codec, Description, Feed, Film, Kind, Reel, SourceSpec, Track};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::print;

const AFTER_HELP: &str = "\
A picture is sent as it is (`passed through`) where the node takes its codec and it suits a call: no
B-frames, not interlaced, 8 bits of 4:2:0, an even size up to 1080p, a key frame every 2 s at least, and
for H.264 a profile and level that the node decodes. Else it is decoded and encoded while it is played
(`transcoded`), up to 720p at 30 pictures a second; in AV1 up to 360p.

Ends with 2 if the source cannot be played.

Examples:
  standin media welcome.mp4
  standin media welcome.mp4 --json
  standin media 'exec:ffmpeg -v error -i rtsp://camera.example.com/ -an -c copy -f h264 -'
  standin media devices";

/// Say what a source holds, and what of it will be sent to which node, and why; or which devices there are.
///
/// Reads a whole file as it would be read before joining, and opens no socket; starts a live input for
/// as long as it takes to show what it holds. A file called `devices` is `./devices`.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct MediaArgs {
    #[command(subcommand)]
    command: Option<MediaCommand>,

    /// A file, or another source as `standin join --audio` and `--video` take it
    #[arg(value_name = "SOURCE", required = true)]
    source: Option<SourceSpec>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum MediaCommand {
    /// List microphones, speakers and cameras with what they give
    Devices(devices::DevicesArgs),
}

/// Runs the command.
pub(crate) fn media(args: &MediaArgs) -> Result<Exit, Failure> {
    match (&args.command, &args.source) {
        (Some(MediaCommand::Devices(args)), _) => Ok(devices::devices(args)),
        (None, Some(spec)) => describe(spec, args.json),
        (None, None) => Err(Failure::usage("name a source, or `devices`")),
    }
}

fn describe(spec: &SourceSpec, json: bool) -> Result<Exit, Failure> {
    if let Some(feed) = Feed::open(spec, Absence::Refused).map_err(Failure::usage)? {
        let holds = feed.holds();
        if json {
            print::json(&json!({ "source": spec.label(), "live": true, "holds": holds }));
        } else {
            let holds = holds.unwrap_or_else(|| "nobody has written to it yet".into());
            print::line(format_args!("{}: live: {holds}", spec.label()));
        }
        return Ok(Exit::Done);
    }
    let Some(description) = media::describe(spec).map_err(Failure::usage)? else {
        // Whatever is wrong with it is told now.
        if spec.may_be(Kind::Video) {
            Reel::open(spec).map_err(Failure::usage)?;
        }
        if json {
            print::json(&json!({ "source": spec.to_string(), "made": true }));
        } else {
            print::line(format_args!(
                "{spec}: made here, in whichever codec the node takes"
            ));
        }
        return Ok(Exit::Done);
    };
    let sent = match &description.picture {
        Some(film) => Codec::VIDEO.map(|codec| Sent::of(film, codec)).to_vec(),
        None => Vec::new(),
    };
    if let Some(film) = &description.picture
        && sent.iter().any(|sent| !sent.why.is_empty())
    {
        // Whoever would have to decode it could not.
        film.decode_first().map_err(Failure::usage)?;
    }
    if json {
        print::json(&object(spec, &description, &sent));
    } else {
        for line in text::lines(spec, &description, &sent) {
            print::line(line);
        }
    }
    Ok(Exit::Done)
}

/// What is sent to a node that takes one codec.
#[derive(Debug, Clone)]
struct Sent {
    codec: Codec,
    /// Why it is transcoded; nothing where it is passed through.
    why: Vec<String>,
    width: u32,
    height: u32,
    frame_rate: f64,
    bit_rate: u64,
}

impl Sent {
    fn of(film: &Film, codec: Codec) -> Self {
        let accepted = Acceptance::of(codec);
        let why = film.unsuitable(&accepted);
        if why.is_empty() {
            return Self {
                codec,
                why: Vec::new(),
                width: film.width,
                height: film.height,
                frame_rate: film.frame_rate(),
                bit_rate: film.bit_rate(),
            };
        }
        let settings = media::target(film, &accepted);
        Self {
            codec,
            why: why.iter().map(ToString::to_string).collect(),
            // At most 4096.
            width: settings.width as u32,
            height: settings.height as u32,
            frame_rate: settings.frame_rate.into(),
            bit_rate: settings.bit_rate.into(),
        }
    }

    fn object(&self) -> Value {
        json!({
            "codec": self.codec.name(),
            "passed_through": self.why.is_empty(),
            "why_not": self.why,
            "width": self.width,
            "height": self.height,
            "frame_rate": rounded(self.frame_rate),
            "bit_rate": self.bit_rate,
        })
    }
}

/// Returns what keeps whoever joins waiting for a picture that is passed through.
fn warning(film: &Film) -> Option<String> {
    let is_rare = film.longest_key_interval > Track::LONGEST_GOOD_KEY_INTERVAL;
    is_rare.then(|| {
        format!(
            "key frames are up to {:.1} s apart, so it is not passed through: whoever joins or loses a \
             packet would wait that long for a picture; one every second is good (for ffmpeg: `-g 30` at \
             30 pictures a second)",
            film.longest_key_interval.as_secs_f64()
        )
    })
}

fn object(spec: &SourceSpec, description: &Description, sent: &[Sent]) -> Value {
    let picture = description.picture.as_ref().map(|film| {
        json!({
            "codec": film.codec().map(Codec::name),
            "profile": film.character.profile,
            "level": film.character.level,
            "width": film.width,
            "height": film.height,
            "frame_rate": rounded(film.frame_rate()),
            "bit_rate": film.bit_rate(),
            "duration": film.duration.as_secs_f64(),
            "longest_key_interval": film.longest_key_interval.as_secs_f64(),
            "b_frames": film.character.is_reordered,
            "interlaced": film.character.is_interlaced,
            "warning": warning(film),
            "sent": sent.iter().map(Sent::object).collect::<Vec<_>>(),
        })
    });
    let sound = description.sound.as_ref().map(|sound| {
        json!({
            "codec": sound.codec,
            "sample_rate": sound.sample_rate,
            "channels": sound.channels,
            "duration": sound.duration.as_secs_f64(),
            "loudness_lufs": sound.loudness.map(rounded),
            "true_peak_dbtp": rounded(sound.true_peak),
            "sent": {
                "codec": Codec::Opus.name(),
                "passed_through": sound.why_transcoded.is_none(),
                "why_not": sound.why_transcoded,
                "bit_rate": sound.sent_bit_rate,
            },
        })
    });
    json!({
        "source": spec.to_string(),
        "container": description.container,
        "bytes": description.bytes,
        "duration": description.duration().as_secs_f64(),
        "picture": picture,
        "sound": sound,
    })
}

/// Two digits behind the point say enough.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
