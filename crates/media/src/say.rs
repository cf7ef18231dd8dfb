//! Text to speech, by espeak-ng in a process of its own.

use std::io::{self, Cursor, Write};
use std::process::{Command, Stdio};
use std::thread;

use hound::WavReader;

use crate::error::MediaError;
use crate::sound::{CHANNELS, Flow, Resample, Sink};
use crate::source::SourceOptions;

const PROGRAM: &str = "espeak-ng";
/// A comfortable pace, in words a minute.
const SPEED: u16 = 160;

/// Says `text` into `to`.
pub(crate) fn pour(
    text: &str,
    options: &SourceOptions,
    to: &mut dyn Sink,
) -> Result<Flow, MediaError> {
    let mut wav = spoken(text, options)?;
    repair(&mut wav);
    let unreadable = |error| failed(format!("{PROGRAM} gave no sound: {error}"));
    let mut reader = WavReader::new(Cursor::new(wav)).map_err(unreadable)?;
    let spec = reader.spec();
    if spec.channels != 1 || spec.bits_per_sample != 16 {
        return Err(failed(format!(
            "{PROGRAM} gave sound in another form: {spec:?}"
        )));
    }
    let mut resample = Resample::new(spec.sample_rate)?;
    let mut block = Vec::with_capacity(1024 * CHANNELS);
    let mut said = 0;
    for sample in reader.samples::<i16>() {
        let sample = f32::from(sample.map_err(unreadable)?) / 32_768.0;
        block.extend([sample; CHANNELS]);
        said += 1;
        if block.len() == block.capacity() {
            if resample.take(&block, to)?.is_break() {
                return Ok(Flow::Break(()));
            }
            block.clear();
        }
    }
    if said == 0 {
        return Err(failed("there is nothing in it that can be said".into()));
    }
    if resample.take(&block, to)?.is_break() {
        return Ok(Flow::Break(()));
    }
    resample.finish(to)
}

/// Has it spoken; returns a WAV file whose header does not know how long it is.
fn spoken(text: &str, options: &SourceOptions) -> Result<Vec<u8>, MediaError> {
    let voice = options.voice.as_deref().unwrap_or("en");
    let speed = options.speed.unwrap_or(SPEED).to_string();
    // The text is no argument: other users of the machine could read it there.
    let mut child = Command::new(PROGRAM)
        .args(["--stdin", "--stdout", "-v", voice, "-s", &speed])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_started)?;
    let stdin = child.stdin.take();
    let text = text.to_owned();
    // It may begin to speak before it has read everything.
    let writing = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output();
    // Whoever reads no text says why on its way out.
    let _ = writing.join();
    let output = output.map_err(|error| failed(format!("{PROGRAM}: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().find(|line| !line.trim().is_empty());
        return Err(match said {
            Some(line) if line.contains("voice does not exist") => failed(format!(
                "{PROGRAM} has no voice {voice:?}; `{PROGRAM} --voices` lists those it has"
            )),
            Some(line) => failed(format!("{PROGRAM}: {}", line.trim())),
            None => failed(format!("{PROGRAM} ended with {}", output.status)),
        });
    }
    Ok(output.stdout)
}

fn not_started(error: io::Error) -> MediaError {
    failed(match error.kind() {
        io::ErrorKind::NotFound => format!(
            "{PROGRAM} is not installed: on Debian, `apt-get install {PROGRAM}`; or name a recording"
        ),
        _ => format!("{PROGRAM} cannot be started: {error}"),
    })
}

/// Writes the lengths into the header that its writer did not know.
fn repair(wav: &mut [u8]) {
    let length = u32::try_from(wav.len()).unwrap_or(u32::MAX);
    // RIFF, its length, then WAVE, `fmt ` of 16 bytes, and `data` with its own length.
    for (at, behind) in [(4, 8), (40, 44)] {
        if let Some(field) = wav.get_mut(at..at + 4) {
            field.copy_from_slice(&length.saturating_sub(behind).to_le_bytes());
        }
    }
}

fn failed(reason: String) -> MediaError {
    MediaError::Speech(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::Count;

    fn said(text: &str, options: &str) -> Result<u64, MediaError> {
        let spec: crate::SourceSpec = format!("say:{text}{options}").parse().unwrap();
        let mut count = Count::default();
        let _ = pour(text, &spec.options, &mut count)?;
        Ok(count.samples)
    }

    #[test]
    fn text_is_said_in_its_time() {
        let short = said("Attention please.", "").unwrap();
        assert!((24_000..144_000).contains(&short), "{short} samples");
        let slow = said("Attention please.", "#speed=80").unwrap();
        assert!(slow > short * 3 / 2, "{slow} against {short}");
        // Many times what a pipe holds.
        let long = said(&"All doors are closing now. ".repeat(40), "#speed=400").unwrap();
        assert!(long > 10 * short, "{long}");
        // No option of the program, and no markup.
        assert!(said("--version", "").unwrap() > 10_000);
    }

    #[test]
    fn what_cannot_be_said_is_told() {
        let error = said("hello", "#voice=klingonese").unwrap_err().to_string();
        assert!(
            error.contains("no voice \"klingonese\"") && error.contains("--voices"),
            "{error}"
        );
        let missing = not_started(io::ErrorKind::NotFound.into()).to_string();
        assert!(missing.contains("apt-get install espeak-ng"), "{missing}");
        assert!(!missing.contains('\n'));
    }
}
