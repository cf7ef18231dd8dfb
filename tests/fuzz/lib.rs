//! The bodies of all targets, for libFuzzer; `tests/replay.rs` has them too.

mod bodies;

/// Gives the body of this name an input.
pub fn give(name: &str, bytes: &[u8]) {
    bodies::body(name)(bytes);
}

/// A target, which is the body that has its name.
#[macro_export]
macro_rules! target {
    () => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::give(env!("CARGO_BIN_NAME"), bytes));
    };
}
