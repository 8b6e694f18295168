//! Queries by an index give what a look at every row gives, whatever was updated, deleted and merged in between.

use crate::support::{Disk, query, rows};
use kalamdb_core::Session;

/// Conditions that an index serves, in whole or in part.
const CONDITIONS: [&str; 22] = [
    "id = 700",
    "id IN (3, 5000, 19999, 77777)",
    "id > 19990",
    "id BETWEEN 40 AND 60 AND a <> 3",
    "id >= 100 AND id < 103",
    "id = 5 OR id = 900",
    "a = 17",
    "a = 17 AND b = 'b3'",
    "a = 17 AND b > 'b5'",
    "a IN (1, 2, 3) AND b IN ('b1', 'b2')",
    "a > 995",
    "a >= 3 AND a < 5",
    "a IS NULL AND id < 300",
    "a = 3 AND id % 2 = 0",
    "b = 'b7' AND id < 200",
    "b = 'b7' AND a = 4",
    "17 = a",
    "990 < a AND a <= 993",
    "a = 4 OR b = 'b1'",
    "a = 4 AND a = 5",
    "a = -1",
    "f = 0.0",
];

fn same_rows(indexed: &Session, what: &str) {
    for condition in CONDITIONS {
        for columns in ["id, a, b, f", "count(*)", "id, _deleted"] {
            let of = |table: &str| {
                let order = if columns == "count(*)" { "" } else { " ORDER BY id" };
                rows(indexed, &format!("SELECT {columns} FROM {table} WHERE {condition}{order}"))
            };
            // Several times, as rows are sorted only when that is worth it.
            for _ in 0..4 {
                assert_eq!(of("t"), of("plain"), "{what}: {columns} WHERE {condition}");
            }
        }
    }
}

#[test]
fn an_index_changes_no_result() {
    let disk = Disk::new();
    let tab = disk.open();
    let both = |statement: &str| {
        for table in ["t", "plain"] {
            let statement = statement.replace("{t}", table);
            query(&tab, &statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    };
    query(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, f DOUBLE)").unwrap();
    query(&tab, "CREATE TABLE plain (id INTEGER, a INTEGER, b TEXT, f DOUBLE)").unwrap();
    both(
        "INSERT INTO {t} SELECT value, CASE WHEN value % 50 = 0 THEN NULL ELSE (value * 7919) % 1000 END, 'b' || (value % 10), \
         CASE WHEN value % 3 = 0 THEN -0.0 WHEN value % 3 = 1 THEN 0.0 ELSE value END FROM generate_series(1, 20000)",
    );
    query(&tab, "CREATE INDEX by_a_b ON t (a, b)").unwrap();
    query(&tab, "CREATE INDEX by_b ON t (b)").unwrap();
    query(&tab, "CREATE INDEX by_f ON t (f)").unwrap();
    same_rows(&tab, "as inserted");
    both("UPDATE {t} SET a = a + 1 WHERE a BETWEEN 10 AND 20");
    both("DELETE FROM {t} WHERE b = 'b3' AND a < 100");
    same_rows(&tab, "after UPDATE and DELETE");
    both("INSERT INTO {t} VALUES (30001, 17, 'b3', 0.0), (30002, NULL, 'b7', NULL)");
    for id in 0..40 {
        both(&format!("INSERT INTO {{t}} VALUES ({}, {}, 'b{}', {id}.5)", 40_000 - id, id % 20, id % 8));
    }
    same_rows(&tab, "after small commits");
    both("ALTER TABLE {t} ADD COLUMN c INTEGER DEFAULT 4, ALTER COLUMN a TYPE BIGINT");
    same_rows(&tab, "after ALTER");
    same_rows(&disk.open(), "after reopening");
    query(&tab, "DROP INDEX by_a_b").unwrap();
    same_rows(&tab, "after DROP INDEX");
}

#[test]
fn explain_names_the_index_of_a_scan() {
    let tab = Disk::new().open();
    query(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, f DOUBLE)").unwrap();
    query(&tab, "CREATE INDEX by_a_b ON t (a, b)").unwrap();
    query(&tab, "CREATE INDEX by_f ON t (f)").unwrap();
    let plan = |condition: &str| format!("{:?}", rows(&tab, &format!("EXPLAIN SELECT * FROM t WHERE {condition}")));
    assert!(plan("id = 4").contains("index=t_pkey"));
    assert!(plan("a = 4").contains("index=by_a_b"));
    assert!(plan("a > 4 AND b = 'x'").contains("index=by_a_b"));
    assert!(plan("a = 4 AND b = 'x' AND id > 4").contains("index=by_a_b"));
    for scanned in ["b = 'x'", "a + 1 = 4", "f = 1.0", "a IS NULL", "a <> 4", "id = a"] {
        assert!(!plan(scanned).contains("index="), "{scanned}: {}", plan(scanned));
    }
}
