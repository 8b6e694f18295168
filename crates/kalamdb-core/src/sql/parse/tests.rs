//! What the parser makes of texts, and which it refuses.
#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use super::durations::seconds;
use super::parse_query;
use super::parser::parse;
use crate::error::ErrorKind;

/// How a query is read, as SQL; the kind of its error, if it is refused.
fn read(sql: &str) -> String {
    parse_query(sql).map_or_else(|error| error.kind().code().to_owned(), |query| query.to_string())
}

/// Compares what each text gives with what it should give.
#[track_caller]
fn check(give: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, give(text), expected))
        .filter(|(_, given, expected)| given != **expected)
        .collect();
    assert!(wrong.is_empty(), "text, what it gives, what it should give: {wrong:#?}");
}

#[test]
fn texts_are_read_as_postgresql_reads_them() {
    check(
        read,
        &[
            // Numbers.
            ("SELECT 1_000, 1_0.5", "SELECT 1000, 10.5"),
            ("SELECT 1_", "syntax_error"),
            ("SELECT 1 _a", "SELECT 1 AS _a"),
            ("SELECT 1 \"_a\"", "SELECT 1 AS \"_a\""),
            // TABLE for a query.
            ("TABLE t", "SELECT * FROM t"),
            ("SELECT 1 UNION ALL TABLE a.t", "SELECT 1 UNION ALL SELECT * FROM a.t"),
            ("SELECT * FROM (TABLE t) AS x", "SELECT * FROM (SELECT * FROM t) AS x"),
            ("SELECT (TABLE t LIMIT 1)", "SELECT (SELECT * FROM t LIMIT 1)"),
            ("SELECT \"table\" FROM t", "SELECT \"table\" FROM t"),
            // Words that change nothing.
            ("WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM a", "WITH a AS (SELECT 1) SELECT * FROM a"),
            ("WITH a AS NOT MATERIALIZED (SELECT 1) SELECT * FROM a", "WITH a AS (SELECT 1) SELECT * FROM a"),
            ("SELECT materialized AS m FROM t", "SELECT materialized AS m FROM t"),
            ("SELECT * FROM ONLY t JOIN ONLY u ON true", "SELECT * FROM t JOIN u ON true"),
            ("SELECT only FROM t", "SELECT only FROM t"),
            (
                "SELECT trim(FROM a), trim(LEADING FROM a), trim(BOTH 'x' FROM a)",
                "SELECT TRIM(a), TRIM(LEADING a), TRIM(BOTH 'x' FROM a)",
            ),
            // Operators.
            ("SELECT 2 BETWEEN SYMMETRIC 3 AND 1", "SELECT ((2 BETWEEN 3 AND 1) OR (2 BETWEEN 1 AND 3))"),
            ("SELECT a IS NOT DISTINCT FROM b IS NULL", "SELECT a IS NOT DISTINCT FROM b IS NULL"),
            ("SELECT a NOTNULL, b ISNULL", "SELECT a IS NOT NULL, b IS NULL"),
            ("SELECT j ? 'a', j ?| $1", "SELECT j ? 'a', j ?| $1"),
            (
                "SELECT 1 IN (SELECT 1), 1 = ANY (SELECT 1), 1 <> ALL (ARRAY[1])",
                "SELECT 1 IN (SELECT 1), 1 = ANY(SELECT 1), 1 <> ALL(ARRAY[1])",
            ),
            // What is no text of one query.
            ("SELECT 'a", "syntax_error"),
            ("SELECT 1 +", "syntax_error"),
            ("SELEKT 1", "syntax_error"),
        ],
    );
}

#[test]
fn statements_are_known_by_their_tags() {
    let tags = |sql: &str| {
        parse(sql).map_or_else(
            |error| error.kind().code().to_owned(),
            |statements| statements.iter().map(|statement| statement.request.tag()).collect::<Vec<_>>().join(", "),
        )
    };
    check(
        tags,
        &[
            ("INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1)", "INSERT"),
            ("UNDELETE FROM t WHERE a = 1; DELETE FROM t", "UNDELETE, DELETE"),
            (";;", ""),
            ("BEGIN; SAVEPOINT a; ROLLBACK TO a; COMMIT", "BEGIN, SAVEPOINT, ROLLBACK, COMMIT"),
            ("SELECT 1 SELECT 2", "syntax_error"),
            ("CREATE STREAM TABLE s (a INT) TTL 10", "CREATE TABLE"),
            ("MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "feature_not_supported"),
        ],
    );
}

#[test]
fn what_nests_or_chains_too_far_is_refused_and_no_less() {
    let parentheses = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
    let chain = |n: usize| format!("SELECT 1{}", " + 1".repeat(n));
    let minuses = |n: usize| format!("SELECT {}1", "- ".repeat(n));
    let joins = |n: usize| format!("SELECT 1 FROM t{}", " CROSS JOIN t".repeat(n));
    let unions = |n: usize| format!("SELECT 1{}", " UNION SELECT 1".repeat(n));
    let subscripts = |n: usize| format!("SELECT a{}", "[1]".repeat(n));
    for (text, most) in [
        (&parentheses as &dyn Fn(usize) -> String, 59),
        (&chain, 500),
        (&minuses, 59),
        (&joins, 250),
        (&unions, 250),
        (&subscripts, 32),
    ] {
        let kind = |n: usize| parse(&text(n)).err().map(|error| error.kind());
        assert_eq!((kind(most), kind(most + 1)), (None, Some(ErrorKind::StatementTooComplex)), "{}", text(2));
    }
    // Statements are apart, and a list is no chain.
    assert!(parse(&format!("{};{}", chain(400), chain(400))).is_ok());
    assert!(parse(&format!("SELECT 1 IN (0{})", ", 1".repeat(10_000))).is_ok());
}

#[test]
fn durations_are_seconds() {
    for (text, expected) in [
        ("90", Some(90)),
        ("90s", Some(90)),
        (" 15 m ", Some(900)),
        ("36h", Some(129_600)),
        ("14d", Some(1_209_600)),
        ("0", Some(0)),
        ("", None),
        ("m", None),
        ("-1s", None),
        ("1.5h", None),
        ("1w", None),
        ("18446744073709551615d", None),
    ] {
        assert_eq!(seconds(text).ok(), expected, "{text:?}");
    }
}
