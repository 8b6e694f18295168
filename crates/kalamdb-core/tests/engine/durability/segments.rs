//! Rows that have gone from the log into segments are the same rows, whatever is done to them.

use std::rc::Rc;

use crate::support::{Disk, query, rows, try_rows};
use futures::executor::block_on;
use kalamdb_core::{CallContext, Database, ErrorKind, MaintenanceTrigger, Principal, Role, Session};
use kalamdb_store::{Fault, PageKey, RecordKey, Store};

/// Enough for nothing: every page goes as soon as nobody pins it.
const NO_MEMORY: usize = 1;

fn session(database: &Rc<Database>) -> Session {
    Session::new(Rc::clone(database), Principal::system()).unwrap()
}

fn run(session: &Session, sql: &str) -> usize {
    query(session, sql).unwrap_or_else(|error| panic!("{sql}: {error}")).affected_rows.unwrap_or_default() as usize
}

/// A table of 1,000 rows, of which 900 are in segments and 100 in the log; some of either are updated or deleted.
fn fill(session: &Session) {
    run(session, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n BIGINT, d DOUBLE)");
    for (from, to) in [(600, 900), (0, 300), (300, 600)] {
        run(
            session,
            &format!(
                "INSERT INTO t SELECT v, 'name ' || v, v * 2, v / 4.0 FROM generate_series({from}, {}) AS g(v)",
                to - 1
            ),
        );
        run(session, "FLUSH TABLE t");
    }
    run(session, "INSERT INTO t SELECT v, 'name ' || v, v * 2, v / 4.0 FROM generate_series(900, 999) AS g(v)");
    run(session, "UPDATE t SET n = -1 WHERE id % 100 = 7");
    run(session, "DELETE FROM t WHERE id % 100 = 8");
}

fn expected() -> Vec<Vec<String>> {
    let live = (0..1000).filter(|id| id % 100 != 8);
    live.map(|id| {
        let n = if id % 100 == 7 { -1 } else { id * 2 };
        vec![id.to_string(), format!("name {id}"), n.to_string(), format!("{:?}", f64::from(id) / 4.0)]
    })
    .collect()
}

const ALL: &str = "SELECT id, name, n, d FROM t ORDER BY id";

#[test]
fn rows_read_the_same_wherever_they_are() {
    let disk = Disk::new();
    let tab = disk.open();
    fill(&tab);
    assert_eq!(rows(&tab, ALL), expected());
    for budget in [1 << 28, NO_MEMORY] {
        let other = session(&disk.open_database(budget));
        assert_eq!(rows(&other, "SELECT count(*) FROM t"), [["990"]], "{budget}");
        assert_eq!(rows(&other, ALL), expected(), "{budget}");
        assert_eq!(rows(&other, "SELECT n FROM t WHERE id = 307"), [["-1"]]);
        assert_eq!(rows(&other, "SELECT id FROM t WHERE name = 'name 650'"), [["650"]]);
        assert_eq!(
            rows(&other, "SELECT count(*), min(id), max(id) FROM t WHERE id BETWEEN 250 AND 349"),
            [["99", "250", "349"]]
        );
        assert_eq!(rows(&other, "SELECT count(*) FROM t WHERE _deleted = true"), [["10"]]);
    }
    run(&tab, "STORAGE COMPACT TABLE t");
    assert_eq!(disk.n_log_records(), 0);
    assert_eq!(rows(&tab, ALL), expected());
    let other = session(&disk.open_database(NO_MEMORY));
    assert_eq!(rows(&other, ALL), expected());
    assert_eq!(rows(&other, "SELECT count(*) FROM t WHERE _deleted = true"), [["10"]]);
}

#[test]
fn sequence_numbers_and_times_stay() {
    let disk = Disk::new();
    let tab = disk.open();
    fill(&tab);
    let versions = "SELECT id, _seq, _updated, _deleted FROM t WHERE _deleted IN (true, false) ORDER BY id";
    let before = rows(&tab, versions);
    assert_eq!(before.len(), 1000);
    run(&tab, "STORAGE FLUSH ALL");
    assert_eq!(rows(&tab, versions), before);
    run(&tab, "STORAGE COMPACT TABLE t");
    assert_eq!(rows(&tab, versions), before);
    assert_eq!(rows(&disk.open(), versions), before);
}

