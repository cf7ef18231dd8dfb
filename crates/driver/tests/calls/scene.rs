//! A practice node and callers that join it, with deadlines instead of sleeps.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use driver::api::{Conference, Entrance};
use driver::{
    Caller, CallerSettings, HttpClient, Material, Notice, NoticeKind, Program, Shards, State, Tls,
};
use infinity::{ParticipantUuid, Pin};
use media::measure::decode::sound;
use media::{RecordSettings, SourceSpec};
use node::{Node, NodeSettings, RunningNode};

/// How long anything on loopback may take before the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A node on loopback and the shards that callers run on.
pub(crate) struct Scene {
    pub(crate) node: RunningNode,
    pub(crate) shards: Shards,
    _node_shards: Shards,
    pub(crate) client: HttpClient,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    /// A node whose settings were changed by `adjust`.
    pub(crate) async fn with(adjust: impl FnOnce(&mut NodeSettings)) -> Self {
        // Shown for a failed test alone.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let node_shards = Shards::new(1).unwrap();
        let mut settings = NodeSettings {
            https: None,
            http: Some((Ipv4Addr::LOCALHOST, 0).into()),
            media_addresses: vec![Ipv4Addr::LOCALHOST.into()],
            ..NodeSettings::default()
        };
        adjust(&mut settings);
        let node = Node::start(settings, &node_shards).await.unwrap();
        let shards = Shards::new(1).unwrap();
        let client = HttpClient::new(&Tls::SystemRoots).unwrap();
        Self {
            node,
            shards,
            _node_shards: node_shards,
            client,
        }
    }

    /// Settings for `meet`, by plain HTTP.
    pub(crate) fn settings(&self, name: &str) -> CallerSettings {
        let node: url::Url = self.node.http_url.as_deref().unwrap().parse().unwrap();
        CallerSettings::new(self.client.clone(), node, "meet".parse().unwrap(), name)
    }

    pub(crate) fn start(&self, settings: CallerSettings) -> Watched {
        Watched {
            caller: driver::start(&self.shards.next(), settings),
            seen: Vec::new(),
        }
    }

    /// A listener that is in the conference.
    pub(crate) async fn listener(&self, name: &str) -> Watched {
        let mut listener = self.start(self.settings(name));
        listener.until(is_in).await;
        listener
    }

    /// A host of a conference without PINs, who makes requests and has no call.
    pub(crate) async fn host(&self, conference: &str) -> Conference {
        let node = self.node.http_url.as_deref().unwrap().parse().unwrap();
        let alias = conference.parse().unwrap();
        let host = Conference::at(self.client.clone(), node, alias);
        host.request_token(&Entrance::named("host")).await.unwrap();
        host
    }

    /// Returns who has this name in the roster.
    pub(crate) async fn uuid_of(&self, host: &Conference, name: &str) -> ParticipantUuid {
        let rows = host.participants().await.unwrap();
        let mut named = rows.into_iter().filter(|row| row.display_name == name);
        named.next().unwrap().uuid
    }

    /// Has somebody new listen to a conference for some seconds. An error if the tone of 1 kHz is
    /// not all there is to hear in the last of them.
    pub(crate) async fn hears_tone(&self, conference: &str) -> Result<(), String> {
        self.hears_tone_as(conference, None).await
    }

    /// The same, for whoever knows the PIN.
    pub(crate) async fn hears_tone_as(
        &self,
        conference: &str,
        pin: Option<&str>,
    ) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("heard.webm");
        let mut settings = self.settings("ear");
        settings.conference = conference.parse().unwrap();
        settings.pin = pin.map(Pin::new);
        settings.record = Some(RecordSettings::new(&file));
        let mut ear = self.start(settings);
        ear.until(is_in).await;
        ear.within_or_none(Duration::from_millis(2500), |_| false)
            .await;
        ear.leave().await;
        let pcm = sound(&media::read_audio(&file).unwrap()).unwrap();
        let last = &pcm[pcm.len().saturating_sub(48_000)..];
        let share = share_of(last, 1000.0);
        if share > 0.9 {
            Ok(())
        } else {
            Err(format!("{share:.3} of the power is that of the tone"))
        }
    }

    /// Returns how many rows the roster has besides that of whoever looks.
    pub(crate) async fn others(&self) -> usize {
        let mut witness = self.start(self.settings("witness"));
        witness.until(is_in).await;
        let rows = witness
            .seen
            .iter()
            .rev()
            .find_map(|notice| match &notice.kind {
                NoticeKind::Roster(facts) => Some(facts.rows),
                _ => None,
            });
        witness.leave().await;
        rows.unwrap() - 1
    }
}

/// A caller, and everything it has told so far.
pub(crate) struct Watched {
    pub(crate) caller: Caller,
    pub(crate) seen: Vec<Notice>,
}

impl Watched {
    /// Reads notices until one is `wanted`, and returns it.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&NoticeKind) -> bool) -> Notice {
        self.within(PATIENCE, wanted).await
    }

    pub(crate) async fn within(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&NoticeKind) -> bool,
    ) -> Notice {
        match self.within_or_none(patience, wanted).await {
            Some(notice) => notice,
            None => panic!("not within {patience:?}; there were {:#?}", self.kinds()),
        }
    }

    pub(crate) async fn within_or_none(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&NoticeKind) -> bool,
    ) -> Option<Notice> {
        let found = tokio::time::timeout(patience, async {
            loop {
                let notice = self.caller.notice().await?;
                self.seen.push(notice.clone());
                if wanted(&notice.kind) {
                    return Some(notice);
                }
            }
        });
        match found.await {
            Ok(None) => panic!("the caller ended first, after {:#?}", self.kinds()),
            Ok(found) => found,
            Err(_) => None,
        }
    }

    fn kinds(&self) -> Vec<&NoticeKind> {
        self.seen.iter().map(|notice| &notice.kind).collect()
    }

    pub(crate) async fn leave(self) -> driver::Outcome {
        self.caller.stop(driver::StopReason::Finished);
        self.end().await
    }

    pub(crate) async fn end(self) -> driver::Outcome {
        tokio::time::timeout(PATIENCE, self.caller.join())
            .await
            .expect("the caller ends in time")
    }
}

pub(crate) fn is_in(kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::State(State::InConference))
}

pub(crate) fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../tests/data", name]
        .iter()
        .collect()
}

/// Material out of files of the test data.
pub(crate) fn material(audio: &str, video: Option<&str>) -> Arc<Material> {
    let audio = SourceSpec::file(data(audio));
    let video = video.map(|name| SourceSpec::file(data(name)));
    Arc::new(Material::open(Some(&audio), video.as_ref()).unwrap())
}

pub(crate) fn once(audio: &str, video: Option<&str>) -> Program {
    Program::Once(material(audio, video))
}

/// Returns the share of one frequency in the power of what was heard, by one term of a Fourier transform.
fn share_of(pcm: &[f32], hertz: f32) -> f32 {
    let power: f32 = pcm.iter().map(|sample| sample * sample).sum();
    let step = std::f32::consts::TAU * hertz / media::SAMPLE_RATE as f32;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in pcm.iter().enumerate() {
        let angle = step * (n % 48_000) as f32;
        re += sample * angle.cos();
        im += sample * angle.sin();
    }
    // Silence has no share of anything.
    2.0 * (re * re + im * im) / (pcm.len() as f32 * power).max(1e-9)
}
