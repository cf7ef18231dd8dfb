//! Hooks: what happens to participants is told to programs and to a web server, signed, and again where it was away.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;

use crate::support::{Daemon, PracticeNode, SOON, SPEECH, material, turn, wait_for};

const SECRET: &[u8] = b"a secret of twenty-five b";

/// What a web server was posted.
#[derive(Clone)]
struct Posted {
    headers: HeaderMap,
    body: String,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Returns whether it is signed with a secret, as a receiver of Standard Webhooks checks it.
    fn is_signed_with(&self, secret: &[u8]) -> bool {
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signature = self
            .header("webhook-signature")
            .strip_prefix("v1,")
            .unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signed = format!("{id}.{at}.{}", self.body);
        let signature = STANDARD.decode(signature).unwrap();
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
    }
}

/// A web server that gives these answers, then 204, and keeps what it is posted.
#[derive(Clone)]
struct Server {
    address: String,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Server {
    async fn start(answers: &[StatusCode]) -> Self {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let posted = Arc::<Mutex<Vec<Posted>>>::default();
        let kept = Arc::clone(&posted);
        let take = async move |headers: HeaderMap, body: String| {
            kept.lock().unwrap().push(Posted { headers, body });
            let answer = answers.lock().unwrap().pop_front();
            answer.unwrap_or(StatusCode::NO_CONTENT)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hunter2", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/hunter2", axum::routing::post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, posted }
    }

    async fn until(&self, count: usize) -> Vec<Posted> {
        wait_for(&format!("{count} posts"), SOON, async || {
            let posted = self.posted.lock().unwrap();
            (posted.len() >= count).then(|| posted.clone())
        })
        .await
    }
}

#[tokio::test]
async fn what_happens_is_told_to_programs_and_servers() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "meet"]).await;
    let server = Server::start(&[StatusCode::SERVICE_UNAVAILABLE]).await;
    let gone = Server::start(&[StatusCode::GONE]).await;
    let service = format!(
        "[control]\nsocket = \"control.sock\"\n\
         [participant.bea]\nnode = {:?}\nconference = \"meet\"\nmedia.audio = {:?}\n\
         [hook.page]\non = [\"joined\", \"stopped\"]\npost = {:?}\nsecret_file = \"page.secret\"\n\
         [hook.gone]\non = [\"joined\"]\npost = {:?}\n\
         [hook.note]\non = [\"joined\", \"stopped\"]\nrun = \"cat >> $TOLD\"\n\
         [hook.bad]\non = [\"joined\"]\nrun = \"echo no such room >&2; exit 3\"\n\
         [hook.cat]\non = [\"joined\"]\nparticipants = [\"cat\"]\nrun = \"echo >> $TOLD\"\n",
        node.http,
        material(SPEECH),
        server.address,
        gone.address,
    );
    let files = [
        ("standin.toml", service),
        ("page.secret", String::from_utf8(SECRET.to_vec()).unwrap()),
    ];
    let place = tempfile::tempdir().unwrap();
    let told = place.path().join("told");
    let daemon = Daemon::start(&files, &[("TOLD", told.to_str().unwrap())]).await;
    daemon.until("bea", "in_conference").await;

    // The server was away the first time.
    let posted = server.until(2).await;
    assert_eq!(
        posted[0].header("webhook-id"),
        posted[1].header("webhook-id")
    );
    assert_eq!(posted[0].body, posted[1].body);
    for one in &posted {
        assert!(one.is_signed_with(SECRET));
        assert!(
            !one.is_signed_with(b"another secret of as many"),
            "the control"
        );
        assert_eq!(one.json()["type"], "joined");
        assert_eq!(one.json()["data"]["participant"], "bea");
        assert_eq!(one.json()["data"]["state"], "in_conference");
    }
    gone.until(1).await;

    // The last of them is still told while the service ends.
    daemon.process.signal("TERM").await;
    let ended = daemon.process.ended(SOON).await;
    ended.expect(0, "");
    let last = server.until(3).await.pop().unwrap();
    assert_eq!(last.json()["type"], "stopped");
    assert_ne!(last.header("webhook-id"), posted[0].header("webhook-id"));
    assert_eq!(
        gone.posted.lock().unwrap().len(),
        1,
        "who says 410 is asked once"
    );

    let lines = std::fs::read_to_string(&told).unwrap();
    let types: Vec<Value> = serde_json::Deserializer::from_str(&lines)
        .into_iter::<Value>()
        .map(|one| one.unwrap()["type"].clone())
        .collect();
    assert_eq!(types, ["joined", "stopped"], "and none of another's hook");
    let log = &ended.err;
    assert!(log.contains("exit status: 3: no such room"), "{log}");
    assert!(log.contains("does not take it: 410 Gone"), "{log}");
    assert!(!log.contains("hunter2"), "addresses are secrets: {log}");
}
