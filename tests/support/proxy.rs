//! A proxy of HTTPS on loopback.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that connects to whatever it is asked for, and counts how often it was.
pub(crate) async fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
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
    let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
    client.write_all(answer).await.ok()?;
    copy_bidirectional(&mut client, &mut node).await.ok()?;
    Some(())
}
