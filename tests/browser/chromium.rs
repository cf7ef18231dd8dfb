//! Debian's Chromium, headless, driven through chromedriver on loopback.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::panic::AssertUnwindSafe;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use futures_util::FutureExt as _;
use media::measure::picture::Pictures;
use media::measure::ssim::Luma;
use serde_json::{Value, json};

use crate::support::{plain_http, wait_for};

/// What every run needs: no window, no sandbox (tests run as root too), no traffic of the browser's own.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    // Names lead nowhere; this machine's addresses need no resolver.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

/// What lets a peer connection use 127.0.0.1 and show it in a candidate; a person's browser has neither.
pub(crate) const LOOPBACK_FLAGS: [&str; 2] = [
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
];

/// What lets a page have a camera and a microphone that are files and patterns, and asks nobody.
pub(crate) const PRETENDED_CAMERA: [&str; 2] = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];

const CAPTURE: &str = include_str!("capture.js");

/// Size of the pictures that `capture.js` keeps.
const WIDTH: usize = 640;
const HEIGHT: usize = 360;

/// Runs `story` in a fresh Chromium, and ends the browser whatever becomes of the story.
pub(crate) async fn with_chromium<T>(flags: &[&str], story: impl AsyncFnOnce(&Tab) -> T) -> T {
    let profile = tempfile::tempdir().unwrap();
    let driver = Driver::start();
    let mut arguments: Vec<String> = FLAGS
        .iter()
        .chain(flags)
        .map(|flag| (*flag).to_owned())
        .collect();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    let tab = Tab::open_browser(&driver, &arguments).await;
    // The page's own security policy is not to keep the worklet out.
    tab.cdp("Page.setBypassCSP", json!({ "enabled": true }))
        .await;
    tab.cdp(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({ "source": CAPTURE }),
    )
    .await;

    let told = AssertUnwindSafe(story(&tab)).catch_unwind().await;
    if told.is_err() {
        // What the page had to say, for whoever reads the failed test.
        let log = tab.post("se/log", json!({ "type": "browser" })).await;
        eprintln!("the page's console: {log:#?}");
        let text = tab
            .post(
                "execute/sync",
                json!({ "script": "return document.body.innerText", "args": [] }),
            )
            .await;
        eprintln!("the page's text: {text:#?}");
    }
    tab.close().await;
    told.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// One tab, with the capture script in every page it opens.
pub(crate) struct Tab {
    client: reqwest::Client,
    /// Where chromedriver takes the commands for this browser (W3C WebDriver §5).
    session: String,
}

impl Tab {
    async fn open_browser(driver: &Driver, arguments: &[String]) -> Self {
        let client = plain_http();
        let session = format!("http://127.0.0.1:{}/session", driver.port);
        let mut tab = Self { client, session };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            // The practice node makes its own certificate.
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "script": 60_000 },
        } } });
        let opened = tab
            .send(tab.client.post(&tab.session).json(&wanted))
            .await
            .unwrap_or_else(|why| panic!("chromedriver cannot start Chromium: {why}. Install it: apt-get install chromium"));
        tab.session = format!(
            "{}/{}",
            tab.session,
            opened["sessionId"].as_str().expect("a session has an id")
        );
        tab
    }

    async fn close(&self) {
        let _ = self.send(self.client.delete(&self.session)).await;
    }

    /// Sends one WebDriver command; the answer's `value`, or what it says went wrong.
    async fn post(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.send(
            self.client
                .post(format!("{}/{command}", self.session))
                .json(&parameters),
        )
        .await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let is_done = answer.status().is_success();
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        if is_done {
            Ok(value)
        } else {
            Err(format!("{}: {}", value["error"], value["message"]))
        }
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.post("url", json!({ "url": url })).await.unwrap();
    }

    /// Clicks as a person does.
    pub(crate) async fn click(&self, selector: &str) {
        let found = self
            .post(
                "element",
                json!({ "using": "css selector", "value": selector }),
            )
            .await
            .unwrap();
        let element = found
            .as_object()
            .and_then(|found| found.values().next()?.as_str())
            .expect("an element has an id");
        self.post(&format!("element/{element}/click"), json!({}))
            .await
            .unwrap();
    }

    /// Runs a function body in the page and returns what it returns; promises are waited for.
    pub(crate) async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post(
            "execute/sync",
            json!({ "script": script, "args": arguments }),
        )
        .await
        .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression in the page is true.
    pub(crate) async fn until(&self, what: &str, limit: Duration, expression: &str) {
        let script = format!("return Boolean(await ({expression}))");
        wait_for(what, limit, async || {
            (self.run(&script, &[]).await == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// Begins to keep what is heard and seen, once there is something playing.
    pub(crate) async fn start_capture(&self, limit: Duration) {
        self.until(
            "sound and picture in the page",
            limit,
            "window.capture.start()",
        )
        .await;
    }

    /// Returns how many samples and pictures are kept so far.
    pub(crate) async fn amount(&self) -> (u64, u64) {
        let amount = self.run("return capture.amount()", &[]).await;
        (
            amount["samples"].as_u64().unwrap(),
            amount["pictures"].as_u64().unwrap(),
        )
    }

    /// Returns what was heard, 48 kHz mono.
    pub(crate) async fn sound(&self) -> Vec<f32> {
        let bytes = decoded(&self.run("return capture.sound(0)", &[]).await);
        bytes
            .chunks_exact(2)
            .map(|sample| f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0)
            .collect()
    }

    /// Returns what was seen, each picture at the page's time in seconds.
    pub(crate) async fn pictures(&self) -> Pictures {
        // A dozen at a time: a reply stays at a few megabytes.
        const AT_ONCE: usize = 12;
        let mut pictures = Pictures::new(WIDTH, HEIGHT);
        loop {
            let some = self
                .run(
                    "return capture.pictures(...arguments)",
                    &[json!(pictures.len()), json!(AT_ONCE)],
                )
                .await;
            let some = some.as_array().unwrap();
            for picture in some {
                let luma = decoded(&picture["luma"]);
                pictures.push(
                    picture["at"].as_f64().unwrap(),
                    Luma::new(&luma, WIDTH, HEIGHT).unwrap(),
                );
            }
            if some.len() < AT_ONCE {
                return pictures;
            }
        }
    }

    /// Returns the page's inbound streams, as `getStats` tells them.
    pub(crate) async fn inbound(&self) -> Vec<Value> {
        self.run("return capture.stats()", &[])
            .await
            .as_array()
            .unwrap()
            .clone()
    }

    /// Returns what one of chromedriver's logs has since it was read before.
    pub(crate) async fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("se/log", json!({ "type": kind })).await.unwrap();
        log.as_array().unwrap().clone()
    }

    pub(crate) async fn cdp(&self, command: &str, parameters: Value) {
        self.post(
            "goog/cdp/execute",
            json!({ "cmd": command, "params": parameters }),
        )
        .await
        .unwrap();
    }
}

fn decoded(base64: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(base64.as_str().unwrap())
        .unwrap()
}

/// chromedriver on a port of its own choice; with it goes every browser it started.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that the browser can be ended with it.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "chromedriver: {error}. Install it: apt-get install chromium chromium-driver"
                )
            });
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // "ChromeDriver was started successfully on port 34567."
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("successfully on port ")?
                    .1
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .expect("chromedriver names its port");
        Self { process, port }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.process.id())])
            .status();
        let _ = self.process.wait();
    }
}
