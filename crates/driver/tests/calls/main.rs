//! Callers against the practice node, over real HTTP and UDP on loopback.
#![allow(clippy::unwrap_used)]

mod heard;
mod scene;
