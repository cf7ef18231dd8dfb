//! Conformance: every row of the client API, from the library's handles and from `standin api`, with
//! what the other participants see and hear of it; and that each row misses what the node leaves out.
//!
//! ```text
//! cargo test --release --workspace --test conformance              all rows, and the README's table
//! cargo test --release --workspace --test conformance -- mute      rows with `mute` in their name
//! cargo test --release --workspace --test conformance -- --write   writes the table
//! ```

#![allow(clippy::print_stdout)]

use std::process::ExitCode;

mod caller; // who asks: the library's handles, or `standin api`
mod command_line; // `standin api` as processes
#[path = "../../crates/driver/tests/calls/dns.rs"]
#[expect(
    clippy::unwrap_used,
    reason = "as in the tests of the driver, whose name server this is"
)]
mod dns; // a name server on loopback
mod fixtures; // the fixtures of a row exist, and go both ways
mod listening; // the caller's own events
mod media_leg; // a tone and a picture go out, and what comes in is decoded
#[path = "../support/proxy.rs"]
mod proxy; // a proxy of HTTPS on loopback
mod row; // what a row is
mod rows; // the rows, by group
mod run; // all rows in all settings
mod scene; // a node, the caller and the others
mod table; // the table of the README
mod turn; // a TURN server on loopback
mod whole; // a whole participant of the library
mod witness; // the others: what they see and hear

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let wanted: Vec<&str> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .map(String::as_str)
        .collect();
    let rows: Vec<_> = rows::all()
        .into_iter()
        .filter(|row| wanted.is_empty() || wanted.iter().any(|it| row.title().contains(it)))
        .collect();
    if has("--list") {
        for row in &rows {
            println!("{}: test", row.title());
        }
        return ExitCode::SUCCESS;
    }
    // None of these rows takes minutes.
    if has("--ignored") {
        return ExitCode::SUCCESS;
    }
    // reqwest asks for one even where there is no TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _end_of_turn = turn::End;
    let results = runtime.block_on(run::all(rows));
    let mut is_good = results.iter().all(run::Results::is_good);
    if wanted.is_empty() {
        is_good &= table::compare_or_write(&results, has("--write"));
    }
    println!("\n{}", table::counts(&results));
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
