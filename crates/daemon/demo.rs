//! `standin demo`: announces a clip into a practice conference and measures what arrives at the other end.

mod finding;
mod table;

use std::fs;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use announcer::{Limits, Receipt};
use clap::Args;
use driver::{
    Caller, CallerSettings, HttpClient, JoinStep, Material, NoticeKind, Outcome, Program,
    StopReason, Tls,
};
use infinity::ConferenceAlias;
use media::RecordSettings;
use node::{ConferenceSettings, Fault, Node, NodeError, NodeSettings, RunningNode};
use peer::Shards;
use tokio::time::timeout;
use url::Url;

use crate::exit::{Exit, Failure};
use crate::print::{self, Form};
use crate::shutdown::Signals;

use self::finding::Finding;

/// What is announced, brought along so that the demonstration needs no files; tests/data/README.md
/// says where it comes from.
const SPEECH: &[u8] = include_bytes!("../../tests/data/speech.opus");
const PICTURE: &[u8] = include_bytes!("../../tests/data/bunny.ivf");

const CONFERENCE: &str = "meet";

/// Where a person watches, if nobody else is served there.
const WATCH_PORT: u16 = 8080;

/// How long the listener may take until it hears and sees something.
const LISTENING: Duration = Duration::from_secs(20);

const AFTER_HELP: &str = "\
Everything stays on this machine. Ends with 0 only if the room heard and saw the clip.

Examples:
  standin demo
  standin demo --watch                    and open the address it prints
  standin demo --fault silent             what it looks like when the room does not hear it";

/// Announce a clip into a practice conference and measure what arrives at the other end.
///
/// Starts a practice node, lets a listener in, announces a recording with picture, and compares what
/// the listener recorded with what was sent.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DemoArgs {
    /// Then play the clip over and over until Ctrl-C, to be watched in a browser
    #[arg(long)]
    watch: bool,

    /// Let the node do something wrong on purpose; `standin node --help` lists what
    #[arg(long = "fault", value_name = "FAULT", value_delimiter = ',')]
    faults: Vec<Fault>,

    /// Where to keep what was sent and what was recorded [default: standin-demo among temporary files]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,

    /// Print the findings as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn demo(args: DemoArgs) -> Result<Exit, Failure> {
    let form = if args.json { Form::Json } else { Form::Text };
    let directory = args
        .directory
        .unwrap_or_else(|| std::env::temp_dir().join("standin-demo"));
    let scene = Scene::set(&directory, args.faults, args.watch).await?;
    if form == Form::Text {
        print::line(format_args!(
            "Practice node on {}; announcing {:.1} s of speech and picture to a listener …",
            scene.node_url(),
            scene.material.clip().duration.as_secs_f64()
        ));
    }

    let listener = scene.listener().await?;
    let receipt = scene.announce().await?;
    listener.stop(StopReason::Finished);
    let heard = listener.join().await;
    let finding = scene.judged(receipt, heard).await?;
    match form {
        Form::Json => print::json(&finding.as_json(&directory)),
        Form::Text => table::print(&finding, &directory),
    }
    let verdict = match finding.failure() {
        Some(why) => Err(Failure::failed(why)),
        None => Ok(Exit::Done),
    };
    if args.watch {
        scene.watched(verdict.as_ref().err()).await?;
    } else if form == Form::Text {
        print::line(
            "To watch it in a browser: standin demo --watch, then http://127.0.0.1:8080/?conference=meet",
        );
    }
    scene.node.shutdown().await;
    verdict
}

/// A node, and everything that those who join it need.
struct Scene {
    node: RunningNode,
    shards: Shards,
    client: HttpClient,
    conference: ConferenceAlias,
    material: Arc<Material>,
    recording: PathBuf,
}

impl Scene {
    async fn set(directory: &Path, faults: Vec<Fault>, watch: bool) -> Result<Self, Failure> {
        let [speech, picture, certificate, recording] =
            ["speech.opus", "bunny.ivf", "node.pem", "heard.webm"].map(|name| directory.join(name));
        let write = |path: &Path, content: &[u8]| {
            fs::write(path, content).map_err(|error| {
                Failure::usage(format!("cannot write {}: {error}", path.display()))
            })
        };
        fs::create_dir_all(directory).map_err(|error| {
            Failure::usage(format!("cannot create {}: {error}", directory.display()))
        })?;
        write(&speech, SPEECH)?;
        write(&picture, PICTURE)?;
        let clip = media::load_clip(Some(&speech), Some(&picture)).map_err(Failure::failed)?;

        let shards = Shards::new(2).map_err(Failure::failed)?;
        let conference: ConferenceAlias = CONFERENCE.parse().map_err(Failure::failed)?;
        let node = start_node(&conference, faults, watch, &shards).await?;
        // Over HTTPS as towards a real node, its certificate verified.
        let pem = node.certificate_pem.clone().unwrap_or_default();
        write(&certificate, pem.as_bytes())?;
        Ok(Self {
            client: HttpClient::new(&Tls::CaFile(certificate)).map_err(Failure::failed)?,
            material: Arc::new(Material::from_clip(clip)),
            node,
            shards,
            conference,
            recording,
        })
    }

