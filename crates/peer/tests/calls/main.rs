//! Two real peers on loopback: everything a call does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod answers;
mod dtls;
mod ends;
mod harness;
mod media;
