//! Two real peers on loopback: everything a call does.

mod answers;
mod dtls;
mod ends;
mod harness;
mod media;