#[test]
fn constraints_hold_against_rows_in_segments() {
    for budget in [1 << 28, NO_MEMORY] {
        let disk = Disk::new();
        fill(&disk.open());
        let tab = session(&disk.open_database(budget));
        for sql in [
            "INSERT INTO t VALUES (5, 'new', 0, 0)",
            "INSERT INTO t VALUES (5000, 'name 5', 0, 0)",
            "UPDATE t SET name = 'name 6' WHERE id = 950",
            "UPDATE t SET id = 6 WHERE id = 950",
        ] {
            assert_eq!(query(&tab, sql).unwrap_err().kind(), ErrorKind::UniqueViolation, "{sql}");
        }
        // A tombstone holds neither its key nor its values.
        assert_eq!(run(&tab, "INSERT INTO t VALUES (8, 'name 108', 1, 1)"), 1);
        assert_eq!(run(&tab, "INSERT INTO t VALUES (5, 'x', 7, 7) ON CONFLICT (id) DO UPDATE SET n = excluded.n"), 1);
        assert_eq!(run(&tab, "INSERT INTO t VALUES (6000, 'name 9', 7, 7) ON CONFLICT (name) DO NOTHING"), 0);
        run(&tab, "FLUSH TABLE t");
        assert_eq!(
            rows(&disk.open(), "SELECT id, name, n FROM t WHERE id IN (5, 8) ORDER BY id"),
            [["5", "name 5", "7"], ["8", "name 108", "1"]]
        );
    }
}

#[test]
fn every_statement_that_writes_reaches_rows_in_segments() {
    let disk = Disk::new();
    fill(&disk.open());
    let tab = session(&disk.open_database(NO_MEMORY));
    assert_eq!(run(&tab, "UPDATE t SET n = n + 1 WHERE id BETWEEN 10 AND 12"), 3);
    assert_eq!(run(&tab, "DELETE FROM t WHERE id IN (20, 21)"), 2);
    assert_eq!(run(&tab, "UNDELETE FROM t WHERE id = 108"), 1);
    assert_eq!(run(&tab, "UPDATE t SET id = id + 10000 WHERE id = 30"), 1);
    let check = |tab: &Session| {
        assert_eq!(
            rows(tab, "SELECT id, n FROM t WHERE id BETWEEN 10 AND 12 ORDER BY id"),
            [["10", "21"], ["11", "23"], ["12", "25"]]
        );
        assert_eq!(
            rows(tab, "SELECT id FROM t WHERE id IN (20, 21, 30, 108, 10030) ORDER BY id"),
            [["108"], ["10030"]]
        );
        assert_eq!(rows(tab, "SELECT count(*), count(DISTINCT id) FROM t"), [["989", "989"]]);
    };
    check(&tab);
    check(&disk.open());
    run(&tab, "STORAGE COMPACT ALL");
    check(&tab);
    check(&session(&disk.open_database(NO_MEMORY)));
}

#[test]
fn tables_without_a_key_keep_their_rows_apart() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE TABLE notes (body TEXT)");
    run(&tab, "INSERT INTO notes VALUES ('same'), ('same'), ('other')");
    run(&tab, "FLUSH TABLE notes");
    run(&tab, "INSERT INTO notes VALUES ('same')");
    run(&tab, "UPDATE notes SET body = 'changed' WHERE body = 'other'");
    run(&tab, "FLUSH TABLE notes");
    let other = session(&disk.open_database(NO_MEMORY));
    assert_eq!(
        rows(&other, "SELECT body, count(*) FROM notes GROUP BY body ORDER BY body"),
        [["changed", "1"], ["same", "3"]]
    );
    run(&other, "STORAGE COMPACT TABLE notes");
    assert_eq!(rows(&tab, "SELECT count(*) FROM notes"), [["4"]]);
}

#[test]
fn text_keys_are_found_in_segments() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE TABLE k (a TEXT, b BIGINT UNSIGNED, v INT, PRIMARY KEY (a, b))");
    run(&tab, "INSERT INTO k SELECT 'key ' || (v % 7), v, v FROM generate_series(0, 499) AS g(v)");
    run(&tab, "INSERT INTO k VALUES ('max', 18446744073709551615, -1)");
    run(&tab, "FLUSH TABLE k");
    let other = session(&disk.open_database(NO_MEMORY));
    assert_eq!(query(&other, "INSERT INTO k VALUES ('key 3', 3, 0)").unwrap_err().kind(), ErrorKind::UniqueViolation);
    assert_eq!(
        query(&other, "INSERT INTO k VALUES ('max', 18446744073709551615, 0)").unwrap_err().kind(),
        ErrorKind::UniqueViolation
    );
    assert_eq!(run(&other, "UPDATE k SET v = -5 WHERE a = 'key 3' AND b = 3"), 1);
    assert_eq!(rows(&other, "SELECT count(*), sum(v) FROM k"), [["501", "124741"]]);
    assert_eq!(rows(&disk.open(), "SELECT v FROM k WHERE a = 'key 3' AND b = 3"), [["-5"]]);
}

