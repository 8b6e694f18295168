//! A flush or a compaction by another tab changes where rows are, and nothing else: they are not read again.

use crate::feed::follower::Follower;
use crate::support::{Disk, query};
use kalamdb_core::Session;

fn run(session: &Session, sql: &str) {
    query(session, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// What a tab reads from the disk, as whole logs, rows of the log and pages, until it has heard of everything.
fn reads(disk: &Disk, tab: &mut Follower) -> (usize, usize, usize) {
    disk.reads.take();
    tab.follow(disk, |_, _| ()).unwrap();
    disk.reads.take()
}

#[test]
fn what_another_tab_flushes_or_merges_is_not_read_again() {
    let disk = Disk::new();
    let writer = disk.open();
    run(&writer, "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT)");
    run(&writer, "CREATE TABLE other (id BIGINT PRIMARY KEY)");
    run(&writer, "INSERT INTO t SELECT value, 'n' || value FROM generate_series(0, 999)");
    run(&writer, "INSERT INTO other SELECT value FROM generate_series(0, 999)");
    let mut tab = Follower::new(&disk, disk.open_database(1 << 28), &["t"]);
    // Rows of the log go into a segment; more come behind them.
    run(&writer, "FLUSH TABLE t");
    assert_eq!(reads(&disk, &mut tab), (0, 0, 0));
    run(&writer, "INSERT INTO t SELECT value, 'n' || value FROM generate_series(1000, 1009)");
    run(&writer, "UPDATE t SET name = 'new' WHERE id = 1009");
    assert_eq!(reads(&disk, &mut tab), (0, 11, 0));
    run(&writer, "FLUSH TABLE t");
    assert_eq!(reads(&disk, &mut tab), (0, 0, 0));
    // Of a row in a segment, the pages of its two columns are read, to tell what it was.
    run(&writer, "UPDATE t SET name = 'newer' WHERE id = 1009");
    assert_eq!(reads(&disk, &mut tab), (0, 1, 2));
    // Segments are merged, and what was read of the old ones goes.
    run(&writer, "STORAGE COMPACT TABLE t");
    assert_eq!(reads(&disk, &mut tab), (0, 0, 0));
    run(&writer, "DELETE FROM t WHERE id = 7");
    assert_eq!(reads(&disk, &mut tab), (0, 1, 2));
    assert_eq!(tab.n_resets, 0);
    let last = tab.commits.values().next_back().unwrap();
    assert_eq!(last["t"].removed, [["7", "n7"]]);
    tab.catch_up(&disk);
}
