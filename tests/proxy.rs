//! A node behind a proxy: HTTPS_PROXY is obeyed, and NO_PROXY.

use std::sync::atomic::Ordering;

use crate::support::proxy::proxy;
use crate::support::{Ended, PracticeNode, Process, SOON};

async fn join(node: &PracticeNode, variables: &[(&str, &str)]) -> Ended {
    let arguments = [
        "join",
        "--node",
        &node.https,
        "--conference",
        "meet",
        "--insecure",
        "--for",
        "0.2",
    ];
    Process::start_with(&arguments, variables).ended(SOON).await
}

#[tokio::test]
async fn the_node_is_reached_through_the_proxy_that_the_environment_names() {
    let node = PracticeNode::start(&[]).await;
    let (url, tunnels) = proxy().await;
    let through = ("HTTPS_PROXY", url.as_str());
    join(&node, &[through]).await.expect(0, "");
    assert!(
        tunnels.swap(0, Ordering::Relaxed) > 0,
        "it went past the proxy"
    );

    join(&node, &[through, ("NO_PROXY", "127.0.0.1")])
        .await
        .expect(0, "");
    assert_eq!(tunnels.load(Ordering::Relaxed), 0, "no proxy was wanted");

    // A port where nobody listens.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", dead.local_addr().unwrap());
    drop(dead);
    join(&node, &[("HTTPS_PROXY", &address)])
        .await
        .expect_one_line(3, "cannot reach");
}