#[test]
fn columns_change_after_rows_were_stored() {
    let disk = Disk::new();
    let tab = disk.open();
    fill(&tab);
    run(&tab, "FLUSH TABLE t");
    run(&tab, "ALTER TABLE t ADD COLUMN extra TEXT DEFAULT 'none'");
    run(&tab, "ALTER TABLE t DROP COLUMN d");
    run(&tab, "ALTER TABLE t ALTER COLUMN n TYPE TEXT");
    run(&tab, "INSERT INTO t VALUES (2000, 'new', 'text', 'some')");
    let check = |tab: &Session| {
        assert_eq!(
            rows(tab, "SELECT * FROM t WHERE id IN (4, 2000) ORDER BY id"),
            [["4", "name 4", "8", "none"], ["2000", "new", "text", "some"]]
        );
        assert_eq!(rows(tab, "SELECT count(*) FROM t WHERE n = '-1' AND extra = 'none'"), [["10"]]);
    };
    check(&tab);
    check(&session(&disk.open_database(NO_MEMORY)));
    run(&tab, "STORAGE COMPACT TABLE t");
    check(&tab);
    check(&session(&disk.open_database(NO_MEMORY)));
    assert_eq!(
        query(&tab, "INSERT INTO t VALUES (4, 'again', '', '')").unwrap_err().kind(),
        ErrorKind::UniqueViolation
    );
}

#[test]
fn the_type_of_a_key_that_was_stored_stays() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE TABLE k (id INTEGER PRIMARY KEY, v INT)");
    run(&tab, "INSERT INTO k SELECT v, v FROM generate_series(1, 120) AS g(v)");
    run(&tab, "FLUSH TABLE k");
    let error = query(&tab, "ALTER TABLE k ALTER COLUMN id TYPE TEXT").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FeatureNotSupported);
    let other = disk.open();
    assert_eq!(query(&other, "INSERT INTO k VALUES (100, 0)").unwrap_err().kind(), ErrorKind::UniqueViolation);
    assert_eq!(run(&other, "UPDATE k SET v = -1 WHERE id = 9"), 1);
    run(&other, "STORAGE COMPACT TABLE k");
    assert_eq!(rows(&tab, "SELECT count(*), sum(v) FROM k"), [["120", "7250"]]);
}

#[test]
fn counting_goes_on_after_the_last_row_is_gone_for_good() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE TABLE c (id INTEGER PRIMARY KEY AUTO_INCREMENT, v TEXT) WITH (DELETED_RETENTION_HOURS = 1)");
    run(&tab, "INSERT INTO c (v) VALUES ('a'), ('b'), ('c')");
    run(&tab, "DELETE FROM c WHERE id = 3");
    disk.clock.advance_ms(2 * 3_600_000);
    run(&tab, "STORAGE COMPACT TABLE c");
    assert_eq!(rows(&tab, "SELECT count(*) FROM c WHERE _deleted = true"), [["0"]]);
    let other = disk.open();
    run(&other, "INSERT INTO c (v) VALUES ('d')");
    assert_eq!(rows(&other, "SELECT id, v FROM c ORDER BY id"), [["1", "a"], ["2", "b"], ["4", "d"]]);
}

#[test]
fn tombstones_go_when_their_time_is_over() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let tab = session(&database);
    run(&tab, "CREATE TABLE a (id INTEGER PRIMARY KEY) WITH (DELETED_RETENTION_HOURS = 24)");
    run(&tab, "CREATE TABLE b (id INTEGER PRIMARY KEY) WITH (DELETED_RETENTION_HOURS = 0)");
    for table in ["a", "b"] {
        run(&tab, &format!("INSERT INTO {table} SELECT v FROM generate_series(1, 20) AS g(v)"));
        run(&tab, &format!("DELETE FROM {table} WHERE id <= 5"));
        run(&tab, &format!("FLUSH TABLE {table}"));
    }
    let count = |table: &str| rows(&tab, &format!("SELECT count(*) FROM {table} WHERE _deleted = true"))[0][0].clone();
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!((count("a"), count("b")), ("5".to_owned(), "5".to_owned()));
    disk.clock.advance_ms(25 * 3_600_000);
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!((count("a"), count("b")), ("0".to_owned(), "5".to_owned()));
    assert_eq!(rows(&disk.open(), "SELECT count(*) FROM a"), [["15"]]);
    assert_eq!(
        rows(&tab, "SELECT DISTINCT job_type, status FROM system.jobs ORDER BY job_type"),
        [["flush", "completed"], ["retention", "completed"]]
    );
}

