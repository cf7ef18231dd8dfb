//! Tells the tests how the build is optimised, for they compare counts of instructions.

fn main() {
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=BENCH_OPT_LEVEL={level}");
    println!("cargo::rerun-if-changed=build.rs");
}
