//! What the engine says of a disk that is damaged, newer than the code, full or gone, and what it keeps.

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use kalamdb_core::{CallContext, Error, ErrorKind};
use kalamdb_store::{Fault, RecordKey};

fn disk_with_rows() -> Disk {
    let disk = Disk::new();
    let tab = disk.open();
    query(&tab, "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)").unwrap();
    query(&tab, "INSERT INTO notes VALUES (1, 'one')").unwrap();
    query(&tab, "INSERT INTO notes VALUES (2, 'two')").unwrap();
    disk
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, Error>) -> ErrorKind {
    outcome.unwrap_err().kind()
}

#[test]
fn a_damaged_log_record_is_reported_by_every_statement_that_may_miss_its_rows() {
    let disk = disk_with_rows();
    assert!(disk.store().disk().corrupt(&RecordKey::Log(2)));
    let tab = disk.open();
    let error = query(&tab, "SELECT count(*) FROM notes").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataCorrupted);
    assert!(error.message().contains("notes") && error.message().contains("log/2"), "{error}");
    assert_eq!(kind(query(&tab, "INSERT INTO notes VALUES (3, 'three')")), ErrorKind::DataCorrupted);
    assert_eq!(kind(query(&tab, "DELETE FROM notes")), ErrorKind::DataCorrupted);
    assert_eq!(rows(&tab, "SELECT 1"), [["1"]]);
}

#[test]
fn a_damaged_definition_leaves_the_other_tables_readable() {
    let disk = disk_with_rows();
    query(&disk.open(), "CREATE TABLE others (id INTEGER PRIMARY KEY); INSERT INTO others VALUES (7)").unwrap_err();
    query(&disk.open(), "CREATE TABLE others (id INTEGER PRIMARY KEY)").unwrap();
    query(&disk.open(), "INSERT INTO others VALUES (7)").unwrap();
    let key = RecordKey::Catalog("table/1".to_owned());
    assert!(disk.store().disk().corrupt(&key));
    let tab = disk.open();
    query(&tab, "INSERT INTO others VALUES (8)").unwrap();
    assert_eq!(rows(&tab, "SELECT id FROM others ORDER BY id"), [["7"], ["8"]]);
    let error = query(&tab, "SELECT * FROM notes").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataCorrupted);
    assert!(error.message().contains("notes") && error.message().contains("catalog/table/1"), "{error}");
    // The name and the id are taken.
    for sql in ["CREATE TABLE notes (id INTEGER)", "CREATE NAMESPACE n", "DROP TABLE others", "TRUNCATE others"] {
        assert_eq!(kind(query(&tab, sql)), ErrorKind::DataCorrupted, "{sql}");
    }
    let report = block_on(tab.database().check(&CallContext::default())).unwrap();
    assert_eq!(report.damaged.iter().map(|damage| damage.key.as_str()).collect::<Vec<_>>(), ["catalog/table/1"]);
    // Nothing of it was removed: mended, the table is there again.
    assert!(disk.store().disk().corrupt(&key));
    assert_eq!(rows(&disk.open(), "SELECT id FROM notes ORDER BY id"), [["1"], ["2"]]);
}

#[test]
fn a_newer_format_is_refused() {
    let disk = disk_with_rows();
    disk.store().disk().set_format(99);
    assert_eq!(block_on(disk.try_open()).map(drop).map_err(|error| error.kind()), Err(ErrorKind::SchemaTooNew));
}

#[test]
fn a_full_disk_refuses_writes_and_keeps_what_is_there() {
    let disk = disk_with_rows();
    let tab = disk.open();
    for _ in 0..3 {
        disk.faults.arm(1, Fault::QuotaExceeded);
        assert_eq!(kind(query(&tab, "INSERT INTO notes VALUES (3, 'three')")), ErrorKind::DiskFull);
        assert_eq!(rows(&tab, "SELECT id FROM notes ORDER BY id"), [["1"], ["2"]]);
    }
    disk.faults.disarm();
    query(&tab, "INSERT INTO notes VALUES (3, 'three')").unwrap();
    assert_eq!(rows(&disk.open(), "SELECT id FROM notes ORDER BY id"), [["1"], ["2"], ["3"]]);
}

