//! The whole of a caller, requests and event stream included, against the practice node in a
//! process of its own.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use driver::{
    Caller, CallerSettings, Figures, HttpClient, Material, NoticeKind, Program, Shards, State,
    StopReason, Tls,
};
use media::{Codec, Origin, SourceSpec};
use node::{ConferenceSettings, Node, NodeSettings};
use tokio::task::JoinHandle;
use url::Url;

use crate::{measure::Cpu, run::Failure};

/// Conferences of the node, over which callers are spread in turn.
pub(crate) const CONFERENCES: usize = 10;

/// A practice node in a child process; it ends with this.
pub(crate) struct PracticeNode {
    process: Child,
    pub(crate) url: Url,
}

impl PracticeNode {
    pub(crate) fn start() -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--practice-node")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the node has no pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let url = line.trim().parse();
        let url = url.map_err(|_| format!("the node says {line:?} instead of its address"))?;
        Ok(Self { process, url })
    }

    /// CPU time it has taken so far, of threads that still run.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = schedstat.split_whitespace().next();
            nanoseconds += first.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }
}

impl Drop for PracticeNode {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The main of the node's process: HTTPS on a free port, told on standard output.
#[expect(clippy::print_stdout, reason = "the address goes to who started this")]
pub(crate) fn run_node() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let shards = Shards::new(2)?;
    let conferences = (0..CONFERENCES)
        .map(|n| Ok(ConferenceSettings::open(format!("bench{n}").parse()?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let settings = NodeSettings {
        https: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        http: None,
        conferences,
        media_addresses: vec![Ipv4Addr::LOCALHOST.into()],
        ..NodeSettings::default()
    };
    let running = runtime.block_on(Node::start(settings, &shards))?;
    println!("{}", running.https_url.as_deref().unwrap_or("nowhere"));
    // Until whoever started this goes away.
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// What a caller of the engine does.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) conference: usize,
    pub(crate) call: Call,
    /// What it plays; silence and a slate without it.
    pub(crate) material: Option<Arc<Material>>,
    /// The one codec of video that it offers.
    pub(crate) video_codec: Codec,
    /// How often it tells its figures.
    pub(crate) figures: Option<Duration>,
}

/// What a caller has besides its place in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Nothing: requests and events alone.
    None,
    /// Sound.
    Sound,
    /// Sound and picture.
    Video,
}

impl Call {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Sound, Self::Video];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sound => "sound",
            Self::Video => "video",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name() == name)
    }
}

/// CPU time that both sides have taken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BothCpu {
    /// This process, the callers.
    pub(crate) callers: Duration,
    pub(crate) node: Duration,
}

impl BothCpu {
    pub(crate) fn now(node: &PracticeNode) -> io::Result<Self> {
        Ok(Self {
            callers: Cpu::now()?.all(),
            node: node.cpu()?,
        })
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            callers: self.callers.saturating_sub(before.callers),
            node: self.node.saturating_sub(before.node),
        }
    }
}

/// Callers on their way into a node, and in it.
pub(crate) struct Crowd {
    // The shards must outlive the callers on them.
    shards: Shards,
    runtime: tokio::runtime::Runtime,
    client: HttpClient,
    callers: Vec<Joining>,
}

type Joining = JoinHandle<Result<Joined, Failure>>;

/// A caller that is in the conference.
pub(crate) struct Joined {
    pub(crate) caller: Caller,
    pub(crate) took: Duration,
    /// When it was in.
    pub(crate) at: Instant,
}

impl Crowd {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            shards: Shards::new(2)?,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?,
            client: HttpClient::new(&Tls::Insecure)?,
            callers: Vec::new(),
        })
    }

    /// Lets another caller begin to join.
    pub(crate) fn add(
        &mut self,
        node: &PracticeNode,
        part: &Part,
        own_connections: bool,
    ) -> Result<(), Failure> {
        let client = if own_connections {
            self.client.with_own_connections()?
        } else {
            self.client.clone()
        };
        let conference = format!("bench{}", part.conference).parse()?;
        let name = format!("caller {}", self.callers.len());
        let mut settings = CallerSettings::new(client, node.url.clone(), conference, name);
        settings.media = part.call != Call::None;
        settings.video = part.call == Call::Video;
        settings.figures = part.figures;
        settings.video_codecs = vec![part.video_codec];
        settings.network.addresses = vec![Ipv4Addr::LOCALHOST.into()];
        if let Some(material) = &part.material {
            settings.program = Program::Loop(material.clone());
        }
        let begun = Instant::now();
        let mut caller = driver::start(&self.shards.next(), settings);
        self.callers.push(self.runtime.spawn(async move {
            while let Some(notice) = caller.notice().await {
                if let NoticeKind::State(State::InConference) = notice.kind {
                    return Ok(Joined {
                        caller,
                        took: notice.at - begun,
                        at: notice.at,
                    });
                }
            }
            let outcome = caller.join().await;
            Err(format!("a caller did not get in: {:?}", outcome.reason).into())
        }));
        Ok(())
    }

    /// Waits until all are in; returns those who are, and how many never were.
    pub(crate) fn join(&mut self) -> (Vec<Joined>, usize) {
        let (mut joined, mut failures) = (Vec::new(), 0);
        for joining in self.callers.drain(..) {
            match self.runtime.block_on(joining) {
                Ok(Ok(one)) => joined.push(one),
                Ok(Err(_)) | Err(_) => failures += 1,
            }
        }
        (joined, failures)
    }

    /// Waits for what a caller says of itself after `since`.
    pub(crate) fn figures(&self, caller: &mut Caller, since: Instant) -> Option<Box<Figures>> {
        self.runtime.block_on(async {
            while let Some(notice) = caller.notice().await {
                if let NoticeKind::Figures(figures) = notice.kind
                    && notice.at >= since
                {
                    return Some(figures);
                }
            }
            None
        })
    }

    /// Lets all leave.
    pub(crate) fn leave(&self, joined: Vec<Joined>) {
        for one in &joined {
            one.caller.stop(StopReason::Finished);
        }
        for one in joined {
            self.runtime.block_on(one.caller.join());
        }
    }
}

/// What talkers play: a tone each of its own, and a moving picture that all share.
pub(crate) fn material(hertz: u32, video: bool) -> Result<Arc<Material>, Failure> {
    let (tone, bars) = (
        SourceSpec::from(Origin::Tone { hertz }),
        SourceSpec::from(Origin::Bars {
            width: 640,
            height: 360,
        }),
    );
    Ok(Arc::new(Material::open(
        Some(&tone),
        video.then_some(&bars),
    )?))
}