    fn node_url(&self) -> &str {
        self.node.https_url.as_deref().unwrap_or_default()
    }

    fn caller(&self, name: &str) -> Result<CallerSettings, Failure> {
        let url = Url::parse(self.node_url()).map_err(Failure::failed)?;
        Ok(CallerSettings::new(
            self.client.clone(),
            url,
            self.conference.clone(),
            name,
        ))
    }

    /// Lets a listener in, and returns once it hears and sees the conference.
    async fn listener(&self) -> Result<Caller, Failure> {
        let mut settings = self.caller("Listener")?;
        settings.record = Some(RecordSettings::new(&self.recording));
        let mut listener = driver::start(&self.shards.next(), settings);
        let (mut hears, mut sees) = (false, false);
        let listening = async {
            while !(hears && sees) {
                match listener.notice().await?.kind {
                    NoticeKind::Step(JoinStep::FirstAudio, _) => hears = true,
                    NoticeKind::Step(JoinStep::FirstVideo, _) => sees = true,
                    _ => {}
                }
            }
            Some(())
        };
        match timeout(LISTENING, listening).await {
            Ok(Some(())) => Ok(listener),
            Ok(None) => Err(Failure::failed(format!(
                "the listener could not join: {}",
                listener.join().await.reason
            ))),
            Err(_) => Err(Failure::failed(format!(
                "not heard: after {} s the listener still had {}",
                LISTENING.as_secs(),
                if hears {
                    "no picture of the conference"
                } else {
                    "no sound of the conference"
                }
            ))),
        }
    }

    async fn announce(&self) -> Result<Receipt, Failure> {
        let settings = self.caller("Announcer")?;
        let material = Arc::clone(&self.material);
        announcer::announce(
            &self.shards.next(),
            settings,
            material,
            Limits::default(),
            |_| {},
            pending(),
        )
        .await
        .map_err(Failure::failed)
    }

    /// Compares the recording with what was sent.
    async fn judged(&self, receipt: Receipt, heard: Outcome) -> Result<Finding, Failure> {
        let (material, recording) = (Arc::clone(&self.material), self.recording.clone());
        tokio::task::spawn_blocking(move || Finding::of(&material, &recording, receipt, heard))
            .await
            .map_err(Failure::failed)?
            .map_err(Failure::failed)
    }

    /// Plays the clip over and over until a signal comes.
    async fn watched(&self, failure: Option<&Failure>) -> Result<(), Failure> {
        let signals = Signals::listen().map_err(Failure::failed)?;
        if let Some(failure) = failure {
            print::failure(failure);
        }
        let mut settings = self.caller("Announcer")?;
        settings.video_codecs = self.material.video_codecs();
        settings.program = Program::Loop(Arc::clone(&self.material));
        let player = driver::start(&self.shards.next(), settings);
        print::line(format_args!(
            "Now the clip plays over and over. Watch and hear it at {}/?conference={CONFERENCE} and stop with Ctrl-C.",
            self.node.http_url.as_deref().unwrap_or(self.node_url())
        ));
        signals.first().await;
        player.stop(StopReason::Interrupted);
        player.join().await;
        Ok(())
    }
}

async fn start_node(
    conference: &ConferenceAlias,
    faults: Vec<Fault>,
    watch: bool,
    shards: &Shards,
) -> Result<RunningNode, Failure> {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let mut settings = NodeSettings {
        https: Some(SocketAddr::new(loopback, 0)),
        http: Some(SocketAddr::new(
            loopback,
            if watch { WATCH_PORT } else { 0 },
        )),
        conferences: vec![ConferenceSettings::open(conference.clone())],
        // An ordinary browser does not use loopback for media, so that a person needs all addresses.
        media_addresses: if watch { Vec::new() } else { vec![loopback] },
        faults: faults.into_iter().collect(),
        ..NodeSettings::default()
    };
    let node = match Node::start(settings.clone(), shards).await {
        Err(NodeError::AddressInUse { .. }) if watch => {
            settings.http = Some(SocketAddr::new(loopback, 0));
            Node::start(settings, shards).await
        }
        started => started,
    };
    node.map_err(Failure::failed)
}