#[test]
fn rows_are_flushed_when_their_policy_says() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let tab = session(&database);
    run(&tab, "CREATE TABLE by_rows (id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'rows:10')");
    run(&tab, "CREATE TABLE by_time (id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'interval:60')");
    run(&tab, "CREATE TABLE by_default (id INTEGER PRIMARY KEY)");
    let n_jobs = || rows(&tab, "SELECT count(*) FROM system.jobs")[0][0].clone();
    for table in ["by_rows", "by_time", "by_default"] {
        run(&tab, &format!("INSERT INTO {table} SELECT v FROM generate_series(1, 9) AS g(v)"));
    }
    assert!(!block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap());
    run(&tab, "INSERT INTO by_rows VALUES (10)");
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!(n_jobs(), "1");
    disk.clock.advance_ms(60_000);
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!(
        rows(&tab, "SELECT table_id, rows FROM system.jobs ORDER BY job_id"),
        [["default:by_rows", "10"], ["default:by_time", "9"]]
    );
    run(&tab, "INSERT INTO by_default SELECT v FROM generate_series(10, 10000) AS g(v)");
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!(n_jobs(), "3");
    assert_eq!(disk.n_log_records(), 0);
    assert_eq!(rows(&disk.open(), "SELECT count(*) FROM by_default"), [["10000"]]);
}

/// A statement waits for a flush where the log has so many bytes of a table.
const MOST_LOGGED_BYTES: usize = 256 << 20;
const LARGE_BYTES: usize = 2_000_000;

/// Inserts rows of 2 MB.
fn insert_large(session: &Session, ids: std::ops::Range<i64>) {
    for id in ids {
        run(session, &format!("INSERT INTO big VALUES ({id}, repeat('{id:07} ', 250000))"));
    }
}

const CREATE_BIG: &str = "CREATE TABLE big (id BIGINT PRIMARY KEY, body TEXT) WITH (FLUSH_POLICY = 'rows:1000000')";

#[test]
fn large_rows_are_flushed_and_merged_by_their_bytes() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, CREATE_BIG);
    insert_large(&tab, 10..60);
    while block_on(tab.database().maintain(MaintenanceTrigger::Idle)).unwrap() {}
    // Less than is worth a flush is left.
    assert!(disk.n_log_rows() < 20, "{}", disk.n_log_rows());
    let n_segments = |disk: &Disk| disk.n_pages() / 4;
    let flushed = n_segments(&disk);
    assert!(flushed >= 2, "{flushed}");
    let sums = rows(&tab, "SELECT count(*), sum(length(body)), max(id) FROM big");
    run(&tab, "STORAGE COMPACT TABLE big");
    // 50 rows of 2 MB, at most 32 MiB each.
    assert!((3..=8).contains(&n_segments(&disk)), "{}", n_segments(&disk));
    let other = session(&disk.open_database(40 << 20));
    assert_eq!(rows(&other, "SELECT count(*), sum(length(body)), max(id) FROM big"), sums);
    assert_eq!(rows(&other, "SELECT id FROM big WHERE body LIKE '0000016 %'"), [["16"]]);
}

#[test]
fn who_writes_faster_than_the_log_is_shortened_waits() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, CREATE_BIG);
    // After each statement the log has no more than is let in before one waits, and the row just inserted.
    let most = MOST_LOGGED_BYTES / LARGE_BYTES + 1;
    for id in 10..160 {
        insert_large(&tab, id..id + 1);
        assert!(disk.n_log_rows() <= most, "{} rows after {id}", disk.n_log_rows());
    }
    assert!(disk.n_pages() > 0);
    assert_eq!(rows(&disk.open(), "SELECT count(*), min(id), max(id) FROM big"), [["150", "10", "159"]]);
}

