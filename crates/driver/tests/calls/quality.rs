//! How a clip is heard and seen over poor links, with retransmission and redundancy at work: a table
//! of the same measures for each link, whose drops are held against what the far end reports.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use driver::{Impairment, Material, NoticeKind, Program};
use futures_util::future::join_all;
use media::measure::picture::{PictureSimilarity, Pictures};
use media::measure::sound::SoundSimilarity;
use media::measure::{decode, picture, sound};
use media::{Frame, Kind, RecordSettings, SAMPLE_RATE, SourceSpec, Track, read_audio, read_video};
use node::{Fault, Faults};
use peer::{LinkStats, OutboundRtpStats};

use crate::scene::{PATIENCE, Scene, data, is_in};

const SPEECH: &str = "speech.opus";
const PICTURE: &str = "bunny.ivf";

/// How far sound and picture may be apart, in seconds: people notice an eighth of a second
/// (ITU-R BT.1359), and a busy machine adds to it.
const APART: f64 = 0.2;

/// What is played, decoded.
static CLIP: LazyLock<(Vec<f32>, Pictures)> = LazyLock::new(|| {
    let spoken = decode::sound(&read_audio(&data(SPEECH)).unwrap()).unwrap();
    let shown = decode::pictures(&read_video(&data(PICTURE)).unwrap(), None).unwrap();
    (spoken, shown)
});

/// A link, and how well the clip must survive it.
#[derive(Debug, Clone)]
struct Link {
    name: &'static str,
    /// From whoever plays the clip to the node.
    up: Impairment,
    /// What is lost from the node to whoever listens, in percent.
    down: u8,
    /// How often the clip is played; its last time is judged.
    rounds: u32,
    /// The least likeness of the sound, and the least median SSIM of the picture.
    sound: f32,
    picture: f64,
}

fn links(seed: u64) -> Vec<Link> {
    let milliseconds = Duration::from_millis;
    let good = Link {
        name: "good",
        up: Impairment {
            seed,
            ..Impairment::default()
        },
        down: 0,
        rounds: 1,
        sound: 0.9,
        picture: 0.95,
    };
    let losing = |name, loss, sound| Link {
        name,
        up: Impairment { loss, ..good.up },
        sound,
        picture: 0.9,
        ..good
    };
    vec![
        good.clone(),
        losing("1 % lost", 0.01, 0.8),
        losing("5 % lost", 0.05, 0.5),
        losing("10 % lost", 0.1, 0.45),
        Link {
            down: 5,
            ..losing("5 % lost, each way", 0.05, 0.45)
        },
        Link {
            name: "100 ms ± 30 ms",
            up: Impairment {
                delay: milliseconds(70),
                jitter: milliseconds(60),
                ..good.up
            },
            sound: 0.75,
            picture: 0.9,
            ..good
        },
        Link {
            name: "10 % overtaken",
            up: Impairment {
                reorder: 0.1,
                ..good.up
            },
            sound: 0.75,
            picture: 0.9,
            ..good
        },
        Link {
            name: "500 kbit/s",
            up: Impairment {
                rate: Some(500_000),
                ..good.up
            },
            // It takes a while until that is noticed, and less is sent. Sound waits behind key frames even then, and
            // is stretched and shortened wherever it waits: it is not like the clip's, sample by sample.
            rounds: 2,
            sound: 0.0,
            picture: 0.8,
            ..good
        },
    ]
}

/// What was sent of a kind, and what the node reported of it at last.
#[derive(Debug, Clone, Copy)]
struct Sent {
    packets: u64,
    again: u64,
    reported_lost: i64,
}

/// What came of a clip.
#[derive(Debug)]
struct Survived {
    /// As it was recorded, and as a program heard it.
    recorded: SoundSimilarity,
    played: SoundSimilarity,
    picture: PictureSimilarity,
    /// What the link did.
    link: LinkStats,
    audio: Sent,
    video: Sent,
}

impl Survived {
    /// How much later than the picture the sound is, in seconds.
    fn apart(&self) -> f64 {
        self.recorded.offset - self.picture.offset
    }

