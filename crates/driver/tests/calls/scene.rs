//! A practice node and callers that join it, with deadlines instead of sleeps.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use driver::{
    Caller, CallerSettings, HttpClient, Material, Notice, NoticeKind, Program, Shards, State, Tls,
};
use media::SourceSpec;
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
    let audio = SourceSpec::File(data(audio));
    let video = video.map(|name| SourceSpec::File(data(name)));
    Arc::new(Material::open(Some(&audio), video.as_ref()).unwrap())
}

pub(crate) fn once(audio: &str, video: Option<&str>) -> Program {
    Program::Once(material(audio, video))
}
