//! An INSERT with many sets of parameters is as many INSERTs, one after the other.

use std::sync::Arc;

use crate::support::{Disk, block_of, query, rows};
use futures::executor::block_on;
use futures::future::{FutureExt, join, join_all, join3};
use kalamdb_core::datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, StringArray,
};
use kalamdb_core::{CallContext, Error, ErrorKind, Session, StatementResult};
use kalamdb_store::Fault;
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

/// Parameters as JavaScript sends them.
fn params(values: &[Value]) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let array = |value: &Value| -> ArrayRef {
        match value {
            Value::Null => Arc::new(NullArray::new(1)),
            Value::Boolean(value) => Arc::new(BooleanArray::from(vec![*value])),
            Value::Integer(value) => Arc::new(Int64Array::from(vec![*value])),
            Value::Float(value) => Arc::new(Float64Array::from(vec![*value])),
            Value::Text(value) => Arc::new(StringArray::from(vec![value.clone()])),
        }
    };
    block_of(values.iter().map(array).collect())
}

/// What an application sees of an outcome.
fn seen(outcome: &Result<StatementResult, Error>) -> Result<(Option<u64>, Option<u64>), String> {
    match outcome {
        Ok(result) => Ok((result.affected_rows, result.seq)),
        Err(error) => Err(format!("{:?}", error.payload(""))),
    }
}

fn each(session: &Session, sql: &str, sets: &[Vec<Value>]) -> Vec<Result<StatementResult, Error>> {
    let blocks: Vec<Vec<u8>> = sets.iter().map(|set| params(set)).collect();
    block_on(session.insert_each(sql, &blocks)).unwrap()
}

fn one_by_one(session: &Session, sql: &str, sets: &[Vec<Value>]) -> Vec<Result<StatementResult, Error>> {
    sets.iter().map(|set| block_on(session.query(sql, &params(set), CallContext::default()))).collect()
}

fn with(definition: &str) -> (Disk, Session) {
    let disk = Disk::new();
    let session = disk.open();
    query(&session, definition).unwrap();
    (disk, session)
}

const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(4) UNIQUE, n DOUBLE CHECK (n > 0), m INTEGER NOT NULL DEFAULT 7)";

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Boolean),
        6 => (-2..12_i64).prop_map(Value::Integer),
        2 => prop_oneof![Just(0.5), Just(3.0), Just(f64::NAN), Just(1e300)].prop_map(Value::Float),
        3 => prop_oneof![Just("a"), Just("bb"), Just("8"), Just("too long"), Just("\u{e9}")].prop_map(|text| Value::Text(text.to_owned())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_outcomes_and_rows_are_those_of_one_after_the_other(
        sets in prop::collection::vec(prop::collection::vec(value(), 3..=4), 0..24),
        n_columns in 3..=4_usize,
        definition in prop_oneof![Just(TABLE), Just("CREATE TABLE t (id BIGINT, name TEXT, n DOUBLE, m SMALLINT)")],
        flush in any::<bool>(),
    ) {
        let columns = ["id", "name", "n", "m"][..n_columns].join(", ");
        let sql = format!("INSERT INTO t ({columns}) VALUES ({})", ["$1", "$2", "$3", "$4"][..n_columns].join(", "));
        let ((disk, together), (_, alone)) = (with(definition), with(definition));
        for session in [&together, &alone] {
            query(session, "INSERT INTO t VALUES (3, 'bb', 1, 1)").unwrap();
            if flush {
                query(session, "FLUSH TABLE t").unwrap();
            }
        }
        let outcomes: Vec<_> = each(&together, &sql, &sets).iter().map(seen).collect();
        let expected: Vec<_> = one_by_one(&alone, &sql, &sets).iter().map(seen).collect();
        prop_assert_eq!(outcomes, expected);
        let stored = "SELECT *, _seq FROM t ORDER BY _seq";
        let expected = rows(&alone, stored);
        prop_assert_eq!(&rows(&together, stored), &expected);
        prop_assert_eq!(&rows(&disk.open(), stored), &expected);
    }
}

fn sets(ids: impl IntoIterator<Item = i64>) -> Vec<Vec<Value>> {
    ids.into_iter().map(|id| vec![Value::Integer(id)]).collect()
}

#[test]
fn many_are_one_commit() {
    let (disk, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    let commits = disk.n_commits.get();
    let outcomes = each(&session, "INSERT INTO t VALUES ($1)", &sets([5, 1, 1, 9]));
    assert_eq!(disk.n_commits.get(), commits + 1);
    let seqs: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().map(|result| result.seq).map_err(Error::kind)).collect();
    assert_eq!(seqs, [Ok(Some(1)), Ok(Some(2)), Err(ErrorKind::UniqueViolation), Ok(Some(3))]);
    assert_eq!(rows(&disk.open(), "SELECT id, _seq FROM t ORDER BY id"), [["1", "2"], ["5", "1"], ["9", "3"]]);
}

#[test]
fn keys_that_the_engine_gives_rise() {
    let (_, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, n BIGINT NOT NULL)");
    let outcomes = each(
        &session,
        "INSERT INTO t (n) VALUES ($1)",
        &[vec![Value::Integer(1)], vec![Value::Null], vec![Value::Integer(3)]],
    );
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), ErrorKind::NotNullViolation);
    assert_eq!(rows(&session, "SELECT id, n FROM t ORDER BY id"), [["1", "1"], ["2", "3"]]);
}

