//! Marking of what is sent.

use std::task::Waker;

use webrtc::runtime::AsyncUdpSocket;

use super::*;
use crate::{
    path::tests::path,
    sink::EventSink,
    sockopt::tests::{ask_for_traffic_class, received_traffic_class},
};

fn no_servers() -> Arc<Servers> {
    Arc::new(Servers::new(Vec::new(), EventSink::channel().0, None))
}

/// Returns the traffic classes of two datagrams sent in one turn by a socket that marks so, and of
/// two of media.
async fn classes(local: &str, dscp: Option<Dscp>) -> [u8; 4] {
    let far = std::net::UdpSocket::bind(local).expect("bound");
    let far_address = far.local_addr().expect("bound");
    ask_for_traffic_class(&far, far_address.is_ipv6()).expect("told");
    far.set_read_timeout(Some(std::time::Duration::from_secs(5)))
        .expect("set");
    let near = std::net::UdpSocket::bind(local).expect("bound");
    let settings = SocketSettings {
        dscp,
        ..SocketSettings::default()
    };
    let socket = Socket::open(near, settings, no_servers(), path()).expect("a socket");
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        let transmit = Transmit {
            destination: far_address,
            ecn: None,
            contents: &[0x14; 100],
            segment_size: None,
            src_ip: None,
        };
        assert!(socket.poll_send(&mut cx, &transmit).is_ready());
    }
    socket.flush();
    let mut desk = Outbox::default();
    for _ in 0..2 {
        desk.push(far_address, &[0x80; 100], socket.max_segments());
    }
    socket.send(&mut desk);
    // Its task sends what could not be sent at once.
    while !socket.outbox().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    [(); 4].map(|()| received_traffic_class(&far).expect("received"))
}

#[tokio::test]
async fn datagrams_are_marked_when_asked_and_only_then() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        assert_eq!(classes(local, Some(Dscp::AF41)).await, [0x88; 4], "{local}");
        assert_eq!(classes(local, None).await, [0; 4], "{local}");
    }
}
