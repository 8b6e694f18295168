//! Queries that are kept: planned once, run on the rows of the moment, streamed, given up.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use futures::FutureExt;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use kalamdb_core::datafusion::arrow::array::{AsArray, Int64Array};
use kalamdb_core::datafusion::arrow::datatypes::Int64Type;
use kalamdb_core::{
    CallContext, CancelFlag, Clock, Database, ErrorKind, KeptQuery, MaintenanceTrigger, Principal, Role, Session,
    StatementResult,
};
use kalamdb_store::{Durability, MemoryStore};

use crate::support::{Disk, block_of, query, rows, yield_once};

fn keep(session: &Session, sql: &str) -> KeptQuery {
    session.keep(sql, &[], CallContext::default()).unwrap()
}

fn run(session: &Session, kept: &KeptQuery) -> Vec<i64> {
    integers(&block_on(session.run_kept(kept)).unwrap())
}

/// The first column.
fn integers(result: &StatementResult) -> Vec<i64> {
    result.batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

fn as_user(app: &Session, id: &str) -> Session {
    Session::new(Rc::clone(app.database()), Principal::user(id, Role::User).unwrap()).unwrap()
}

#[test]
fn a_kept_plan_reads_the_rows_of_each_run() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT); ").unwrap();
    for (sql, none, two, three) in [
        ("SELECT count(*) FROM t", vec![0], vec![2], vec![3]),
        ("SELECT id FROM t ORDER BY id", vec![], vec![1, 2], vec![1, 2, 3]),
        ("SELECT a.id FROM t a JOIN t b ON a.id = b.v ORDER BY 1", vec![], vec![1, 2], vec![1, 2, 3]),
        ("SELECT id FROM t WHERE v = (SELECT max(v) FROM t)", vec![], vec![2], vec![3]),
        (
            "SELECT id FROM t o WHERE EXISTS (SELECT 1 FROM t i WHERE i.id > o.id) ORDER BY 1",
            vec![],
            vec![1],
            vec![1, 2],
        ),
        ("SELECT v FROM t WHERE id = 3", vec![], vec![], vec![3]),
    ] {
        query(&session, "DELETE FROM t").unwrap();
        let kept = keep(&session, sql);
        assert_eq!(run(&session, &kept), none, "{sql}");
        query(&session, "INSERT INTO t VALUES (1, 1), (2, 2)").unwrap();
        assert_eq!(run(&session, &kept), two, "{sql}");
        query(&session, "INSERT INTO t VALUES (3, 3)").unwrap();
        assert_eq!(run(&session, &kept), three, "{sql}");
        assert_eq!(kept.n_plans(), 1, "{sql}");
        assert_eq!(kept.dependencies(), [("t".to_owned(), None)], "{sql}");
    }
}

#[test]
fn a_transaction_and_what_is_committed_are_two_moments_of_one_plan() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    query(&session, "INSERT INTO t VALUES (1)").unwrap();
    let kept = keep(&session, "SELECT id FROM t ORDER BY id");
    let within = block_on(session.begin()).unwrap();
    query(&within, "INSERT INTO t VALUES (2)").unwrap();
    assert_eq!(run(&within, &kept), [1, 2]);
    assert_eq!(run(&session, &kept), [1]);
    assert_eq!(run(&within, &kept), [1, 2]);
    block_on(within.rollback()).unwrap();
    assert_eq!((run(&session, &kept), kept.n_plans()), (vec![1], 1));
}

#[test]
fn another_user_is_refused_a_kept_plan() {
    let app = Disk::new().open();
    query(&app, "CREATE USER TABLE notes (id BIGINT PRIMARY KEY)").unwrap();
    let (ann, bob) = (as_user(&app, "ann"), as_user(&app, "bob"));
    query(&ann, "INSERT INTO notes VALUES (1)").unwrap();
    query(&bob, "INSERT INTO notes VALUES (2)").unwrap();
    let kept = keep(&ann, "SELECT id FROM notes");
    assert_eq!(run(&ann, &kept), [1]);
    assert_eq!(kept.dependencies(), [("notes".to_owned(), Some("ann".to_owned()))]);
    assert_eq!(block_on(bob.run_kept(&kept)).unwrap_err().kind(), ErrorKind::InsufficientPrivilege);
    assert_eq!(block_on(bob.stream(&kept)).unwrap_err().kind(), ErrorKind::InsufficientPrivilege);
    assert_eq!(run(&as_user(&app, "ann"), &kept), [1], "another session of the same user");
}

