//! How a page looks: at several widths, light and dark, and what it asks of the network.

use serde_json::{Value, json};

use super::chromium::Tab;

const INSPECT: &str = include_str!("inspect.js");

/// A desk's width, a telephone's, and the shades of both.
const WIDTHS: [u32; 2] = [1280, 400];
const SHADES: [&str; 2] = ["light", "dark"];

/// Returns all that is wrong with how the open page looks, a sentence each.
pub(super) async fn looks_wrong(tab: &Tab) -> Vec<String> {
    let mut wrong = Vec::new();
    for width in WIDTHS {
        for shade in SHADES {
            tab.looks(width, shade).await;
            let found = tab.run(INSPECT, &[]).await;
            let found = found.as_array().unwrap().iter();
            wrong.extend(
                found.map(|what| format!("{width} px, {shade}: {}", what.as_str().unwrap())),
            );
        }
    }
    wrong
}

/// Returns where the page opened from `opened` sent requests to, besides for itself.
pub(super) async fn requests(tab: &Tab, opened: &str) -> Vec<String> {
    let log = tab.log("performance").await;
    let messages = log.iter().filter_map(|entry| {
        let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
        Some(message["message"].clone())
    });
    messages
        .filter(|message| message["method"] == "Network.requestWillBeSent")
        .filter(|message| message["params"]["documentURL"] == opened)
        .filter_map(|message| {
            let url = message["params"]["request"]["url"].as_str()?.to_owned();
            (url != opened && !url.starts_with("data:")).then_some(url)
        })
        .collect()
}

/// Returns what the page complained of in the console.
pub(super) async fn complaints(tab: &Tab) -> Vec<String> {
    let log = tab.log("browser").await;
    log.iter()
        .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
        .map(|entry| entry["message"].to_string())
        .collect()
}

impl Tab {
    /// Shows the page at this width, in this shade.
    async fn looks(&self, width: u32, shade: &str) {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": shade }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }
}
