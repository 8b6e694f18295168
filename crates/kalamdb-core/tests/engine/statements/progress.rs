//! How far a call has come.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use futures::FutureExt;
use futures::executor::block_on;
use kalamdb_core::{CallContext, ErrorKind, ProgressPhase, ProgressReport, Session};

use crate::support::{Disk, query, rows};

const N_ROWS: u64 = 200_000;

/// The values of a row: two columns, and two system columns that are stored.
const N_VALUES: u64 = 4;

fn session_on(disk: &Disk) -> Session {
    let session = disk.open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)").unwrap();
    query(&session, &format!("INSERT INTO t SELECT value, value % 1000 FROM generate_series(1, {N_ROWS})")).unwrap();
    session
}

fn report(phase: ProgressPhase, done: u64, total: u64) -> ProgressReport {
    ProgressReport { phase: Some(phase), done, total }
}

/// Runs a call to its end; gives its outcome and what is told at each of its turns.
fn watch<T>(call: &CallContext, running: impl Future<Output = T>) -> (T, Vec<ProgressReport>) {
    let (mut running, mut reports) = (pin!(running), Vec::new());
    loop {
        let outcome = running.as_mut().now_or_never();
        let report = call.progress.report();
        if report.phase.is_some() && reports.last() != Some(&report) {
            reports.push(report);
        }
        if let Some(outcome) = outcome {
            return (outcome, reports);
        }
    }
}

fn watch_query(session: &Session, sql: &str) -> Vec<ProgressReport> {
    let call = CallContext::default();
    let (outcome, reports) = watch(&call, session.query(sql, &[], call.clone()));
    outcome.unwrap_or_else(|error| panic!("{sql}: {error}"));
    reports
}

/// What is told counts up to the end.
fn assert_counts(reports: &[ProgressReport], phase: ProgressPhase, total: u64, least: usize) {
    assert!(reports.len() >= least, "{reports:?}");
    assert!(reports.is_sorted_by(|a, b| a.done < b.done || a.total < b.total), "{reports:?}");
    assert!(reports.iter().all(|report| report.phase == Some(phase) && report.done <= report.total), "{reports:?}");
    let last = reports.last().unwrap();
    assert_eq!((last.done, last.total), (total, total));
}

#[test]
fn a_query_counts_the_rows_that_it_reads() {
    let session = session_on(&Disk::new());
    let of = |sql: &str| watch_query(&session, sql);
    assert_counts(&of("SELECT count(*) FROM t WHERE v + 1 > 0"), ProgressPhase::Reading, N_ROWS, 2);
    assert_counts(&of("SELECT count(*) FROM t a JOIN t b ON a.id = b.id"), ProgressPhase::Reading, 2 * N_ROWS, 3);
    assert_counts(&of("UPDATE t SET v = 1 WHERE v + 1 = 3"), ProgressPhase::Reading, N_ROWS, 1);
    let first = of("SELECT id FROM t LIMIT 5").pop().unwrap();
    assert!(first.done > 0 && first.done < first.total, "the others are not read: {first:?}");
    assert_eq!(of("SELECT v FROM t WHERE id = 7"), [], "by its key alone");
    // Segments that are left out are done.
    query(&session, "STORAGE FLUSH TABLE t").unwrap();
    let last = of("SELECT count(v) FROM t WHERE id BETWEEN 10 AND 20").pop();
    let total = last.unwrap().total;
    assert!(total >= N_ROWS, "{last:?}");
    assert_eq!(last, Some(report(ProgressPhase::Reading, total, total)));
}

#[test]
fn each_statement_of_a_text_counts_for_itself() {
    let session = session_on(&Disk::new());
    let call = CallContext::default();
    let text = "SELECT count(v) FROM t; SELECT count(v) FROM t; SELECT 1";
    let (_, reports) = watch(&call, session.exec(text, call.clone()));
    assert!(reports.iter().all(|report| report.total == N_ROWS), "{reports:?}");
    assert_eq!(call.progress.report(), ProgressReport::default());
    block_on(session.exec("SELECT count(v) FROM t", call.clone())).unwrap();
    assert_eq!(call.progress.report(), report(ProgressPhase::Reading, N_ROWS, N_ROWS));
}

