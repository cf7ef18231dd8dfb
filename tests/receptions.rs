//! Virtual Receptions: which conference to connect to is said with `--extension`, and said clearly when it is missing.

use crate::support::{
    A_CLIP, Ended, OTHER_SPEECH, Observer, PICTURE, PracticeNode, Process, SOON, Stage, material,
    turn,
};

/// A node with an open conference, one with PINs, and a reception of each kind before them.
const NODE: [&str; 8] = [
    "--conference",
    "meet",
    "--conference",
    "board,pin=4711",
    "--conference",
    "desk,reception=standard",
    "--conference",
    "teams,reception=mssip",
];

async fn join(node: &PracticeNode, alias: &str, more: &[&str], pin: Option<&str>) -> Ended {
    let arguments = [&["join", "--node", &node.http, "--conference", alias], more].concat();
    let variables: Vec<_> = pin.map(|pin| ("STANDIN_PIN", pin)).into_iter().collect();
    Process::start_with(&arguments, &variables)
        .ended(SOON)
        .await
}

#[tokio::test]
async fn an_announcement_through_a_reception_is_heard_in_the_conference_behind_it() {
    let _turn = turn().await;
    let stage = Stage::set(&NODE).await;
    let clip = material(OTHER_SPEECH);
    let announce = [
        "announce",
        "--node",
        &stage.node.http,
        "--conference",
        "desk",
        "--extension",
        "meet",
        clip.to_str().unwrap(),
    ];
    Process::start(&announce).ended(A_CLIP).await.expect(0, "");
    let judged = stage.recorded().await.judged_by(OTHER_SPEECH, PICTURE);
    assert!(judged.sound.is_heard(), "{judged:?}");
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_said_in_one_line() {
    for profile in ["modern", "v10"] {
        let node = PracticeNode::start(&[&NODE[..], &["--profile", profile]].concat()).await;
        join(&node, "desk", &[], None).await.expect_one_line(
            3,
            "Virtual Reception: give the conference to connect to with --extension",
        );
        join(&node, "teams", &[], None)
            .await
            .expect_one_line(3, "towards Microsoft conferences");
        join(&node, "desk", &["--extension", "nowhere"], None)
            .await
            .expect_one_line(3, "check the extension");
        let board = ["--extension", "board", "--for", "0.2"];
        join(&node, "desk", &board, None)
            .await
            .expect_one_line(6, "wants a PIN");
        join(&node, "desk", &board, Some("1234"))
            .await
            .expect_one_line(6, "PIN is wrong");
        // The control: with all that is wanted, each lets us in, and out again without a trace.
        join(&node, "teams", &board, Some("4711"))
            .await
            .expect(0, "");
        join(
            &node,
            "teams",
            &["--extension", "meet", "--for", "0.2"],
            None,
        )
        .await
        .expect(0, "");
        for (conference, pin) in [("board", Some("4711")), ("meet", None)] {
            Observer::join(&node, conference, pin)
                .await
                .expect_alone()
                .await;
        }
    }
}

#[tokio::test]
async fn a_service_finds_the_extension_in_its_configuration() {
    let node = PracticeNode::start(&NODE).await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("standin.toml");
    let text = format!(
        "node = {:?}\nconference = 'desk'\nextension = 'meet'\n",
        node.http
    );
    std::fs::write(&config, text).unwrap();
    let service = Process::start(&["run", "--config", config.to_str().unwrap()]);
    let observer = Observer::join(&node, "meet", None).await;
    observer.until_others(1).await;
    service.terminated().await.expect(0, "");
    observer.expect_alone().await;
}

#[tokio::test]
async fn a_reception_with_a_pin_says_all_that_is_missing_at_once() {
    for profile in ["modern", "v10"] {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("node.toml");
        let conferences =
            "conferences = ['meet', 'board,pin=4711', 'desk,reception=standard,pin=4711']";
        std::fs::write(&config, format!("{conferences}\nprofile = '{profile}'\n")).unwrap();
        let node = PracticeNode::start(&["--config", config.to_str().unwrap()]).await;
        let to = |alias: &'static str| ["--extension", alias, "--for", "0.2"];

        let none = join(&node, "desk", &[], None).await;
        none.expect_one_line(
            3,
            "wants a PIN too: give its PIN, and the conference to connect to with --extension",
        );
        join(&node, "desk", &[], Some("4711"))
            .await
            .expect_one_line(
                3,
                "Reception: give the conference to connect to with --extension",
            );
        join(&node, "desk", &to("meet"), None)
            .await
            .expect_one_line(6, "wants a PIN");
        join(&node, "desk", &to("meet"), Some("1234"))
            .await
            .expect_one_line(6, "PIN is wrong");

        for (conference, pin) in [("meet", None), ("board", Some("4711"))] {
            let observer = Observer::join(&node, conference, pin).await;
            let stays = ["join", "--node", &node.http, "--conference", "desk"];
            let stays = [&stays[..], &["--extension", conference]].concat();
            let caller = Process::start_with(&stays, &[("STANDIN_PIN", "4711")]);
            observer.until_others(1).await;
            caller.terminated().await.expect(0, "");
            observer.expect_alone().await;
        }
    }
}