#[test]
fn a_definition_has_the_query_planned_again() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)").unwrap();
    query(&session, "INSERT INTO t VALUES (1, 10)").unwrap();
    let kept = keep(&session, "SELECT * FROM t");
    assert_eq!(block_on(session.run_kept(&kept)).unwrap().fields.len(), 2);
    query(&session, "ALTER TABLE t ADD COLUMN w BIGINT DEFAULT 7").unwrap();
    assert_eq!(block_on(session.run_kept(&kept)).unwrap().fields.len(), 3);
    assert_eq!(kept.n_plans(), 2);
    query(&session, "DROP TABLE t").unwrap();
    assert_eq!(block_on(session.run_kept(&kept)).unwrap_err().kind(), ErrorKind::UndefinedTable);
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    assert_eq!(run(&session, &kept), Vec::<i64>::new(), "a table of the same name has rows of its own");
}

#[test]
fn the_time_and_tables_of_the_system_are_those_of_the_run() {
    let session = Disk::new().open();
    let kept = keep(&session, "SELECT count(*) FROM system.tables WHERE table_name = 't'");
    assert_eq!(run(&session, &kept), [0]);
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    assert_eq!(run(&session, &kept), [1]);
    let time = keep(&session, "SELECT CAST(extract(epoch FROM now()) * 1000 AS BIGINT)");
    let first = run(&session, &time);
    assert!(run(&session, &time) > first);
}

#[test]
fn a_stream_has_the_rows_of_its_beginning() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    query(&session, "INSERT INTO t SELECT value FROM generate_series(1, 30000)").unwrap();
    let kept = keep(&session, "SELECT id FROM t");
    let mut stream = block_on(session.stream(&kept)).unwrap();
    let first = block_on(stream.next()).unwrap().unwrap();
    assert!(first.row_count() < 30_000, "{}", first.row_count());
    query(&session, "DELETE FROM t WHERE id > 10").unwrap();
    query(&session, "INSERT INTO t VALUES (40000)").unwrap();
    while block_on(session.database().maintain(MaintenanceTrigger::Idle)).unwrap() {}
    let mut ids = integers(&first);
    while let Some(batch) = block_on(stream.next()).unwrap() {
        ids.extend(integers(&batch));
    }
    assert_eq!(ids, (1..=30_000).collect::<Vec<i64>>());
    assert!(block_on(stream.next()).unwrap().is_none());
    assert_eq!(run(&session, &kept).len(), 11);
}

#[test]
fn a_stream_ends_with_an_error_in_its_middle() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    query(&session, "INSERT INTO t SELECT value FROM generate_series(1, 30000)").unwrap();
    let kept = keep(&session, "SELECT 100 / (id - 20000) FROM t");
    let mut stream = block_on(session.stream(&kept)).unwrap();
    assert!(block_on(stream.next()).unwrap().is_some());
    let error = loop {
        match block_on(stream.next()) {
            Ok(batch) => assert!(batch.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::DivisionByZero);
    assert!(block_on(stream.next()).unwrap().is_none());
}

#[test]
fn a_stream_that_is_dropped_frees_what_it_holds() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    query(&session, "INSERT INTO t SELECT value FROM generate_series(1, 30000)").unwrap();
    let free = session.database().query_memory_in_use();
    let kept = keep(&session, "SELECT id FROM t ORDER BY id DESC");
    let mut stream = block_on(session.stream(&kept)).unwrap();
    assert!(block_on(stream.next()).unwrap().is_some());
    assert!(session.database().query_memory_in_use() > free);
    drop(stream);
    assert_eq!(session.database().query_memory_in_use(), free);
}

