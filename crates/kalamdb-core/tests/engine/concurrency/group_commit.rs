//! Statements that are sent without waiting for each other share commits, and otherwise are as if each had waited.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::support::{Disk, query, rows, yield_once};
use futures::executor::block_on;
use futures::future::{LocalBoxFuture, join_all};
use futures::{FutureExt, join, poll};
use kalamdb_core::{CallContext, Error, ErrorKind, Principal, Role, Session, StatementResult};
use kalamdb_store::{Durability, Fault};
use proptest::prelude::*;

type Answer = Result<StatementResult, Error>;

fn ask<'a>(session: &'a Session, sql: &'a str) -> LocalBoxFuture<'a, Answer> {
    session.query(sql, &[], CallContext::default()).boxed_local()
}

/// Sends all statements, then waits for all.
fn at_once<'a>(session: &'a Session, statements: impl IntoIterator<Item = &'a String>) -> Vec<Answer> {
    block_on(join_all(statements.into_iter().map(|sql| ask(session, sql))))
}

fn inserts(ids: impl IntoIterator<Item = i64>) -> Vec<String> {
    ids.into_iter().map(|id| format!("INSERT INTO t VALUES ({id}, 'row {id}', 0)")).collect()
}

fn with_table() -> (Disk, Session) {
    let disk = Disk::new();
    let session = disk.open();
    query(&session, "CREATE TABLE t (id BIGINT PRIMARY KEY, body TEXT, n BIGINT)").unwrap();
    (disk, session)
}

fn count(session: &Session) -> String {
    rows(session, "SELECT count(*) FROM t")[0][0].clone()
}

fn kinds(answers: &[Answer]) -> Vec<Option<ErrorKind>> {
    answers.iter().map(|answer| answer.as_ref().err().map(Error::kind)).collect()
}

#[test]
fn many_inserts_are_few_commits() {
    let (disk, session) = with_table();
    let (commits, records) = (disk.n_commits.get(), disk.n_log_records());
    let answers = at_once(&session, &inserts(1..=1000));
    assert!(disk.n_commits.get() - commits <= 2, "{}", disk.n_commits.get() - commits);
    assert!(disk.n_log_records() - records <= 2, "{}", disk.n_log_records() - records);
    let seqs: Vec<u64> = answers.iter().map(|answer| answer.as_ref().unwrap().seq.unwrap()).collect();
    assert_eq!(seqs, (1..=1000).collect::<Vec<u64>>());
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().affected_rows == Some(1)));
    for session in [session, disk.open()] {
        assert_eq!(
            rows(&session, "SELECT count(*), count(DISTINCT _seq), sum(id), max(_seq) FROM t"),
            [["1000", "1000", "500500", "1000"]]
        );
        assert_eq!(rows(&session, "SELECT _seq, body FROM t WHERE id = 777"), [["777", "row 777"]]);
    }
}

#[test]
fn large_values_are_several_commits() {
    // A group with so many bytes takes no more members.
    const MOST_BYTES: usize = 32 << 20;
    const VALUE_BYTES: usize = 8_000_000;
    let (disk, session) = with_table();
    let statements: Vec<String> =
        (0..10).map(|id| format!("INSERT INTO t VALUES ({id}, repeat('x', {VALUE_BYTES}), 0)")).collect();
    let commits = disk.n_commits.get();
    assert!(at_once(&session, &statements).iter().all(|answer| answer.is_ok()));
    let n_commits = disk.n_commits.get() - commits;
    let most_members = MOST_BYTES.div_ceil(VALUE_BYTES);
    // The first may go alone, before the others are there.
    let (least, most) = (10_usize.div_ceil(most_members), 1 + 9_usize.div_ceil(most_members));
    assert!((least..=most).contains(&n_commits), "{n_commits} commits, and not {least} to {most}");
    assert_eq!(rows(&session, "SELECT count(*), min(length(body)) FROM t"), [["10", "8000000"]]);
}

#[test]
fn one_statement_alone_is_one_commit() {
    let (disk, session) = with_table();
    for id in 0..5 {
        let commits = disk.n_commits.get();
        query(&session, &format!("INSERT INTO t VALUES ({id}, '', 0)")).unwrap();
        assert_eq!(disk.n_commits.get(), commits + 1);
    }
}

