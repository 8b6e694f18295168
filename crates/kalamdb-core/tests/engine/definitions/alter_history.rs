//! Random histories of writes and ALTER: what is in memory, what another tab has followed, and what is read from the
//! disk agree.

use crate::support::{Disk, query, try_rows};
use kalamdb_core::Session;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// Inserts so many rows, with values for the first column only.
    Insert(u8),
    Update(u8),
    Delete(u8),
    Add(u8),
    Drop(u8),
    Rename(u8),
    Type(u8, u8),
    Several(u8, u8),
    Begin,
    Commit,
    Rollback,
    Savepoint,
    RollbackTo,
    /// Goes on in the other tab.
    Switch,
    Truncate,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1_u8..5).prop_map(Step::Insert),
        5 => any::<u8>().prop_map(Step::Update),
        2 => any::<u8>().prop_map(Step::Delete),
        3 => any::<u8>().prop_map(Step::Add),
        1 => any::<u8>().prop_map(Step::Drop),
        1 => any::<u8>().prop_map(Step::Rename),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(column, to)| Step::Type(column, to)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(column, to)| Step::Several(column, to)),
        2 => Just(Step::Begin),
        2 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::Savepoint),
        1 => Just(Step::RollbackTo),
        1 => Just(Step::Switch),
        1 => Just(Step::Truncate),
    ]
}

/// The user columns but the key, as the tab sees them.
fn columns(tab: &Session, table: &str) -> Vec<String> {
    let described = try_rows(tab, &format!("SHOW COLUMNS FROM {table}")).unwrap_or_default();
    described.into_iter().map(|row| row[0].clone()).filter(|name| name != "id").collect()
}

/// Any of the columns, or a name that none has.
fn pick(columns: &[String], n: u8) -> String {
    columns.get(usize::from(n) % (columns.len() + 1)).cloned().unwrap_or_else(|| "nothing".to_owned())
}

const TYPES: [&str; 5] = ["INTEGER", "BIGINT", "DOUBLE", "TEXT", "DECIMAL(20,2)"];

fn run(tab: &Session, table: &str, step: &Step, next: &mut u32) {
    let columns = columns(tab, table);
    *next += 1;
    let number = *next;
    let type_of = |to: u8| TYPES[usize::from(to) % TYPES.len()];
    let sql = match step {
        Step::Insert(n) => {
            *next += u32::from(*n);
            let rows: Vec<String> = (0..*n).map(|at| format!("({})", number + u32::from(at))).collect();
            format!("INSERT INTO {table} (id) VALUES {}", rows.join(", "))
        }
        Step::Update(n) => format!("UPDATE {table} SET {} = '{n}' WHERE id % 3 = {}", pick(&columns, *n), n % 3),
        Step::Delete(n) => format!("DELETE FROM {table} WHERE id % 7 = {}", n % 7),
        Step::Add(n) => format!(
            "ALTER TABLE {table} ADD COLUMN c{number} {} DEFAULT {n} {}",
            type_of(*n),
            if n % 2 == 0 { "NOT NULL" } else { "" }
        ),
        Step::Drop(n) => format!("ALTER TABLE {table} DROP COLUMN {}", pick(&columns, *n)),
        Step::Rename(n) => format!("ALTER TABLE {table} RENAME COLUMN {} TO r{number}", pick(&columns, *n)),
        Step::Type(n, to) => format!("ALTER TABLE {table} ALTER COLUMN {} TYPE {}", pick(&columns, *n), type_of(*to)),
        Step::Several(n, to) => {
            let column = pick(&columns, *n);
            format!(
                "ALTER TABLE {table} ADD COLUMN s{number} TEXT DEFAULT 'x', ALTER COLUMN {column} TYPE {}, RENAME COLUMN {column} TO m{number}",
                type_of(*to)
            )
        }
        Step::Begin => "BEGIN".to_owned(),
        Step::Commit => "COMMIT".to_owned(),
        Step::Rollback => "ROLLBACK".to_owned(),
        Step::Savepoint => "SAVEPOINT s".to_owned(),
        Step::RollbackTo => "ROLLBACK TO s".to_owned(),
        Step::Truncate => format!("TRUNCATE {table}"),
        Step::Switch => return,
    };
    // What is refused changes nothing, which the comparison shows; only damage and faults of the engine are errors
    // here.
    if let Err(error) = query(tab, &sql) {
        let state = error.kind().sql_state();
        assert!(!state.starts_with("XX"), "{sql}: {error}");
    }
}

fn seen(tab: &Session, table: &str) -> (Vec<String>, Vec<Vec<String>>, Vec<Vec<String>>) {
    let rows = |sql: String| try_rows(tab, &sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = columns(tab, table);
    let list = columns.join(", ");
    let live = rows(format!("SELECT * FROM {table} ORDER BY id"));
    let comma = if columns.is_empty() { "" } else { ", " };
    (columns, live, rows(format!("SELECT id, _seq, _deleted{comma}{list} FROM {table} ORDER BY id, _seq")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_other_tabs_and_the_disk_agree(steps in prop::collection::vec(step(), 1..50), has_key in any::<bool>()) {
        let disk = Disk::new();
        let mut tabs = [disk.open(), disk.open()];
        let key = if has_key { "PRIMARY KEY" } else { "" };
        query(&tabs[0], &format!("CREATE TABLE t (id INTEGER {key}, v DOUBLE DEFAULT 1.5)")).unwrap();
        let mut next = 0;
        for step in &steps {
            if matches!(step, Step::Switch) {
                tabs.swap(0, 1);
            }
            run(&tabs[0], "t", step, &mut next);
            // A look may be refused while a transaction has failed, or rests on what has changed.
            if try_rows(&tabs[1], "SELECT count(*) FROM t").is_ok() && try_rows(&tabs[0], "SELECT count(*) FROM t").is_ok() {
                let _ = seen(&tabs[0], "t");
            }
        }
        for tab in &tabs {
            let _ = query(tab, "ROLLBACK");
        }
        let reopened = seen(&disk.open(), "t");
        prop_assert_eq!(&seen(&tabs[0], "t"), &reopened);
        prop_assert_eq!(&seen(&tabs[1], "t"), &reopened);
    }
}