#[test]
fn a_definition_is_held_against_all_rows() {
    let disk = Disk::new();
    let session = session_on(&disk);
    for sql in [
        "CREATE UNIQUE INDEX one ON t (id)",
        "ALTER TABLE t ALTER COLUMN v SET NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (v >= 0)",
    ] {
        assert_counts(&watch_query(&session, sql), ProgressPhase::Verifying, N_ROWS, 1);
    }
    assert_eq!(watch_query(&session, "CREATE INDEX two ON t (v)"), [], "it is sorted when it is first used");
    // Pages that are read one after the other make the statement begin again, which does not show.
    query(&session, "STORAGE FLUSH TABLE t").unwrap();
    let session = disk.open_with_little_memory();
    let reports = watch_query(&session, "ALTER TABLE t ALTER COLUMN v TYPE TEXT");
    let total = reports.last().unwrap().total;
    assert!(total >= N_ROWS, "{reports:?}");
    assert_eq!(reports.last(), Some(&report(ProgressPhase::Verifying, total, total)));
}

#[test]
fn what_is_stored_anew_is_counted_and_can_be_given_up() {
    let disk = Disk::new();
    let session = session_on(&disk);
    let call = CallContext::default();
    {
        let mut flush = pin!(session.query("STORAGE FLUSH TABLE t", &[], call.clone()));
        while call.progress.report().done == 0 {
            assert!(flush.as_mut().now_or_never().is_none());
        }
        call.cancel.cancel();
        assert_eq!(block_on(flush).unwrap_err().kind(), ErrorKind::QueryCanceled);
    }
    assert_eq!(disk.n_pages(), 0);
    let flush = watch_query(&session, "STORAGE FLUSH TABLE t");
    assert_counts(&flush, ProgressPhase::Storing, N_ROWS * N_VALUES, 4);
    query(&session, "DELETE FROM t WHERE id % 2 = 0").unwrap();
    query(&session, "STORAGE FLUSH TABLE t").unwrap();
    let compact = watch_query(&session, "STORAGE COMPACT TABLE t");
    let total = compact.last().unwrap().total;
    assert!(total >= N_ROWS / 2 * N_VALUES, "{compact:?}");
    assert_counts(&compact, ProgressPhase::Storing, total, 4);
    assert_eq!(rows(&session, "SELECT count(*), sum(v) FROM t"), [["100000", "50000000"]]);
}

#[test]
fn all_pages_are_checked_and_salvaged_unless_the_caller_gives_up() {
    let disk = Disk::new();
    let session = session_on(&disk);
    query(&session, "STORAGE FLUSH TABLE t").unwrap();
    let n_pages = disk.n_pages() as u64;
    assert!(n_pages >= N_VALUES);
    let database = Rc::clone(session.database());
    let call = CallContext::default();
    let (checked, reports) = watch(&call, database.check(&call));
    assert_eq!(checked.unwrap().pages, n_pages);
    assert_counts(&reports, ProgressPhase::Checking, n_pages, N_VALUES as usize);
    let call = CallContext::default();
    let (salvaged, reports) = watch(&call, database.salvage(&call));
    assert_eq!(salvaged.unwrap().tables.len(), 1);
    assert_counts(&reports, ProgressPhase::Checking, n_pages, N_VALUES as usize);
    let call = CallContext::default();
    call.cancel.cancel();
    assert_eq!(block_on(database.check(&call)).unwrap_err().kind(), ErrorKind::QueryCanceled);
    assert_eq!(block_on(database.salvage(&call)).unwrap_err().kind(), ErrorKind::QueryCanceled);
}
