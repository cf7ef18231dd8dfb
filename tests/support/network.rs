//! A network of its own in namespaces of the kernel: a caller, a node, and a TURN server between them.
//!
//! ```text
//!    caller ── 10.81.1.0/24, fd81:1::/64 ── turn ── 10.81.2.0/24 ── node
//!       └───────────────────── 10.81.3.0/24 ─────────────────────────┘
//! ```
//!
//! Nothing is forwarded between the nets. The one at the bottom is for requests; media goes there only if told to.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The addresses of the caller, of the TURN server and of the node.
pub(crate) const CALLER: &str = "10.81.1.2";
pub(crate) const CALLER_V6: &str = "fd81:1::2";
pub(crate) const CALLER_STRAIGHT: &str = "10.81.3.1";
pub(crate) const TURN: &str = "10.81.1.1";
pub(crate) const TURN_V6: &str = "fd81:1::1";
/// The same machine by an address that its certificate does not name.
pub(crate) const TURN_ALIAS: &str = "10.81.1.3";
/// Where relayed addresses are.
pub(crate) const TURN_RELAY: &str = "10.81.2.1";
pub(crate) const NODE: &str = "10.81.2.2";
pub(crate) const NODE_STRAIGHT: &str = "10.81.3.2";

/// The three namespaces; gone when this is dropped.
pub(crate) struct Network {
    prefix: String,
}

impl Network {
    /// Lays the network.
    ///
    /// # Panics
    /// Where this process may not: stories that cannot be told must not read as passed.
    pub(crate) fn lay() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let network = Self {
            prefix: format!("standin-{}-{number}", std::process::id()),
        };
        for end in ["caller", "turn", "node"] {
            let name = network.namespace(end);
            let added = Command::new("ip")
                .args(["netns", "add", &name])
                .stdin(Stdio::null())
                .output();
            match added {
                Ok(added) if added.status.success() => {}
                Ok(added) => panic!(
                    "no network namespace can be made, so nothing is said about TURN: {}run these tests as \
                     root, or leave them out with `-- --skip relay`",
                    String::from_utf8_lossy(&added.stderr)
                ),
                Err(error) => panic!("no `ip` ({error}): install iproute2"),
            }
            ip(&["-n", &name, "link", "set", "lo", "up"]);
        }
        network.wire(
            "caller",
            &[CALLER, CALLER_V6],
            "turn",
            &[TURN, TURN_V6, TURN_ALIAS],
        );
        network.wire("node", &[NODE], "turn", &[TURN_RELAY]);
        network.wire("caller", &[CALLER_STRAIGHT], "node", &[NODE_STRAIGHT]);
        // coturn takes it for the end of a relayed address when its system knows no way to a peer.
        let turn = network.namespace("turn");
        ip(&["-n", &turn, "route", "add", "default", "via", NODE]);
        network
    }

    /// Returns the name of an end's namespace.
    pub(crate) fn namespace(&self, end: &str) -> String {
        format!("{}-{end}", self.prefix)
    }

    fn wire(&self, one: &str, its: &[&str], other: &str, others: &[&str]) {
        let (a, b) = (self.namespace(one), self.namespace(other));
        ip(&[
            "link", "add", other, "netns", &a, "type", "veth", "peer", "name", one, "netns", &b,
        ]);
        for (namespace, device, addresses) in [(&a, other, its), (&b, one, others)] {
            for address in addresses {
                let length = if address.contains(':') { 64 } else { 24 };
                let address = format!("{address}/{length}");
                let add = ["-n", namespace, "addr", "add", &address, "dev", device];
                // An IPv6 address may otherwise be used after a second only.
                let at_once = if length == 64 { &["nodad"][..] } else { &[] };
                ip(&[&add[..], at_once].concat());
            }
            ip(&["-n", namespace, "link", "set", device, "up"]);
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for end in ["caller", "turn", "node"] {
            // One that was never made has nothing to be deleted.
            let _ = Command::new("ip")
                .args(["netns", "del", &self.namespace(end)])
                .stderr(Stdio::null())
                .status();
        }
    }
}

fn ip(arguments: &[&str]) {
    let done = Command::new("ip").args(arguments).output().unwrap();
    assert!(
        done.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
}