#[test]
fn an_error_is_of_its_statement_alone() {
    let (disk, session) = with_table();
    let mut statements = inserts([1, 2, 3, 2, 4, 1, 5]);
    statements.insert(3, "INSERT INTO t VALUES ('no number', '', 0)".to_owned());
    statements.push("INSERT INTO nowhere VALUES (1)".to_owned());
    let kinds = kinds(&at_once(&session, &statements));
    let (wrong, twice) = (Some(ErrorKind::InvalidTextRepresentation), Some(ErrorKind::UniqueViolation));
    assert_eq!(kinds, [None, None, None, wrong, twice, None, twice, None, Some(ErrorKind::UndefinedTable)]);
    for session in [session, disk.open()] {
        assert_eq!(
            rows(&session, "SELECT id, _seq FROM t ORDER BY id"),
            [["1", "1"], ["2", "2"], ["3", "3"], ["4", "4"], ["5", "5"]]
        );
    }
}

#[test]
fn each_sees_what_those_before_it_did() {
    let (disk, session) = with_table();
    let statements: Vec<String> = [
        "INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)",
        "UPDATE t SET n = n * 10",
        "INSERT INTO t SELECT id + 10, body, n + 1 FROM t",
        "DELETE FROM t WHERE n = 10",
        "INSERT INTO t VALUES (1, 'again', 5) RETURNING id, _seq",
        "UPDATE t SET id = 100 WHERE id = 2",
        "INSERT INTO t VALUES (100, 'met', 0) ON CONFLICT (id) DO UPDATE SET body = 'met by ' || t.body RETURNING body, _seq",
        "DELETE FROM t WHERE id = 1000",
    ]
    .map(str::to_owned)
    .into();
    let answers = at_once(&session, &statements);
    let affected: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap().affected_rows.unwrap()).collect();
    assert_eq!(affected, [2, 2, 2, 1, 1, 1, 1, 0]);
    let seqs: Vec<_> = answers.iter().map(|answer| answer.as_ref().unwrap().seq).collect();
    // Moving a row to another key writes a tombstone and a row.
    assert_eq!(seqs, [Some(2), Some(4), Some(6), Some(7), Some(8), Some(10), Some(11), None]);
    for session in [session, disk.open()] {
        let expected =
            [["1", "again", "5", "8"], ["11", "a", "11", "5"], ["12", "b", "21", "6"], ["100", "met by b", "20", "11"]];
        assert_eq!(rows(&session, "SELECT id, body, n, _seq FROM t ORDER BY id"), expected);
    }
}

#[test]
fn returning_gives_the_numbers_that_are_stored() {
    let (_, session) = with_table();
    let statements: Vec<String> = (0..50)
        .map(|id| format!("INSERT INTO t VALUES ({id}, '', 0), ({}, '', 1) RETURNING id, _seq", id + 100))
        .collect();
    for answer in at_once(&session, &statements) {
        let result = answer.unwrap();
        let batch = &result.batches[0];
        for row in 0..2 {
            let value = |column: usize| {
                use kalamdb_core::datafusion::arrow::{array::AsArray, datatypes::Int64Type};
                batch.column(column).as_primitive::<Int64Type>().value(row)
            };
            assert_eq!(
                rows(&session, &format!("SELECT _seq FROM t WHERE id = {}", value(0))),
                [[value(1).to_string()]]
            );
        }
    }
}

#[test]
fn a_failed_commit_rejects_its_members_and_nobody_else() {
    for fault in [Fault::QuotaExceeded, Fault::Abort] {
        let mut failures = Vec::new();
        for nth in 1.. {
            let (disk, session) = with_table();
            let mut statements = inserts(1..=20);
            // This one fails only if the one before it is kept.
            statements.push("INSERT INTO t VALUES (7, 'the second', 0)".to_owned());
            disk.faults.arm(nth, fault);
            let answers = at_once(&session, &statements);
            if disk.faults.is_armed() {
                break;
            }
            let failed: Vec<usize> = (0..20).filter(|at| answers[*at].is_err()).collect();
            assert_eq!(answers[20].is_ok(), failed.contains(&6), "{fault:?} {nth}: {:?}", kinds(&answers));
            let kept = (1..=20).map(|id| match failed.contains(&(id - 1)) {
                false => Some([id.to_string(), format!("row {id}")]),
                true => (id == 7).then(|| ["7".to_owned(), "the second".to_owned()]),
            });
            let kept: Vec<[String; 2]> = kept.flatten().collect();
            for session in [&session, &disk.open()] {
                assert_eq!(rows(session, "SELECT id, body FROM t ORDER BY id"), kept, "{fault:?} {nth}");
            }
            assert!(at_once(&session, &inserts(30..40)).iter().all(|answer| answer.is_ok()));
            assert_eq!(count(&disk.open()), (kept.len() + 10).to_string());
            failures.push(failed);
        }
        // The first commits alone, the others together.
        assert_eq!(failures, [vec![0], (1..20).collect()], "{fault:?}");
    }
}

