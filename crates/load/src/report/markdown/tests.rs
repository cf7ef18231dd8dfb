use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::report::tests::{ODD, example};

/// What a reader of Markdown with GitHub's tables makes of it: tables with their rows and cells, and all
/// other text; anything that would be markup of a name is an event of its own.
#[derive(Debug, Default)]
struct Read {
    tables: Vec<Vec<Vec<String>>>,
    text: String,
    foreign: Vec<String>,
}

fn read(markdown: &str) -> Read {
    let mut read = Read::default();
    let mut cell: Option<String> = None;
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    ) {
        match event {
            Event::Start(Tag::Table(_)) => read.tables.push(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                if let Some(table) = read.tables.last_mut() {
                    table.push(Vec::new());
                }
            }
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::End(TagEnd::TableCell) => {
                let row = read.tables.last_mut().and_then(|table| table.last_mut());
                row.expect("a row").push(cell.take().expect("a cell"));
            }
            Event::Text(text) | Event::Code(text) => match &mut cell {
                Some(cell) => *cell += &text,
                None => read.text += &text,
            },
            Event::SoftBreak => read.text.push(' '),
            Event::Html(html) | Event::InlineHtml(html) => read.foreign.push(html.into_string()),
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis) => {
                read.foreign.push(format!("{event:?}"));
            }
            _ => {}
        }
    }
    read
}

#[test]
fn every_table_is_one_and_names_are_shown_as_they_are() {
    let result = example();
    let read = read(&summary(&result));
    assert_eq!(read.foreign, [""; 0]);
    let heads: Vec<&str> = read
        .tables
        .iter()
        .map(|table| table[0][0].as_str())
        .collect();
    assert_eq!(
        heads,
        [
            "",
            "Participants",
            "Figure",
            "Counted",
            "Failures",
            "Capacity reached"
        ]
    );
    for table in &read.tables {
        assert!(table.len() > 1, "{table:#?}");
        assert!(
            table.iter().all(|row| row.len() == table[0].len()),
            "{table:#?}"
        );
    }
    let column = |table: usize, n: usize| -> Vec<&str> {
        read.tables[table][1..]
            .iter()
            .map(|row| row[n].as_str())
            .collect()
    };
    assert_eq!(column(0, 1), ["join.total.p95 < 2s", "audio.mos.p5 > 4.2"]);
    // Control characters are spaces, and all else is as it was.
    let odd: String = ODD
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    assert!(column(4, 0).contains(&odd.trim()), "{:?}", column(4, 0));
    assert!(read.text.contains(odd.trim()), "{}", read.text);
    assert!(
        read.text.contains("FAIL: 1 of 2 thresholds missed"),
        "{}",
        read.text
    );

    // The knee, with its bars and the limit below them.
    assert_eq!(column(1, 0), ["5", "10", "15", ""]);
    assert_eq!(
        column(1, 5),
        ["held", "held, the last", "did not hold", "the limit"]
    );
    let blocks: Vec<usize> = column(1, 4).iter().map(|bar| bar.chars().count()).collect();
    assert!(
        blocks.is_sorted_by(|a, b| a < b || *b == blocks[3]),
        "{blocks:?}"
    );
    assert!(blocks[1] < blocks[3] && blocks[3] < blocks[2], "{blocks:?}");
}

#[test]
fn what_is_not_escaped_breaks_out_of_its_cell() {
    let table = |name: &str| format!("| Failures | |\n|---|---|\n| {name} | 1 |\n");
    let raw = read(&table(&ODD.replace('\n', " ")));
    assert!(!raw.foreign.is_empty(), "{raw:#?}");
    assert_ne!(
        raw.tables[0][1][1], "1",
        "a bar in a name is the end of its cell"
    );
    let escaped = read(&table(&plain(ODD)));
    assert_eq!(escaped.foreign, [""; 0]);
    assert_eq!(escaped.tables[0][1][1], "1");
}
