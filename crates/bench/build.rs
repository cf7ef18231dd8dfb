//! Tells the tests how the build is optimised, for they compare counts of instructions.

fn main() {
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-check-cfg=cfg(optimised_as_recorded)");
    if level == "3" {
        println!("cargo::rustc-cfg=optimised_as_recorded");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
