//! A tiny HTTP server for tests that want a fault on purpose; the practice node serves the rest.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::{CallerSettings, HttpClient, Tls};

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What the server answers with, after how long.
pub(crate) type Script = fn(verb: &str) -> (Duration, u16, &'static str);

/// A grant as nodes send it; good for two minutes.
pub(crate) const GRANTED: &str = r#"{"status":"success","result":{"token":"t0k3n","expires":"120",
    "participant_uuid":"p","display_name":"x","role":"HOST","current_service_type":"conference",
    "version":{"version_id":"36","pseudo_version":"1"}}}"#;

/// A server that follows a script and writes down what it was asked.
pub(crate) struct Scripted {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Scripted {
    pub(crate) async fn serve(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notebook = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(connection, script, Arc::clone(&notebook)));
            }
        });
        Self { url, asked }
    }

    /// Returns the tokens with which `verb` was asked for.
    pub(crate) fn tokens_of(&self, verb: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(v, _)| v == verb)
            .map(|(_, token)| token.clone())
            .collect()
    }

    /// Waits until `verb` was asked for.
    pub(crate) async fn until_asked(&self, verb: &str) {
        let asked = async {
            while self.tokens_of(verb).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap();
    }

    pub(crate) fn settings(&self) -> CallerSettings {
        settings(self.url.clone())
    }
}

/// Settings of a caller that goes to `url`.
pub(crate) fn settings(url: Url) -> CallerSettings {
    let client = HttpClient::new(&Tls::SystemRoots).unwrap();
    CallerSettings::new(client, url, "meet".parse().unwrap(), "x")
}

async fn answer(
    mut connection: TcpStream,
    script: Script,
    asked: Arc<Mutex<Vec<(String, String)>>>,
) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.ok()?);
            if head == [0x16] {
                // A TLS handshake; servers of plain HTTP say so in their own way.
                connection
                    .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    .await
                    .ok()?;
                return None;
            }
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            })
        };
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        connection.read_exact(&mut vec![0; length]).await.ok()?;
        let path = head.split(' ').nth(1).unwrap();
        let verb = path
            .split('?')
            .next()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        asked
            .lock()
            .unwrap()
            .push((verb.clone(), header("token").unwrap_or_default()));
        let (pause, code, body) = script(&verb);
        tokio::time::sleep(pause).await;
        let answer = format!(
            "HTTP/1.1 {code} X\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(answer.as_bytes()).await.ok()?;
    }
}
