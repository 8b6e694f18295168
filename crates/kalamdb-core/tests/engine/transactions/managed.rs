//! Transactions that a call begins and ends, as the browser's API does.

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use kalamdb_core::{ErrorKind, Session};
use kalamdb_store::Durability;

fn table() -> Session {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
    session
}

#[test]
fn a_commit_shows_its_rows_and_numbers_them() {
    let session = table();
    let transaction = block_on(session.begin()).unwrap();
    assert_eq!(query(&transaction, "INSERT INTO t VALUES (1), (2)").unwrap().seq, None);
    assert_eq!(rows(&transaction, "SELECT count(*) FROM t"), [["2"]]);
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), [["0"]]);
    let seq = block_on(transaction.commit(Durability::Strict)).unwrap().seq.unwrap();
    assert_eq!(rows(&session, "SELECT max(_seq) FROM t"), [[seq.to_string()]]);
}

#[test]
fn a_rollback_leaves_nothing_and_ends_it() {
    let session = table();
    let transaction = block_on(session.begin()).unwrap();
    query(&transaction, "INSERT INTO t VALUES (1)").unwrap();
    block_on(transaction.rollback()).unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), [["0"]]);
    assert_eq!(block_on(transaction.rollback()).unwrap_err().kind(), ErrorKind::InvalidTransactionState);
}

#[test]
fn sql_text_sets_savepoints_in_it_and_does_not_end_it() {
    let session = table();
    let transaction = block_on(session.begin()).unwrap();
    query(&transaction, "INSERT INTO t VALUES (1)").unwrap();
    for sql in ["BEGIN", "COMMIT", "ROLLBACK"] {
        let error = query(&transaction, sql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidTransactionState, "{sql}");
        assert!(error.message().contains(sql) && error.hint().is_some(), "{error}");
    }
    for sql in ["SAVEPOINT s", "INSERT INTO t VALUES (2)", "ROLLBACK TO s", "RELEASE s"] {
        query(&transaction, sql).unwrap();
    }
    block_on(transaction.commit(Durability::Relaxed)).unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t"), [["1"]]);
    query(&session, "BEGIN").unwrap();
    query(&session, "COMMIT").unwrap();
}
