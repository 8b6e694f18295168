//! Runs the SQL of the documentation on the native engine, and checks that the checks find what is wrong.

use std::error::Error;
use std::process::ExitCode;

use kalamdb_slt::docs;
use kalamdb_slt::native::Native;
use libtest_mimic::Trial;

/// Statements of a block, and a part of what is found wrong; `None` if nothing is.
const CASES: [(&str, Option<&str>); 12] = [
    ("SELECT 1, 'a b', NULL;\n-- 1 | a b | NULL", None),
    ("SELECT ';', -- not the end\n  '-- no comment';\n-- ; | -- no comment", None),
    ("-- For the reader.\nSELECT 1 WHERE false;\n-- (no rows)\n\n-- For the reader too.", None),
    ("SELECT 1;\n-- 2", Some("returns\n1\nand not\n2")),
    ("SELECT 1;\n-- (no rows)", Some("returns\n1")),
    ("SELECT nothing;", Some("fails with 42703")),
    ("SELECT nothing; -- error 42703: there is no table", None),
    ("SELECT nothing; -- error 42P01", Some("fails with 42703, not with 42P01")),
    ("SELECT 1; -- error 42703", Some("succeeds, and should fail with 42703")),
    ("CREATE TABLE t AS SELECT 1 AS a; -- 1 row", None),
    ("CREATE TABLE t AS SELECT 1 AS a; -- 2 rows", Some("writes 1 rows, not 2")),
    ("SELECT 1; -- one", Some("announces nothing")),
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut trials = docs::trials(Native::open)?;
    trials.push(Trial::test("what is announced is checked", || {
        CASES.iter().try_for_each(check_case).map_err(Into::into)
    }));
    Ok(docs::run(trials))
}

fn check_case((block, expected): &(&str, Option<&str>)) -> Result<(), String> {
    let page = format!("# Page\n\n## Section\n\n```sql\n{block}\n```\n");
    let found = docs::sections(&page)
        .and_then(|sections| sections.iter().try_for_each(|section| docs::check(section, &mut Native::open())));
    match (found, expected) {
        (Ok(()), None) => Ok(()),
        (Err(found), Some(expected)) if found.contains(expected) => Ok(()),
        (found, _) => Err(format!("{block}\ngives {found:?}")),
    }
}
