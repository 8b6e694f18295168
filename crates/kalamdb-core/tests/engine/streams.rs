//! Stream tables: events are seen for a while, and never changed.

use std::rc::Rc;

use crate::support::{Disk, query, rows};
use kalamdb_core::{ErrorKind, Principal, Role, Session};

#[test]
fn events_are_invisible_when_their_time_is_over() {
    let disk = Disk::new();
    let app = disk.open();
    query(&app, "CREATE STREAM TABLE clicks (at INTEGER, what TEXT) WITH (TTL_SECONDS = 10)").unwrap();
    query(&app, "INSERT INTO clicks VALUES (1, 'old')").unwrap();
    disk.clock.advance_ms(6_000);
    query(&app, "INSERT INTO clicks VALUES (2, 'new')").unwrap();
    assert_eq!(rows(&app, "SELECT at FROM clicks ORDER BY at"), [["1"], ["2"]]);
    disk.clock.advance_ms(5_000);
    assert_eq!(rows(&app, "SELECT at FROM clicks"), [["2"]]);
    assert_eq!(rows(&app, "SELECT count(*) FROM clicks"), [["1"]]);
    disk.clock.advance_ms(10_000);
    assert_eq!(rows(&app, "SELECT count(*) FROM clicks"), [["0"]]);
}

#[test]
fn a_buffer_keeps_the_newest() {
    let app = Disk::new().open();
    query(&app, "CREATE STREAM TABLE s (n INTEGER) WITH (MAX_BUFFER = 3)").unwrap();
    query(&app, "INSERT INTO s VALUES (1), (2)").unwrap();
    query(&app, "INSERT INTO s SELECT value FROM generate_series(3, 5)").unwrap();
    assert_eq!(rows(&app, "SELECT n FROM s ORDER BY n"), [["3"], ["4"], ["5"]]);
    query(&app, "INSERT INTO s VALUES (6)").unwrap();
    assert_eq!(rows(&app, "SELECT n FROM s ORDER BY n"), [["4"], ["5"], ["6"]]);
}

#[test]
fn a_sweep_frees_what_is_over_on_the_disk_too() {
    let disk = Disk::new();
    let app = disk.open();
    query(&app, "CREATE STREAM TABLE ttl (n INTEGER) WITH (TTL_SECONDS = 10)").unwrap();
    query(&app, "CREATE STREAM TABLE buffer (n INTEGER) WITH (MAX_BUFFER = 2)").unwrap();
    query(&app, "CREATE TABLE kept (n INTEGER)").unwrap();
    for n in 0..5 {
        for table in ["ttl", "buffer", "kept"] {
            query(&app, &format!("INSERT INTO {table} VALUES ({n})")).unwrap();
        }
    }
    let before = disk.n_log_records();
    assert_eq!(futures::executor::block_on(app.database().sweep()).unwrap(), 3, "the buffer holds two of five");
    disk.clock.advance_ms(20_000);
    assert_eq!(futures::executor::block_on(app.database().sweep()).unwrap(), 5);
    assert_eq!(disk.n_log_records(), before - 8);
    assert_eq!(futures::executor::block_on(app.database().sweep()).unwrap(), 0, "nothing is left to do");
    for session in [&app, &disk.open()] {
        assert_eq!(rows(session, "SELECT n FROM buffer ORDER BY n"), [["3"], ["4"]]);
        assert_eq!(rows(session, "SELECT count(*) FROM ttl"), [["0"]]);
        assert_eq!(rows(session, "SELECT count(*) FROM kept"), [["5"]]);
    }
    query(&app, "INSERT INTO ttl VALUES (9)").unwrap();
    assert_eq!(rows(&app, "SELECT n FROM ttl"), [["9"]]);
}

#[test]
fn what_a_stream_refuses() {
    let app = Disk::new().open();
    query(&app, "CREATE STREAM TABLE s (id INTEGER, v TEXT) WITH (TTL_SECONDS = 10, MAX_BUFFER = 5)").unwrap();
    query(&app, "INSERT INTO s VALUES (1, 'a')").unwrap();
    for (sql, message) in [
        ("UPDATE s SET v = 'b'", "UPDATE is not supported on stream tables"),
        ("DELETE FROM s", "DELETE is not supported on stream tables"),
        ("UNDELETE FROM s", "UNDELETE is not supported on stream tables"),
        ("ALTER TABLE s ADD COLUMN x INTEGER", "ALTER is not supported on stream tables"),
    ] {
        let error = query(&app, sql).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::FeatureNotSupported, message), "{sql}");
    }
    for sql in ["SELECT _seq FROM s", "SELECT * FROM s WHERE _deleted = true", "SELECT _updated FROM s"] {
        assert_eq!(query(&app, sql).unwrap_err().kind(), ErrorKind::UndefinedColumn, "{sql}");
    }
    assert_eq!(rows(&app, "SELECT * FROM s"), [["1", "a"]]);
}

#[test]
fn events_of_a_user_are_the_users_own() {
    let app = Disk::new().open();
    query(&app, "CREATE STREAM TABLE typing (room TEXT) WITH (TTL_SECONDS = 10, SCOPE = 'USER')").unwrap();
    query(&app, "CREATE STREAM TABLE news (what TEXT) WITH (TTL_SECONDS = 10)").unwrap();
    let user = |id: &str| Session::new(Rc::clone(app.database()), Principal::user(id, Role::User).unwrap()).unwrap();
    let (ann, bob) = (user("ann"), user("bob"));
    query(&ann, "INSERT INTO typing VALUES ('lobby')").unwrap();
    query(&ann, "INSERT INTO news VALUES ('hello')").unwrap();
    assert_eq!(rows(&ann, "SELECT * FROM typing"), [["lobby"]]);
    assert!(rows(&bob, "SELECT * FROM typing").is_empty());
    assert_eq!(rows(&bob, "SELECT * FROM news"), [["hello"]]);
}

#[test]
fn ephemeral_events_are_dropped_when_nobody_listens() {
    // Nobody can listen so far: what the others keep is what these drop.
    let disk = Disk::new();
    let app = disk.open();
    for (option, kept) in [("true", 0), ("false", 1)] {
        query(&app, &format!("CREATE STREAM TABLE s (n INTEGER) WITH (TTL_SECONDS = 10, EPHEMERAL = {option})"))
            .unwrap();
        assert_eq!(query(&app, "INSERT INTO s VALUES (1)").unwrap().affected_rows, Some(1));
        assert_eq!(rows(&app, "SELECT count(*) FROM s"), [[kept.to_string()]]);
        assert_eq!(disk.n_log_rows(), kept, "nothing of it is stored");
        query(&app, "DROP TABLE s").unwrap();
    }
}
