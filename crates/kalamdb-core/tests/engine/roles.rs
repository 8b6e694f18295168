//! What each role may do, by the statements that do it.

use std::rc::Rc;

use crate::support::{Disk, query, rows};
use kalamdb_core::{ErrorKind, Principal, Role, Session};

const ROLES: [Role; 4] = [Role::User, Role::Service, Role::Dba, Role::System];

/// Tables of every access level with a row each, and a row of each of two users.
fn open() -> Session {
    let app = Disk::new().open();
    for sql in [
        "CREATE TABLE public (id INTEGER PRIMARY KEY)",
        "CREATE TABLE restricted (id INTEGER PRIMARY KEY) WITH (ACCESS_LEVEL = 'RESTRICTED')",
        "CREATE TABLE private (id INTEGER PRIMARY KEY) WITH (ACCESS_LEVEL = 'PRIVATE')",
        "CREATE USER TABLE notes (id INTEGER PRIMARY KEY)",
        "CREATE STREAM TABLE events (id INTEGER) WITH (MAX_BUFFER = 10)",
        "CREATE VIEW hidden AS SELECT id FROM private",
        "INSERT INTO public VALUES (1)",
        "INSERT INTO restricted VALUES (1)",
        "INSERT INTO private VALUES (1)",
        "FLUSH TABLE public",
        "EXECUTE AS USER 'ann' (INSERT INTO notes VALUES (1))",
        "EXECUTE AS USER 'bob' (INSERT INTO notes VALUES (1), (2))",
    ] {
        query(&app, sql).unwrap();
    }
    app
}

fn session(app: &Session, role: Role) -> Session {
    Session::new(Rc::clone(app.database()), Principal::user("ann", role).unwrap()).unwrap()
}

#[test]
fn a_statement_takes_the_role_that_the_policy_says() {
    const EVERYBODY: Role = Role::User;
    for (least, statements) in [
        (
            EVERYBODY,
            [
                "SELECT id FROM public",
                "SELECT id FROM public WHERE id = 1",
                "INSERT INTO public VALUES (2)",
                "UPDATE public SET id = 3",
                "DELETE FROM public",
                "DESCRIBE public",
                "SELECT id FROM restricted",
                "SELECT id FROM restricted WHERE id = 1",
                "DESCRIBE restricted",
                "INSERT INTO notes VALUES (3)",
                "INSERT INTO events VALUES (1)",
                "SELECT * FROM system.views",
                "SHOW NAMESPACES",
                "USE default",
            ]
            .as_slice(),
        ),
        (
            Role::Service,
            &[
                "INSERT INTO restricted VALUES (2)",
                "UPDATE restricted SET id = 3",
                "DELETE FROM restricted",
                "UNDELETE FROM restricted",
                "SELECT id FROM private",
                "SELECT id FROM private WHERE id = 1",
                "SELECT id FROM hidden",
                "DESCRIBE private",
                "SHOW STATS FOR TABLE private",
                "INSERT INTO private VALUES (2)",
                "INSERT INTO public SELECT id + 1 FROM private",
                "UPDATE private SET id = 3",
                "DELETE FROM private",
                "EXECUTE AS USER 'bob' (SELECT id FROM notes)",
            ],
        ),
        (
            Role::Dba,
            &[
                "CREATE TABLE made (id INTEGER)",
                "ALTER TABLE public ADD COLUMN name TEXT",
                "TRUNCATE TABLE public",
                "DROP TABLE public",
                "CREATE VIEW made AS SELECT 1 AS one",
                "DROP VIEW hidden",
                "CREATE INDEX made ON public (id)",
                "CREATE NAMESPACE made",
                "ALTER NAMESPACE default SET OPTIONS (a = '1')",
                "DROP NAMESPACE IF EXISTS made",
                "FLUSH TABLE public",
                "STORAGE COMPACT TABLE public",
                "STORAGE FLUSH ALL",
            ],
        ),
    ] {
        for role in ROLES {
            for sql in statements {
                let outcome = query(&session(&open(), role), sql);
                let name = role.name();
                if role >= least {
                    assert!(outcome.is_ok(), "{name}: {sql}: {outcome:?}");
                } else {
                    let error = outcome.expect_err(sql);
                    assert_eq!(error.kind(), ErrorKind::InsufficientPrivilege, "{name}: {sql}: {error}");
                    let hint = format!("it takes the role {} or one above it", least.name());
                    assert_eq!(error.hint(), Some(hint.as_str()), "{sql}");
                }
            }
        }
    }
}

#[test]
fn the_system_tables_show_what_the_role_may_see() {
    let app = open();
    for (role, n_tables, users, n_jobs, notes, n_settings) in [
        (Role::User, "4", "ann", "0", ["1", "1"], "0"),
        (Role::Service, "5", "ann", "0", ["1", "1"], "3"),
        (Role::Dba, "5", "ann,bob", "1", ["3", "2"], "3"),
        (Role::System, "5", "ann,bob", "1", ["3", "2"], "3"),
    ] {
        let session = session(&app, role);
        let name = role.name();
        let columns = "table_name, 'x' FROM system.columns WHERE table_name = 'private'";
        let n_columns = if role == Role::User { 0 } else { 1 };
        assert_eq!(rows(&session, &format!("SELECT {columns}")).len(), n_columns, "{name}");
        assert_eq!(rows(&session, "SELECT count(*) FROM system.tables"), [[n_tables]], "{name}");
        assert_eq!(
            rows(&session, "SELECT string_agg(user_id, ',' ORDER BY user_id) FROM system.users"),
            [[users]],
            "{name}"
        );
        assert_eq!(rows(&session, "SELECT count(*) FROM system.jobs"), [[n_jobs]], "{name}");
        assert_eq!(
            rows(&session, "SELECT live_rows, partitions FROM system.stats WHERE table_name = 'notes'"),
            [notes],
            "{name}"
        );
        assert_eq!(rows(&session, "SELECT count(*) FROM system.settings"), [[n_settings]], "{name}");
    }
}
