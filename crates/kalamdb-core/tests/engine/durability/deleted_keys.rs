//! Deleted rows whose keys were taken again: what earlier versions have stored, what is salvaged, and how many are
//! kept.

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use kalamdb_core::{CallContext, ErrorKind};

const ALL: &str = "SELECT id, v, _deleted FROM t ORDER BY id, _seq";

fn disk_with_a_deleted_row() -> Disk {
    let disk = Disk::new();
    let tab = disk.open();
    query(&tab, "CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)").unwrap();
    query(&tab, "INSERT INTO t VALUES (1, 'one'), (2, 'two')").unwrap();
    query(&tab, "DELETE FROM t WHERE id = 1").unwrap();
    disk
}

/// Commits an INSERT as earlier versions did: a row over a deleted one had that for its earlier version.
fn insert_as_before(disk: &Disk, row: &str) {
    disk.append_row(&format!("[{row}]"), false);
}

#[test]
fn what_earlier_versions_have_stored_is_read_as_it_was() {
    for stores in [None, Some("STORAGE FLUSH ALL"), Some("STORAGE COMPACT ALL")] {
        let disk = disk_with_a_deleted_row();
        if let Some(sql) = stores {
            query(&disk.open(), sql).unwrap();
        }
        insert_as_before(&disk, r#"[1,"again"]"#);
        let tab = disk.open();
        assert_eq!(rows(&tab, ALL), [["1", "again", "false"], ["2", "two", "false"]]);
        assert_eq!(query(&tab, "UNDELETE FROM t WHERE id = 1").unwrap().affected_rows, Some(0));
        query(&tab, "DELETE FROM t WHERE id = 1").unwrap();
        query(&tab, "INSERT INTO t VALUES (1, 'new')").unwrap();
        let expected = [["1", "again", "true"], ["1", "new", "false"], ["2", "two", "false"]];
        assert_eq!(rows(&tab, ALL), expected);
        query(&tab, "STORAGE COMPACT ALL").unwrap();
        assert_eq!(rows(&tab, ALL), expected);
        assert_eq!(rows(&disk.open(), ALL), expected);
    }
}

#[test]
fn of_each_key_one_deleted_row_is_kept() {
    let disk = Disk::new();
    let mut tab = disk.open();
    query(&tab, "CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)").unwrap();
    for round in 0..60 {
        query(&tab, "DELETE FROM t").unwrap();
        query(&tab, &format!("INSERT INTO t SELECT n, 'r{round}' FROM generate_series(1, 20) AS s(n)")).unwrap();
        match round % 7 {
            2 => drop(query(&tab, "STORAGE FLUSH ALL").unwrap()),
            4 => drop(query(&tab, "STORAGE COMPACT ALL").unwrap()),
            6 => tab = disk.open_with_little_memory(),
            _ => {}
        }
        let n_rows = rows(&tab, "SELECT count(*), count(DISTINCT id), min(v), max(v) FROM t WHERE NOT _deleted");
        assert_eq!(n_rows, [["20".to_owned(), "20".to_owned(), format!("r{round}"), format!("r{round}")]]);
        if round > 0 {
            let before = format!("r{}", round - 1);
            let n_rows = rows(&tab, "SELECT count(*), count(DISTINCT id), min(v), max(v) FROM t WHERE _deleted");
            assert_eq!(n_rows, [["20".to_owned(), "20".to_owned(), before.clone(), before]]);
        }
        assert_eq!(rows(&tab, "SELECT v FROM t WHERE id = 7"), [[format!("r{round}")]]);
        assert_eq!(query(&tab, "INSERT INTO t VALUES (7, 'x')").unwrap_err().kind(), ErrorKind::UniqueViolation);
    }
}

#[test]
fn rows_are_salvaged_whose_keys_deleted_ones_had() {
    for sql in ["SELECT 1", "STORAGE FLUSH ALL", "STORAGE COMPACT ALL"] {
        let disk = disk_with_a_deleted_row();
        let tab = disk.open();
        query(&tab, "INSERT INTO t VALUES (1, 'again')").unwrap();
        query(&tab, sql).unwrap();
        query(&tab, "UPDATE t SET v = v || '!'").unwrap();
        let report = block_on(tab.database().salvage(&CallContext::default())).unwrap();
        let mut salvaged: Vec<(i64, String)> = serde_json::from_str(&report.tables[0].rows).unwrap();
        salvaged.sort();
        assert_eq!(salvaged, [(1, "again!".to_owned()), (2, "two!".to_owned())], "{sql}");
        assert!(block_on(tab.database().check(&CallContext::default())).unwrap().ok);
    }
}

#[test]
fn another_tab_follows() {
    let disk = disk_with_a_deleted_row();
    let (here, there) = (disk.open(), disk.open());
    let both = |expected: &[[&str; 3]]| {
        assert_eq!(rows(&here, ALL), expected);
        assert_eq!(rows(&there, ALL), expected);
    };
    both(&[["1", "one", "true"], ["2", "two", "false"]]);
    query(&here, "INSERT INTO t VALUES (1, 'again')").unwrap();
    both(&[["1", "one", "true"], ["1", "again", "false"], ["2", "two", "false"]]);
    query(&there, "STORAGE FLUSH ALL").unwrap();
    assert_eq!(query(&here, "UNDELETE FROM t WHERE id = 1").unwrap_err().kind(), ErrorKind::UniqueViolation);
    query(&here, "UPDATE t SET v = 'newer' WHERE id = 1").unwrap();
    both(&[["1", "one", "true"], ["1", "newer", "false"], ["2", "two", "false"]]);
    query(&there, "DELETE FROM t WHERE id = 1").unwrap();
    both(&[["1", "newer", "true"], ["2", "two", "false"]]);
    query(&there, "STORAGE COMPACT ALL").unwrap();
    query(&here, "UNDELETE FROM t").unwrap();
    both(&[["1", "newer", "false"], ["2", "two", "false"]]);
}