#[test]
fn a_commit_that_turns_out_not_to_be_stored_is_made_again() {
    let (disk, session) = with_table();
    let mut statements = inserts(1..=20);
    statements.push("INSERT INTO t VALUES (7, 'the second', 0)".to_owned());
    disk.faults.arm(2, Fault::Indeterminate { stored: false });
    let answers = at_once(&session, &statements);
    assert!(!disk.faults.is_armed());
    assert!(answers[..20].iter().all(|answer| answer.is_ok()), "{:?}", kinds(&answers));
    assert_eq!(answers[20].as_ref().unwrap_err().kind(), ErrorKind::UniqueViolation);
    assert_eq!(count(&disk.open()), "20");
}

#[test]
fn an_unclear_outcome_is_settled_by_reading() {
    let (disk, session) = with_table();
    disk.faults.arm(2, Fault::Indeterminate { stored: true });
    assert!(at_once(&session, &inserts(1..=20)).iter().all(|answer| answer.is_ok()));
    assert!(!disk.faults.is_armed());
    assert_eq!((count(&session), count(&disk.open())), ("20".to_owned(), "20".to_owned()));
}

#[test]
fn a_closed_store_rejects_everything() {
    let (disk, session) = with_table();
    disk.faults.arm(2, Fault::Close);
    let answers = at_once(&session, &inserts(1..=20));
    assert!(answers[0].is_ok() && answers[1..].iter().all(|answer| answer.is_err()));
    assert_eq!(count(&disk.open()), "1");
}

#[test]
fn no_update_of_two_tabs_is_lost() {
    let (disk, session) = with_table();
    query(&session, "INSERT INTO t VALUES (1, '', 0)").unwrap();
    let other = disk.open();
    disk.hears.set(false);
    let statements = vec!["UPDATE t SET n = n + 1 WHERE id = 1".to_owned(); 30];
    let (first, second) = block_on(async {
        join!(
            join_all(statements.iter().map(|sql| ask(&session, sql))),
            join_all(statements.iter().map(|sql| ask(&other, sql)))
        )
    });
    let answers = || first.iter().chain(&second);
    assert!(answers().all(|answer| answer.as_ref().is_ok_and(|result| result.affected_rows == Some(1))));
    let seqs: BTreeSet<u64> = answers().map(|answer| answer.as_ref().unwrap().seq.unwrap()).collect();
    assert_eq!(seqs, (2..=61).collect());
    assert_eq!(rows(&disk.open(), "SELECT n FROM t"), [["60"]]);
    assert!(disk.n_commits.get() < 30, "{}", disk.n_commits.get());
}

#[test]
fn keys_are_given_once_by_two_tabs() {
    let (disk, session) = with_table();
    let other = disk.open();
    disk.hears.set(false);
    let statements = inserts(0..40);
    let (first, second) = block_on(async {
        join!(
            join_all(statements.iter().map(|sql| ask(&session, sql))),
            join_all(statements.iter().map(|sql| ask(&other, sql)))
        )
    });
    for (one, two) in first.iter().zip(&second) {
        assert!(one.is_ok() != two.is_ok());
    }
    assert_eq!(count(&disk.open()), "40");
}

#[test]
fn readers_see_nothing_before_it_is_stored() {
    let (disk, session) = with_table();
    let statements = inserts(1..=200);
    let reader = async {
        let mut seen = BTreeSet::new();
        while seen.last() != Some(&200) {
            let result = ask(&session, "SELECT * FROM t").await.unwrap();
            assert!(result.row_count() <= disk.n_log_rows(), "{} of {}", result.row_count(), disk.n_log_rows());
            seen.insert(result.row_count());
            yield_once().await;
        }
        seen
    };
    let (seen, answers) = block_on(async { join!(reader, join_all(statements.iter().map(|sql| ask(&session, sql)))) });
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert_eq!(seen, BTreeSet::from([0, 1, 200]), "a group appears whole");
}