#[test]
fn a_closed_database_refuses_every_statement() {
    let disk = disk_with_rows();
    let tab = disk.open();
    block_on(tab.database().close());
    block_on(tab.database().close());
    assert_eq!(kind(query(&tab, "SELECT 1")), ErrorKind::DatabaseClosed);
    assert_eq!(kind(query(&tab, "INSERT INTO notes VALUES (3, 'three')")), ErrorKind::DatabaseClosed);
    assert_eq!(rows(&disk.open(), "SELECT count(*) FROM notes"), [["2"]]);
}

#[test]
fn tables_of_other_tabs_are_found_before_word_of_them_arrives() {
    let disk = disk_with_rows();
    let (here, there) = (disk.open(), disk.open());
    disk.hears.set(false);
    query(&there, "CREATE NAMESPACE app").unwrap();
    query(&there, "CREATE TABLE app.fresh (id INTEGER)").unwrap();
    query(&there, "INSERT INTO app.fresh VALUES (7)").unwrap();
    assert_eq!(rows(&here, "SELECT id FROM app.fresh"), [["7"]]);
    assert_eq!(kind(query(&here, "INSERT INTO app.freshh VALUES (1)")), ErrorKind::UndefinedTable);
    // A key that the other tab has taken is refused, although nobody said so.
    query(&there, "INSERT INTO notes VALUES (3, 'there')").unwrap();
    assert_eq!(kind(query(&here, "INSERT INTO notes VALUES (3, 'here')")), ErrorKind::UniqueViolation);
}

#[test]
fn a_damaged_record_of_the_log_is_not_removed() {
    let disk = disk_with_rows();
    assert!(disk.store().disk().corrupt(&RecordKey::Log(2)));
    let tab = disk.open();
    query(&tab, "CREATE TABLE others (id INTEGER PRIMARY KEY)").unwrap();
    query(&tab, "DROP TABLE others").unwrap();
    assert!(!block_on(tab.database().check(&CallContext::default())).unwrap().ok);
    // Mended, its rows are there again.
    assert!(disk.store().disk().corrupt(&RecordKey::Log(2)));
    let tab = disk.open();
    assert_eq!(rows(&tab, "SELECT id FROM notes ORDER BY id"), [["1"], ["2"]]);
    assert!(block_on(tab.database().check(&CallContext::default())).unwrap().ok);
}

#[test]
fn a_row_that_is_refused_as_others_may_be_missing_is_not_stored() {
    let disk = Disk::new();
    let tab = disk.open();
    query(&tab, "CREATE TABLE bag (v INTEGER)").unwrap();
    query(&tab, "INSERT INTO bag VALUES (1)").unwrap();
    let key = RecordKey::Log(disk.head());
    assert!(disk.store().disk().corrupt(&key));
    let tab = disk.open();
    for _ in 0..2 {
        assert_eq!(kind(query(&tab, "INSERT INTO bag VALUES (2)")), ErrorKind::DataCorrupted);
    }
    assert!(disk.store().disk().corrupt(&key));
    assert_eq!(rows(&disk.open(), "SELECT v FROM bag"), [["1"]]);
}

#[test]
fn a_sweep_goes_on_where_rows_are_damaged() {
    let disk = Disk::new();
    let tab = disk.open();
    for stream in ["a", "b"] {
        query(&tab, &format!("CREATE STREAM TABLE {stream} (v INTEGER) WITH (TTL_SECONDS = 10)")).unwrap();
        query(&tab, &format!("INSERT INTO {stream} VALUES (1)")).unwrap();
        query(&tab, &format!("INSERT INTO {stream} VALUES (2)")).unwrap();
    }
    assert!(disk.store().disk().corrupt(&RecordKey::Log(2)));
    let tab = disk.open();
    disk.clock.advance_ms(20_000);
    assert_eq!(block_on(tab.database().sweep()).unwrap(), 3);
    assert_eq!(block_on(tab.database().sweep()).unwrap(), 0);
    assert_eq!(disk.n_log_records(), 0);
    assert_eq!(kind(query(&tab, "SELECT v FROM a")), ErrorKind::DataCorrupted);
}