#[test]
fn small_segments_are_merged() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let tab = session(&database);
    run(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INT) WITH (FLUSH_POLICY = 'rows:1')");
    for id in 0..30 {
        run(&tab, &format!("INSERT INTO t VALUES ({}, {id})", id * 7 % 30));
        while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    }
    // Three pages each: the key, the value, the sequence number and the time.
    assert!(disk.n_pages() <= 4 * 4, "{} pages", disk.n_pages());
    assert_eq!(rows(&disk.open(), "SELECT count(*), sum(v), count(DISTINCT id) FROM t"), [["30", "435", "30"]]);
    run(&tab, "UPDATE t SET v = v + 1");
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!(rows(&disk.open(), "SELECT count(*), sum(v) FROM t"), [["30", "465"]]);
}

#[test]
fn other_tabs_go_on_over_flushes_and_compactions() {
    let disk = Disk::new();
    let (left, right) = (disk.open(), session(&disk.open_database(NO_MEMORY)));
    fill(&left);
    assert_eq!(rows(&right, ALL), expected());
    run(&right, "UPDATE t SET n = 1 WHERE id = 1");
    run(&left, "FLUSH TABLE t");
    run(&right, "UPDATE t SET n = 2 WHERE id = 2");
    run(&left, "INSERT INTO t VALUES (1000, 'name 1000', 0, 0)");
    run(&left, "STORAGE COMPACT TABLE t");
    run(&right, "UPDATE t SET n = n + 1 WHERE id <= 2");
    for tab in [&left, &right, &disk.open()] {
        assert_eq!(
            rows(tab, "SELECT id, n FROM t WHERE id IN (0, 1, 2, 1000) ORDER BY id"),
            [["0", "1"], ["1", "2"], ["2", "3"], ["1000", "0"]]
        );
        assert_eq!(rows(tab, "SELECT count(*) FROM t"), [["991"]]);
    }
}

#[test]
fn a_tab_that_has_not_heard_of_a_compaction_reads_on() {
    let disk = Disk::new();
    let (left, right) = (disk.open(), session(&disk.open_database(NO_MEMORY)));
    fill(&left);
    run(&left, "FLUSH TABLE t");
    assert_eq!(rows(&right, ALL), expected());
    disk.hears.set(false);
    run(&left, "STORAGE COMPACT TABLE t");
    assert_eq!(rows(&right, ALL), expected());
    // Neither can a transaction read what is no more, nor may it move on.
    let mover = session(&disk.open_database(NO_MEMORY));
    query(&mover, "BEGIN").unwrap();
    assert_eq!(rows(&mover, "SELECT count(*) FROM t WHERE id = 1"), [["1"]]);
    run(&left, "UPDATE t SET n = 0 WHERE id = 5");
    run(&left, "STORAGE COMPACT TABLE t");
    assert_eq!(try_rows(&mover, ALL).unwrap_err().kind(), ErrorKind::SerializationFailure);
    query(&mover, "ROLLBACK").unwrap();
    assert_eq!(rows(&mover, "SELECT n FROM t WHERE id = 5"), [["0"]]);
}

#[test]
fn a_transaction_does_not_mind_a_flush() {
    let disk = Disk::new();
    let (left, right) = (disk.open(), disk.open());
    fill(&left);
    query(&right, "BEGIN").unwrap();
    run(&right, "UPDATE t SET n = 100 WHERE id = 100");
    run(&left, "FLUSH TABLE t");
    run(&right, "INSERT INTO t VALUES (5000, 'five thousand', 1, 1)");
    query(&right, "COMMIT").unwrap();
    for tab in [&left, &right, &disk.open()] {
        assert_eq!(rows(tab, "SELECT n FROM t WHERE id IN (100, 5000) ORDER BY id"), [["100"], ["1"]]);
    }
    query(&left, "BEGIN").unwrap();
    assert_eq!(query(&left, "FLUSH TABLE t").unwrap_err().kind(), ErrorKind::InvalidTransactionState);
    query(&left, "ROLLBACK").unwrap();
}

