//! `standin run` comes back after the node was away, and leaves on SIGTERM.

use std::time::Duration;

use crate::support::{Observer, PICTURE, PracticeNode, Process, SOON, SPEECH, material, turn};

/// Starts the service as a unit would: with a configuration file.
fn service(directory: &tempfile::TempDir, node: &str) -> Process {
    let config = directory.path().join("standin.toml");
    let text = format!(
        "node = {node:?}\nconference = \"meet\"\nname = \"Service\"\n\n[media]\naudio = {:?}\nvideo = {:?}\n",
        material(SPEECH),
        material(PICTURE),
    );
    std::fs::write(&config, text).unwrap();
    Process::start(&["run", "--config", config.to_str().unwrap()])
}

#[tokio::test]
async fn it_rejoins_after_the_node_died_and_releases_its_token_on_sigterm() {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let node = PracticeNode::start(&[]).await;
    let address = node.http_address();
    let observer = Observer::join(&node, "meet", None).await;
    let service = service(&directory, &node.http);
    observer.until_others(1).await;

    node.killed().await;
    let node =
        PracticeNode::start_at(&address, "127.0.0.1:0", &["--media-address", "127.0.0.1"]).await;
    let observer = Observer::join(&node, "meet", None).await;
    crate::support::wait_for(
        "the service in the restarted node",
        Duration::from_secs(60),
        async || (observer.others().await.len() == 1).then_some(()),
    )
    .await;

    service.signal("TERM").await;
    let ended = service.ended(SOON).await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    observer.expect_alone().await;
    assert_eq!(node.stopped().await.code, Some(0));
}

#[tokio::test]
async fn it_waits_for_a_node_that_is_not_there_yet() {
    let directory = tempfile::tempdir().unwrap();
    let node = PracticeNode::start(&[]).await;
    let address = node.http_address();
    node.killed().await;
    let service = service(&directory, &format!("http://{address}"));

    let node =
        PracticeNode::start_at(&address, "127.0.0.1:0", &["--media-address", "127.0.0.1"]).await;
    Observer::join(&node, "meet", None)
        .await
        .until_others(1)
        .await;
    let ended = service.terminated().await;
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[tokio::test]
async fn a_wrong_configuration_ends_it_before_any_socket_opens() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("standin.toml");
    std::fs::write(
        &config,
        "node = \"http://127.0.0.1:9\"\nconferense = \"meet\"\n",
    )
    .unwrap();
    let ended = Process::start(&["run", "--config", config.to_str().unwrap()])
        .ended(SOON)
        .await;
    ended.expect_one_line(2, "conferense");
}
