//! One request to a running service, and its answer.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use node::OperatorToken;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::exit::{Exit, Failure};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 << 20;

/// How long a service may take to answer: longer than any node may take for whatever is passed on to it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a service listens.
#[derive(Debug)]
pub(super) enum Place {
    /// A Unix socket.
    Socket(PathBuf),
    /// By TCP, and the token for it.
    Address(String, Option<OperatorToken>),
}

/// What a service answered.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Whole(Vec<u8>),
    /// A stream of lines, and what of the next one has come.
    Lines(Incoming, Vec<u8>),
}

impl Place {
    /// Asks for something.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.request(Method::GET, path, None).await
    }

    /// Tells something.
    pub(super) async fn post(&self, path: &str, body: Option<Value>) -> Result<Answer, Failure> {
        self.request(Method::POST, path, body).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        within(PATIENCE, self.exchange(method, path, body)).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost");
        if let Self::Address(_, Some(token)) = self {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(Failure::usage)?;
        let response = match self {
            Self::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| {
                    let what_to_do = match error.kind() {
                        ErrorKind::PermissionDenied => {
                            "be root, or in the group that the socket belongs to"
                        }
                        _ => "name its socket with --socket, or let it have one (`control.socket`)",
                    };
                    Failure::failed(format!(
                        "cannot reach a service on {}: {error}; {what_to_do}",
                        path.display()
                    ))
                })?;
                exchange(stream, request).await
            }
            Self::Address(address, _) => {
                let stream = TcpStream::connect(address.as_str())
                    .await
                    .map_err(|error| {
                        Failure::failed(format!("cannot reach a service on {address}: {error}"))
                    })?;
                exchange(stream, request).await
            }
        };
        Answer::of(response.map_err(gone)?).await
    }
}

/// Waits no longer than that for an answer: a process that is stopped is still connected to.
async fn within(
    patience: Duration,
    answer: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    let answer = tokio::time::timeout(patience, answer).await;
    answer.map_err(|_| {
        Failure::failed(format!(
            "the service has not answered within {patience:?}: see its log, and whether it is stopped"
        ))
    })?
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> hyper::Result<Response<Incoming>> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What goes wrong there is told by the request.
    tokio::spawn(connection);
    sender.send_request(request).await
}

impl Answer {
    async fn of(response: Response<Incoming>) -> Result<Self, Failure> {
        let status = response.status().as_u16();
        let is_lines = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|content_type| content_type == "application/x-ndjson");
        let mut incoming = response.into_body();
        if is_lines {
            let body = Body::Lines(incoming, Vec::new());
            return Ok(Self { status, body });
        }
        let mut whole = Vec::new();
        while let Some(frame) = incoming.frame().await {
            if let Ok(data) = frame.map_err(gone)?.into_data() {
                whole.extend_from_slice(&data);
                if whole.len() > LARGEST {
                    return Err(Failure::failed("the answer of the service has no end"));
                }
            }
        }
        Ok(Self {
            status,
            body: Body::Whole(whole),
        })
    }

    /// Returns what was answered, if that is no complaint.
    pub(super) fn value(&self) -> Result<Value, Failure> {
        self.expect_success()?;
        match &self.body {
            Body::Whole(body) => serde_json::from_slice(body).map_err(|_| no_service()),
            Body::Lines(..) => Err(no_service()),
        }
    }

    /// Fails with what the service complains about, if it does.
    pub(super) fn expect_success(&self) -> Result<(), Failure> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        let said = match &self.body {
            Body::Whole(body) => serde_json::from_slice::<Value>(body).unwrap_or_default(),
            Body::Lines(..) => Value::Null,
        };
        let Some(error) = said["error"].as_str() else {
            return Err(no_service());
        };
        Err(match self.status {
            400 => Failure::usage(error),
            401 => Failure::failed(
                "the token of the service is missing or wrong: name the file that holds it with --token-file",
            ),
            424 => Failure::new(Exit::NodeRefused, error),
            _ => Failure::failed(error),
        })
    }

    /// Waits for the next line; `None` when the service has ended.
    pub(super) async fn line(&mut self) -> Result<Option<String>, Failure> {
        let Body::Lines(incoming, rest) = &mut self.body else {
            return Err(no_service());
        };
        loop {
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).into_owned();
                return Ok(Some(line));
            }
            if rest.len() > LARGEST {
                return Err(Failure::failed("a line of the service has no end"));
            }
            let Some(Ok(frame)) = incoming.frame().await else {
                return Ok(None);
            };
            if let Ok(data) = frame.into_data() {
                rest.extend_from_slice(&data);
            }
        }
    }
}

fn gone(error: hyper::Error) -> Failure {
    Failure::failed(format!("the service went away: {error}"))
}

fn no_service() -> Failure {
    Failure::failed("whoever listens there is no Standin service")
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn a_service_that_is_stuck_is_told_and_not_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        // The kernel takes the connection, as it does for a process that is stopped.
        let listener = UnixListener::bind(&path).expect("a socket");
        let place = Place::Socket(path);
        let answer = place.exchange(Method::GET, "/status", None);
        let failure = within(Duration::from_millis(20), answer)
            .await
            .expect_err("nobody answers");
        let said = failure.to_string();
        assert!(said.contains("not answered within 20ms"), "{said}");
        drop(listener);
    }
}