#[test]
fn numbers_and_unique_values_go_on_within_a_group() {
    let disk = Disk::new();
    let session = disk.open();
    query(&session, "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, name TEXT UNIQUE)").unwrap();
    let mut statements: Vec<String> =
        (0..60).map(|at| format!("INSERT INTO t (name) VALUES ('{}')", at % 50)).collect();
    statements.push("UPDATE t SET name = 'x' WHERE name = '3'".to_owned());
    statements.push("INSERT INTO t (name) VALUES ('3')".to_owned());
    let answers = at_once(&session, &statements);
    let failed: Vec<usize> = (0..answers.len()).filter(|at| answers[*at].is_err()).collect();
    assert_eq!(failed, (50..60).collect::<Vec<_>>());
    for session in [session, disk.open()] {
        assert_eq!(
            rows(&session, "SELECT count(*), count(DISTINCT id), max(id), count(DISTINCT name) FROM t"),
            [["51", "51", "51", "51"]]
        );
    }
}

#[test]
fn tables_without_a_key_take_part() {
    let disk = Disk::new();
    let session = disk.open();
    query(&session, "CREATE TABLE t (n BIGINT)").unwrap();
    let mut statements = vec!["INSERT INTO t VALUES (1), (2)".to_owned(); 20];
    statements.push("UPDATE t SET n = n + 10 WHERE n = 1".to_owned());
    statements.push("DELETE FROM t WHERE n = 2".to_owned());
    statements.push("INSERT INTO t VALUES (3)".to_owned());
    let affected: Vec<_> =
        at_once(&session, &statements).into_iter().map(|answer| answer.unwrap().affected_rows.unwrap()).collect();
    assert_eq!(affected[20..], [20, 20, 1]);
    for session in [&session, &disk.open()] {
        assert_eq!(rows(session, "SELECT n, count(*) FROM t GROUP BY n ORDER BY n"), [["3", "1"], ["11", "20"]]);
    }
    assert_eq!(query(&session, "UPDATE t SET n = n + 1").unwrap().affected_rows, Some(21));
}

#[test]
fn users_share_commits_and_no_rows() {
    let disk = Disk::new();
    let app = disk.open();
    query(&app, "CREATE USER TABLE t (id BIGINT PRIMARY KEY, body TEXT)").unwrap();
    let users: Vec<Session> = ["ann", "bob", "eve"]
        .map(|id| Session::new(Rc::clone(app.database()), Principal::user(id, Role::User).unwrap()).unwrap())
        .into();
    let statements: Vec<Vec<String>> = ["ann", "bob", "eve"]
        .map(|user| (0..30).map(|id| format!("INSERT INTO t VALUES ({id}, '{user}')")).collect())
        .into();
    let commits = disk.n_commits.get();
    let asked =
        (0..30).flat_map(|at| users.iter().zip(&statements).map(move |(user, statements)| ask(user, &statements[at])));
    assert!(block_on(join_all(asked)).iter().all(|answer| answer.is_ok()));
    assert!(disk.n_commits.get() - commits <= 2);
    for (user, name) in users.iter().zip(["ann", "bob", "eve"]) {
        assert_eq!(rows(user, "SELECT body, count(*) FROM t GROUP BY body"), [[name, "30"]]);
        assert_eq!(query(user, "INSERT INTO t VALUES (29, 'twice')").unwrap_err().kind(), ErrorKind::UniqueViolation);
    }
    assert_eq!(count(&app), "0");
}

#[test]
fn transactions_go_beside_groups() {
    let (disk, session) = with_table();
    query(&session, "CREATE TABLE other (id BIGINT PRIMARY KEY)").unwrap();
    let apart = block_on(session.begin()).unwrap();
    query(&apart, "INSERT INTO other VALUES (1)").unwrap();
    let against = block_on(session.begin()).unwrap();
    query(&against, "INSERT INTO t VALUES (5000, '', 0)").unwrap();
    let statements = inserts(0..50);
    let (answers, committed, refused) = block_on(async {
        let all = join_all(statements.iter().map(|sql| ask(&session, sql)));
        let committed = apart.commit(Durability::Relaxed);
        let refused = against.commit(Durability::Relaxed);
        join!(all, committed, refused)
    });
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert_eq!(committed.unwrap().command, "COMMIT");
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::SerializationFailure);
    let reopened = disk.open();
    assert_eq!(count(&reopened), "50");
    assert_eq!(rows(&reopened, "SELECT count(*) FROM other"), [["1"]]);
}

