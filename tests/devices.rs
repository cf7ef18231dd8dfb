//! A camera and a sound card, both the kernel's own, in a virtual machine: used, unplugged, used again.
//!
//! The machine's clock counts instructions, so that its guest is not slower on a machine that is busy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use media::measure::{decode, sound};
use media::{SAMPLE_RATE, read_audio};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{OTHER_SPEECH, SPEECH, clip_sound, material};

/// How long the machine may take from its start to its end, most of which is emulation.
const LIMIT: Duration = Duration::from_secs(600);

/// The camera's pictures, and how they are looked at.
const SIZE: (usize, usize) = (320, 180);
const PICTURE_BYTES: usize = 3 * SIZE.0 * SIZE.1;

/// The camera's bars from left to right.
const BARS: [[u8; 3]; 8] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
    [0, 0, 0],
];

/// What coding may change of a colour, and what is another colour.
const SAME: u8 = 40;
const OTHER: u8 = 100;

/// What the machine left behind.
struct Guest {
    directory: tempfile::TempDir,
    console: String,
}

impl Guest {
    /// Lets tests/guest/init run in a machine of its own, to its end.
    async fn run() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let tree = root.join("target/guest/tree");
        let kernel = std::fs::read_dir(tree.join("boot")).ok().and_then(|files| {
            let mut files = files.filter_map(|file| Some(file.ok()?.path()));
            files.find(|path| path.display().to_string().contains("vmlinuz"))
        });
        let kernel = kernel.expect("no kernel in target/guest: `make test-devices` puts one there");
        let directory = tempfile::tempdir().unwrap();
        let guest = Self {
            directory,
            console: String::new(),
        };

        let mut pack = Command::new(root.join("tests/guest/pack.sh"));
        pack.arg(&tree)
            .arg(env!("CARGO_BIN_EXE_standin"))
            .arg(guest.file("initramfs"));
        for speech in [SPEECH, OTHER_SPEECH] {
            let wav = guest.file(speech).with_extension("wav");
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-i"]).arg(material(speech));
            run(ffmpeg.args(["-ac", "1", "-ar", "48000"]).arg(&wav)).await;
            pack.arg(wav);
        }
        run(&mut pack).await;
        guest.boot(&kernel).await
    }

    async fn boot(mut self, kernel: &Path) -> Self {
        let serial = |name: &str| format!("file:{}", self.file(name).display());
        let mut machine = Command::new("qemu-system-x86_64");
        machine
            .args("-accel tcg -icount shift=0,sleep=off -cpu max -m 1024".split(' '))
            .args("-nodefaults -display none -no-reboot".split(' '))
            .args(["-append", "console=ttyS0 quiet panic=-1", "-kernel"])
            .arg(kernel)
            .arg("-initrd")
            .arg(self.file("initramfs"))
            .args([
                "-serial",
                &serial("console"),
                "-serial",
                &serial("left.tar"),
            ])
            .kill_on_drop(true);
        let ended = timeout(LIMIT, machine.status()).await;
        let console = std::fs::read(self.file("console")).unwrap_or_default();
        self.console = String::from_utf8_lossy(&console).into_owned();
        let status = ended.unwrap_or_else(|_| panic!("it does not end\n{}", self.console));
        let status = status.unwrap_or_else(|error| {
            panic!("qemu-system-x86_64: {error}. `make test-devices` installs it")
        });
        let left = std::fs::metadata(self.file("left.tar")).is_ok_and(|file| file.len() > 0);
        assert!(status.success() && left, "{status}\n{}", self.console);
        let mut tar = Command::new("tar");
        tar.arg("-xf").arg(self.file("left.tar"));
        run(tar.arg("-C").arg(self.directory.path())).await;
        self
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// All that was said, for whoever looks for what went wrong.
    fn all(&self) -> String {
        let files = [
            "devices.there",
            "sources",
            "player.log",
            "listener.log",
            "node.log",
        ];
        let texts = files.map(|name| format!("== {name}\n{}", self.text(name)));
        format!("{}\n{}", self.console, texts.join("\n"))
    }

    /// Returns the pictures of the recording as ffmpeg decodes them, each as rows of red, green and blue.
    async fn pictures(&self) -> Vec<Vec<u8>> {
        let (width, height) = SIZE;
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-i"])
            .arg(self.file("heard.webm"));
        ffmpeg.args(["-vf", &format!("scale={width}:{height}")]);
        ffmpeg.args("-map 0:v -fps_mode passthrough -f rawvideo -pix_fmt rgb24 -".split(' '));
        let bytes = run(&mut ffmpeg).await;
        bytes
            .chunks_exact(PICTURE_BYTES)
            .map(<[u8]>::to_vec)
            .collect()
    }
}

/// Runs a command to its end and returns what it printed.
async fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().await;
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}

/// Says whether a picture is the camera's; its last rows are free of the text that it writes over its bars.
fn has_bars(picture: &[u8]) -> bool {
    let (width, height) = SIZE;
    BARS.iter().enumerate().all(|(bar, colour)| {
        let middle = width * (2 * bar + 1) / (2 * BARS.len());
        let pixel = &picture[3 * ((height - 6) * width + middle)..];
        pixel
            .iter()
            .zip(colour)
            .all(|(is, should)| is.abs_diff(*should) < SAME)
    })
}

