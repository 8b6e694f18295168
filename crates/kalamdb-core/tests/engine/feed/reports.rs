//! What the feed reports of single statements.

use crate::feed::follower::{Difference, Follower};
use crate::support::{Disk, query, rows_of};
use futures::executor::block_on;
use futures::join;
use kalamdb_core::{CallContext, Error, ErrorKind, PartitionChange, Principal, Role, Session, Watch};
use kalamdb_store::{Fault, RecordKey};

fn run(session: &Session, sql: &str) {
    query(session, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn difference(removed: &[[&str; 2]], added: &[[&str; 2]]) -> Difference {
    let rows = |rows: &[[&str; 2]]| rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
    Difference { removed: rows(removed), added: rows(added) }
}

/// Two tabs that follow a table of three rows, the second with no memory for pages.
fn two_tabs(disk: &Disk) -> (Follower, Follower) {
    let tab = disk.open();
    run(&tab, "CREATE TABLE t (id INT PRIMARY KEY, v TEXT)");
    run(&tab, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    let follow = |budget| Follower::new(disk, disk.open_database(budget), &["t"]);
    (follow(1 << 28), follow(1))
}

fn catch_up(disk: &Disk, tabs: [&mut Follower; 2]) -> Vec<Difference> {
    let differences = tabs.map(|tab| {
        let last = tab.commits.keys().next_back().copied();
        tab.catch_up(disk);
        let new = tab.commits.iter().filter(|(commit, _)| Some(**commit) > last);
        new.map(|(_, differences)| differences["t"].clone()).collect::<Vec<_>>()
    });
    assert_eq!(differences[0], differences[1]);
    let [differences, _] = differences;
    differences
}

#[test]
fn a_row_comes_with_its_values_before_wherever_it_was() {
    let disk = Disk::new();
    let (mut left, mut right) = two_tabs(&disk);
    let mut step = |sql: &str| {
        run(&left.session, sql);
        catch_up(&disk, [&mut left, &mut right])
    };
    assert_eq!(step("UPDATE t SET v = 'A' WHERE id = 1"), [difference(&[["1", "a"]], &[["1", "A"]])]);
    assert_eq!(step("DELETE FROM t WHERE id = 2"), [difference(&[["2", "b"]], &[])]);
    assert_eq!(step("UNDELETE FROM t WHERE id = 2"), [difference(&[], &[["2", "b"]])]);
    assert_eq!(step("STORAGE COMPACT TABLE t"), []);
    assert_eq!(step("UPDATE t SET v = 'B' WHERE id = 2"), [difference(&[["2", "b"]], &[["2", "B"]])]);
    assert_eq!(
        step("REPLACE INTO t VALUES (3, 'C'), (4, 'D')"),
        [difference(&[["3", "c"]], &[["3", "C"], ["4", "D"]])]
    );
    assert_eq!(step("UPDATE t SET id = 5 WHERE id = 1"), [difference(&[["1", "A"]], &[["5", "A"]])]);
    assert_eq!(step("STORAGE COMPACT TABLE t"), []);
    // A tombstone takes the place of the one before it, which is nobody's row.
    assert_eq!(step("INSERT INTO t VALUES (1, 'new')"), [difference(&[], &[["1", "new"]])]);
    assert_eq!(step("DELETE FROM t WHERE id = 1"), [difference(&[["1", "new"]], &[])]);
    assert_eq!(left.n_resets + right.n_resets, 0);
}

#[test]
fn a_transaction_is_one_commit_without_what_it_has_undone() {
    let disk = Disk::new();
    let (mut left, mut right) = two_tabs(&disk);
    for sql in [
        "BEGIN",
        "UPDATE t SET v = 'x' WHERE id = 1",
        "SAVEPOINT s",
        "DELETE FROM t",
        "INSERT INTO t VALUES (9, 'undone')",
        "ROLLBACK TO s",
        "UPDATE t SET v = v || 'y' WHERE id <= 2",
    ] {
        run(&left.session, sql);
        right.catch_up(&disk);
        assert_eq!(right.commits.len(), 0, "{sql}");
    }
    run(&left.session, "COMMIT");
    let expected = difference(&[["1", "a"], ["1", "x"], ["2", "b"]], &[["1", "x"], ["1", "xy"], ["2", "by"]]);
    assert_eq!(catch_up(&disk, [&mut left, &mut right]), [expected]);
}

#[test]
fn a_commit_that_comes_in_from_the_log_first_is_reported_once() {
    let disk = Disk::new();
    let (mut left, mut right) = two_tabs(&disk);
    for n in 0..20 {
        let insert = format!("INSERT INTO t VALUES ({}, 'n')", n + 10);
        let update = format!("UPDATE t SET v = 'v{n}' WHERE id = 1");
        let read = "SELECT count(*) FROM t";
        let call = CallContext::default;
        let (a, b, c, d) = block_on(async {
            join!(
                left.session.query(&insert, &[], call()),
                right.session.query(&update, &[], call()),
                left.session.query(read, &[], call()),
                right.session.query(read, &[], call()),
            )
        });
        for outcome in [a, b, c, d] {
            outcome.unwrap();
        }
    }
    assert_eq!(catch_up(&disk, [&mut left, &mut right]).len(), 40);
}

#[test]
fn a_table_that_is_truncated_or_dropped_is_watched_no_more() {
    let disk = Disk::new();
    let (mut left, mut right) = two_tabs(&disk);
    run(&left.session, "UPDATE t SET v = 'x'");
    run(&left.session, "TRUNCATE TABLE t");
    run(&left.session, "INSERT INTO t VALUES (1, 'again')");
    for tab in [&mut left, &mut right] {
        tab.catch_up(&disk);
        assert_eq!((tab.copies["t"].1.len(), tab.n_resets), (1, 0));
    }
    // What came before is told first where it was known.
    let told: Vec<_> = left.commits.values().map(|commit| commit["t"].removed.len()).collect();
    assert_eq!(told, [3]);
    let database = right.session.database();
    let mut watch = Watch::default();
    block_on(database.watch(&mut watch, "default", "t", &Principal::system())).unwrap();
    run(&left.session, "DROP TABLE t");
    let changes = block_on(database.next_changes(&mut watch)).unwrap().unwrap();
    assert!(matches!(changes.partitions[..], [(_, PartitionChange::Dropped)]), "{changes:?}");
    assert_eq!(watch.partitions().count(), 0);
    assert!(block_on(database.next_changes(&mut watch)).unwrap().is_none());
    let missing = block_on(database.watch(&mut watch, "default", "t", &Principal::system()));
    assert_eq!(missing.map_err(|error: Error| error.kind()), Err(ErrorKind::UndefinedTable));
}

#[test]
fn who_has_missed_rows_that_were_flushed_is_told_so() {
    let disk = Disk::new();
    let (mut left, mut right) = two_tabs(&disk);
    run(&left.session, "UPDATE t SET v = 'x' WHERE id = 1");
    run(&left.session, "FLUSH TABLE t");
    left.catch_up(&disk);
    right.catch_up(&disk);
    assert_eq!((left.n_resets, right.n_resets), (0, 1));
    run(&left.session, "UPDATE t SET v = 'y' WHERE id = 1");
    assert_eq!(catch_up(&disk, [&mut left, &mut right]).last(), Some(&difference(&[["1", "x"]], &[["1", "y"]])));
    assert_eq!((left.n_resets, right.n_resets), (0, 1));
}

#[test]
fn who_never_asks_is_told_to_begin_anew() {
    let disk = Disk::new();
    let (mut left, mut right) = two_tabs(&disk);
    for n in 0..1100 {
        run(&left.session, &format!("UPDATE t SET v = '{n}' WHERE id = 1"));
        right.catch_up(&disk);
    }
    left.catch_up(&disk);
    assert_eq!((left.n_resets, right.n_resets), (1, 0));
    assert_eq!(right.commits.len(), 1100);
}

#[test]
fn a_watch_has_the_rows_of_one_user() {
    let disk = Disk::new();
    let tab = disk.open();
    let database = tab.database();
    run(&tab, "CREATE TABLE notes (id INT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')");
    let [ann, bob] = ["ann", "bob"].map(|name| Principal::user(name, Role::User).unwrap());
    let mut watch = Watch::default();
    block_on(database.watch(&mut watch, "default", "notes", &ann)).unwrap();
    for principal in [&bob, &ann, &bob] {
        let session = Session::new(std::rc::Rc::clone(database), principal.clone()).unwrap();
        run(&session, "INSERT INTO notes VALUES (1, CURRENT_USER()) ON CONFLICT (id) DO NOTHING");
    }
    let changes = block_on(database.next_changes(&mut watch)).unwrap().unwrap();
    let [(_, PartitionChange::Rows(deltas))] = &changes.partitions[..] else { panic!("{changes:?}") };
    assert_eq!(deltas.iter().flat_map(|delta| rows_of(&delta.added().unwrap())).collect::<Vec<_>>(), [["1", "ann"]]);
    assert!(block_on(database.next_changes(&mut watch)).unwrap().is_none());
}

#[test]
fn events_that_make_room_are_not_passed_over_in_silence() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, "CREATE STREAM TABLE s (v INT) WITH (TTL_SECONDS = 3600)");
    run(&tab, "CREATE TABLE t (id INT)");
    let mut watch = Watch::default();
    let database = tab.database();
    block_on(database.watch(&mut watch, "default", "s", &Principal::system())).unwrap();
    let mut next = || block_on(database.next_changes(&mut watch)).unwrap();
    run(&tab, "INSERT INTO s VALUES (1)");
    let changes = next().unwrap();
    assert!(matches!(changes.partitions[..], [(_, PartitionChange::Rows(_))]), "{changes:?}");
    disk.faults.arm(1, Fault::QuotaExceeded);
    run(&tab, "INSERT INTO t VALUES (1)");
    let changes = next().unwrap();
    assert!(matches!(changes.partitions[..], [(_, PartitionChange::Reset)]), "{changes:?}");
    assert!(next().is_none());
}

#[test]
fn damaged_rows_are_an_error_and_no_silence() {
    let disk = Disk::new();
    let (_, mut right) = two_tabs(&disk);
    let writer = disk.open();
    run(&writer, "UPDATE t SET v = 'x' WHERE id = 1");
    let key = RecordKey::Log(disk.head());
    assert!(disk.store().disk().corrupt(&key));
    let error = right.follow(&disk, |_, _| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataCorrupted);
}
