//! Rows of user tables: each user's own, whatever a statement tries.

use crate::support::{Disk, query, rows};
use kalamdb_core::{ErrorKind, Principal, Role, Session};
use std::rc::Rc;

fn as_user(app: &Session, id: &str) -> Session {
    Session::new(Rc::clone(app.database()), Principal::user(id, Role::User).unwrap()).unwrap()
}

fn app() -> Session {
    let app = Disk::new().open();
    query(&app, "CREATE USER TABLE notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE, CHECK (body <> 'forbidden'))")
        .unwrap();
    app
}

/// The application, and two users who have a row with the same key each.
fn two_users() -> (Session, Session, Session) {
    let app = app();
    let (ann, bob) = (as_user(&app, "ann"), as_user(&app, "bob"));
    query(&ann, "INSERT INTO notes VALUES (1, 'of ann'), (2, 'secret of ann')").unwrap();
    query(&bob, "INSERT INTO notes VALUES (1, 'of bob')").unwrap();
    (app, ann, bob)
}

#[test]
fn each_user_reads_its_own_rows_by_every_way() {
    let (app, ann, bob) = two_users();
    query(&app, "CREATE VIEW all_notes AS SELECT * FROM notes").unwrap();
    for sql in [
        "SELECT body FROM notes",
        "SELECT a.body FROM notes a JOIN notes b ON a.id = b.id",
        "SELECT body FROM notes UNION SELECT body FROM notes",
        "SELECT body FROM notes WHERE id IN (SELECT id FROM notes)",
        "SELECT body FROM notes n WHERE EXISTS (SELECT 1 FROM notes m WHERE m.id <= n.id)",
        "SELECT (SELECT max(body) FROM notes m WHERE m.id >= n.id) FROM notes n",
        "WITH RECURSIVE r AS (SELECT id, body FROM notes UNION SELECT r.id, notes.body FROM r JOIN notes ON r.id < notes.id) SELECT body FROM r",
        "SELECT body FROM all_notes",
        "SELECT body FROM notes WHERE _deleted = false",
    ] {
        for (session, own, other) in [(&ann, "ann", "bob"), (&bob, "bob", "ann")] {
            let seen = rows(session, sql).concat().concat();
            assert!(seen.contains(own) && !seen.contains(other), "{sql}: {seen}");
        }
    }
    assert_eq!(rows(&app, "SELECT count(*) FROM notes"), [["0"]], "the application has rows of its own");
    assert_eq!(rows(&ann, "SELECT count(*) FROM notes"), [["2"]]);
    assert_eq!(rows(&bob, "SELECT count(*) FROM notes"), [["1"]]);
}

#[test]
fn another_users_rows_are_not_changed() {
    let (_, ann, bob) = two_users();
    for (sql, n_rows) in [
        ("UPDATE notes SET body = 'stolen' WHERE id = 2", 0),
        ("DELETE FROM notes WHERE id = 2", 0),
        ("UNDELETE FROM notes WHERE id = 2", 0),
        ("DELETE FROM notes", 1),
        ("INSERT INTO notes VALUES (2, 'of bob') ON CONFLICT (id) DO UPDATE SET body = 'taken'", 1),
        ("INSERT INTO notes SELECT id + 10, concat(body, '!') FROM notes", 1),
    ] {
        assert_eq!(query(&bob, sql).unwrap().affected_rows, Some(n_rows), "{sql}");
    }
    assert_eq!(rows(&ann, "SELECT id, body FROM notes ORDER BY id"), [["1", "of ann"], ["2", "secret of ann"]]);
    assert_eq!(rows(&bob, "SELECT id, body FROM notes ORDER BY id"), [["2", "of bob"], ["12", "of bob!"]]);
}

#[test]
fn uniqueness_and_errors_are_of_one_user() {
    let (_, ann, bob) = two_users();
    let alone = as_user(&app(), "bob");
    query(&alone, "INSERT INTO notes VALUES (1, 'of bob')").unwrap();
    for (sql, kind) in [
        ("INSERT INTO notes VALUES (2, 'secret of ann')", None),
        ("INSERT INTO notes VALUES (3, 'secret of ann')", Some(ErrorKind::UniqueViolation)),
        ("INSERT INTO notes VALUES (2, 'another')", Some(ErrorKind::UniqueViolation)),
        ("INSERT INTO notes VALUES (4, 'forbidden')", Some(ErrorKind::CheckViolation)),
        ("UPDATE notes SET body = 'of bob'", Some(ErrorKind::UniqueViolation)),
    ] {
        // What is said is what is said where nobody else has rows.
        let said = |session| query(session, sql).err().map(|error| (error.kind(), format!("{error:?}")));
        let outcome = said(&bob);
        assert_eq!(outcome.as_ref().map(|(kind, _)| *kind), kind, "{sql}");
        assert_eq!(outcome, said(&alone), "{sql}");
    }
    assert_eq!(rows(&ann, "SELECT count(*) FROM notes"), [["2"]]);
}

