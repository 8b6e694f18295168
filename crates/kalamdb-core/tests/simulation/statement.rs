//! The statements that tabs run, as data: SQL is made of them, and the model carries them out.

use super::random::Random;

/// A user of the user table; `None` is the application itself.
pub(crate) type User = Option<&'static str>;

/// A row without a key: its columns are `n` and `w` only.
pub(crate) const BAG: &str = "b";
/// Every user has rows of their own in it.
pub(crate) const USER_TABLE: &str = "u";
const KEYED: &str = "t";
/// The tables that are always there.
pub(crate) const TABLES: [&str; 3] = [KEYED, USER_TABLE, BAG];
/// Tables that come and go.
const TRANSIENT: [&str; 2] = ["x", "y"];

/// One statement. It writes its number into column `w` of the rows that it inserts and updates, so that these differ
/// from all others.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) number: i64,
    pub(crate) table: &'static str,
    pub(crate) action: Action,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Rows as (key, n); the key is left out in the table without one.
    Insert {
        rows: Vec<(i64, i64)>,
        conflict: Conflict,
    },
    Update {
        filter: Filter,
        set: Set,
    },
    /// Gives a row another key.
    Move {
        from: i64,
        to: i64,
    },
    Delete(Filter),
    Undelete(Filter),
    Select {
        filter: Filter,
        with_seq: bool,
    },
    /// The rows of two tables in one answer.
    SelectWith(&'static str),
    AddColumn {
        default: i64,
    },
    Create,
    Drop,
    Truncate,
    Maintain(Maintenance),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Conflict {
    Fails,
    DoesNothing,
    AddsUp,
}

/// Rows by the first column: the key, or `n` where there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Filter {
    All,
    Is(i64),
    Rest { divisor: i64, rest: i64 },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Set {
    To(i64),
    Add(i64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Maintenance {
    Flush,
    FlushAll,
    /// Looks for pages that nothing names too.
    CompactAll,
    Compact,
}

/// The statements that every schedule begins with.
pub(crate) fn setup() -> Vec<Statement> {
    let mut statements: Vec<Statement> =
        [KEYED, USER_TABLE, BAG].map(|table| Statement { number: 0, table, action: Action::Create }).into();
    let rows = vec![(0, 1), (1, 2), (2, 3)];
    statements.extend([KEYED, BAG].map(|table| Statement {
        number: 0,
        table,
        action: Action::Insert { rows: rows.clone(), conflict: Conflict::Fails },
    }));
    statements
}

pub(crate) fn has_key(table: &str) -> bool {
    table != BAG
}

impl Statement {
    /// A statement of any kind.
    pub(crate) fn any(random: &Random, number: i64, has_maintenance: bool) -> Self {
        match random.below(40) {
            0 => Self {
                number,
                table: random.pick(&TABLES),
                action: Action::AddColumn { default: random.between(0, 9) },
            },
            1 => Self { number, table: random.pick(&TRANSIENT), action: Action::Create },
            2 => Self {
                number,
                table: random.pick(&TRANSIENT),
                action: if random.one_in(3) { Action::Drop } else { Action::Create },
            },
            3 => Self { number, table: random.pick(&TABLES), action: Action::Truncate },
            4 => Self { number, table: random.pick(&TRANSIENT), action: insert(random, true) },
            5..=7 if has_maintenance => {
                let maintenance = random.pick(&[
                    Maintenance::Flush,
                    Maintenance::Flush,
                    Maintenance::FlushAll,
                    Maintenance::Compact,
                    Maintenance::CompactAll,
                ]);
                Self { number, table: random.pick(&TABLES), action: Action::Maintain(maintenance) }
            }
            _ => Self::on_rows(random, number, random.pick(&TABLES), true),
        }
    }

    /// A statement that reads or writes rows of a table that is always there. Numbers of rows are not known before a
    /// commit: within a transaction none is asked for.
    pub(crate) fn on_rows(random: &Random, number: i64, table: &'static str, may_ask_seq: bool) -> Self {
        let action = match random.below(12) {
            0..=3 => insert(random, has_key(table)),
            4..=6 => Action::Update {
                filter: filter(random),
                set: if random.one_in(3) { Set::To(random.between(0, 9)) } else { Set::Add(1) },
            },
            7 if has_key(table) && random.one_in(2) => {
                let from = random.between(0, 7);
                Action::Move { from, to: (from + random.between(1, 7)) % 8 }
            }
            7 | 8 => Action::Delete(filter(random)),
            9 => Action::Undelete(filter(random)),
            10 if random.one_in(3) => Action::SelectWith(random.pick(&TABLES)),
            _ => Action::Select { filter: filter(random), with_seq: may_ask_seq && random.one_in(2) },
        };
        Self { number, table, action }
    }

    /// Whether it changes definitions.
    pub(crate) fn is_definition(&self) -> bool {
        matches!(self.action, Action::AddColumn { .. } | Action::Create | Action::Drop | Action::Truncate)
    }

    /// Whether only the application itself may run it.
    pub(crate) fn is_query(&self) -> bool {
        matches!(self.action, Action::Select { .. } | Action::SelectWith(_))
    }

    pub(crate) fn is_administrative(&self) -> bool {
        self.is_definition() || matches!(self.action, Action::Maintain(_))
    }

    pub(crate) fn column(&self) -> String {
        format!("c{}", self.number)
    }

    pub(crate) fn sql(&self) -> String {
        let Self { number, table, action } = self;
        let (key, columns) = if has_key(table) { ("id", "id, n, w") } else { ("n", "n, w") };
        match action {
            Action::Insert { rows, conflict } => {
                let row = |(id, n): &(i64, i64)| {
                    if has_key(table) { format!("({id}, {n}, {number})") } else { format!("({n}, {number})") }
                };
                let rows: Vec<String> = rows.iter().map(row).collect();
                let conflict = match conflict {
                    Conflict::Fails => String::new(),
                    Conflict::DoesNothing => " ON CONFLICT DO NOTHING".to_owned(),
                    Conflict::AddsUp => {
                        format!(" ON CONFLICT (id) DO UPDATE SET n = {table}.n + EXCLUDED.n, w = EXCLUDED.w")
                    }
                };
                format!("INSERT INTO {table} ({columns}) VALUES {}{conflict}", rows.join(", "))
            }
            Action::Update { filter, set: Set::To(n) } => {
                format!("UPDATE {table} SET n = {n}, w = {number}{}", filter.sql(key))
            }
            Action::Update { filter, set: Set::Add(n) } => {
                format!("UPDATE {table} SET n = n + {n}, w = {number}{}", filter.sql(key))
            }
            Action::Move { from, to } => format!("UPDATE {table} SET id = {to}, w = {number} WHERE id = {from}"),
            Action::Delete(filter) => format!("DELETE FROM {table}{}", filter.sql(key)),
            Action::Undelete(filter) => format!("UNDELETE FROM {table}{}", filter.sql(key)),
            Action::Select { filter, with_seq: true } => {
                format!("SELECT {columns}, _seq FROM {table}{}", filter.sql(key))
            }
            Action::Select { filter, with_seq: false } => format!("SELECT {columns} FROM {table}{}", filter.sql(key)),
            Action::SelectWith(other) => format!("SELECT n, w FROM {table} UNION ALL SELECT n, w FROM {other}"),
            Action::AddColumn { default } => {
                format!("ALTER TABLE {table} ADD COLUMN {} BIGINT DEFAULT {default}", self.column())
            }
            Action::Create => {
                let key = if has_key(table) { "id BIGINT PRIMARY KEY, " } else { "" };
                let options = if *table == USER_TABLE { " WITH (TYPE = 'USER')" } else { "" };
                format!("CREATE TABLE {table} ({key}n BIGINT, w BIGINT){options}")
            }
            Action::Drop => format!("DROP TABLE {table}"),
            Action::Truncate => format!("TRUNCATE TABLE {table}"),
            Action::Maintain(Maintenance::Flush) => format!("FLUSH TABLE {table}"),
            Action::Maintain(Maintenance::FlushAll) => "STORAGE FLUSH ALL".to_owned(),
            Action::Maintain(Maintenance::CompactAll) => "STORAGE COMPACT ALL".to_owned(),
            Action::Maintain(Maintenance::Compact) => format!("STORAGE COMPACT TABLE {table}"),
        }
    }
}

impl Filter {
    pub(crate) fn takes(self, value: i64) -> bool {
        match self {
            Filter::All => true,
            Filter::Is(wanted) => value == wanted,
            Filter::Rest { divisor, rest } => value % divisor == rest,
        }
    }

    fn sql(self, column: &str) -> String {
        match self {
            Filter::All => String::new(),
            Filter::Is(value) => format!(" WHERE {column} = {value}"),
            Filter::Rest { divisor, rest } => format!(" WHERE {column} % {divisor} = {rest}"),
        }
    }
}

fn insert(random: &Random, has_key: bool) -> Action {
    let first = random.between(0, 7);
    let rows = (first..first + random.pick(&[1, 1, 2, 3])).map(|id| (id, random.between(0, 9))).collect();
    let conflict = match random.below(4) {
        0 | 1 if has_key => Conflict::AddsUp,
        2 if has_key => Conflict::DoesNothing,
        _ => Conflict::Fails,
    };
    Action::Insert { rows, conflict }
}

fn filter(random: &Random) -> Filter {
    match random.below(5) {
        0 => Filter::All,
        1 | 2 => Filter::Is(random.between(0, 7)),
        _ => {
            let divisor = random.between(2, 3);
            Filter::Rest { divisor, rest: random.between(0, divisor - 1) }
        }
    }
}
