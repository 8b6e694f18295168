//! Rows of tables without a primary key stay apart, whatever a transaction has undone.

use crate::support::{Disk, query, rows};

#[test]
fn rows_inserted_after_a_savepoint_was_undone_are_never_those_of_others() {
    let disk = Disk::new();
    let tab = disk.open();
    for sql in [
        "CREATE TABLE b (n BIGINT)",
        "BEGIN",
        "SAVEPOINT s",
        "INSERT INTO b VALUES (1), (2), (3)",
        "ROLLBACK TO s",
        "INSERT INTO b VALUES (10)",
        "COMMIT",
        "INSERT INTO b VALUES (20), (21), (22), (23), (24)",
        "DELETE FROM b WHERE n = 10",
    ] {
        query(&tab, sql).unwrap();
    }
    for tab in [&tab, &disk.open()] {
        assert_eq!(rows(tab, "SELECT n FROM b ORDER BY n"), [["20"], ["21"], ["22"], ["23"], ["24"]]);
    }
}
