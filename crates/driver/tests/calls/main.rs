//! Callers against the practice node, over real HTTP and UDP on loopback.
#![allow(clippy::unwrap_used)]

mod acted_on; // events that a participant acts on, and that media flows afterwards
mod dns; // a name server on loopback
mod files; // every kind of file, passed through and transcoded
mod found; // a domain's nodes, by SRV records or its own address
mod handles; // single requests, as others in the conference see them
mod heard; // one plays, another receives; live sources; what is recorded
mod lost; // tokens that live briefly or die, nodes that go away
mod network; // addresses, ports, IPv6, no media
mod quality; // how a clip survives loss, delay, jitter, reordering, a bottleneck
mod refused; // PINs, waiting rooms, certificates
mod scene; // the node and the callers of all these
mod spelling; // aliases with spaces, slashes, Unicode
mod statistics; // what is told of media, and what the node saw of it