#[test]
fn users_rows_stay_apart_in_segments() {
    let disk = Disk::new();
    let database = disk.open_database(NO_MEMORY);
    let system = session(&database);
    run(&system, "CREATE USER TABLE notes (id INTEGER PRIMARY KEY, body TEXT)");
    let user = |name: &str| Session::new(Rc::clone(&database), Principal::user(name, Role::User).unwrap()).unwrap();
    let (ann, bob) = (user("ann"), user("bob"));
    for (session, name) in [(&ann, "ann"), (&bob, "bob")] {
        run(session, &format!("INSERT INTO notes SELECT v, '{name} ' || v FROM generate_series(1, 50) AS g(v)"));
    }
    assert_eq!(query(&ann, "FLUSH TABLE notes").unwrap_err().kind(), ErrorKind::InsufficientPrivilege);
    assert_eq!(run(&system, "FLUSH TABLE notes"), 100);
    run(&ann, "DELETE FROM notes WHERE id > 10");
    run(&system, "STORAGE COMPACT TABLE notes");
    assert_eq!(rows(&ann, "SELECT count(*), count(*) FILTER (WHERE body LIKE 'ann %') FROM notes"), [["10", "10"]]);
    assert_eq!(rows(&bob, "SELECT count(*), count(*) FILTER (WHERE body LIKE 'bob %') FROM notes"), [["50", "50"]]);
    assert_eq!(rows(&ann, "SELECT count(*) FROM system.jobs"), [["0"]]);
}

#[test]
fn dropping_a_table_removes_its_segments() {
    let disk = Disk::new();
    let tab = disk.open();
    for sql in ["TRUNCATE TABLE t", "DROP TABLE t"] {
        fill(&tab);
        run(&tab, "FLUSH TABLE t");
        assert!(disk.n_pages() > 0);
        run(&tab, sql);
        assert_eq!((disk.n_pages(), disk.n_log_records()), (0, 0), "{sql}");
        assert!(block_on(disk.store().read_since(None)).unwrap().manifests.is_empty(), "{sql}");
        if sql.starts_with("TRUNCATE") {
            assert_eq!(rows(&disk.open(), "SELECT count(*) FROM t"), [["0"]]);
            run(&tab, "DROP TABLE t");
        }
    }
}

#[test]
fn a_failure_at_any_request_loses_nothing() {
    for statement in ["FLUSH TABLE t", "STORAGE COMPACT TABLE t"] {
        for fault in [
            Fault::QuotaExceeded,
            Fault::Abort,
            Fault::Indeterminate { stored: true },
            Fault::Indeterminate { stored: false },
        ] {
            for nth in 1.. {
                let disk = Disk::new();
                let tab = disk.open();
                run(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)");
                run(&tab, "INSERT INTO t SELECT v, v FROM generate_series(1, 10) AS g(v)");
                run(&tab, "FLUSH TABLE t");
                run(&tab, "INSERT INTO t SELECT v, v FROM generate_series(11, 20) AS g(v)");
                run(&tab, "UPDATE t SET v = 0 WHERE id IN (3, 13)");
                disk.faults.arm(nth, fault);
                let _ = query(&tab, statement);
                let struck = !disk.faults.is_armed();
                disk.faults.disarm();
                for tab in [&tab, &disk.open()] {
                    assert_eq!(
                        rows(tab, "SELECT count(*), sum(v), count(DISTINCT id) FROM t"),
                        [["20", "194", "20"]],
                        "{statement} {fault:?} {nth}"
                    );
                }
                run(&tab, "UPDATE t SET v = 1 WHERE id = 3");
                run(&tab, statement);
                assert_eq!(rows(&disk.open(), "SELECT sum(v) FROM t"), [["195"]]);
                if !struck {
                    assert!(nth > 10, "{statement}: only {nth} requests could fail");
                    break;
                }
            }
        }
    }
}

#[test]
fn damage_is_confined_to_what_it_hits() {
    let disk = Disk::new();
    let tab = disk.open();
    fill(&tab);
    run(&tab, "CREATE TABLE other (id INTEGER PRIMARY KEY)");
    run(&tab, "INSERT INTO other VALUES (1)");
    run(&tab, "STORAGE FLUSH ALL");
    let pages = block_on(disk.store().page_keys()).unwrap();
    // Of the segment with the ids from 600 on, the column `n`.
    let first = pages[0].segment;
    assert!(disk.store().disk().corrupt(&RecordKey::Page(PageKey { segment: first, column: 3 })));
    let reader = disk.open();
    assert_eq!(rows(&reader, "SELECT id FROM other"), [["1"]]);
    assert_eq!(rows(&reader, "SELECT count(*), count(name) FROM t"), [["990", "990"]]);
    assert_eq!(rows(&reader, "SELECT sum(n) FROM t WHERE id < 600 AND id % 100 <> 7"), [[expected_sum().to_string()]]);
    let error = try_rows(&reader, "SELECT sum(n) FROM t").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataCorrupted);
    assert!(error.message().starts_with("table t: "), "{error}");
}

fn expected_sum() -> i64 {
    (0..600).filter(|id| id % 100 != 7 && id % 100 != 8).map(|id| id * 2).sum()
}

