//! Debian's TURN server on loopback, one for all rows. That there is no other way is proven by the
//! stories of the relay, in networks of their own; here clients are told to take no other.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use infinity::{Credential, TurnServer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use crate::row::Turn;

const USER: &str = "caller";
const PASSWORD: &str = "sesame-4711";

/// How long it may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

struct Coturn {
    port: u16,
    tls_port: u16,
    process: Mutex<Child>,
    _directory: TempDir,
}

static COTURN: OnceCell<Coturn> = OnceCell::const_new();

/// Ends the server, if there is one, when this is dropped: what is static is not.
pub(crate) struct End;

impl Drop for End {
    fn drop(&mut self) {
        if let Some(coturn) = COTURN.get()
            && let Ok(mut process) = coturn.process.lock()
        {
            // One that has ended already needs no end.
            let _ = process.start_kill();
        }
    }
}

/// Returns the server as a node names it.
pub(crate) async fn server(turn: Turn) -> TurnServer {
    let coturn = COTURN.get_or_init(Coturn::start).await;
    let uri = match turn {
        Turn::Udp => format!("turn:127.0.0.1:{}?transport=udp", coturn.port),
        Turn::Tcp => format!("turn:127.0.0.1:{}?transport=tcp", coturn.port),
        Turn::Tls => format!("turns:127.0.0.1:{}?transport=tcp", coturn.tls_port),
    };
    TurnServer {
        urls: vec![uri],
        username: USER.to_owned(),
        credential: Some(Credential::new(PASSWORD)),
    }
}

impl Coturn {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name: &str| {
            let path = directory.path().join(name);
            path.to_str().expect("a path of ASCII").to_owned()
        };
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]);
        let made = made.expect("a certificate");
        std::fs::write(file("cert.pem"), made.cert.pem()).expect("a file");
        std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).expect("a file");
        let (port, tls_port) = (free_port(), free_port());
        let started = Command::new("turnserver")
            .args(["-n", "--verbose", "--no-cli", "--log-file", "stdout"])
            .args(["--lt-cred-mech", "--realm", "standin"])
            .args(["--user", &format!("{USER}:{PASSWORD}")])
            .args(["--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"])
            .arg("--allow-loopback-peers")
            .args(["--listening-port", &port.to_string()])
            .args(["--tls-listening-port", &tls_port.to_string()])
            .args(["--cert", &file("cert.pem"), "--pkey", &file("key.pem")])
            .args(["--pidfile", &file("pid"), "--userdb", &file("db")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = started.expect("a TURN server: is coturn installed?");
        let output = process.stdout.take().expect("piped");
        let mut lines = BufReader::new(output).lines();
        let opened = async {
            let mut seen = Vec::new();
            // Listeners of TCP and TLS come first; this is the last one.
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("DTLS/UDP listener opened on") {
                    return;
                }
                seen.push(line);
            }
            panic!("the TURN server ended: {}", seen.join("\n"));
        };
        let is_up = tokio::time::timeout(PATIENCE, opened).await;
        is_up.expect("the TURN server begins in time");
        // It must not stop because nobody reads what it says.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            port,
            tls_port,
            process: Mutex::new(process),
            _directory: directory,
        }
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}
