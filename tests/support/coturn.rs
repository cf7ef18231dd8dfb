//! Debian's TURN server, in a network of our own.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::network::{Network, TURN, TURN_ALIAS, TURN_RELAY, TURN_V6};
use super::{SOON, wait_for};

/// Who it lets in.
pub(crate) const USER: &str = "caller";
pub(crate) const PASSWORD: &str = "sesame-4711";

/// A running TURN server; killed when this is dropped.
pub(crate) struct Coturn(Child);

impl Coturn {
    /// Starts it, with the certificate of this directory.
    pub(crate) async fn start(network: &Network, directory: &Path) -> Self {
        let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let started = Command::new("ip")
            .args([
                "netns",
                "exec",
                &network.namespace("turn"),
                "turnserver",
                "-n",
                "--verbose",
            ])
            .args([
                "--no-cli",
                "--lt-cred-mech",
                "--realm",
                "standin",
                "--log-file",
                "stdout",
            ])
            .args(["--user", &format!("{USER}:{PASSWORD}")])
            .args(["--listening-ip", TURN, "--listening-ip", TURN_V6])
            .args(["--listening-ip", TURN_ALIAS, "--relay-ip", TURN_RELAY])
            .args(["--cert", &file("cert.pem"), "--pkey", &file("key.pem")])
            .args(["--pidfile", &file("turn.pid"), "--userdb", &file("turn.db")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut child = started.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = Vec::new();
        let opened = async {
            while let Ok(Some(line)) = lines.next_line().await {
                // Listeners of TCP and TLS come first, and this is its last address and port.
                let is_last = line.contains("DTLS/UDP listener opened on")
                    && line.contains(&format!("{TURN_ALIAS}:5350"));
                seen.push(line);
                if is_last {
                    return true;
                }
            }
            false
        };
        let is_up = tokio::time::timeout(SOON, opened).await.unwrap_or(false);
        assert!(
            is_up,
            "no TURN server; is coturn installed?\n{}",
            seen.join("\n")
        );
        // It must not stop because nobody reads what it says.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self(child)
    }

    /// Ends it as a power cut does.
    pub(crate) async fn killed(mut self) {
        self.0.start_kill().unwrap();
        wait_for("its end", SOON, async || self.0.try_wait().unwrap()).await;
    }
}
