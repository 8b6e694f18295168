//! Rows that earlier versions have stored under the keys 0 and -0, which were two then: none is lost.

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use kalamdb_core::ErrorKind;
use kalamdb_store::{Commit, LogKey, LogRecord, Meta, PartitionId, RowState, Store};

const ALL: &str = "SELECT CAST(k AS TEXT), v FROM t ORDER BY v";

/// Commits an INSERT of new rows as earlier versions did, which saw no other row of that key.
fn insert_as_before(disk: &Disk, rows: &str) {
    let store = disk.store();
    let before = block_on(store.read_since(None)).unwrap().meta;
    let meta = Meta { head: before.head + 1, next_seq: before.next_seq + 1, ..before.clone() };
    let record = LogRecord {
        key: LogKey { commit: meta.head, part: 0 },
        partition: PartitionId { table: 1, owner: None },
        schema_version: 1,
        first_seq: before.next_seq,
        updated_us: 1,
        state: RowState::Live,
        fresh: true,
        n_rows: 1,
        rows: rows.as_bytes().to_vec(),
    };
    let commit = Commit { base: before.head, meta, nonce: 7, log: vec![record], ..Commit::default() };
    block_on(store.commit(&commit)).unwrap();
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
            let report = block_on(tab.database().check()).unwrap();
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