#[test]
fn streams_are_not_flushed() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE STREAM TABLE events (id INTEGER) WITH (TTL_SECONDS = 10)");
    let error = query(&tab, "FLUSH TABLE events").unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::FeatureNotSupported, "FLUSH TABLE is not supported on stream tables")
    );
    run(&tab, "STORAGE FLUSH ALL");
    assert_eq!(query(&tab, "FLUSH TABLE nothing").unwrap_err().kind(), ErrorKind::UndefinedTable);
}

#[test]
fn what_is_stored_is_told_by_table_and_user() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let system = session(&database);
    fill(&system);
    run(&system, "CREATE USER TABLE notes (id INTEGER PRIMARY KEY)");
    let ann = Session::new(Rc::clone(&database), Principal::user("ann", Role::User).unwrap()).unwrap();
    run(&ann, "INSERT INTO notes VALUES (1), (2)");
    let report = database.storage().unwrap();
    let told: Vec<_> = report
        .tables
        .iter()
        .map(|used| (used.table.as_str(), used.user_id.as_deref(), used.log_rows, used.segment_rows))
        .collect();
    assert_eq!(told, [("notes", Some("ann"), 2, 0), ("t", None, 120, 900)]);
    assert!(report.log_bytes > 0 && report.segment_bytes > 0);
    assert_eq!(report.segment_bytes, report.tables.iter().map(|used| used.segment_bytes).sum::<u64>());
}

#[test]
fn a_check_finds_every_damaged_record() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let tab = session(&database);
    fill(&tab);
    let report = block_on(database.check(&CallContext::default())).unwrap();
    assert!(report.ok && report.damaged.is_empty() && report.orphaned_pages == 0, "{report:?}");
    assert_eq!(report.pages, 3 * 6);
    let stored = block_on(disk.store().read_since(None)).unwrap();
    let pages = block_on(disk.store().page_keys()).unwrap();
    for key in [RecordKey::Page(pages[2]), RecordKey::Log(stored.log[0].key.commit)] {
        assert!(disk.store().disk().corrupt(&key));
        let report = block_on(database.check(&CallContext::default())).unwrap();
        assert!(!report.ok);
        assert_eq!(report.damaged.iter().map(|damage| damage.key.as_str()).collect::<Vec<_>>(), [key.to_string()]);
        assert_eq!(report.damaged[0].table.as_deref(), Some("t"));
        disk.store().disk().corrupt(&key);
    }
    let manifest = RecordKey::Manifest(stored.manifests[0].key);
    assert!(disk.store().disk().corrupt(&manifest));
    let report = block_on(database.check(&CallContext::default())).unwrap();
    assert_eq!((report.damaged[0].key.clone(), report.damaged[0].table.as_deref()), (manifest.to_string(), Some("t")));
}

#[test]
fn what_is_readable_is_salvaged() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let tab = session(&database);
    fill(&tab);
    let rows_of = |database: &Rc<Database>| -> Vec<Vec<serde_json::Value>> {
        let report = block_on(database.salvage(&CallContext::default())).unwrap();
        let table = report.tables.iter().find(|table| table.table == "t").unwrap();
        let mut rows: Vec<Vec<serde_json::Value>> = serde_json::from_str(&table.rows).unwrap();
        rows.sort_by_key(|row| row[0].as_i64());
        rows
    };
    let as_json = |row: &Vec<String>| {
        let number = |text: &str| text.parse::<f64>().unwrap();
        vec![
            row[0].parse::<i64>().unwrap().into(),
            row[1].clone().into(),
            row[2].parse::<i64>().unwrap().into(),
            number(&row[3]).into(),
        ]
    };
    let all: Vec<Vec<serde_json::Value>> = expected().iter().map(as_json).collect();
    assert_eq!(rows_of(&database), all);
    // The names of the rows from 600 to 899, and then their keys.
    let segment = block_on(disk.store().page_keys()).unwrap()[0].segment;
    disk.store().disk().corrupt(&RecordKey::Page(PageKey { segment, column: 2 }));
    let reopened = disk.open_database(1 << 28);
    let without_names = |row: &Vec<serde_json::Value>| {
        let mut row = row.clone();
        let id = row[0].as_i64().unwrap();
        // Rows that were updated since are in the log.
        if (600..900).contains(&id) && id % 100 != 7 {
            row[1] = serde_json::Value::Null;
        }
        row
    };
    assert_eq!(rows_of(&reopened), all.iter().map(without_names).collect::<Vec<_>>());
    disk.store().disk().corrupt(&RecordKey::Page(PageKey { segment, column: 1 }));
    let rest: Vec<_> = all
        .iter()
        .filter(|row| !(600..900).contains(&row[0].as_i64().unwrap()) || row[0].as_i64().unwrap() % 100 == 7)
        .cloned()
        .collect();
    assert_eq!(rows_of(&disk.open_database(1 << 28)), rest);
}

