//! The practice node as a process, and its API as any other client sees it.

use std::time::Duration;

use serde_json::{Value, json};

use super::process::{Ended, Process};
use super::{SOON, wait_for};

/// A running `standin node` on ports of its own.
pub(crate) struct PracticeNode {
    /// Where plain HTTP is served.
    pub(crate) http: String,
    /// Where HTTPS is served, with a certificate nobody knows.
    pub(crate) https: String,
    process: Process,
}

impl PracticeNode {
    /// Starts a node with media on loopback.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::start_at(
            "127.0.0.1:0",
            "127.0.0.1:0",
            &[&["--media-address", "127.0.0.1"], arguments].concat(),
        )
        .await
    }

    /// The arguments with which somebody joins its conference `meet`, and tells of it in JSON.
    pub(crate) fn join<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let join = [
            "join",
            "--json",
            "--node",
            &self.http,
            "--conference",
            "meet",
        ];
        [&join, more].concat()
    }

    /// Starts a node at addresses of our choice.
    pub(crate) async fn start_at(http: &str, https: &str, arguments: &[&str]) -> Self {
        let arguments = [
            &["node", "--json", "--http", http, "--https", https],
            arguments,
        ]
        .concat();
        let mut process = Process::start(&arguments);
        let (http, https) = process
            .until("the addresses", SOON, |line| {
                Some((
                    line["http"].as_str()?.to_owned(),
                    line["https"].as_str()?.to_owned(),
                ))
            })
            .await;
        Self {
            http,
            https,
            process,
        }
    }

    /// Returns what it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Returns how many pictures the node has sent to the participant `to` of `meet`, if it shows it
    /// the picture of `whose` now.
    pub(crate) async fn pictures_shown(&self, to: &str, whose: &str) -> Option<u64> {
        let state = plain_http().get(format!("{}/node/state.json", self.http));
        let state: Value = state.send().await.ok()?.json().await.ok()?;
        let people = state["conferences"][0]["participants"].as_array()?;
        let named = |name: &str| people.iter().find(|one| one["row"]["display_name"] == name);
        let media = &named(to)?["calls"][0]["media"];
        (media["sees"] == named(whose)?["row"]["uuid"])
            .then(|| media["video"]["out"]["frames"].as_u64())?
    }

    /// Returns the address without its scheme, to start another node in its place.
    pub(crate) fn http_address(&self) -> String {
        self.http.trim_start_matches("http://").to_owned()
    }

    /// Sends the node a signal: `STOP` makes it hang, `CONT` lets it go on.
    pub(crate) async fn signal(&self, signal: &str) {
        self.process.signal(signal).await;
    }

    /// Ends the node as a power cut does.
    pub(crate) async fn killed(self) {
        self.process.signal("KILL").await;
        self.process.ended(SOON).await;
    }

    /// Ends the node in good order.
    pub(crate) async fn stopped(self) -> Ended {
        self.process.terminated().await
    }
}

/// Returns a client for plain HTTP on loopback.
pub(crate) fn plain_http() -> reqwest::Client {
    // reqwest asks for a provider even where TLS has no part; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A participant without media that reads the roster: what another client of the API sees.
pub(crate) struct Observer {
    client: reqwest::Client,
    conference: String,
    token: String,
    name: &'static str,
}

impl Observer {
    /// Joins a conference, with a PIN if it wants one.
    pub(crate) async fn join(node: &PracticeNode, conference: &str, pin: Option<&str>) -> Self {
        let name = "Observer";
        let client = plain_http();
        let conference = format!("{}/api/client/v2/conferences/{conference}", node.http);
        let mut request = client
            .post(format!("{conference}/request_token"))
            .json(&json!({ "display_name": name }));
        if let Some(pin) = pin {
            request = request.header("pin", pin);
        }
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let token = answer["result"]["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token: {answer}"))
            .to_owned();
        Self {
            client,
            conference,
            token,
            name,
        }
    }

    /// Returns the rows of everyone else.
    pub(crate) async fn others(&self) -> Vec<Value> {
        let answer = self
            .client
            .get(format!("{}/participants", self.conference))
            .header("token", &self.token);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        let rows = answer["result"]
            .as_array()
            .unwrap_or_else(|| panic!("no roster: {answer}"));
        rows.iter()
            .filter(|row| row["display_name"] != self.name)
            .cloned()
            .collect()
    }

    /// Sends a command about the conference, such as `muteguests`.
    pub(crate) async fn command(&self, command: &str) {
        let sent = self
            .client
            .post(format!("{}/{command}", self.conference))
            .header("token", &self.token);
        let answer = sent.send().await.unwrap();
        assert!(answer.status().is_success(), "{command}: {answer:?}");
    }

    /// Sends a command with a body, and returns its result.
    pub(crate) async fn command_with(&self, command: &str, body: &Value) -> Value {
        let sent = self
            .client
            .post(format!("{}/{command}", self.conference))
            .header("token", &self.token)
            .json(body);
        let answer: Value = sent.send().await.unwrap().json().await.unwrap();
        answer["result"].clone()
    }

    /// Waits until there are this many others.
    pub(crate) async fn until_others(&self, count: usize) {
        let what = format!("{count} others in the roster");
        wait_for(&what, SOON, async || {
            (self.others().await.len() == count).then_some(())
        })
        .await;
    }

    /// Checks that nobody else is there any more: a token that was released leaves no row behind.
    pub(crate) async fn expect_alone(&self) {
        // The answer to `release_token` may overtake the roster by a moment, the two minutes of a token it must not need.
        let limit = Duration::from_secs(3);
        wait_for("an empty roster", limit, async || {
            self.others().await.is_empty().then_some(())
        })
        .await;
    }
}