/// A clock on which each look at it takes a millisecond, and which counts the turns that others get.
#[derive(Debug, Default)]
struct TurnClock {
    now_ms: Cell<i64>,
    n_turns: Cell<usize>,
}

impl Clock for TurnClock {
    fn now_us(&self) -> i64 {
        self.now_ms.set(self.now_ms.get() + 1);
        1_700_000_000_000_000 + self.now_ms.get() * 1000
    }

    fn turn(&self) -> LocalBoxFuture<'static, ()> {
        self.n_turns.set(self.n_turns.get() + 1);
        yield_once().boxed_local()
    }
}

fn with_turns() -> (Session, Rc<TurnClock>) {
    let clock = Rc::new(TurnClock::default());
    let store = Rc::new(MemoryStore::new());
    let database = block_on(Database::open(store, Rc::clone(&clock) as Rc<dyn Clock>, Durability::Relaxed)).unwrap();
    let session = Session::new(database, Principal::system()).unwrap();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)").unwrap();
    query(&session, "INSERT INTO t SELECT value, value % 1000 FROM generate_series(1, 400000)").unwrap();
    clock.n_turns.set(0);
    (session, clock)
}

const LONG: [&str; 5] = [
    "SELECT count(*) FROM t WHERE v + 1 > 0",
    "SELECT v, count(*) FROM t GROUP BY v",
    "SELECT id FROM t ORDER BY v DESC, id LIMIT 5",
    "SELECT count(*) FROM t a JOIN t b ON a.id = b.id",
    "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY v) AS n FROM t) x WHERE n > 5",
];

#[test]
fn a_long_query_lets_others_have_their_turn() {
    let (session, clock) = with_turns();
    for sql in LONG {
        clock.n_turns.set(0);
        rows(&session, sql);
        // 49 batches are scanned; each takes a millisecond here, and eight make a turn.
        assert!(clock.n_turns.get() >= 4, "{sql}: {}", clock.n_turns.get());
    }
    clock.n_turns.set(0);
    rows(&session, "SELECT v FROM t WHERE id = 5");
    rows(&session, "SELECT v FROM t WHERE id < 500 ORDER BY v");
    assert_eq!(clock.n_turns.get(), 0, "a short one does not wait");
}

#[test]
fn another_call_is_answered_while_a_long_query_runs() {
    let (session, _) = with_turns();
    let other = Session::new(Rc::clone(session.database()), Principal::system()).unwrap();
    let mut long = Box::pin(session.query(LONG[3], &[], CallContext::default()));
    assert!((&mut long).now_or_never().is_none());
    query(&other, "DELETE FROM t WHERE id > 1").unwrap();
    assert_eq!(rows(&other, "SELECT count(*) FROM t"), [["1"]]);
    assert_eq!(integers(&block_on(long).unwrap()), [400_000], "the rows of its beginning");
}

#[test]
fn a_query_that_is_given_up_ends_and_frees_its_memory() {
    let (session, _) = with_turns();
    for sql in LONG {
        let free = session.database().query_memory_in_use();
        let cancel = CancelFlag::default();
        let call = CallContext { cancel: cancel.clone(), ..CallContext::default() };
        let mut long = Box::pin(session.query(sql, &[], call));
        assert!((&mut long).now_or_never().is_none(), "{sql}");
        cancel.cancel();
        let error = (&mut long).now_or_never().expect("it ends at its next step").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QueryCanceled, "{sql}");
        drop(long);
        assert_eq!(session.database().query_memory_in_use(), free, "{sql}");
    }
    let call = CallContext::default();
    call.cancel.cancel();
    let outcome = block_on(session.query("INSERT INTO t VALUES (0, 0)", &[], call));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::QueryCanceled);
    assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE id = 0"), [["0"]]);
}