#[test]
fn flushes_at_the_same_time_wait_for_each_other() {
    let disk = Disk::new();
    let database = disk.open_database(1 << 28);
    let tab = session(&database);
    run(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'rows:1')");
    run(&tab, "INSERT INTO t SELECT v FROM generate_series(1, 100) AS g(v)");
    let flush = || tab.query("FLUSH TABLE t", &[], CallContext::default());
    let (first, second, due) =
        block_on(async { futures::join!(flush(), flush(), database.maintain(MaintenanceTrigger::Idle)) });
    let n_rows = [first.unwrap(), second.unwrap()].iter().filter_map(|result| result.affected_rows).sum::<u64>();
    assert!(n_rows <= 100 && due.is_ok());
    assert_eq!(disk.n_log_records(), 0);
    // One that is given up in the middle holds up nobody.
    run(&tab, "INSERT INTO t VALUES (101)");
    let mut given_up = Box::pin(flush());
    for _ in 0..3 {
        assert!(futures::FutureExt::now_or_never(given_up.as_mut()).is_none());
    }
    drop(given_up);
    assert_eq!(run(&tab, "FLUSH TABLE t"), 1);
    assert_eq!(rows(&disk.open(), "SELECT count(*) FROM t"), [["101"]]);
}

#[test]
fn a_damaged_table_does_not_keep_others_from_being_flushed() {
    let disk = Disk::new();
    let tab = disk.open();
    for table in ["a", "b"] {
        run(&tab, &format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'rows:1')"));
        run(&tab, &format!("INSERT INTO {table} SELECT v FROM generate_series(1, 100) AS g(v)"));
    }
    let first = block_on(disk.store().read_since(None)).unwrap().log[0].key.commit;
    assert!(disk.store().disk().corrupt(&RecordKey::Log(first)));
    let database = disk.open_database(1 << 28);
    while block_on(database.maintain(MaintenanceTrigger::Idle)).unwrap() {}
    let reader = session(&database);
    assert_eq!(rows(&reader, "SELECT table_id, rows FROM system.jobs"), [["default:b", "100"]]);
    assert_eq!(try_rows(&reader, "SELECT count(*) FROM a").unwrap_err().kind(), ErrorKind::DataCorrupted);
}

#[test]
fn events_make_room_when_the_disk_is_full() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    run(&tab, "CREATE STREAM TABLE events (id INTEGER) WITH (TTL_SECONDS = 3600)");
    for id in 0..10 {
        run(&tab, &format!("INSERT INTO events VALUES ({id})"));
    }
    let other = disk.open();
    assert_eq!(rows(&other, "SELECT count(*) FROM events"), [["10"]]);
    disk.faults.arm(1, Fault::QuotaExceeded);
    assert_eq!(run(&tab, "INSERT INTO t VALUES (1)"), 1);
    assert!(!disk.faults.is_armed());
    for tab in [&tab, &other, &disk.open()] {
        assert_eq!(rows(tab, "SELECT id FROM t"), [["1"]]);
        assert_eq!(rows(tab, "SELECT count(*), min(id), max(id) FROM events"), [["5", "5", "9"]]);
    }
    run(&tab, "INSERT INTO events VALUES (10)");
    assert_eq!(rows(&disk.open(), "SELECT count(*) FROM events"), [["6"]]);
    assert_eq!(rows(&tab, "SELECT job_type, table_id, rows FROM system.jobs"), [["evict", "default:events", "5"]]);
    // Without events there is nothing that could give way.
    run(&tab, "DROP TABLE events");
    assert!(block_on(disk.store().read_since(None)).unwrap().manifests.is_empty());
    disk.faults.arm(1, Fault::QuotaExceeded);
    assert_eq!(query(&tab, "INSERT INTO t VALUES (2)").unwrap_err().kind(), ErrorKind::DiskFull);
    assert_eq!(rows(&disk.open(), "SELECT id FROM t"), [["1"]]);
    assert_eq!(run(&tab, "INSERT INTO t VALUES (3)"), 1);
}
