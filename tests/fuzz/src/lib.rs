//! What the targets share: an engine on a store in memory.
#![allow(clippy::expect_used, reason = "a target stops at the first surprise")]

use std::rc::Rc;

use futures::executor::block_on;
use kalamdb_core::{CallContext, Clock, Database, ErrorKind, Principal, Session};
use kalamdb_store::{Durability, MemoryStore};

/// What the tables of [`open`] are.
const TABLES: [&str; 3] = [
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT UNIQUE, c DOUBLE, d TIMESTAMP, e INTEGER[])",
    "CREATE TABLE u (id INTEGER, x BIGINT, y TEXT, z DECIMAL(9, 2), j JSON, w DATE)",
    "INSERT INTO t VALUES (1, 2, 'three', 4.5, TIMESTAMP '2024-05-06 07:08:09', [10, 11])",
];

/// A clock that stands still: inputs give the same in every run.
#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now_us(&self) -> i64 {
        1_700_000_000_000_000
    }
}

/// A session on a database with two tables, `t` and `u`.
pub fn open() -> Session {
    let store = Rc::new(MemoryStore::new());
    let database = block_on(Database::open(store, Rc::new(Noon), Durability::Relaxed)).expect("an empty store opens");
    let session = Session::new(database, Principal::system()).expect("a session opens");
    for sql in TABLES {
        block_on(session.query(sql, &[], CallContext::default())).expect(sql);
    }
    session
}

/// Runs a statement, which may fail in every way but one: that is a mistake of the engine.
pub fn run(session: &Session, sql: &str) {
    if let Err(error) = block_on(session.query(sql, &[], CallContext::default())) {
        assert_ne!(error.kind(), ErrorKind::InternalError, "{error}");
    }
}