#[test]
fn plans_and_statistics_show_nothing_of_others() {
    let (_, ann, bob) = two_users();
    let plans = || {
        [
            "EXPLAIN SELECT * FROM notes WHERE body = 'x'",
            "EXPLAIN SELECT body, count(*) FROM notes WHERE id > 0 GROUP BY body",
            "EXPLAIN VERBOSE SELECT a.body FROM notes a JOIN notes b ON a.id = b.id",
        ]
        .map(|sql| rows(&bob, sql))
    };
    let before = plans();
    query(&ann, "INSERT INTO notes SELECT v, v::text FROM generate_series(10, 7929) AS g(v)").unwrap();
    assert_eq!(plans(), before);
    let analyzed = rows(&bob, "EXPLAIN ANALYZE SELECT count(*) FROM notes WHERE id > 0").concat().concat();
    let counts: Vec<&str> =
        analyzed.split("output_rows=").skip(1).filter_map(|rest| rest.split([',', ']']).next()).collect();
    assert!(!counts.is_empty() && counts.iter().all(|count| matches!(*count, "0" | "1")), "{analyzed}");
    assert_eq!(rows(&bob, "SELECT user_id FROM system.users"), [["bob"]]);
}

#[test]
fn any_text_is_a_user_and_no_two_are_one() {
    let app = Disk::new().open();
    query(&app, "CREATE USER TABLE t (who TEXT PRIMARY KEY)").unwrap();
    query(&app, "INSERT INTO t VALUES ('the application')").unwrap();
    let long = "x".repeat(10_000);
    let ids = [
        "",
        "a",
        "a:b",
        "a/b",
        "a\0b",
        "system",
        "dba",
        "A",
        "'; DROP TABLE t; --",
        "\u{1f600}",
        "e\u{301}",
        "\u{e9}",
        &long,
    ];
    let sessions: Vec<Session> = ids.iter().map(|id| as_user(&app, id)).collect();
    for (n, session) in sessions.iter().enumerate() {
        query(session, &format!("INSERT INTO t VALUES ('{n}')")).unwrap();
    }
    for (n, session) in sessions.iter().enumerate() {
        assert_eq!(rows(session, "SELECT who FROM t"), [[n.to_string()]], "{:?}", ids[n]);
        assert_eq!(rows(session, "SELECT current_user(), CURRENT_USER, current_role()"), [[ids[n], ids[n], "user"]]);
    }
    assert_eq!(rows(&app, "SELECT who FROM t"), [["the application"]]);
    assert_eq!(rows(&app, "SELECT current_user, current_role"), [["system", "system"]]);
}

#[test]
fn users_do_not_change_definitions_and_cannot_become_others() {
    let (app, ann, bob) = two_users();
    for sql in [
        "CREATE TABLE mine (a INTEGER)",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE notes",
        "TRUNCATE notes",
        "ALTER TABLE notes ADD COLUMN x INTEGER",
        "CREATE INDEX i ON notes (body)",
        "CREATE NAMESPACE mine",
        "DROP NAMESPACE default CASCADE",
        "EXECUTE AS USER 'ann' (SELECT * FROM notes)",
    ] {
        let error = query(&bob, sql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InsufficientPrivilege, "{sql}: {error}");
    }
    let result = query(&app, "EXECUTE AS USER 'ann' (SELECT current_user(), count(*) FROM notes)").unwrap();
    assert_eq!(result.as_user.as_deref(), Some("ann"));
    assert_eq!(rows(&app, "EXECUTE AS USER 'ann' (SELECT current_user(), count(*) FROM notes)"), [["ann", "2"]]);
    assert_eq!(rows(&ann, "SELECT count(*) FROM notes"), [["2"]]);
}

#[test]
fn rows_stay_apart_when_reopened_and_in_transactions() {
    let disk = Disk::new();
    {
        let app = disk.open();
        query(&app, "CREATE USER TABLE t (id INTEGER PRIMARY KEY AUTO_INCREMENT, v TEXT)").unwrap();
        let (ann, bob) = (as_user(&app, "ann"), as_user(&app, "bob"));
        query(&ann, "BEGIN").unwrap();
        query(&ann, "INSERT INTO t (v) VALUES ('a1'), ('a2')").unwrap();
        query(&bob, "INSERT INTO t (v) VALUES ('b1')").unwrap();
        assert_eq!(rows(&bob, "SELECT id, v FROM t"), [["1", "b1"]]);
        query(&ann, "COMMIT").unwrap();
    }
    let app = disk.open();
    let (ann, bob) = (as_user(&app, "ann"), as_user(&app, "bob"));
    query(&ann, "INSERT INTO t (v) VALUES ('a3')").unwrap();
    assert_eq!(rows(&ann, "SELECT id, v FROM t ORDER BY id"), [["1", "a1"], ["2", "a2"], ["3", "a3"]]);
    assert_eq!(rows(&bob, "SELECT id, v FROM t"), [["1", "b1"]]);
    assert_eq!(rows(&app, "SELECT count(*) FROM t"), [["0"]]);
}