#[test]
fn a_stream_that_is_given_up_ends_and_frees_what_it_holds() {
    let (session, _) = with_turns();
    let free = session.database().query_memory_in_use();
    let call = CallContext::default();
    let mut stream = block_on(session.open_stream("SELECT id FROM t ORDER BY v", &[], call.clone())).unwrap();
    assert!(block_on(stream.next()).unwrap().is_some());
    let mut scan = block_on(session.open_stream("SELECT id FROM t", &[], call.clone())).unwrap();
    assert!(block_on(scan.next()).unwrap().is_some());
    call.cancel.cancel();
    assert_eq!(block_on(scan.next()).unwrap_err().kind(), ErrorKind::QueryCanceled);
    assert!(block_on(scan.next()).unwrap().is_none());
    drop((stream, scan));
    assert_eq!(session.database().query_memory_in_use(), free);
}

#[test]
fn rows_of_a_call_that_is_given_up_before_are_not_inserted() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    let block = block_of(vec![Arc::new(Int64Array::from(vec![1, 2]))]);
    let insert = |call: CallContext| block_on(session.insert("t", &["id".to_owned()], &block, call));
    let call = CallContext::default();
    call.cancel.cancel();
    assert_eq!(insert(call).unwrap_err().kind(), ErrorKind::QueryCanceled);
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), [["0"]]);
    assert_eq!(insert(CallContext::default()).unwrap().affected_rows, Some(2));
    assert_eq!(rows(&session, "SELECT id FROM t ORDER BY id"), [["1"], ["2"]]);
}

#[test]
fn a_query_ends_at_its_deadline() {
    let (session, clock) = with_turns();
    let call = CallContext { deadline_us: Some(clock.now_us() + 20_000), ..CallContext::default() };
    let error = block_on(session.query(LONG[1], &[], call)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueryCanceled);
}

#[test]
fn a_query_that_is_asked_for_its_first_rows_does_not_compute_the_others() {
    let (session, clock) = with_turns();
    let first = |sql: &str, n: usize| {
        let call = CallContext { max_rows: Some(n), ..CallContext::default() };
        block_on(session.query(sql, &[], call)).unwrap()
    };
    assert_eq!(integers(&first("SELECT id FROM t ORDER BY id", 3)), [1, 2, 3]);
    clock.n_turns.set(0);
    assert_eq!(integers(&first("SELECT id + v * 0 FROM t WHERE v + 1 > 0", 1)), [1]);
    assert_eq!(clock.n_turns.get(), 0);
    assert_eq!(first("SELECT id FROM t", 0).row_count(), 0);
    let changed = first("UPDATE t SET v = 5000 WHERE id <= 3 RETURNING id", 1);
    assert_eq!(changed.affected_rows, Some(3), "a change is made whole");
    assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE v = 5000"), [["3"]]);
}

#[test]
fn a_stream_of_any_statement() {
    let session = Disk::new().open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY)").unwrap();
    let open = |sql: &str| block_on(session.open_stream(sql, &[], CallContext::default())).unwrap();
    let mut changed = open("INSERT INTO t VALUES (1), (2) RETURNING id");
    let whole = block_on(changed.next()).unwrap().unwrap();
    assert_eq!((integers(&whole), whole.affected_rows), (vec![1, 2], Some(2)));
    assert!(block_on(changed.next()).unwrap().is_none());
    assert_eq!(integers(&block_on(open("SELECT id FROM t ORDER BY id").next()).unwrap().unwrap()), [1, 2]);
    assert!(block_on(open("SELECT id FROM t WHERE id > 5").next()).unwrap().is_none());
    query(&session, "BEGIN").unwrap();
    query(&session, "INSERT INTO t SELECT value FROM generate_series(3, 30000)").unwrap();
    let mut failing = open("SELECT 1 / (id - 20000) FROM t");
    let error = loop {
        if let Err(error) = block_on(failing.next()) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::DivisionByZero);
    let next = query(&session, "SELECT 1").unwrap_err();
    assert_eq!(next.kind(), ErrorKind::InFailedTransaction, "its transaction has failed with it");
}