    fn row(&self, name: &str) -> String {
        format!(
            "{name:<20} {:>8.3} {:>6.3} {:>6.3} {:>4.0} % {:>+7.0} ms {:>5} of {:<5} {:>4} of {:<4} {:>4} of {:<4} {:>5}",
            self.recorded.overall,
            self.played.overall,
            self.picture.median,
            self.picture.covered * 100.0,
            self.apart() * 1000.0,
            self.link.lost,
            self.link.taken,
            self.audio.reported_lost,
            self.audio.packets,
            self.video.reported_lost,
            self.video.packets,
            self.video.again,
        )
    }

    /// Returns what is not as it should be.
    fn complaints(&self, link: &Link) -> Vec<String> {
        let mut all = Vec::new();
        let mut check = |is_good: bool, what: &str| {
            if !is_good {
                all.push(format!("{}: {what}: {self:#?}", link.name));
            }
        };
        check(
            self.recorded.overall >= link.sound,
            "the sound that was recorded",
        );
        check(
            self.played.overall >= link.sound,
            "the sound that was played",
        );
        check(self.picture.median >= link.picture, "the picture");
        if link.sound > 0.0 {
            check(self.apart().abs() <= APART, "lips and voice");
        }
        // Nobody reports a loss that the link does not know of, but a packet that was overtaken and is
        // still under way when the report is made counts as lost in it (RFC 3550 §6.4.1).
        let lost = i64::try_from(self.link.lost).unwrap();
        let is_in_order = link.up.reorder == 0.0 && link.up.jitter.is_zero();
        let under_way = if is_in_order { 0 } else { 2 };
        let reported = self.audio.reported_lost + self.video.reported_lost;
        check(
            reported <= lost + under_way,
            "more is reported lost than the link lost",
        );
        if link.up.rate.is_some() {
            // Where nobody sends less, a fifth is lost, 4 % of the sound, and a sixth of the pictures is seen.
            check(
                lost * 10 <= i64::try_from(self.link.taken).unwrap(),
                "the way is full",
            );
            let of_sound = self.audio.reported_lost as f64 / self.audio.packets as f64;
            check(of_sound <= 0.02, "sound finds no room");
            check(self.picture.covered >= 0.5, "few pictures are seen");
        } else {
            let loss = link.up.loss;
            let is_near =
                |lost: f64, of: u64, apart: f64| (lost / of.max(1) as f64 - loss).abs() < apart;
            let of_all = self.link.lost as f64;
            check(is_near(of_all, self.link.taken, 0.03), "what the link lost");
            // Sound is not sent again: all that the link lost of it is reported.
            let of_sound = self.audio.reported_lost as f64;
            check(
                is_near(of_sound, self.audio.packets, 0.01 + loss / 2.0),
                "what is reported lost of the sound",
            );
            // Most of the picture that was lost came again.
            let of_picture = self.video.reported_lost as f64 / self.video.packets as f64;
            check(
                of_picture <= 0.01 + loss / 2.0,
                "what is reported lost of the picture",
            );
        }
        if link.up.loss >= 0.05 {
            check(self.video.again > 0, "nothing was sent again");
        }
        all
    }
}