#[test]
fn definitions_come_in_their_turn() {
    let (disk, session) = with_table();
    let mut statements = inserts(0..5);
    statements.push("ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'more'".to_owned());
    statements.extend((5..10).map(|id| format!("INSERT INTO t VALUES ({id}, '', 0, 'own')")));
    statements.push("CREATE TABLE late AS SELECT id FROM t".to_owned());
    statements.push("TRUNCATE TABLE t".to_owned());
    statements.extend((20..23).map(|id| format!("INSERT INTO t (id) VALUES ({id})")));
    statements.push("INSERT INTO late VALUES (77)".to_owned());
    statements.push("DROP TABLE late".to_owned());
    statements.push("INSERT INTO late VALUES (78)".to_owned());
    let answers = at_once(&session, &statements);
    let failed: Vec<usize> = (0..answers.len()).filter(|at| answers[*at].is_err()).collect();
    assert_eq!(failed, [statements.len() - 1], "{:?}", kinds(&answers));
    for session in [session, disk.open()] {
        assert_eq!(
            rows(&session, "SELECT id, more FROM t ORDER BY id"),
            [["20", "more"], ["21", "more"], ["22", "more"]]
        );
    }
}

#[test]
fn a_statement_that_is_given_up_takes_no_other_with_it() {
    // Whichever of them goes, at whatever time.
    for n_polls in 0..8 {
        for gone in [
            vec![0],
            vec![1],
            vec![9],
            vec![0, 1, 2],
            vec![5, 9],
            (1..10).collect(),
            (0..9).collect(),
            (0..10).collect(),
        ] {
            let (disk, session) = with_table();
            let statements = inserts(0..10);
            let mut asked: Vec<Option<LocalBoxFuture<'_, Answer>>> =
                statements.iter().map(|sql| Some(ask(&session, sql))).collect();
            let answers = block_on(async {
                let mut answers = BTreeMap::new();
                for _ in 0..n_polls {
                    for (at, slot) in asked.iter_mut().enumerate() {
                        let Some(future) = slot else { continue };
                        if let std::task::Poll::Ready(answer) = poll!(future) {
                            answers.insert(at, answer);
                            *slot = None;
                        }
                    }
                }
                gone.iter().for_each(|at| asked[*at] = None);
                let left = asked.into_iter().enumerate().filter_map(|(at, future)| Some((at, future?)));
                answers.extend(join_all(left.map(async |(at, future)| (at, future.await))).await);
                answers
            });
            assert!(answers.values().all(|answer| answer.is_ok()), "{n_polls} {gone:?}");
            query(&session, "INSERT INTO t VALUES (100, 'afterwards', 0)").unwrap();
            let stored = rows(&session, "SELECT id FROM t ORDER BY id");
            assert_eq!(stored, rows(&disk.open(), "SELECT id FROM t ORDER BY id"), "{n_polls} {gone:?}");
            for at in answers.keys() {
                assert!(stored.contains(&vec![at.to_string()]), "{n_polls} {gone:?}");
            }
        }
    }
}

#[test]
fn closing_waits_for_the_group() {
    let (disk, session) = with_table();
    let statements = inserts(0..20);
    let answers = block_on(async {
        let mut asked: Vec<_> = statements.iter().map(|sql| ask(&session, sql)).collect();
        for future in &mut asked {
            assert!(poll!(future).is_pending());
        }
        join!(join_all(asked), session.database().close()).0
    });
    let n_done = answers.iter().filter(|answer| answer.is_ok()).count();
    let closed = |answer: &Answer| answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::DatabaseClosed);
    assert!(answers.iter().all(|answer| answer.is_ok() || closed(answer)));
    assert_eq!(count(&disk.open()), n_done.to_string());
}

/// One statement of a random run, on keys so small that statements meet.
#[derive(Debug, Clone)]
enum Step {
    Insert { keys: Vec<i64>, n: i64 },
    Put { key: i64, n: i64 },
    Add { divisor: i64, n: i64 },
    Move { from: i64, by: i64 },
    Delete { divisor: i64 },
    Copy { by: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..20_i64;
    prop_oneof![
        4 => (prop::collection::vec(key.clone(), 1..3), 0..5_i64).prop_map(|(keys, n)| Step::Insert { keys, n }),
        2 => (key.clone(), 0..5_i64).prop_map(|(key, n)| Step::Put { key, n }),
        2 => (1..5_i64, 1..4_i64).prop_map(|(divisor, n)| Step::Add { divisor, n }),
        1 => (key, -2..3_i64).prop_map(|(from, by)| Step::Move { from, by }),
        1 => (2..6_i64).prop_map(|divisor| Step::Delete { divisor }),
        1 => (15..25_i64).prop_map(|by| Step::Copy { by }),
    ]
}

type Model = BTreeMap<i64, i64>;

/// Steps that are run at once, and the fault that strikes at which request meanwhile.
type Batch = (Vec<Step>, Option<(u64, Fault)>);

impl Step {
    fn sql(&self) -> String {
        match self {
            Step::Insert { keys, n } => {
                let values: Vec<String> = keys.iter().map(|key| format!("({key}, '', {n})")).collect();
                format!("INSERT INTO t VALUES {}", values.join(", "))
            }
            Step::Put { key, n } => {
                format!("INSERT INTO t VALUES ({key}, '', {n}) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n")
            }
            Step::Add { divisor, n } => format!("UPDATE t SET n = n + {n} WHERE id % {divisor} = 0"),
            Step::Move { from, by } => format!("UPDATE t SET id = id + {by} WHERE id >= {from}"),
            Step::Delete { divisor } => format!("DELETE FROM t WHERE id % {divisor} = 0"),
            Step::Copy { by } => format!("INSERT INTO t SELECT id + {by}, body, n FROM t WHERE id < 5"),
        }
    }

