//! Columns of segments that no manifest names: which are removed, and which stay.

use crate::support::{Disk, query, rows, yield_once};
use futures::executor::block_on;
use futures::join;
use kalamdb_core::{CallContext, MaintenanceTrigger, Session};
use kalamdb_store::{Commit, Manifest, Meta, Page, PageKey, PartitionId, RecordKey, Store};

const AN_HOUR_MS: i64 = 3_600_000;

/// A disk with a table of which all rows are in a segment.
fn disk() -> (Disk, Session) {
    let disk = Disk::new();
    let tab = disk.open();
    query(&tab, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)").unwrap();
    query(&tab, "INSERT INTO t SELECT v, v::text FROM generate_series(1, 100) AS g(v)").unwrap();
    query(&tab, "FLUSH TABLE t").unwrap();
    (disk, tab)
}

fn partition(disk: &Disk) -> PartitionId {
    manifest(disk).partition
}

fn manifest(disk: &Disk) -> Manifest {
    block_on(disk.store().read_since(None)).unwrap().manifests.remove(0)
}

/// Stores a page that no manifest names, as a version of this code that crashed might have.
fn add_orphan(disk: &Disk, partition: PartitionId) -> PageKey {
    let meta = block_on(disk.store().read_since(None)).unwrap().meta;
    let key = PageKey { segment: meta.next_id, column: 1 };
    let commit = Commit {
        base: meta.head,
        meta: Meta { head: meta.head + 1, next_id: meta.next_id + 1, ..meta },
        put_pages: vec![Page { key, partition, n_rows: 1, values: vec![1, 2, 3] }],
        ..Commit::default()
    };
    block_on(disk.store().commit(&commit)).unwrap();
    key
}

fn has(disk: &Disk, key: PageKey) -> bool {
    block_on(disk.store().page_keys()).unwrap().contains(&key)
}

fn n_orphans(tab: &Session) -> u64 {
    query(tab, "SELECT 1").unwrap();
    block_on(tab.database().check(&CallContext::default())).unwrap().orphaned_pages
}

#[test]
fn a_page_that_nothing_names_is_removed() {
    let (disk, tab) = disk();
    let n_pages = disk.n_pages();
    let of_table = add_orphan(&disk, partition(&disk));
    let of_none = add_orphan(&disk, PartitionId { table: 9_999, owner: None });
    assert_eq!(n_orphans(&tab), 2);
    query(&tab, "STORAGE COMPACT ALL").unwrap();
    assert!(!has(&disk, of_table) && !has(&disk, of_none));
    assert_eq!((n_orphans(&tab), disk.n_pages()), (0, n_pages));
    for tab in [&tab, &disk.open()] {
        assert_eq!(rows(tab, "SELECT count(*), max(v) FROM t"), [["100", "99"]]);
    }
}

#[test]
fn they_are_looked_for_now_and_then() {
    let (disk, tab) = disk();
    let orphan = add_orphan(&disk, partition(&disk));
    let maintain = || while block_on(tab.database().maintain(MaintenanceTrigger::Idle)).unwrap() {};
    maintain();
    assert!(has(&disk, orphan), "the log is not read again right after it was");
    disk.clock.advance_ms(AN_HOUR_MS);
    maintain();
    assert!(!has(&disk, orphan));
    assert_eq!(rows(&tab, "SELECT count(*), max(v) FROM t"), [["100", "99"]]);
}

#[test]
fn pages_of_a_damaged_manifest_stay_while_their_table_does() {
    let (disk, tab) = disk();
    query(&tab, "CREATE TABLE other (id INTEGER PRIMARY KEY)").unwrap();
    let damaged = RecordKey::Manifest(manifest(&disk).key);
    let n_pages = disk.n_pages();
    let gone = add_orphan(&disk, PartitionId { table: 9_999, owner: None });
    disk.store().disk().corrupt(&damaged);
    let tab = disk.open();
    // Nothing of it is thrown away, and the rest is collected.
    query(&tab, "STORAGE COMPACT ALL").unwrap();
    assert!(!has(&disk, gone));
    assert_eq!(disk.n_pages(), n_pages);
    disk.store().disk().corrupt(&damaged);
    assert_eq!(rows(&disk.open(), "SELECT count(*), max(v) FROM t"), [["100", "99"]]);
    // Once the table is gone they are of no use.
    disk.store().disk().corrupt(&damaged);
    let tab = disk.open();
    query(&tab, "DROP TABLE t").unwrap();
    assert_eq!(disk.n_pages(), n_pages);
    query(&tab, "STORAGE COMPACT ALL").unwrap();
    assert_eq!(disk.n_pages(), 0);
}

#[test]
fn a_page_that_is_damaged_too_stays_while_it_may_be_named() {
    let (disk, _tab) = disk();
    let orphan = add_orphan(&disk, partition(&disk));
    let damaged = RecordKey::Manifest(manifest(&disk).key);
    disk.store().disk().corrupt(&damaged);
    disk.store().disk().corrupt(&RecordKey::Page(orphan));
    let collect = || {
        let tab = disk.open();
        disk.clock.advance_ms(AN_HOUR_MS);
        while block_on(tab.database().maintain(MaintenanceTrigger::Idle)).unwrap() {}
    };
    collect();
    assert!(has(&disk, orphan));
    disk.store().disk().corrupt(&damaged);
    collect();
    assert!(!has(&disk, orphan));
}

#[test]
fn nothing_is_removed_while_a_definition_is_damaged() {
    let (disk, _tab) = disk();
    let n_pages = disk.n_pages();
    let key = RecordKey::Catalog("table/1".to_owned());
    assert!(disk.store().disk().corrupt(&key));
    let tab = disk.open();
    query(&tab, "STORAGE COMPACT ALL").unwrap();
    assert_eq!(disk.n_pages(), n_pages);
    disk.store().disk().corrupt(&key);
    assert_eq!(rows(&disk.open(), "SELECT count(*), max(v) FROM t"), [["100", "99"]]);
}

#[test]
fn what_another_tab_stores_meanwhile_stays() {
    for n_yields in 0..40 {
        let (disk, tab) = disk();
        let orphan = add_orphan(&disk, partition(&disk));
        let other = disk.open();
        query(&other, "INSERT INTO t SELECT v, v::text FROM generate_series(101, 200) AS g(v)").unwrap();
        let flush = async {
            for _ in 0..n_yields {
                yield_once().await;
            }
            other.query("FLUSH TABLE t", &[], CallContext::default()).await.unwrap();
        };
        let collect = async { tab.query("STORAGE COMPACT ALL", &[], CallContext::default()).await.unwrap() };
        block_on(async { join!(flush, collect) });
        for tab in [&tab, &other, &disk.open()] {
            assert_eq!(rows(tab, "SELECT count(*), count(DISTINCT v) FROM t"), [["200", "200"]], "{n_yields}");
        }
        query(&tab, "STORAGE COMPACT ALL").unwrap();
        assert!(!has(&disk, orphan));
        assert_eq!(n_orphans(&tab), 0);
        assert_eq!(rows(&disk.open(), "SELECT count(*), count(DISTINCT v) FROM t"), [["200", "200"]]);
    }
}