/// Plays the clip over a link to the node, and judges what somebody else there gets of it.
async fn survive(link: Link) -> Survived {
    let scene = Scene::with(|node| {
        if link.down > 0 {
            node.faults = Faults::from(Fault::Loss(link.down));
        }
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let (recorded, played) = (
        directory.path().join("heard.webm"),
        directory.path().join("heard.pcm"),
    );
    let mut settings = scene.settings("listener");
    settings.record = Some(RecordSettings::new(&recorded));
    let sink = format!("exec:s16le:cat > {}", played.display());
    settings.sinks = vec![sink.parse().unwrap()];
    let mut listener = scene.start(settings);
    listener.within(PATIENCE * 2, is_in).await;

    let mut settings = scene.settings("speaker");
    let source = |name| {
        let mut source = SourceSpec::file(data(name));
        source.options.rounds = Some(link.rounds);
        source
    };
    let material = Material::open(Some(&source(SPEECH)), Some(&source(PICTURE)));
    settings.program = Program::Once(Arc::new(material.unwrap()));
    settings.network.impairment = Some(link.up);
    settings.figures = Some(Duration::from_millis(500));
    let mut speaker = scene.start(settings);
    let finished = |kind: &NoticeKind| matches!(kind, NoticeKind::ClipFinished { .. });
    speaker.within(PATIENCE * (2 + link.rounds), finished).await;
    // The last retransmissions, and what the far end says of them.
    speaker
        .within_or_none(Duration::from_secs(2), |_| false)
        .await;
    let mut told = speaker.seen.iter().rev();
    let call = told
        .find_map(|notice| match &notice.kind {
            NoticeKind::Figures(figures) => Some(figures.call.clone()),
            _ => None,
        })
        .expect("told twice a second");
    let sent = |wanted: Kind, outbound: &OutboundRtpStats| Sent {
        packets: outbound.packets_sent,
        again: outbound.retransmitted_packets_sent,
        reported_lost: speaker
            .seen
            .iter()
            .rev()
            .find_map(|notice| match &notice.kind {
                NoticeKind::Report(report) if report.kind == wanted => Some(report.packets_lost),
                _ => None,
            })
            .expect("the node reports"),
    };
    let audio = sent(Kind::Audio, &call.outbound_audio);
    let video = sent(Kind::Video, &call.outbound_video);
    speaker.leave().await;
    listener.leave().await;
    let judged = tokio::task::spawn_blocking(move || {
        let judged = judge(&recorded, &played, link.rounds);
        drop(directory);
        judged
    });
    let (recorded, played, picture) = judged.await.unwrap();
    Survived {
        recorded,
        played,
        picture,
        link: call.link,
        audio,
        video,
    }
}

/// Judges the last of so many times that the clip was played.
fn judge(
    recorded: &Path,
    played: &Path,
    rounds: u32,
) -> (SoundSimilarity, SoundSimilarity, PictureSimilarity) {
    let (spoken, clip) = &*CLIP;
    let shown = read_video(recorded).unwrap();
    // The clip is over some time before the recording is.
    let tail = Duration::from_secs_f64(spoken.len() as f64 / f64::from(SAMPLE_RATE) * 1.5 + 2.0);
    let since = match rounds {
        1 => Duration::ZERO,
        _ => shown.duration.saturating_sub(tail),
    };
    let is_late = |frame: &&Arc<Frame>| frame.media_time >= since;
    let late = shown.frames.iter().filter(is_late);
    let late = Track::new(late.map(|frame| Frame::clone(frame)).collect()).unwrap();
    let seen = decode::pictures(&late, Some(clip.size())).unwrap();
    let samples = |time: Duration| (time.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize;
    let heard = decode::sound(&read_audio(recorded).unwrap()).unwrap();
    let mut recorded = sound::compare(spoken, &heard[samples(since)..], SAMPLE_RATE);
    recorded.offset += since.as_secs_f64();
    let bytes = std::fs::read(played).unwrap();
    let played: Vec<f32> = bytes
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let played = &played[samples(since).min(played.len())..];
    (
        recorded,
        sound::compare(spoken, played, SAMPLE_RATE),
        picture::compare(clip, &seen),
    )
}

/// Prints the table, and fails with all that is not as it should be.
#[expect(
    clippy::print_stdout,
    reason = "the table is for whoever runs the test"
)]
fn tell(links: &[Link], survived: &[Survived]) {
    println!(
        "{:<20} {:>8} {:>6} {:>6} {:>6} {:>10} {:>14} {:>12} {:>12} {:>5}",
        "",
        "recorded",
        "played",
        "SSIM",
        "seen",
        "sound late",
        "link lost",
        "sound lost",
        "picture lost",
        "again"
    );
    for (link, survived) in links.iter().zip(survived) {
        println!("{}", survived.row(link.name));
    }
    let complaints = links.iter().zip(survived);
    let complaints: Vec<_> = complaints
        .flat_map(|(link, survived)| survived.complaints(link))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    // The control: a link that loses nothing, and one that loses one in ten, can be told apart.
    let likeness = |n: usize| survived[n].recorded.overall;
    assert!(likeness(0) > likeness(3), "{survived:#?}");
    assert_eq!(survived[0].link.lost, 0, "{survived:#?}");
    assert!(survived[3].audio.reported_lost > 0, "{survived:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_survives_every_link_as_well_as_it_can() {
    let links = links(11);
    let survived = join_all(links.iter().cloned().map(survive)).await;
    tell(&links, &survived);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "six minutes: eight links one after another, with three seeds"]
async fn a_clip_survives_every_link_whatever_chance_does() {
    for seed in [1, 2, 3] {
        let links = links(seed);
        let mut survived = Vec::new();
        for link in links.iter().cloned() {
            survived.push(survive(link).await);
        }
        tell(&links, &survived);
    }
}
