//! Callers against the practice node, over real HTTP and UDP on loopback.
#![allow(clippy::unwrap_used)]

mod heard; // one plays, another receives; live sources; what is recorded
mod lost; // tokens that live briefly or die, nodes that go away
mod refused; // PINs, waiting rooms, certificates
mod scene; // the node and the callers of all these