#[test]
fn what_is_sent_before_and_after_keeps_its_place() {
    let (_, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    let blocks: Vec<Vec<u8>> = sets([1, 2, 2, 3]).iter().map(|set| params(set)).collect();
    let before = session.query("INSERT INTO t VALUES (3)", &[], CallContext::default()).boxed_local();
    let each = session.insert_each("INSERT INTO t VALUES ($1)", &blocks).boxed_local();
    let after = session.query("DELETE FROM t WHERE id >= 2", &[], CallContext::default()).boxed_local();
    let (before, outcomes, after) = block_on(join3(before, each, after));
    before.unwrap();
    let is_stored: Vec<bool> = outcomes.unwrap().iter().map(Result::is_ok).collect();
    assert_eq!(is_stored, [true, true, false, false]);
    assert_eq!(after.unwrap().affected_rows, Some(2));
    assert_eq!(rows(&session, "SELECT id FROM t"), [["1"]]);
}

#[test]
fn a_commit_that_fails_rejects_all_and_leaves_nothing() {
    let (disk, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    disk.faults.arm(1, Fault::QuotaExceeded);
    let blocks: Vec<Vec<u8>> = sets([1, 2]).iter().map(|set| params(set)).collect();
    let error = block_on(session.insert_each("INSERT INTO t VALUES ($1)", &blocks)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull);
    for session in [&session, &disk.open()] {
        assert_eq!(rows(session, "SELECT count(*) FROM t"), [["0"]]);
    }
    assert!(each(&session, "INSERT INTO t VALUES ($1)", &sets([1, 2])).iter().all(Result::is_ok));
}

#[test]
fn in_a_transaction_the_first_failure_is_the_last_statement() {
    let (_, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    query(&session, "BEGIN").unwrap();
    let outcomes = each(&session, "INSERT INTO t VALUES ($1)", &sets([1, 2, 1, 3]));
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, None, Some(ErrorKind::UniqueViolation), Some(ErrorKind::InFailedTransaction)]);
    query(&session, "ROLLBACK").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), [["0"]]);
}

#[test]
fn sets_of_the_wrong_size_fail_alone() {
    let (_, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)");
    let one = Value::Integer(1);
    let outcomes =
        each(&session, "INSERT INTO t VALUES ($1, $2)", &[vec![one.clone()], vec![one.clone(), one.clone()], vec![]]);
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [Some(ErrorKind::UndefinedParameter), None, Some(ErrorKind::UndefinedParameter)]);
    assert_eq!(rows(&session, "SELECT id FROM t"), [["1"]]);
}

#[test]
fn what_no_values_are_to_blame_for_fails_once_for_all() {
    let (_, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    let blocks: Vec<Vec<u8>> = sets(0..3).iter().map(|set| params(set)).collect();
    let error = block_on(session.insert_each("INSERT INTO t (nowhere) VALUES ($1)", &blocks)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UndefinedColumn);
}

#[test]
fn only_plain_inserts_are_taken() {
    let (_, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)");
    for sql in ["INSERT INTO t VALUES ($1, 2)", "INSERT INTO t (id) VALUES (?)", "insert into t values (1, -2)"] {
        assert!(session.is_plain_insert(sql), "{sql}");
    }
    let others = [
        "INSERT INTO t VALUES ($1, 2), (3, 4)",
        "INSERT INTO t VALUES ($1, 2) RETURNING id",
        "INSERT INTO t VALUES ($1, 2) ON CONFLICT DO NOTHING",
        "INSERT OR REPLACE INTO t VALUES ($1, 2)",
        "INSERT INTO t VALUES ($1, (SELECT count(*) FROM t))",
        "INSERT INTO t VALUES ($1, random())",
        "INSERT INTO t VALUES ($1, DEFAULT)",
        "INSERT INTO t (id, n) VALUES ($1)",
        "INSERT INTO t SELECT $1, 2",
        "INSERT INTO t VALUES ($1, 2); INSERT INTO t VALUES (1, 2)",
        "SELECT $1",
        "nonsense",
    ];
    for sql in others {
        assert!(!session.is_plain_insert(sql), "{sql}");
        assert!(block_on(session.insert_each(sql, &[])).is_err(), "{sql}");
    }
}

#[test]
fn many_calls_at_once_are_few_commits() {
    let (disk, session) = with("CREATE TABLE t (id BIGINT PRIMARY KEY)");
    let commits = disk.n_commits.get();
    let blocks: Vec<Vec<Vec<u8>>> =
        (0..8).map(|call| sets(call * 50..call * 50 + 60).iter().map(|set| params(set)).collect()).collect();
    let calls = blocks.iter().map(|blocks| session.insert_each("INSERT INTO t VALUES ($1)", blocks).boxed_local());
    let (outcomes, counted) = block_on(join(
        join_all(calls),
        session.query("SELECT count(*) FROM t", &[], CallContext::default()).boxed_local(),
    ));
    counted.unwrap();
    assert!(disk.n_commits.get() - commits <= 2, "{}", disk.n_commits.get() - commits);
    let n_stored =
        outcomes.iter().flat_map(|outcomes| outcomes.as_ref().unwrap()).filter(|outcome| outcome.is_ok()).count();
    assert_eq!(n_stored, 410);
    assert_eq!(rows(&disk.open(), "SELECT count(*), max(_seq) FROM t"), [["410", "410"]]);
}

#[test]
fn events_that_are_not_kept_hold_no_key() {
    let (_, session) = with("CREATE STREAM TABLE t (id BIGINT PRIMARY KEY) WITH (TTL_SECONDS = 10, EPHEMERAL = true)");
    let outcomes = each(&session, "INSERT INTO t VALUES ($1)", &sets([1, 1, 2]));
    let alone = one_by_one(&session, "INSERT INTO t VALUES ($1)", &sets([1, 1, 2]));
    assert_eq!(outcomes.iter().map(seen).collect::<Vec<_>>(), alone.iter().map(seen).collect::<Vec<_>>());
    assert!(outcomes.iter().all(Result::is_ok));
}
