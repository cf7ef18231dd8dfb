//! A service of many participants, and how its operator reaches it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::process::{Ended, Process};
use super::{SOON, wait_for};

/// A running `standin run` with a control socket, its configuration in a directory of its own.
pub(crate) struct Daemon {
    pub(crate) process: Process,
    pub(crate) directory: TempDir,
    client: reqwest::Client,
}

impl Daemon {
    /// Writes the files of a configuration, `standin.toml` first, and starts the service.
    pub(crate) async fn start(files: &[(&str, String)], variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("participants.d")).unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let config = directory.path().join(files[0].0);
        let arguments = ["run", "-vv", "--config", config.to_str().unwrap()];
        let process = Process::start_with(&arguments, variables);
        let socket = directory.path().join("control.sock");
        wait_for("the control socket", SOON, async || {
            socket.exists().then_some(())
        })
        .await;
        // reqwest asks for a provider even where TLS has no part; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().unix_socket(socket.as_path());
        let client = client.build().unwrap();
        Self {
            process,
            directory,
            client,
        }
    }

    /// Returns where its socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("control.sock")
    }

    /// Writes a file of its configuration.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// Returns how it stands with a participant.
    pub(crate) async fn status(&self, name: &str) -> Value {
        let url = format!("http://localhost/v1/participants/{name}");
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Returns how it stands with all participants.
    pub(crate) async fn all(&self) -> Vec<Value> {
        let url = "http://localhost/v1/participants";
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Waits until a participant is in this state, and returns how it stands.
    pub(crate) async fn until(&self, name: &str, state: &str) -> Value {
        wait_for(
            &format!("{name} is {state}"),
            Duration::from_secs(30),
            async || Some(self.status(name).await).filter(|status| status["state"] == state),
        )
        .await
    }

    /// Runs `standin ctl` to its end.
    pub(crate) async fn ctl(&self, arguments: &[&str]) -> Ended {
        let socket = self.socket();
        let socket = ["ctl", "--socket", socket.to_str().unwrap()];
        Process::start(&[&socket[..], arguments].concat())
            .ended(SOON)
            .await
    }

    /// Runs `standin ctl`, which must succeed.
    pub(crate) async fn done(&self, arguments: &[&str]) -> Ended {
        let ended = self.ctl(arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        ended
    }
}
