//! The memory that columns of segments and queries share.

use std::pin::pin;
use std::rc::Rc;

use crate::support::{Disk, query, rows};
use futures::FutureExt;
use futures::future::join_all;
use kalamdb_core::{CallContext, Database, ErrorKind, MemoryBudget, Principal, Session};

/// Rows of the table, which is stored as segments.
const N: usize = 140_000;

const LIMIT: usize = 6 << 20;

fn disk() -> Disk {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY, g INTEGER, a TEXT, b TEXT)");
    run(
        &tab,
        &format!("INSERT INTO t SELECT v, v % 7, md5(v::text), md5('b' || v) FROM generate_series(1, {N}) AS g(v)"),
    );
    run(&tab, "FLUSH TABLE t");
    disk
}

fn run(session: &Session, sql: &str) {
    query(session, sql).unwrap();
}

fn session(database: &Rc<Database>) -> Session {
    Session::new(Rc::clone(database), Principal::system()).unwrap()
}

#[test]
fn a_table_larger_than_the_limit_is_read() {
    let disk = disk();
    let database = disk.open_database_with(MemoryBudget::All(LIMIT));
    assert!(database.storage().unwrap().segment_bytes > LIMIT as u64);
    let (tab, all) = (session(&database), disk.open());
    for sql in [
        "SELECT count(*), sum(length(a)), min(a), max(b) FROM t",
        "SELECT g, count(*), max(a), min(b) FROM t GROUP BY g ORDER BY g",
        "SELECT id, a, b FROM t ORDER BY a LIMIT 5",
        "SELECT x.g, count(*), max(y.b) FROM t x JOIN t y ON x.id = y.id - 1 WHERE y.id <= 20000 GROUP BY x.g ORDER BY x.g",
        "SELECT sum(n) FROM (SELECT id * (row_number() OVER (ORDER BY id DESC)) AS n FROM t WHERE id <= 100000)",
    ] {
        assert_eq!(rows(&tab, sql), rows(&all, sql), "{sql}");
        assert!(database.storage().unwrap().cache_bytes <= LIMIT as u64);
    }
}

#[test]
fn several_queries_share_the_limit_with_the_columns() {
    let disk = disk();
    let database = disk.open_database_with(MemoryBudget::All(LIMIT));
    let sessions: Vec<Session> = (0..4).map(|_| session(&database)).collect();
    let sql = "SELECT g, count(*), max(a), min(b) FROM t GROUP BY g ORDER BY g";
    let expected = rows(&disk.open(), sql);
    // At each of their turns all of them together hold no more than the limit.
    let mut running = pin!(join_all(sessions.iter().map(|session| session.query(sql, &[], CallContext::default()))));
    let (mut n_turns, mut most) = (0, 0);
    let answers = loop {
        match running.as_mut().now_or_never() {
            Some(answers) => break answers,
            None => n_turns += 1,
        }
        let held = database.storage().unwrap().cache_bytes as usize + database.query_memory_in_use();
        assert!(held <= LIMIT, "{held} bytes after {n_turns} turns");
        most = most.max(held);
    };
    assert!(n_turns > 10 && most > LIMIT / 2, "{most} bytes in {n_turns} turns");
    assert!(answers.iter().all(Result::is_ok));
    for session in &sessions {
        assert_eq!(rows(session, sql), expected);
    }
    // Columns take what queries leave, and give it back.
    let cache = || database.storage().unwrap().cache_bytes;
    let full = cache();
    assert!(full > LIMIT as u64 / 2 && full <= LIMIT as u64, "{full}");
    assert_eq!(rows(&sessions[0], "SELECT a, b FROM t WHERE id <= 6000 ORDER BY b, a").len(), 6_000);
    assert!(cache() < full, "{} of {full}", cache());
}

#[test]
fn a_query_that_holds_too_much_fails_and_nothing_else_does() {
    let disk = disk();
    let database = disk.open_database_with(MemoryBudget::All(LIMIT));
    let tab = session(&database);
    let too_much = "SELECT * FROM t ORDER BY b, a";
    let error = query(&tab, too_much).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error:?}");
    // What it held is free again.
    let sql = "SELECT count(DISTINCT g), max(b) FROM t";
    assert_eq!(rows(&tab, sql), rows(&disk.open(), sql));
    run(&tab, "UPDATE t SET a = 'changed' WHERE id = 70000");
    assert_eq!(rows(&session(&database), "SELECT a FROM t WHERE id = 70000"), [["changed"]]);
    assert_eq!(query(&tab, too_much).unwrap_err().kind(), ErrorKind::OutOfMemory);
}
