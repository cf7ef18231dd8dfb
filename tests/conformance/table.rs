//! The table of `crates/node/README.md`, as a run finds it.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::row::{Extent, V10};
use crate::run::{Cell, Results};

const BEGIN: &str = "<!-- conformance: written by `make conformance` -->";
const END: &str = "<!-- end of conformance -->";

/// Returns how far a row goes, in the word of the table.
fn verdict(results: &Results) -> &'static str {
    if results.is_red() {
        "red"
    } else if results.row.extent == Extent::Wire {
        "wire"
    } else {
        "full"
    }
}

fn word(cell: &Cell) -> &'static str {
    match cell {
        Cell::Good => "yes",
        Cell::Red(_) => "**red**",
        Cell::None => "–",
    }
}

/// Returns the table.
fn table(results: &[Results]) -> String {
    let mut table = format!("{}\n\n", counts(results));
    table += "| Row | Client call | `standin api` | Node behaviour | Fixture | Test | v10 | |\n";
    table += "|---|---|---|---|---|---|---|---|\n";
    for one in results {
        let v10 = match (one.row.v10, &one.v10) {
            (_, Cell::Red(_)) => "**red**",
            (V10::Same, _) => "same",
            (V10::NotFound, _) => "404",
            (V10::Nothing, _) => "–",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | `{}` | {v10} | {} |",
            one.row.name.replace('_', " "),
            word(&one.client),
            word(&one.api),
            word(&one.node),
            word(&one.fixture),
            one.row.title(),
            verdict(one),
        );
    }
    table
}

/// Returns how many rows go how far.
pub(crate) fn counts(results: &[Results]) -> String {
    let count = |word: &str| {
        results
            .iter()
            .filter(|results| verdict(results) == word)
            .count()
    };
    format!(
        "{} rows: {} full, {} wire, {} red.",
        results.len(),
        count("full"),
        count("wire"),
        count("red"),
    )
}

/// Compares the README's table with what the run found, or writes it there. Says whether it is true
/// now.
pub(crate) fn compare_or_write(results: &[Results], write: bool) -> bool {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crates/node/README.md");
    let readme = fs::read_to_string(&path).expect("the node's README");
    let found = readme
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let Some((before, (written, after))) = found else {
        println!(
            "{} has no place for the table: {BEGIN} … {END}",
            path.display()
        );
        return false;
    };
    let table = format!("\n\n{}\n", table(results));
    if written == table {
        return true;
    }
    if write {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).expect("writable");
        println!("written: the table of {}", path.display());
        return true;
    }
    for (old, new) in written.lines().zip(table.lines()) {
        if old != new {
            println!("the README says  {old}\nthe run finds    {new}");
            break;
        }
    }
    println!(
        "the table of {} is not what the run found: `make conformance` writes it",
        path.display()
    );
    false
}
