//! The operator's page in a real browser: who joined, bit rates that move, and the log of a client.

use serde_json::Value;

use super::chromium::{Tab, with_chromium};
use crate::support::{A_CLIP, PracticeNode, Process, SOON, the_stage_alone};

fn joined(node: &PracticeNode, name: &str, sources: &[&str]) -> Process {
    let seat = [
        "join",
        "--node",
        &node.http,
        "--conference",
        "meet",
        "--name",
        name,
    ];
    Process::start(&[&seat, sources].concat())
}

/// Waits until the page shows the participant `name` with this in its row.
async fn until_row(tab: &Tab, what: &str, name: &str, condition: &str) {
    let row = format!(
        "[...document.querySelectorAll('.person')].some((row) => row.innerText.includes('{name}') && ({condition}))"
    );
    tab.until(what, SOON, &row).await;
}

#[tokio::test]
async fn the_operators_page_shows_who_joined_and_what_they_send() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--fault", "expire-early"]).await;
    with_chromium(&[], async |tab: &Tab| {
        tab.open(&format!("{}/node/", node.http)).await;
        tab.until("the page is live", SOON, "document.getElementById('live').innerText === 'live'")
            .await;
        let sender = joined(&node, "Sender", &["--audio", "tone", "--video", "bars"]);
        let silent = joined(&node, "Silent <i>one</i>", &["--no-media"]);

        until_row(tab, "the sender with media", "Sender", "row.innerText.includes('media connected')").await;
        // Names are text, whatever stands in them.
        until_row(tab, "the other without", "Silent <i>one</i>", "!row.innerText.includes('bit/s')").await;
        let from_client = "row.querySelector('.in-rate').innerText.match(/[1-9][0-9.]* [kM]bit/)";
        until_row(tab, "a bit rate", "Sender", from_client).await;
        tab.until("the fault", SOON, "document.getElementById('faults').innerText.includes('expire-early')")
            .await;

        tab.run(
            "[...document.querySelectorAll('.person')].find((row) => row.innerText.includes('Sender')).click()",
            &[],
        )
        .await;
        tab.until(
            "requests and events in the log",
            SOON,
            "['request_token', 'events', 'ack', 'stage'].every((word) => document.getElementById('log')?.innerText.includes(word))",
        )
        .await;
        // Rates move: a picture that changes is never two samples long of one size.
        let rates = "window.seen = window.seen ?? new Set(); \
             operator.state.conferences[0].participants.flatMap((one) => one.calls).forEach((call) => seen.add(call.media?.video.in.bit_rate)); \
             return [...seen].filter((rate) => rate > 1000).length > 1";
        tab.until("bit rates that move", A_CLIP, &format!("(() => {{ {rates} }})()")).await;

        sender.terminated().await.expect(0, "");
        until_row(tab, "the sender has left", "Sender", "row.classList.contains('gone')").await;
        let shown = tab.run("return document.getElementById('log').innerText", &[]).await;
        assert_logged(&shown, "release_token");
        silent.terminated().await.expect(0, "");
    })
    .await;
}

fn assert_logged(shown: &Value, verb: &str) {
    let shown = shown.as_str().unwrap_or_default();
    assert!(shown.contains(verb), "{verb} is not in the log:\n{shown}");
}
