//! Tabs that go on with what another one has stored anew, while all of them write.

use std::rc::Rc;

use crate::support::{Disk, query, rows, yield_once};
use futures::executor::block_on;
use kalamdb_core::{CallContext, MaintenanceTrigger, Principal, Role, Session};
use kalamdb_store::Store;

const ALL: &str = "SELECT id, v, _seq, _deleted FROM t ORDER BY id, _deleted";

async fn run(session: &Session, sql: &str) {
    Box::pin(session.query(sql, &[], CallContext::default())).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// One tab flushes while another writes so much that its chunks are merged: rows of before and after are in one.
#[test]
fn rows_that_come_while_another_tab_flushes_stay() {
    for n_yields in (0..90).step_by(3) {
        let disk = Disk::new();
        let (flushing, writing, reading) = (disk.open(), disk.open(), disk.open());
        query(&writing, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)").unwrap();
        for id in 0..6 {
            query(&writing, &format!("INSERT INTO t VALUES ({id}, 0)")).unwrap();
        }
        let flush = async {
            for _ in 0..n_yields {
                yield_once().await;
            }
            run(&flushing, "FLUSH TABLE t").await;
        };
        let write = async {
            for id in 6..26 {
                run(&writing, &format!("INSERT INTO t VALUES ({id}, 0)")).await;
                run(&writing, &format!("UPDATE t SET v = v + 1 WHERE id % 5 = {}", id % 5)).await;
                if id % 4 == 0 {
                    run(&writing, &format!("DELETE FROM t WHERE id = {}", id - 6)).await;
                }
            }
        };
        block_on(async { futures::join!(flush, write) });
        let expected = rows(&disk.open(), ALL);
        let count = |session: &Session| rows(session, "SELECT count(*), count(DISTINCT id) FROM t");
        assert_eq!(count(&writing), [["21", "21"]], "{n_yields}");
        for tab in [&flushing, &writing, &reading] {
            assert_eq!(rows(tab, ALL), expected, "{n_yields}");
        }
        // What each tab knows of the log is still what is there.
        for (tab, id) in [(&writing, 100), (&reading, 101), (&flushing, 102)] {
            query(tab, &format!("INSERT INTO t VALUES ({id}, 0)")).unwrap();
            query(tab, "UPDATE t SET v = v + 1 WHERE id % 2 = 0").unwrap();
            query(tab, "FLUSH TABLE t").unwrap();
            query(tab, "STORAGE COMPACT TABLE t").unwrap();
            let fresh = disk.open();
            let expected = rows(&fresh, ALL);
            for tab in [&flushing, &writing, &reading] {
                assert_eq!(rows(tab, ALL), expected, "{n_yields}");
            }
            assert_eq!(disk.n_log_rows(), 0, "{n_yields}");
        }
        assert_eq!(count(&disk.open()), [["24", "24"]]);
        assert!(block_on(writing.database().check(&CallContext::default())).unwrap().ok);
    }
}

/// A record of the log stays as long as one of its parts is needed, and no longer.
#[test]
fn a_commit_to_several_tables_goes_when_all_of_it_is_in_segments() {
    let disk = Disk::new();
    let (tab, other) = (disk.open(), disk.open());
    query(&tab, "CREATE TABLE a (id INTEGER PRIMARY KEY)").unwrap();
    query(&tab, "CREATE TABLE b (id INTEGER PRIMARY KEY, v TEXT)").unwrap();
    for id in 0..20 {
        for sql in [
            "BEGIN".to_owned(),
            format!("INSERT INTO a VALUES ({id})"),
            format!("INSERT INTO b VALUES ({id}, 'b')"),
            "COMMIT".to_owned(),
        ] {
            query(&tab, &sql).unwrap();
        }
    }
    let n_records = || block_on(disk.store().read_since(None)).unwrap().entries.len();
    query(&tab, "FLUSH TABLE a").unwrap();
    // Both parts are still in each record, and one of them is passed over.
    assert!(n_records() >= 20);
    for reader in [&tab, &other, &disk.open()] {
        assert_eq!(rows(reader, "SELECT count(*), count(DISTINCT id) FROM a"), [["20", "20"]]);
        assert_eq!(rows(reader, "SELECT count(*), count(DISTINCT id) FROM b"), [["20", "20"]]);
    }
    query(&other, "FLUSH TABLE b").unwrap();
    assert_eq!(n_records(), 1);
    for reader in [&tab, &other, &disk.open()] {
        assert_eq!(rows(reader, "SELECT count(*) FROM a JOIN b USING (id)"), [["20"]]);
    }
}

/// What is large and dead does not wait for the rest of its record.
#[test]
fn a_large_part_that_is_dead_is_taken_out_of_its_record() {
    let disk = Disk::new();
    let (tab, other) = (disk.open(), disk.open());
    query(&tab, "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)").unwrap();
    query(&tab, "CREATE TABLE b (id INTEGER PRIMARY KEY)").unwrap();
    query(&tab, "BEGIN").unwrap();
    query(&tab, "INSERT INTO a SELECT v, repeat('x', 100) FROM generate_series(1, 2000) AS g(v)").unwrap();
    query(&tab, "INSERT INTO b VALUES (1), (2)").unwrap();
    query(&tab, "COMMIT").unwrap();
    let n_bytes =
        || block_on(disk.store().read_since(None)).unwrap().log.iter().map(|part| part.rows.len()).sum::<usize>();
    assert!(n_bytes() > 200_000);
    query(&other, "FLUSH TABLE a").unwrap();
    assert!(n_bytes() < 100, "{} bytes are left", n_bytes());
    for reader in [&tab, &other, &disk.open()] {
        assert_eq!(rows(reader, "SELECT count(*) FROM a"), [["2000"]]);
        assert_eq!(rows(reader, "SELECT id FROM b ORDER BY id"), [["1"], ["2"]]);
    }
    query(&tab, "FLUSH TABLE b").unwrap();
    assert_eq!(rows(&disk.open(), "SELECT id FROM b ORDER BY id"), [["1"], ["2"]]);
}

/// Users that come at the same time in two tabs are each one user.
#[test]
fn a_user_is_one_user_in_every_tab() {
    let ann =
        |tab: &Session| Session::new(Rc::clone(tab.database()), Principal::user("ann", Role::User).unwrap()).unwrap();
    for n_yields in 0..20 {
        let disk = Disk::new();
        let tabs = [disk.open(), disk.open()];
        query(&tabs[0], "CREATE USER TABLE u (id INTEGER PRIMARY KEY)").unwrap();
        query(&tabs[1], "SELECT 1").unwrap();
        let write = async |session: Session, first: u32, wait: usize| {
            for _ in 0..wait {
                yield_once().await;
            }
            for id in first..first + 3 {
                run(&session, &format!("INSERT INTO u VALUES ({id})")).await;
            }
        };
        block_on(async { futures::join!(write(ann(&tabs[0]), 0, 0), write(ann(&tabs[1]), 10, n_yields)) });
        for tab in tabs.iter().chain([&disk.open()]) {
            assert_eq!(rows(&ann(tab), "SELECT count(*) FROM u"), [["6"]], "{n_yields}");
            assert_eq!(rows(tab, "SELECT user_id FROM system.users"), [["ann"]], "{n_yields}");
        }
        let catalog = block_on(disk.store().read_since(None)).unwrap().catalog.unwrap();
        assert_eq!(catalog.iter().filter(|record| record.key.starts_with("owner/")).count(), 1);
    }
}

/// Tabs that lose races again and again leave void records, which go while nothing else is to be done.
#[test]
fn what_lost_races_leave_is_removed_in_time() {
    let disk = Disk::new();
    let tabs = [disk.open(), disk.open()];
    query(&tabs[0], "CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
    query(&tabs[1], "SELECT 1").unwrap();
    disk.hears.set(false);
    for id in 0..1100 {
        query(&tabs[id % 2], &format!("INSERT INTO t VALUES ({id})")).unwrap();
        query(&tabs[(id + 1) % 2], &format!("INSERT INTO t VALUES ({})", id + 2000)).unwrap();
    }
    let n_void = || {
        block_on(disk.store().read_since(None)).unwrap().entries.iter().filter(|entry| entry.nonce.is_none()).count()
    };
    assert!(n_void() >= 1000, "{} records are void", n_void());
    query(&tabs[0], "DELETE FROM t WHERE id < 0").unwrap();
    while block_on(tabs[0].database().maintain(MaintenanceTrigger::Idle)).unwrap() {}
    assert_eq!(n_void(), 0);
    disk.hears.set(true);
    for tab in tabs.iter().chain([&disk.open()]) {
        assert_eq!(rows(tab, "SELECT count(*) FROM t"), [["2200"]]);
    }
}
