//! A node in this process, clients for it, and event streams that are read with a deadline.

mod events;

pub(crate) use events::Events;
use std::sync::OnceLock;
use std::time::Duration;

use node::{ConferenceSettings, Fault, Node, NodeSettings, RunningNode};
use peer::Shards;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// Nothing here takes longer unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

fn shards() -> &'static Shards {
    static SHARDS: OnceLock<Shards> = OnceLock::new();
    SHARDS.get_or_init(|| Shards::new(1).expect("a thread"))
}

pub(crate) fn settings(conferences: &[&str]) -> NodeSettings {
    let conference = |text: &&str| {
        text.parse::<ConferenceSettings>()
            .expect("a good conference")
    };
    NodeSettings {
        https: None,
        http: Some(([127, 0, 0, 1], 0).into()),
        conferences: conferences.iter().map(conference).collect(),
        media_addresses: vec![[127, 0, 0, 1].into()],
        ..NodeSettings::default()
    }
}

pub(crate) async fn try_start(settings: NodeSettings) -> Result<TestNode, node::NodeError> {
    let running = Node::start(settings, shards()).await?;
    let url = running
        .http_url
        .clone()
        .or_else(|| running.https_url.clone())
        .expect("it serves something");
    // No connection waits for another request: the node may close it at that very moment.
    let client = Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client");
    Ok(TestNode {
        running,
        url,
        client,
    })
}

pub(crate) async fn start(settings: NodeSettings) -> TestNode {
    install_provider();
    try_start(settings).await.expect("the node starts")
}

/// A node with one open conference, `meet`.
pub(crate) async fn open_node() -> TestNode {
    start(settings(&["meet"])).await
}

pub(crate) async fn faulty_node(fault: Fault) -> TestNode {
    start(NodeSettings {
        faults: fault.into(),
        ..settings(&["meet"])
    })
    .await
}

pub(crate) fn install_provider() {
    // Fails only when another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub(crate) struct TestNode {
    pub(crate) running: RunningNode,
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl TestNode {
    pub(crate) fn conference(&self, alias: &str) -> String {
        format!("{}/api/client/v2/conferences/{alias}", self.url)
    }

    pub(crate) async fn request_token(&self, alias: &str, name: &str, pin: Option<&str>) -> Answer {
        let mut request = self
            .client
            .post(format!("{}/request_token", self.conference(alias)));
        if let Some(pin) = pin {
            request = request.header("pin", pin);
        }
        Answer::of(request.json(&json!({ "display_name": name }))).await
    }

    /// Joins as someone who gets in.
    pub(crate) async fn join(&self, name: &str) -> Member {
        self.join_with(name, None).await
    }

    pub(crate) async fn join_with(&self, name: &str, pin: Option<&str>) -> Member {
        self.join_to("meet", name, pin).await
    }

    pub(crate) async fn join_to(&self, alias: &str, name: &str, pin: Option<&str>) -> Member {
        let granted = self.request_token(alias, name, pin).await.ok();
        Member {
            client: self.client.clone(),
            base: self.conference(alias),
            token: text(&granted["token"]),
            uuid: text(&granted["participant_uuid"]),
            granted,
        }
    }
}

/// Somebody with a token.
pub(crate) struct Member {
    client: Client,
    base: String,
    pub(crate) token: String,
    pub(crate) uuid: String,
    pub(crate) granted: Value,
}

impl Member {
    pub(crate) fn post_request(&self, path: &str) -> RequestBuilder {
        self.client
            .post(format!("{}/{path}", self.base))
            .header("token", &self.token)
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        Answer::of(self.post_request(path)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.post_request(path).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(
            self.client
                .get(format!("{}/{path}", self.base))
                .header("token", &self.token),
        )
        .await
    }

    /// Opens an event stream as browsers do, and reads the first roster.
    pub(crate) async fn events(&self) -> Events {
        let mut events = self.fresh_events().await;
        events.until("stage").await;
        events
    }

    /// The same, with nothing read yet.
    pub(crate) async fn fresh_events(&self) -> Events {
        let response = self.open_events().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events::new(response)
    }

    pub(crate) async fn open_events(&self) -> Response {
        let token = self.token.replace('=', "%3D");
        let request = self
            .client
            .get(format!("{}/events?token={token}", self.base));
        tokio::time::timeout(DEADLINE, request.send())
            .await
            .expect("headers come at once")
            .expect("an answer")
    }

    /// The path of something of this participant.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("participants/{}/{rest}", self.uuid)
    }
}

/// An answer: the HTTP code, and the body as JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = tokio::time::timeout(DEADLINE, request.send())
            .await
            .expect("in time")
            .expect("an answer");
        let code = response.status().as_u16();
        let body = response.text().await.expect("a body");
        Self {
            code,
            body: serde_json::from_str(&body).unwrap_or(Value::Null),
        }
    }

    /// The result of a request that succeeded.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(
            (self.code, &self.body["status"]),
            (200, &json!("success")),
            "{:?}",
            self.body
        );
        self.body["result"].clone()
    }

    /// Checks a refusal: the code, and the text that is its result.
    pub(crate) fn refused(self, code: u16, result: &str) {
        let status = if code == 403 { "success" } else { "failed" };
        assert_eq!(
            (self.code, self.body),
            (code, json!({ "status": status, "result": result }))
        );
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
