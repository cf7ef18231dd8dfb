//! Sent to another conference: by oneself, and with a token that somebody else was given.

use std::path::Path;

use serde_json::json;

use crate::support::{
    A_CLIP, Ended, Observer, PICTURE, PracticeNode, Process, SOON, SPEECH, Stage, material, turn,
    wait_for,
};

/// A conference, and another one whose PIN the one who goes there does not know.
const NODE: [&str; 4] = ["--conference", "meet", "--conference", "board,pin=4711"];

async fn api(arguments: &[&str]) -> Ended {
    Process::start(&[&["api"], arguments].concat())
        .ended(SOON)
        .await
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn the_token_of_a_transfer_lets_another_program_in_once() {
    let node = PracticeNode::start(&NODE).await;
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (guest, moved, pin) = (file("guest.token"), file("moved.token"), file("board.pin"));
    std::fs::write(&pin, "4711\n").unwrap();
    let meet = ["--node", &node.http, "--conference", "meet"];

    // Somebody joins and listens, a host sends it on, and its one-time token is kept in a file.
    let request = [
        "request_token",
        "--name",
        "Bea",
        "--token-file",
        text(&guest),
    ];
    api(&[&request, &meet[..]].concat()).await.expect(0, "");
    let events = ["api", "events", "--token-file", text(&guest), "--json"];
    let refer = [
        "--only",
        "refer",
        "--count",
        "1",
        "--refer-file",
        text(&moved),
    ];
    let listening = Process::start(&[&events[..], &refer].concat());
    let told = wait_for("the transfer to be told", SOON, async || {
        let transfer = ["transfer", "board", "--participant", "name=Bea"];
        let pin = ["--target-pin-file", text(&pin)];
        // Until its event stream is open there is nobody to be told.
        let sent = api(&[&transfer[..], &pin, &meet].concat()).await;
        (sent.code == Some(0)).then_some(sent)
    });
    told.await;
    let heard = listening.ended(SOON).await;
    heard.expect(0, "");
    assert_eq!(heard.last_json()["data"]["alias"], "board", "{heard:#?}");
    let token = std::fs::read_to_string(&moved).unwrap();
    assert!(!format!("{heard:?}").contains(token.trim()), "printed");

    // Whoever has the file is let in without a PIN, and seen there.
    let there = Observer::join(&node, "board", Some("4711")).await;
    let join = ["join", "--node", &node.http, "--conference", "board"];
    let with_token = [
        &join[..],
        &["--name", "Moved", "--token-file", text(&moved)],
    ]
    .concat();
    let moved = Process::start(&with_token);
    there.until_others(1).await;
    assert_eq!(there.others().await[0]["display_name"], "Moved");
    moved.terminated().await.expect(0, "");
    there.expect_alone().await;

    // The controls: it is good once, and without it the PIN is wanted.
    for arguments in [&with_token[..], &join] {
        Process::start(arguments)
            .ended(SOON)
            .await
            .expect_one_line(6, "wants a PIN");
    }
    there.expect_alone().await;
}

#[tokio::test]
async fn an_announcer_is_sent_on_and_heard_from_the_beginning_where_it_comes_to() {
    let _turn = turn().await;
    let stage = Stage::set(&["--conference", "meet", "--conference", "lobby"]).await;
    let host = Observer::join(&stage.node, "lobby", None).await;
    host.command("lock").await;
    let (speech, picture) = (material(SPEECH), material(PICTURE));
    let announce = ["announce", "--json", "--node", &stage.node.http];
    let clip = ["--conference", "lobby", text(&speech), text(&picture)];
    let mut announcer = Process::start(&[&announce[..], &clip].concat());
    announcer.until_state("waiting_room").await;
    let who = host.others().await[0]["uuid"].as_str().unwrap().to_owned();
    let transfer = format!("participants/{who}/transfer");
    let there = json!({ "role": "host", "conference_alias": "meet" });
    wait_for("the transfer to be told", SOON, async || {
        let was_told = host.command_with(&transfer, &there).await;
        (was_told == true).then_some(())
    })
    .await;
    announcer.ended(A_CLIP).await.expect(0, "");
    host.expect_alone().await;
    let judged = stage.recorded().await.judged();
    assert!(judged.is_heard_and_seen(), "{judged:?}");
}
