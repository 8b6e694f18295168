//! Rows that earlier versions have stored under the keys 0 and -0, which were two then: none is lost.

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use kalamdb_core::{CallContext, ErrorKind};

const ALL: &str = "SELECT CAST(k AS TEXT), v FROM t ORDER BY v";

/// Commits an INSERT of a new row as earlier versions did, which saw no other row of that key.
fn insert_as_before(disk: &Disk, rows: &str) {
    disk.append_row(rows, true);
}

fn disk(create: &str) -> Disk {
    let disk = Disk::new();
    query(&disk.open(), create).unwrap();
    insert_as_before(&disk, "[[0.0,\"a\"]]");
    insert_as_before(&disk, "[[-0.0,\"b\"]]");
    disk
}

/// Looks at the rows in the log, in segments, and in segments that were merged.
fn check(disk: &Disk) {
    let both = [["0", "a"], ["-0", "b"]];
    for statement in ["SELECT 1", "FLUSH TABLE t", "INSERT INTO t VALUES (1, 'c')", "STORAGE COMPACT TABLE t"] {
        let tab = disk.open();
        query(&tab, statement).unwrap();
        for tab in [&tab, &disk.open()] {
            assert_eq!(rows(tab, ALL)[..2], both, "after {statement}");
            let report = block_on(tab.database().check(&CallContext::default())).unwrap();
            assert!(report.damaged.is_empty(), "after {statement}: {report:?}");
        }
    }
}

#[test]
fn a_primary_key_of_both_keeps_both() {
    let disk = disk("CREATE TABLE t (k DOUBLE PRIMARY KEY, v TEXT)");
    check(&disk);
    let tab = disk.open();
    assert_eq!(query(&tab, "INSERT INTO t VALUES (0, 'd')").unwrap_err().kind(), ErrorKind::UniqueViolation);
}

#[test]
fn a_unique_column_of_both_keeps_both() {
    let disk = disk("CREATE TABLE t (k DOUBLE UNIQUE, v TEXT PRIMARY KEY)");
    check(&disk);
    let tab = disk.open();
    assert_eq!(query(&tab, "INSERT INTO t VALUES (-0.0, 'd')").unwrap_err().kind(), ErrorKind::UniqueViolation);
}
