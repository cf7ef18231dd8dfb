//! A node behind a proxy: HTTPS_PROXY is obeyed, and NO_PROXY.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Ended, PracticeNode, Process, SOON};

/// A proxy that connects to whatever it is asked for, and counts how often it was.
async fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let tunnels = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tunnels);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(tunnel(client, Arc::clone(&count)));
        }
    });
    (url, tunnels)
}

async fn tunnel(mut client: TcpStream, count: Arc<AtomicUsize>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    let mut node = TcpStream::connect(target).await.ok()?;
    count.fetch_add(1, Ordering::Relaxed);
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await
        .ok()?;
    copy_bidirectional(&mut client, &mut node).await.ok()?;
    Some(())
}

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
