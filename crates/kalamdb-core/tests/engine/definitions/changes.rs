//! Definitions that change while rows are there: after reopening, in another tab, and over the rows of several users.

use std::rc::Rc;

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use kalamdb_core::{CallContext, ErrorKind, Principal, Role, Session};

fn run(tab: &Session, statements: &[&str]) {
    for statement in statements {
        query(tab, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

fn kind(tab: &Session, sql: &str) -> ErrorKind {
    query(tab, sql).unwrap_err().kind()
}

fn as_user(tab: &Session, user: &str) -> Session {
    Session::new(Rc::clone(tab.database()), Principal::user(user, Role::User).unwrap()).unwrap()
}

const STEPS: [&str; 10] = [
    "CREATE TABLE t (id INTEGER PRIMARY KEY, v DOUBLE, gone TEXT)",
    "INSERT INTO t VALUES (1, 1.5, 'x'), (2, 2.5, 'y'), (3, 9.0, 'z')",
    "ALTER TABLE t ADD COLUMN added TEXT DEFAULT 'old' NOT NULL, DROP COLUMN gone",
    "INSERT INTO t (id, v) VALUES (4, 4.4)",
    "ALTER TABLE t ALTER COLUMN v TYPE INTEGER",
    "UPDATE t SET added = 'new' WHERE id = 2",
    "ALTER TABLE t RENAME COLUMN added TO kept, ALTER COLUMN v TYPE TEXT, ALTER COLUMN id TYPE BIGINT",
    "DELETE FROM t WHERE id = 3",
    "ALTER TABLE t ADD COLUMN gone TEXT",
    "INSERT INTO t VALUES (5, 'five', 'k', 'g')",
];

const ALL: &str = "SELECT * FROM t ORDER BY id";

fn expected() -> Vec<[&'static str; 4]> {
    vec![["1", "2", "old", "NULL"], ["2", "2", "new", "NULL"], ["4", "4", "old", "NULL"], ["5", "five", "k", "g"]]
}

#[test]
fn rows_of_every_schema_version_read_the_same_in_memory_after_reopening_and_in_another_tab() {
    let disk = Disk::new();
    let (here, there) = (disk.open(), disk.open());
    run(&here, &STEPS[..2]);
    // The other tab holds the first version decoded.
    assert_eq!(rows(&there, "SELECT sum(id) FROM t"), [["6"]]);
    for statement in &STEPS[2..] {
        run(&here, &[statement]);
        assert_eq!(rows(&here, ALL), rows(&there, ALL), "{statement}");
        assert_eq!(rows(&here, ALL), rows(&disk.open(), ALL), "{statement}");
    }
    for tab in [&here, &there, &disk.open()] {
        assert_eq!(rows(tab, ALL), expected());
        assert_eq!(rows(tab, "SELECT id, v FROM t WHERE _deleted"), [["3", "9"]]);
        assert_eq!(rows(tab, "SELECT max(schema_version) FROM system.tables"), [["5"]]);
        assert_eq!(kind(tab, "INSERT INTO t VALUES (6, 'v', NULL, NULL)"), ErrorKind::NotNullViolation);
        assert_eq!(kind(tab, "INSERT INTO t VALUES (4, 'v', 'k', NULL)"), ErrorKind::UniqueViolation);
    }
}

#[test]
fn a_transaction_alters_a_table_and_writes_to_it_in_one_commit() {
    let disk = Disk::new();
    let (here, there) = (disk.open(), disk.open());
    run(&here, &STEPS[..2]);
    run(&here, &["BEGIN"]);
    run(&here, &STEPS[2..]);
    assert_eq!(rows(&here, ALL), expected());
    // Nobody else sees any of it, also not in the rows that are shared in memory.
    let beside = Session::new(Rc::clone(here.database()), here.principal().clone()).unwrap();
    assert_eq!(rows(&beside, "SELECT id, gone FROM t ORDER BY id"), [["1", "x"], ["2", "y"], ["3", "z"]]);
    assert_eq!(rows(&there, "SELECT gone FROM t WHERE id = 1"), [["x"]]);
    run(&here, &["COMMIT"]);
    for tab in [&here, &beside, &there, &disk.open()] {
        assert_eq!(rows(tab, ALL), expected());
    }
}

#[test]
fn an_alter_that_is_rolled_back_leaves_no_trace() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, &STEPS[..2]);
    run(&tab, &["BEGIN"]);
    run(&tab, &STEPS[2..]);
    run(&tab, &["ROLLBACK", "ALTER TABLE t ADD COLUMN other INTEGER DEFAULT 3"]);
    for tab in [&tab, &disk.open()] {
        assert_eq!(rows(tab, "SELECT * FROM t WHERE id = 1"), [["1", "1.5", "x", "3"]]);
    }
}

#[test]
fn a_transaction_whose_table_is_altered_by_others_does_not_commit() {
    let disk = Disk::new();
    let (here, there) = (disk.open(), disk.open());
    run(&here, &STEPS[..2]);
    run(&here, &["BEGIN", "UPDATE t SET v = 0 WHERE id = 1"]);
    run(&there, &[STEPS[2]]);
    assert_eq!(kind(&here, "COMMIT"), ErrorKind::SerializationFailure);
    run(&here, &["UPDATE t SET v = 0 WHERE id = 1"]);
    assert_eq!(rows(&there, "SELECT v, added FROM t WHERE id = 1"), [["0.0", "old"]]);
}

#[test]
fn altering_a_user_table_looks_at_every_users_rows_and_quotes_none() {
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, &["CREATE USER TABLE notes (id INTEGER PRIMARY KEY, body TEXT, rank INTEGER)"]);
    let (ann, bob) = (as_user(&tab, "ann"), as_user(&tab, "bob"));
    run(&ann, &["INSERT INTO notes VALUES (1, '17', 1)"]);
    run(&bob, &["INSERT INTO notes VALUES (1, 'secret', NULL), (2, 'secret', NULL)"]);
    let refused = |sql: &str, kind: ErrorKind| {
        let error = query(&tab, sql).unwrap_err();
        assert_eq!(error.kind(), kind, "{sql}: {error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    };
    refused("ALTER TABLE notes ALTER COLUMN body TYPE INTEGER", ErrorKind::InvalidTextRepresentation);
    refused("ALTER TABLE notes ALTER COLUMN rank SET NOT NULL", ErrorKind::NotNullViolation);
    refused("ALTER TABLE notes ADD CONSTRAINT u UNIQUE (body)", ErrorKind::UniqueViolation);
    refused("ALTER TABLE notes ADD CONSTRAINT c CHECK (body <> 'secret')", ErrorKind::CheckViolation);
    refused("ALTER TABLE notes ADD COLUMN more TEXT NOT NULL", ErrorKind::NotNullViolation);
    assert_eq!(kind(&ann, "ALTER TABLE notes ADD COLUMN more TEXT"), ErrorKind::InsufficientPrivilege);
    run(&tab, &["ALTER TABLE notes ADD COLUMN more TEXT DEFAULT 'm'"]);
    assert_eq!(rows(&ann, "SELECT * FROM notes"), [["1", "17", "1", "m"]]);
    assert_eq!(rows(&bob, "SELECT id, more FROM notes ORDER BY id"), [["1", "m"], ["2", "m"]]);
    run(&bob, &["UPDATE notes SET body = '18'"]);
    run(&tab, &["ALTER TABLE notes ALTER COLUMN body TYPE INTEGER"]);
    let reopened = disk.open();
    assert_eq!(rows(&as_user(&reopened, "bob"), "SELECT sum(body) FROM notes"), [["36"]]);
    assert_eq!(rows(&as_user(&reopened, "ann"), "SELECT sum(body) FROM notes"), [["17"]]);
}

#[test]
fn truncate_and_drop_reach_other_tabs_and_the_disk() {
    let disk = Disk::new();
    let (here, there) = (disk.open(), disk.open());
    run(&here, &STEPS[..2]);
    run(&here, &["CREATE VIEW v AS SELECT id FROM t WHERE id > 1", "CREATE INDEX i ON t (v)"]);
    assert_eq!(rows(&there, "SELECT count(*) FROM v"), [["2"]]);
    run(&here, &["TRUNCATE t"]);
    for tab in [&here, &there, &disk.open()] {
        assert_eq!(rows(tab, "SELECT count(*) FROM t"), [["0"]]);
        assert_eq!(rows(tab, "SELECT count(*) FROM v"), [["0"]]);
    }
    run(&there, &["INSERT INTO t VALUES (7, 7, 'seven')"]);
    for tab in [&here, &there, &disk.open()] {
        assert_eq!(rows(tab, "SELECT id FROM v"), [["7"]]);
    }
    run(&here, &["DROP VIEW v", "DROP INDEX i"]);
    for tab in [&here, &there, &disk.open()] {
        assert_eq!(kind(tab, "SELECT * FROM v"), ErrorKind::UndefinedTable);
        assert_eq!(kind(tab, "DROP INDEX i"), ErrorKind::UndefinedObject);
    }
    run(&there, &["DROP TABLE t"]);
    for tab in [&here, &there, &disk.open()] {
        assert_eq!(kind(tab, "SELECT * FROM t"), ErrorKind::UndefinedTable);
    }
}

#[test]
fn everything_that_is_defined_is_there_after_reopening() {
    let disk = Disk::new();
    let statements = [
        "CREATE NAMESPACE app",
        "ALTER NAMESPACE app SET OPTIONS (owner = 'me')",
        "ALTER NAMESPACE default SET OPTIONS (a = 1)",
        "CREATE USER TABLE app.u (id SERIAL PRIMARY KEY, n INTEGER UNIQUE CHECK (n > 0)) WITH (FLUSH_POLICY = 'rows:5', DELETED_RETENTION_HOURS = 2)",
        "CREATE STREAM TABLE app.s (id INTEGER) WITH (TTL_SECONDS = 5, MAX_BUFFER = 6, EPHEMERAL = true, SCOPE = 'USER')",
        "USE app",
        "CREATE VIEW default.v (a) AS SELECT n FROM u",
    ];
    run(&disk.open(), &statements);
    let tab = disk.open();
    let shown = |sql: &str| rows(&tab, sql);
    assert_eq!(
        shown("SELECT namespace, options FROM system.namespaces"),
        [["app", r#"{"owner":"me"}"#], ["default", r#"{"a":"1"}"#]]
    );
    assert_eq!(
        shown("DESCRIBE app.u"),
        [["id", "INTEGER", "false", "true", "AUTO_INCREMENT"], ["n", "INTEGER", "true", "false", "NULL"]]
    );
    assert_eq!(shown("DESCRIBE EXTENDED app.u")[5..], [["constraint u_n_check", "CHECK (n > 0)"]]);
    assert_eq!(
        shown("SELECT table_name, ttl_seconds, max_buffer, ephemeral, scope FROM system.tables"),
        [["s", "5", "6", "true", "user"], ["u", "NULL", "NULL", "false", "user"]]
    );
    // The view's names are those of the namespace that it was made in.
    assert_eq!(shown("SELECT count(a) FROM v"), [["0"]]);
}

#[test]
fn a_view_over_a_user_table_shows_each_reader_their_own_rows() {
    let tab = Disk::new().open();
    run(
        &tab,
        &[
            "CREATE USER TABLE notes (id INTEGER PRIMARY KEY, body TEXT)",
            "CREATE VIEW v AS SELECT upper(body) AS loud FROM notes",
        ],
    );
    let (ann, bob) = (as_user(&tab, "ann"), as_user(&tab, "bob"));
    run(&ann, &["INSERT INTO notes VALUES (1, 'ann')"]);
    run(&bob, &["INSERT INTO notes VALUES (1, 'bob')"]);
    assert_eq!(rows(&ann, "SELECT * FROM v"), [["ANN"]]);
    assert_eq!(rows(&bob, "SELECT * FROM v"), [["BOB"]]);
    assert!(rows(&tab, "SELECT * FROM v").is_empty());
    assert_eq!(kind(&ann, "DROP VIEW v"), ErrorKind::InsufficientPrivilege);
    let result = query(&tab, "EXECUTE AS USER 'bob' (SELECT loud FROM v)").unwrap();
    assert_eq!((result.as_user.as_deref(), result.row_count()), (Some("bob"), 1));
    assert_eq!(kind(&ann, "EXECUTE AS USER 'bob' (SELECT * FROM notes)"), ErrorKind::InsufficientPrivilege);
    run(&tab, &["EXECUTE AS USER 'bob' (INSERT INTO notes VALUES (2, 'for bob'))"]);
    assert_eq!(rows(&bob, "SELECT id FROM notes ORDER BY id"), [["1"], ["2"]]);
    assert_eq!(kind(&tab, "EXECUTE AS USER 'bob' (DROP TABLE notes)"), ErrorKind::InsufficientPrivilege);
    // An error within it stays an error, and the session stays who it was.
    assert!(block_on(tab.exec("EXECUTE AS USER 'bob' (SELECT nothing)", CallContext::default())).is_err());
    assert!(rows(&tab, "SELECT * FROM v").is_empty());
}

#[test]
fn system_tables_show_users_what_they_may_see() {
    let tab = Disk::new().open();
    run(
        &tab,
        &[
            "CREATE USER TABLE notes (id INTEGER PRIMARY KEY)",
            "CREATE TABLE hidden (id INTEGER) WITH (ACCESS_LEVEL = 'PRIVATE')",
            "INSERT INTO hidden VALUES (1)",
        ],
    );
    let (ann, bob) = (as_user(&tab, "ann"), as_user(&tab, "bob"));
    run(&ann, &["INSERT INTO notes VALUES (1), (2)", "DELETE FROM notes WHERE id = 1"]);
    run(&bob, &["INSERT INTO notes VALUES (1)"]);
    assert_eq!(rows(&ann, "SELECT user_id FROM system.users"), [["ann"]]);
    assert_eq!(rows(&tab, "SELECT user_id FROM system.users ORDER BY user_id"), [["ann"], ["bob"]]);
    assert_eq!(rows(&ann, "SELECT table_id FROM system.tables"), [["default:notes"]]);
    assert_eq!(rows(&ann, "SHOW TABLES"), [["default", "notes", "user"]]);
    assert_eq!(rows(&ann, "SELECT live_rows, deleted_rows, partitions FROM system.stats"), [["1", "1", "1"]]);
    assert_eq!(
        rows(&tab, "SELECT live_rows, deleted_rows, partitions FROM system.stats WHERE table_name = 'notes'"),
        [["2", "1", "2"]]
    );
    assert!(rows(&ann, "SELECT * FROM system.settings").is_empty());
    assert_eq!(kind(&ann, "DESCRIBE hidden"), ErrorKind::InsufficientPrivilege);
    assert_eq!(kind(&ann, "SELECT * FROM hidden"), ErrorKind::InsufficientPrivilege);
}

#[test]
fn a_transaction_makes_fills_alters_empties_and_drops_tables_in_one_commit() {
    let disk = Disk::new();
    let (here, there) = (disk.open(), disk.open());
    run(&here, &["CREATE TABLE source (id INTEGER PRIMARY KEY)", "INSERT INTO source VALUES (1), (2)", "BEGIN"]);
    run(
        &here,
        &[
            "CREATE NAMESPACE app",
            "CREATE USER TABLE app.copy (n) AS SELECT id FROM source",
            "ALTER TABLE app.copy ADD COLUMN m INTEGER DEFAULT 5, RENAME TO copied",
            "INSERT INTO app.copied VALUES (3, 6)",
            "CREATE TABLE app.gone AS SELECT * FROM source",
            "TRUNCATE app.gone",
            "INSERT INTO app.gone VALUES (7)",
            "CREATE VIEW app.v AS SELECT * FROM app.copied",
            "CREATE UNIQUE INDEX i ON app.copied (n)",
            "DROP TABLE app.gone",
            "CREATE TABLE app.gone (other TEXT)",
            "INSERT INTO app.gone VALUES ('new')",
            "TRUNCATE source",
            "INSERT INTO source VALUES (9)",
        ],
    );
    assert_eq!(kind(&here, "CREATE TABLE app.copied (id INTEGER)"), ErrorKind::DuplicateTable);
    run(&here, &["ROLLBACK"]);
    assert_eq!(kind(&here, "SELECT * FROM app.copied"), ErrorKind::UndefinedTable);
    assert_eq!(rows(&here, "SELECT count(*) FROM source"), [["2"]]);

    run(&here, &["BEGIN", "CREATE NAMESPACE app", "CREATE USER TABLE app.copy (n) AS SELECT id FROM source"]);
    run(
        &here,
        &[
            "ALTER TABLE app.copy ADD COLUMN m INTEGER DEFAULT 5, RENAME TO copied",
            "INSERT INTO app.copied VALUES (3, 6)",
        ],
    );
    run(
        &here,
        &[
            "CREATE TABLE app.gone AS SELECT * FROM source",
            "TRUNCATE app.gone",
            "INSERT INTO app.gone VALUES (7)",
            "DROP TABLE app.gone",
        ],
    );
    run(
        &here,
        &[
            "CREATE TABLE app.gone (other TEXT)",
            "INSERT INTO app.gone VALUES ('new')",
            "TRUNCATE source",
            "INSERT INTO source VALUES (9)",
        ],
    );
    run(&here, &["CREATE VIEW app.v AS SELECT * FROM app.copied", "CREATE UNIQUE INDEX i ON app.copied (n)"]);
    assert_eq!(kind(&there, "SELECT * FROM app.copied"), ErrorKind::UndefinedTable);
    run(&here, &["COMMIT"]);
    for tab in [&here, &there, &disk.open()] {
        assert_eq!(rows(tab, "SELECT * FROM app.v ORDER BY n"), [["1", "5"], ["2", "5"], ["3", "6"]]);
        assert_eq!(rows(tab, "SELECT * FROM app.gone"), [["new"]]);
        assert_eq!(rows(tab, "SELECT * FROM source"), [["9"]]);
        assert_eq!(kind(tab, "INSERT INTO app.copied VALUES (3, 1)"), ErrorKind::UniqueViolation);
    }
}

#[test]
fn a_full_disk_leaves_definitions_as_they_were() {
    use kalamdb_store::Fault;
    let disk = Disk::new();
    let tab = disk.open();
    run(&tab, &STEPS[..2]);
    let statements = [
        "ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'x'",
        "TRUNCATE t",
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE INDEX i ON t (v)",
        "CREATE TABLE u AS SELECT * FROM t",
        "DROP TABLE t",
    ];
    for statement in statements {
        disk.faults.arm(1, Fault::QuotaExceeded);
        assert_eq!(kind(&tab, statement), ErrorKind::DiskFull, "{statement}");
        disk.faults.disarm();
        for tab in [&tab, &disk.open()] {
            assert_eq!(rows(tab, "SELECT * FROM t WHERE id = 1"), [["1", "1.5", "x"]], "{statement}");
            assert_eq!(rows(tab, "SELECT count(*) FROM system.tables"), [["1"]], "{statement}");
            assert_eq!(
                rows(tab, "SELECT (SELECT count(*) FROM system.views) + (SELECT count(*) FROM system.indexes) AS n"),
                [["1"]]
            );
        }
    }
}
