//! The description, for people.

use std::time::Duration;

use media::{Codec, Description, Film, Sound, SourceSpec};

use super::{Sent, warning};

/// Returns the lines to print.
pub(super) fn lines(spec: &SourceSpec, description: &Description, sent: &[Sent]) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}, {}, {}",
        spec,
        description.container,
        size(description.bytes),
        time(description.duration())
    )];
    if let Some(film) = &description.picture {
        lines.push(format!("  picture  {}", picture(film)));
        lines.extend(warning(film).map(|warning| format!("  warning  {warning}")));
    }
    if let Some(loud) = &description.sound {
        lines.push(format!("  sound    {}", sound(loud)));
    }
    lines.push("sent to a node that takes".into());
    lines.extend(sent.iter().map(row));
    if let Some(sound) = &description.sound {
        let rate = bit_rate(sound.sent_bit_rate);
        lines.push(match &sound.why_transcoded {
            None => format!("  Opus   passed through, {rate}"),
            Some(why) => format!("  Opus   transcoded, {rate}: {why}"),
        });
    }
    lines
}

fn picture(film: &Film) -> String {
    let character = &film.character;
    let mut codec = film.codec().map_or("not encoded", name).to_owned();
    if let Some(profile) = &character.profile {
        codec += &format!(" {profile}");
    }
    if let Some(level) = &character.level {
        codec += &format!(", level {level}");
    }
    let mut parts = vec![
        codec,
        format!("{}x{}", film.width, film.height),
        format!("{} pictures a second", number(film.frame_rate())),
        bit_rate(film.bit_rate()),
    ];
    if film.codec().is_some() {
        let interval = film.longest_key_interval.as_secs_f64();
        parts.push(format!("a key frame every {} s", number(interval)));
        parts.push(if character.is_reordered {
            "B-frames".into()
        } else {
            "no B-frames".into()
        });
    }
    if character.is_interlaced {
        parts.push("interlaced".into());
    }
    parts.join(", ")
}

fn sound(sound: &Sound) -> String {
    let mut parts = vec![sound.codec.clone()];
    parts.extend(sound.sample_rate.map(|rate| format!("{rate} Hz")));
    parts.extend(sound.channels.map(|channels| match channels {
        1 => "mono".into(),
        2 => "stereo".into(),
        more => format!("{more} channels"),
    }));
    parts.push(match sound.loudness {
        Some(loudness) => format!("{loudness:.1} LUFS, true peak {:.1} dBTP", sound.true_peak),
        None => "silent, or too short to be measured".into(),
    });
    parts.join(", ")
}

fn row(sent: &Sent) -> String {
    let what = format!(
        "{}x{} at {}, {}",
        sent.width,
        sent.height,
        number(sent.frame_rate),
        bit_rate(sent.bit_rate)
    );
    let codec = name(sent.codec);
    if sent.why.is_empty() {
        format!("  {codec:<6} passed through, {what}")
    } else {
        format!("  {codec:<6} transcoded, {what}: {}", sent.why.join("; "))
    }
}

/// Returns what people call a codec.
fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "H.264",
        other => other.name(),
    }
}

/// Writes a number with two digits behind the point at most.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

fn bit_rate(bits: u64) -> String {
    match bits {
        1_000_000.. => format!("{:.1} Mbit/s", bits as f64 / 1e6),
        _ => format!("{} kbit/s", bits / 1000),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        1_000_000.. => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} kB", bytes as f64 / 1e3),
    }
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{:.2} s", duration.as_secs_f64()),
        (0, minutes) => format!("{minutes} min {:02} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(number(25.0), "25");
        assert_eq!(number(29.97), "29.97");
        assert_eq!(number(0.5), "0.5");
        assert_eq!(bit_rate(64_000), "64 kbit/s");
        assert_eq!(bit_rate(2_150_000), "2.1 Mbit/s");
        assert_eq!(size(34_735), "34.7 kB");
        assert_eq!(time(Duration::from_millis(4_250)), "4.25 s");
        assert_eq!(time(Duration::from_secs(62)), "1 min 02 s");
        assert_eq!(time(Duration::from_secs(7_260)), "2 h 01 min");
    }
}
