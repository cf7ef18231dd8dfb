//! Two real peers on loopback: everything a call does.

mod harness;
mod media;
