//! The findings as a table for people.

use std::path::Path;
use std::time::Duration;

use driver::{JoinStep, JoinTimes};
use media::measure::picture::SEEN;
use media::measure::sound::HEARD;

use crate::print;

use super::finding::Finding;

/// The steps that both ends take, and what they are called.
const STEPS: [(JoinStep, &str); 7] = [
    (JoinStep::Token, "token"),
    (JoinStep::Events, "events"),
    (JoinStep::Sdp, "SDP answer"),
    (JoinStep::Ice, "ICE"),
    (JoinStep::Dtls, "DTLS"),
    (JoinStep::FirstAudio, "first sound in"),
    (JoinStep::FirstVideo, "first picture in"),
];

/// Prints the table.
pub(super) fn print(finding: &Finding, directory: &Path) {
    let Finding {
        receipt,
        listener,
        sound,
        picture,
    } = finding;
    row("joined, ms after the start", "announcer", "listener");
    for (step, name) in STEPS {
        row(
            &format!("  {name}"),
            &after(&receipt.steps, step),
            &after(&listener.times, step),
        );
    }
    print::line(format_args!(
        "heard      {:.1} s of {:.1} s; similarity {:.2} ({HEARD:.2} wanted), first 200 ms {:.2}, last word {:.2}",
        sound.heard.as_secs_f64(),
        receipt.length.as_secs_f64(),
        sound.overall,
        sound.first_200_ms,
        sound.last_word,
    ));
    print::line(format_args!(
        "seen       {:.0} % of the pictures; SSIM {:.3} ({SEEN:.2} wanted), worst {:.3}",
        picture.covered * 100.0,
        picture.median,
        picture.worst,
    ));
    if sound.is_heard() && picture.is_seen() {
        print::line(format_args!(
            "lips       sound {} ms {} picture",
            lips(finding).abs(),
            side(finding)
        ));
    }
    print::line(format_args!(
        "loss       {} of {} packets to the node; to the listener {} of {} with sound, {} of {} with picture",
        receipt.packets_lost,
        receipt.packets_sent,
        listener.received.audio.lost,
        listener.received.audio.packets + listener.received.audio.lost,
        listener.received.video.lost,
        listener.received.video.packets + listener.received.video.lost,
    ));
    print::line(format_args!(
        "receipt    {}",
        receipt.to_string().replace('\n', "\n           ")
    ));
    print::line(format_args!(
        "recorded   {}",
        directory.join("heard.webm").display()
    ));
    print::line(format_args!(
        "sent       {0}/speech.opus, {0}/bunny.ivf",
        directory.display()
    ));
    print::line(match finding.failure() {
        None => "The room heard and saw it.".to_owned(),
        Some(_) => "The room did NOT hear and see it.".to_owned(),
    });
}

fn row(name: &str, announcer: &str, listener: &str) {
    print::line(format_args!("{name:<28}{announcer:>10}{listener:>10}"));
}

fn after(times: &JoinTimes, step: JoinStep) -> String {
    times.get(step).map_or("–".to_owned(), milliseconds)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1000.0)
}

/// Returns how many milliseconds later the sound lies in the recording than the picture, against how it was sent.
fn lips(finding: &Finding) -> i64 {
    ((finding.sound.offset - finding.picture.offset) * 1000.0).round() as i64
}

fn side(finding: &Finding) -> &'static str {
    if lips(finding) < 0 { "before" } else { "after" }
}