/// Says whether something in a picture, like a digit of the camera's clock, differs from the one before.
fn has_moved(before: &[u8], picture: &[u8]) -> bool {
    let mut pixels = before.iter().zip(picture);
    pixels.any(|(was, is)| was.abs_diff(*is) > OTHER)
}

/// Pictures in a row that are all the camera's, or all not.
#[derive(Debug)]
struct Stretch {
    camera: bool,
    pictures: usize,
    moved: usize,
}

fn stretches(pictures: &[Vec<u8>]) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for (index, picture) in pictures.iter().enumerate() {
        let camera = has_bars(picture);
        match all.last_mut().filter(|stretch| stretch.camera == camera) {
            Some(stretch) => {
                stretch.pictures += 1;
                stretch.moved += usize::from(has_moved(&pictures[index - 1], picture));
            }
            None => all.push(Stretch {
                camera,
                pictures: 1,
                moved: 0,
            }),
        }
    }
    all
}

#[tokio::test]
#[ignore = "a virtual machine wants the whole machine: `make test-devices` runs it alone"]
async fn a_camera_and_a_sound_card_are_used_unplugged_and_used_again() {
    let guest = Guest::run().await;
    println!("{}", guest.console);
    assert_eq!(guest.text("result").trim(), "done", "{}", guest.all());
    for exit in ["player.exit", "listener.exit"] {
        assert_eq!(guest.text(exit).trim(), "0", "{}", guest.all());
    }

    lists_what_is_there(&guest);
    let log = guest.text("player.log");
    let given = "vivid, 320x180, 10 pictures a second, YUYV";
    assert_eq!(log.matches(given).count(), 2, "{log}");
    assert_eq!(
        log.matches("Loopback PCM, 48000 Hz, mono").count(),
        2,
        "{log}"
    );
    for gone in ["No such device", "Device disconnected"] {
        let told = format!("went away: {gone}");
        let told = log.lines().filter(|line| line.contains(&told));
        assert_eq!(told.count(), 1, "{log}");
    }
    does_not_break_off(&guest);
    is_heard_before_and_after(&guest);
    is_seen_before_and_after(&guest).await;
}

fn lists_what_is_there(guest: &Guest) {
    for none in ["devices.before", "devices.away"] {
        let devices = guest.text(none);
        assert!(devices.contains("Microphones: none."), "{none}: {devices}");
        assert!(devices.contains("Cameras: none."), "{none}: {devices}");
    }
    let devices = guest.text("devices.there");
    let cameras = devices.split("Cameras:").nth(1).unwrap_or_default();
    for there in ["camera:/dev/video0  vivid", "YUYV 320x180", "NV12 320x180"] {
        assert!(cameras.contains(there), "{devices}");
    }
    assert!(devices.contains("mic:hw:CARD=Loopback,DEV=1"), "{devices}");

    // The first of each, which for ALSA is what programs share, and what comes nearest to a wish.
    let sources = guest.text("sources");
    for given in [
        "camera: live: vivid, 640x360, 30 pictures a second, YUYV",
        "camera:/dev/video0: live: vivid, 320x180, 12.5 pictures a second, YUYV",
        "mic: live: Default Audio Device, 48000 Hz",
    ] {
        assert!(sources.contains(given), "{sources}");
    }
}

/// What is away is silence and slate, not a stream with a hole.
fn does_not_break_off(guest: &Guest) {
    let listener = guest.text("listener.json");
    let end: Value = serde_json::from_str(listener.lines().last().unwrap()).unwrap();
    for kind in ["audio", "video"] {
        let gap = &end["outcome"]["received"][kind]["longest_gap"];
        assert!(gap.as_f64().unwrap() < 0.5, "{kind}: {end:#}");
    }
}

fn is_heard_before_and_after(guest: &Guest) {
    let heard = decode::sound(&read_audio(&guest.file("heard.webm")).unwrap()).unwrap();
    let compare = |name: &str, heard: &[f32]| {
        let similarity = sound::compare(&clip_sound(name), heard, SAMPLE_RATE);
        println!("{name}: {similarity:?}");
        similarity
    };
    let (first, second) = (compare(SPEECH, &heard), compare(OTHER_SPEECH, &heard));
    assert!(first.is_heard(), "{first:#?}\n{}", guest.all());
    assert!(second.is_heard(), "{second:#?}\n{}", guest.all());

    // The controls: neither is just any speech.
    let (before, after) = heard.split_at((second.offset * f64::from(SAMPLE_RATE)) as usize);
    assert!(!compare(OTHER_SPEECH, before).is_heard());
    assert!(!compare(SPEECH, after).is_heard());
}

async fn is_seen_before_and_after(guest: &Guest) {
    let stretches = stretches(&guest.pictures().await);
    println!("{stretches:#?}");
    // Around them the node says that nobody is sending.
    let first = stretches.iter().position(|stretch| stretch.camera);
    let [before, slate, after, ..] = &stretches[first.expect("no camera is seen")..] else {
        panic!("{stretches:#?}");
    };
    for camera in [before, after] {
        assert!(camera.camera && camera.pictures > 40, "{stretches:#?}");
        assert!(camera.moved > camera.pictures * 3 / 4, "{stretches:#?}");
    }
    assert!(!slate.camera && slate.pictures > 5, "{stretches:#?}");
    assert_eq!(slate.moved, 0, "{stretches:#?}");
}
