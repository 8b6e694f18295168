//! Statements that would take the engine's stack or memory: each gives an error of its kind, and the engine goes on.

use std::thread;

use crate::support::{Disk, query, rows};
use kalamdb_core::Session;

/// The statements, which the tests in the browser run too.
const STATEMENTS: &str = include_str!("../../../../../tests/browser/hostile.tsv");

/// The stack of an instance in the browser. Frames of a debug build are several times as large as those that are
/// shipped.
const STACK: usize = 8 << 20;

/// A text with its repetitions, in angle quotation marks, written out: `3:a#` within them is `a1a2a3`.
fn expand(text: &str) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{ab}') {
        let (repeated, after) = after.split_once('\u{bb}').unwrap();
        let (n, part) = repeated.split_once(':').unwrap();
        expanded += before;
        for i in 1..=n.parse::<usize>().unwrap() {
            expanded += &part.replace('#', &i.to_string()).replace('@', &(i - 1).to_string());
        }
        rest = after;
    }
    expanded + rest
}

fn open() -> Session {
    let tab = Disk::new().open();
    query(&tab, "CREATE TABLE rows (k INTEGER PRIMARY KEY, g INTEGER, v DOUBLE, s TEXT, tags INTEGER[])").unwrap();
    query(&tab, "INSERT INTO rows VALUES (1, 1, 1.5, 'abc', [1]), (2, 1, 2.5, 'twenty characters...', [2]), (3, 2, NULL, NULL, NULL)").unwrap();
    tab
}

#[test]
fn no_statement_kills_the_engine() {
    let run = || {
        let tab = open();
        let mut wrong = Vec::new();
        for line in STATEMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (expected, sql) = line.split_once('\t').unwrap();
            let outcome = query(&tab, &expand(sql));
            let code = match &outcome {
                Ok(_) => "ok",
                Err(error) => error.kind().code(),
            };
            if code != expected {
                wrong.push(format!("{sql}: {code} instead of {expected} ({:?})", outcome.err()));
            }
            assert_eq!(rows(&tab, "SELECT count(*) FROM rows"), [["3"]], "after {sql}");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
    thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}
