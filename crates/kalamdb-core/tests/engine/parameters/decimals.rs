//! Numbers of JavaScript that meet decimals: a double means the number that it is written as.

use std::sync::Arc;

use crate::support::{Disk, block_of, query};
use futures::executor::block_on;
use kalamdb_core::datafusion::arrow::array::{Float64Array, RecordBatch};
use kalamdb_core::{CallContext, Session, StatementResult};

/// Runs a statement with doubles as its parameters.
#[track_caller]
fn run(session: &Session, sql: &str, values: &[f64]) -> StatementResult {
    if values.is_empty() {
        return query(session, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let block = block_of(values.iter().map(|value| Arc::new(Float64Array::from(vec![*value])) as _).collect());
    block_on(session.query(sql, &block, CallContext::default())).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[track_caller]
fn n_rows(session: &Session, sql: &str, values: &[f64]) -> usize {
    run(session, sql, values).batches.iter().map(RecordBatch::num_rows).sum()
}

/// Prices with seven and more digits, which hardly any double has exactly.
fn prices() -> Vec<f64> {
    let mut cents: u32 = 874_346;
    let mut prices = vec![8743.46, 1.1, -2.5, 99_999_999.99];
    for _ in 0..40 {
        cents = cents.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % 999_999_999;
        prices.push(f64::from(cents) / 100.0);
    }
    prices.dedup();
    prices
}

fn table(key: &str) -> Session {
    let session = Disk::new().open();
    query(&session, &format!("CREATE TABLE t (v DECIMAL(10,2) {key}, n INTEGER)")).unwrap();
    for price in prices() {
        run(&session, "INSERT INTO t VALUES ($1, 0)", &[price]);
    }
    session
}

/// Runs a test with room for the planner, whose frames are large without optimisation.
fn with_room(test: fn()) {
    std::thread::Builder::new().stack_size(64 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn doubles_find_and_change_decimals() {
    with_room(doubles_find_the_decimals_that_they_are_written_as);
    with_room(doubles_change_the_rows_that_they_find);
}

fn doubles_find_the_decimals_that_they_are_written_as() {
    for (key, before) in
        [("", ""), ("PRIMARY KEY", ""), ("", "CREATE INDEX tv ON t (v)"), ("", "STORAGE FLUSH TABLE t")]
    {
        let session = table(key);
        if !before.is_empty() {
            query(&session, before).unwrap();
        }
        for price in prices() {
            for condition in [
                "v = $1",
                "$1 = v",
                "v IN ($1, 0)",
                "v BETWEEN $1 AND $1",
                "v >= $1 AND v <= $1",
                "v IS NOT DISTINCT FROM $1",
                "NOT v <> $1",
                "CASE v WHEN $1 THEN true ELSE false END",
                "NULLIF(v, $1) IS NULL",
                "v - $1 = 0",
            ] {
                assert_eq!(
                    n_rows(&session, &format!("SELECT v FROM t WHERE {condition}"), &[price]),
                    1,
                    "{key} {before}: {condition} of {price}"
                );
            }
            // The same in a text.
            assert_eq!(n_rows(&session, &format!("SELECT v FROM t WHERE v = {price}"), &[]), 1, "{price}");
        }
    }
}

fn doubles_change_the_rows_that_they_find() {
    let session = table("PRIMARY KEY");
    for price in prices() {
        assert_eq!(run(&session, "UPDATE t SET n = n + 1 WHERE v = $1", &[price]).affected_rows, Some(1), "{price}");
    }
    assert_eq!(n_rows(&session, "SELECT v FROM t WHERE n = 1", &[]), prices().len());
    for price in prices() {
        assert_eq!(run(&session, "DELETE FROM t WHERE v = $1", &[price]).affected_rows, Some(1), "{price}");
    }
    assert_eq!(n_rows(&session, "SELECT v FROM t", &[]), 0);
}
