//! Locust's own master, as make installs it below target/python.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{SOON, plain_http, wait_for};

/// A running master; killed when this is dropped.
pub(crate) struct Master {
    /// Where workers connect.
    pub(crate) address: String,
    web: String,
    directory: TempDir,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// How a master ended.
pub(crate) struct Judged {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// Its rows of statistics.
    rows: Vec<Value>,
    /// The file of its failures.
    pub(crate) failures: String,
    /// What it logged.
    pub(crate) log: String,
}

impl Master {
    /// Starts one with our locustfile, without a web page, at a port of its own.
    pub(crate) async fn headless(arguments: &[&str]) -> Self {
        let port = free_port();
        Self::start(port, &[&["--headless"], arguments].concat()).await
    }

    /// Starts one with our locustfile and its web page.
    pub(crate) async fn with_page(port: u16, arguments: &[&str]) -> Self {
        let web = free_port().to_string();
        let page = ["--web-host", "127.0.0.1", "--web-port", &web];
        let master = Self::start(port, &[&page, arguments].concat()).await;
        wait_for("Locust's page", SOON, async || {
            master.asks("/stats/requests").await
        })
        .await;
        master
    }

    async fn start(port: u16, arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let locust = root.join("target/python/bin/locust");
        assert!(locust.exists(), "Locust is missing: run `make deps-test`");
        let directory = tempfile::tempdir().unwrap();
        let web = arguments.iter().position(|one| *one == "--web-port");
        let web = web.map_or("", |at| arguments[at + 1]);
        let mut child = Command::new(locust)
            .current_dir(directory.path())
            .arg("-f")
            .arg(root.join("config/locustfile.py"))
            .args(["--master", "--master-bind-host", "127.0.0.1"])
            .args(["--master-bind-port", &port.to_string()])
            .args(["--csv", "out", "--json-file", "out", "--only-summary"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let into = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                into.lock().unwrap().push(line);
            }
        });
        Self {
            address: format!("127.0.0.1:{port}"),
            web: format!("http://127.0.0.1:{web}"),
            directory,
            child,
            log,
        }
    }

    /// Waits until its log says this.
    pub(crate) async fn until_log(&self, text: &str) {
        wait_for(&format!("{text:?} in Locust's log"), SOON, async || {
            self.log().contains(text).then_some(())
        })
        .await;
    }

    /// Returns what it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Returns a file that it writes.
    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns what its page is told.
    pub(crate) async fn asks(&self, path: &str) -> Option<Value> {
        let answer = plain_http().get(format!("{}{path}", self.web)).send();
        answer.await.ok()?.json().await.ok()
    }

    /// Starts a test with so many callers, as a person does on its page.
    pub(crate) async fn swarm(&self, callers: usize) {
        let form = format!("user_count={callers}&spawn_rate=10");
        self.post("/swarm", &form).await;
    }

    /// Stops the test, as a person does on its page.
    pub(crate) async fn stop(&self) {
        self.post("/stop", "").await;
    }

    async fn post(&self, path: &str, form: &str) {
        let request = plain_http()
            .post(format!("{}{path}", self.web))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
    }

    /// Ends it in good order.
    pub(crate) async fn terminated(self) -> Judged {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
        self.ended().await
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Judged {
        let Ok(status) = tokio::time::timeout(SOON, self.child.wait()).await else {
            panic!("Locust does not end\n{}", self.log());
        };
        Judged {
            code: status.unwrap().code(),
            rows: serde_json::from_str(&self.file("out.json")).unwrap(),
            failures: self.file("out_failures.csv"),
            log: self.log(),
        }
    }

    /// Ends it as a power cut does.
    pub(crate) async fn killed(mut self) {
        self.child.kill().await.unwrap();
    }
}

impl Judged {
    /// Returns how many requests of a row there were, and how many of them failed.
    #[track_caller]
    pub(crate) fn row(&self, method: &str, name: &str) -> (u64, u64) {
        let row = self
            .rows
            .iter()
            .find(|row| row["method"] == method && row["name"] == name);
        let row = row.unwrap_or_else(|| panic!("no {method} {name} in {:#?}", self.rows));
        let count = |key: &str| row[key].as_u64().unwrap();
        (count("num_requests"), count("num_failures"))
    }

    /// Returns how many requests of any row failed.
    pub(crate) fn failed(&self) -> u64 {
        let failed = self.rows.iter().map(|row| row["num_failures"].as_u64());
        failed.map(Option::unwrap).sum()
    }
}

/// Returns a port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
