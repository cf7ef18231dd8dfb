//! The scene of one telling: a node of its own, the caller whose request the row is about, and
//! the others who see what comes of it.

use std::net::Ipv4Addr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use driver::{HttpClient, Tls};
use infinity::Profile;
use node::{ConferenceSettings, Fault, Faults, Node, NodeSettings, RunningNode};
use peer::{Shard, Shards};
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;

use crate::caller::Caller;
use crate::row::{Hand, Row, Stop, V10};
use crate::turn;
use crate::witness::Witness;

/// The PIN of hosts in the conference that most stories play in.
pub(crate) const HOST_PIN: &str = "1234";
/// What guests of that conference give in its place.
pub(crate) const NO_PIN: &str = "none";

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);
/// The same where it is expected never to come: many times what it takes when it comes.
const PATIENCE_IN_VAIN: Duration = Duration::from_secs(4);

/// How one telling of a story differs from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) hand: Hand,
    pub(crate) profile: Profile,
    /// What the node is to do without.
    pub(crate) without: Option<&'static str>,
}

/// The scene of one telling.
pub(crate) struct Scene {
    pub(crate) setting: Setting,
    pub(crate) url: String,
    /// The same over TLS, with a certificate that nobody vouches for.
    pub(crate) https: Option<String>,
    /// The alias of the conference that the story plays in.
    pub(crate) alias: String,
    /// Whether the others have calls.
    pub(crate) has_media: bool,
    files: TempDir,
    _node: RunningNode,
}

impl Scene {
    /// Starts a node for `row`.
    pub(crate) async fn open(row: &Row, setting: Setting) -> Self {
        let parsed = |text: &&str| {
            text.parse::<ConferenceSettings>()
                .expect("rows name good conferences")
        };
        let conferences: Vec<_> = row.conferences.iter().map(parsed).collect();
        let alias = conferences[0].alias.to_string();
        let without = setting.without.map(|handler| format!("without={handler}"));
        let faults: Faults = row
            .faults
            .iter()
            .map(|fault| (*fault).to_owned())
            .chain(without)
            .map(|fault| fault.parse::<Fault>().expect("rows name good faults"))
            .collect();
        let mut settings = NodeSettings {
            https: None,
            http: Some((Ipv4Addr::LOCALHOST, 0).into()),
            conferences,
            faults,
            profile: setting.profile,
            token_life: Duration::from_secs(row.token_life),
            waiting_room_life: Duration::from_secs(row.waiting_room_life),
            media_addresses: vec![Ipv4Addr::LOCALHOST.into()],
            ..NodeSettings::default()
        };
        (row.node)(&mut settings);
        if let Some(turn) = row.turn {
            settings.ice_servers.turn = vec![turn::server(turn).await];
            settings.ice_servers.use_relay_candidates_only = true;
        }
        let node = Node::start(settings, shards()).await.expect("a node");
        Self {
            setting,
            https: node.https_url.clone(),
            url: node.http_url.clone().expect("it serves HTTP"),
            alias,
            has_media: Self::has_media(row, setting),
            files: tempfile::tempdir().expect("a directory"),
            _node: node,
        }
    }

    /// Whether media flows. It does not where a request is missing: what is asked for, or an event,
    /// has to fail there, and sound that is late could not be told from sound that is missing.
    pub(crate) fn has_media(row: &Row, setting: Setting) -> bool {
        let is_refused = setting.profile == Profile::V10 && row.v10 == V10::NotFound;
        setting.without.is_none() && !is_refused
    }

    /// How long to wait for what should come.
    pub(crate) fn patience(&self) -> Duration {
        if self.setting.without.is_some() {
            PATIENCE_IN_VAIN
        } else {
            PATIENCE
        }
    }

    pub(crate) fn is_without(&self, handler: &str) -> bool {
        self.setting.without == Some(handler)
    }

    pub(crate) fn is_v10(&self) -> bool {
        self.setting.profile == Profile::V10
    }

    /// The name of the event with a chat message.
    pub(crate) fn message_event(&self) -> &'static str {
        if self.is_v10() {
            "message"
        } else {
            "message_received"
        }
    }

    /// Writes a file for `standin api` to read, and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.files.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path of ASCII").to_owned()
    }

    /// A second node, with an open conference of the same alias and tokens that are not long for this
    /// world.
    pub(crate) async fn another_node(&self) -> RunningNode {
        let alias = self.alias.parse().expect("rows name good aliases");
        let settings = NodeSettings {
            https: None,
            http: Some((Ipv4Addr::LOCALHOST, 0).into()),
            conferences: vec![ConferenceSettings::open(alias)],
            token_life: Duration::from_secs(4),
            media_addresses: vec![Ipv4Addr::LOCALHOST.into()],
            ..NodeSettings::default()
        };
        Node::start(settings, shards()).await.expect("a node")
    }

    /// What the operator of the node sees.
    pub(crate) async fn state(&self) -> Value {
        let request = http().get(format!("{}/node/state.json", self.url));
        let response = request.send().await.expect("the operator's view");
        response.json().await.expect("JSON")
    }

    /// The caller joins as a host.
    pub(crate) async fn host(&self) -> Result<Caller, Stop> {
        Caller::join(self, "Host", Some(HOST_PIN)).await
    }

    /// The caller joins as a guest.
    pub(crate) async fn guest(&self) -> Result<Caller, Stop> {
        Caller::join(self, "Guest", Some(NO_PIN)).await
    }

    /// Another participant joins as a guest, and listens to its events.
    pub(crate) async fn other(&self, name: &str) -> Result<Witness, Stop> {
        Witness::join(self, name, NO_PIN).await
    }

    /// Another participant joins as a host, and listens to its events.
    pub(crate) async fn other_host(&self, name: &str) -> Result<Witness, Stop> {
        Witness::join(self, name, HOST_PIN).await
    }
}

/// Where the media of nodes and witnesses runs.
pub(crate) fn shards() -> &'static Shards {
    static SHARDS: OnceLock<Shards> = OnceLock::new();
    SHARDS.get_or_init(|| Shards::new(2).expect("two threads"))
}

pub(crate) fn shard() -> Shard {
    shards().next()
}

/// The client of whoever looks on.
pub(crate) fn http() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| Client::builder().no_proxy().build().expect("a client"))
}

/// The client of the library's calls.
pub(crate) fn library_client() -> HttpClient {
    static CLIENT: OnceLock<HttpClient> = OnceLock::new();
    CLIENT
        .get_or_init(|| HttpClient::new(&Tls::SystemRoots).expect("a client"))
        .clone()
}

/// Asks again and again until `ask` has an answer; `None` once `patience` is over.
pub(crate) async fn within<T>(
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if Instant::now() > deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