    /// What it must do: the model afterwards and the rows affected; nothing if keys would be there twice.
    fn run(&self, model: &Model) -> Option<(Model, u64)> {
        let mut next = model.clone();
        let insert =
            |next: &mut Model, rows: Vec<(i64, i64)>| rows.into_iter().all(|(key, n)| next.insert(key, n).is_none());
        let n_rows = match self {
            Step::Insert { keys, n } => {
                insert(&mut next, keys.iter().map(|key| (*key, *n)).collect()).then_some(keys.len())?
            }
            Step::Put { key, n } => {
                *next.entry(*key).or_default() += n;
                1
            }
            Step::Add { divisor, n } => {
                next.iter_mut().filter(|(key, _)| *key % divisor == 0).map(|(_, value)| *value += n).count()
            }
            Step::Move { from, by } => {
                let moved = next.split_off(from);
                let n_rows = moved.len();
                insert(&mut next, moved.into_iter().map(|(key, n)| (key + by, n)).collect()).then_some(n_rows)?
            }
            Step::Delete { divisor } => {
                next.retain(|key, _| key % divisor != 0);
                model.len() - next.len()
            }
            Step::Copy { by } => {
                let copied: Vec<_> = model.range(..5).map(|(key, n)| (key + by, *n)).collect();
                let n_rows = copied.len();
                insert(&mut next, copied).then_some(n_rows)?
            }
        };
        Some((next, n_rows as u64))
    }
}

/// Runs each batch of steps at once in one tab; a fault may strike in any. The outcome must be that of one after the
/// other.
fn run(batches: &[Batch]) {
    let (disk, session) = with_table();
    let mut model = Model::new();
    for (steps, fault) in batches {
        if let Some((nth, fault)) = fault {
            disk.faults.arm(*nth, *fault);
        }
        let statements: Vec<String> = steps.iter().map(Step::sql).collect();
        let answers = at_once(&session, &statements);
        let struck = fault.is_some() && !disk.faults.is_armed();
        disk.faults.disarm();
        for (step, answer) in steps.iter().zip(answers) {
            match (answer, step.run(&model)) {
                (Ok(result), Some((next, n_rows))) => {
                    assert_eq!(result.affected_rows, Some(n_rows), "{step:?}");
                    model = next;
                }
                (Err(error), None) if error.kind() == ErrorKind::UniqueViolation => {}
                // What a failing disk has rejected is as if it had not been asked.
                (Err(error), _) => assert!(struck && error.kind() != ErrorKind::UniqueViolation, "{step:?}: {error:?}"),
                (Ok(_), None) => panic!("{step:?} is done"),
            }
        }
        let expected: Vec<Vec<String>> = model.iter().map(|(key, n)| vec![key.to_string(), n.to_string()]).collect();
        for session in [&session, &disk.open()] {
            assert_eq!(rows(session, "SELECT id, n FROM t ORDER BY id"), expected);
            assert_eq!(
                rows(session, "SELECT count(*) - count(DISTINCT _seq) FROM t WHERE _deleted IS NOT NULL"),
                [["0"]]
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_once_is_as_one_after_the_other(batches in prop::collection::vec((
        prop::collection::vec(step(), 1..25),
        prop::option::weighted(0.3, (1..12_u64, prop_oneof![
            Just(Fault::QuotaExceeded),
            Just(Fault::Abort),
            Just(Fault::Indeterminate { stored: true }),
            Just(Fault::Indeterminate { stored: false }),
        ])),
    ), 1..5)) {
        run(&batches);
    }
}
