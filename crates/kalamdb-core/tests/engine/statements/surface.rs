//! A long random history of all statement forms, on shared, user and stream tables, by three users, against a plain
//! model.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::support::{Disk, query, rows};
use kalamdb_core::{ErrorKind, Principal, Role, Session};

/// Of each of the histories.
const STEPS: usize = 5_000;
const BUFFER: usize = 20;
const USERS: [&str; 3] = ["ann", "bob", ""];
/// What rows have in a column that was added later.
const ADDED: i64 = 7;

/// A linear congruential generator: a seed gives the same history in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    v: i64,
    tag: Option<u64>,
    extra: Option<i64>,
}

/// One partition: live rows by key, and of each key the row that was deleted last.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rows {
    live: BTreeMap<i64, Row>,
    deleted: BTreeMap<i64, Row>,
}

/// What a statement does to a partition, or why it must fail.
type Outcome = Result<u64, ErrorKind>;

impl Rows {
    /// Replaces the live rows if the constraints hold; what is gone becomes a tombstone.
    fn replace(&mut self, next: Vec<(i64, Row)>) -> Result<(), ErrorKind> {
        if next.iter().any(|(_, row)| row.v < 0) {
            return Err(ErrorKind::CheckViolation);
        }
        let keys: BTreeSet<i64> = next.iter().map(|(key, _)| *key).collect();
        let tags: Vec<u64> = next.iter().filter_map(|(_, row)| row.tag).collect();
        if keys.len() < next.len() || tags.iter().collect::<BTreeSet<_>>().len() < tags.len() {
            return Err(ErrorKind::UniqueViolation);
        }
        for (key, row) in std::mem::take(&mut self.live) {
            if !keys.contains(&key) {
                self.deleted.insert(key, row);
            }
        }
        self.live = next.into_iter().collect();
        Ok(())
    }

    fn all(&self) -> Vec<(i64, Row)> {
        self.live.iter().map(|(key, row)| (*key, row.clone())).collect()
    }

    fn insert(&mut self, new: &[(i64, Row)]) -> Outcome {
        self.replace([self.all(), new.to_vec()].concat()).map(|()| new.len() as u64)
    }

    fn insert_or_nothing(&mut self, new: &[(i64, Row)]) -> Outcome {
        let mut next = self.all();
        let mut n = 0;
        for (key, row) in new {
            let meets = next.iter().any(|(other, there)| other == key || row.tag.is_some() && there.tag == row.tag);
            if !meets {
                next.push((*key, row.clone()));
                n += 1;
            }
        }
        self.replace(next).map(|()| n)
    }

    fn insert_or_add(&mut self, new: &[(i64, Row)]) -> Outcome {
        let mut next: BTreeMap<i64, Row> = self.live.clone();
        let mut touched = BTreeSet::new();
        for (key, row) in new {
            if !touched.insert(*key) {
                return Err(ErrorKind::CardinalityViolation);
            }
            next.entry(*key).and_modify(|there| there.v += row.v).or_insert_with(|| row.clone());
        }
        self.replace(next.into_iter().collect()).map(|()| new.len() as u64)
    }

    fn update(&mut self, wanted: impl Fn(i64, &Row) -> bool, change: impl Fn(&mut i64, &mut Row)) -> Outcome {
        let mut next = self.all();
        let mut n = 0;
        for (key, row) in &mut next {
            if wanted(*key, row) {
                change(key, row);
                n += 1;
            }
        }
        self.replace(next).map(|()| n)
    }

    fn delete(&mut self, doomed: impl Fn(i64, &Row) -> bool) -> Outcome {
        let next: Vec<_> = self.all().into_iter().filter(|(key, row)| !doomed(*key, row)).collect();
        let n = self.live.len() - next.len();
        self.replace(next).map(|()| n as u64)
    }

    fn undelete(&mut self, wanted: impl Fn(i64) -> bool) -> Outcome {
        let back: Vec<_> =
            self.deleted.iter().filter(|(key, _)| wanted(**key)).map(|(key, row)| (*key, row.clone())).collect();
        let n = self.insert(&back)?;
        self.deleted.retain(|key, _| !wanted(*key));
        Ok(n)
    }
}

/// The database as it must be.
#[derive(Debug, Clone, Default)]
struct Model {
    shared: Rows,
    of_user: [Rows; 3],
    events: Vec<i64>,
    has_extra: bool,
}

impl Model {
    fn rows(&mut self, table: &str, user: usize) -> &mut Rows {
        if table == "s" { &mut self.shared } else { &mut self.of_user[user] }
    }
}

fn literal(value: Option<u64>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |tag| format!("'t{tag}'"))
}

/// What the model does at a statement.
type Change = Box<dyn Fn(&mut Rows) -> Outcome>;

/// Makes a random statement and says what the model does at it.
fn statement(random: &mut Random, table: &str) -> (String, Change) {
    let key = random.below(24) as i64;
    let (modulus, rest) = (random.below(5) as i64 + 1, random.below(5) as i64);
    let amount = random.below(12) as i64 - 3;
    let new: Vec<(i64, Row)> = (0..=random.below(3))
        .map(|_| {
            let tag = (!random.one_in(3)).then(|| random.below(30));
            (
                random.below(24) as i64,
                Row { v: random.below(11) as i64 - i64::from(random.one_in(12)) * 12, tag, extra: None },
            )
        })
        .collect();
    let values: Vec<String> =
        new.iter().map(|(key, row)| format!("({key}, {}, {})", row.v, literal(row.tag))).collect();
    let insert = format!("INSERT INTO {table} (id, v, tag) VALUES {}", values.join(", "));
    match random.below(11) {
        0..=2 => (insert, Box::new(move |rows| rows.insert(&new))),
        3 => (format!("{insert} ON CONFLICT DO NOTHING"), Box::new(move |rows| rows.insert_or_nothing(&new))),
        4 => (
            format!("{insert} ON CONFLICT (id) DO UPDATE SET v = {table}.v + excluded.v"),
            Box::new(move |rows| rows.insert_or_add(&new)),
        ),
        5 => (
            format!("UPDATE {table} SET v = v + {amount} WHERE id % {modulus} = {rest}"),
            Box::new(move |rows| rows.update(|key, _| key % modulus == rest, |_, row| row.v += amount)),
        ),
        6 => (
            format!("UPDATE {table} SET id = id + {amount}, tag = NULL WHERE id >= {key}"),
            Box::new(move |rows| {
                rows.update(
                    |at, _| at >= key,
                    |at, row| {
                        *at += amount;
                        row.tag = None;
                    },
                )
            }),
        ),
        7 => (
            format!("UPDATE {table} SET v = o.v FROM {table} AS o WHERE o.id = {table}.id + 1 AND {table}.id < {key}"),
            Box::new(move |rows| {
                let others = rows.live.clone();
                rows.update(|at, _| at < key && others.contains_key(&(at + 1)), |at, row| row.v = others[&(*at + 1)].v)
            }),
        ),
        8 => (
            format!("DELETE FROM {table} WHERE v IN (SELECT v FROM {table} WHERE id = {key})"),
            Box::new(move |rows| {
                let v = rows.live.get(&key).map(|row| row.v);
                rows.delete(|_, row| Some(row.v) == v)
            }),
        ),
        9 => (
            format!(
                "DELETE FROM {table} USING generate_series(0, {key}) AS g(n) WHERE g.n = {table}.id AND id % 2 = 0"
            ),
            Box::new(move |rows| rows.delete(|at, _| (0..=key).contains(&at) && at % 2 == 0)),
        ),
        _ => (
            format!("UNDELETE FROM {table} WHERE id % {modulus} = {rest}"),
            Box::new(move |rows| rows.undelete(|at| at % modulus == rest)),
        ),
    }
}

struct World {
    disk: Disk,
    app: Session,
    users: Vec<Session>,
}

impl World {
    fn open(disk: Disk) -> Self {
        let app = disk.open_with_little_memory();
        let user =
            |id: &&str| Session::new(Rc::clone(app.database()), Principal::user(id, Role::User).unwrap()).unwrap();
        let users = USERS.iter().map(user).collect();
        Self { disk, app, users }
    }

    fn reopen(self) -> Self {
        Self::open(self.disk)
    }

    fn check(&self, model: &Model, step: usize) {
        let extra = if model.has_extra { ", extra" } else { "" };
        for (user, session) in self.users.iter().enumerate() {
            for (table, expected) in [("s", &model.shared), ("u", &model.of_user[user])] {
                let cells = |rows: &BTreeMap<i64, Row>| -> Vec<Vec<String>> {
                    let tag = |row: &Row| row.tag.map_or_else(|| "NULL".to_owned(), |tag| format!("t{tag}"));
                    let extra = |row: &Row| row.extra.map_or_else(|| "NULL".to_owned(), |extra| extra.to_string());
                    rows.iter()
                        .map(|(key, row)| {
                            let mut cells = vec![key.to_string(), row.v.to_string(), tag(row)];
                            cells.extend(model.has_extra.then(|| extra(row)));
                            cells
                        })
                        .collect()
                };
                let stored = rows(session, &format!("SELECT id, v, tag{extra} FROM {table} ORDER BY id"));
                assert_eq!(stored, cells(&expected.live), "step {step}: {table} of {:?}", USERS[user]);
                let deleted =
                    rows(session, &format!("SELECT id, v, tag{extra} FROM {table} WHERE _deleted = true ORDER BY id"));
                assert_eq!(
                    deleted,
                    cells(&expected.deleted),
                    "step {step}: deleted rows of {table} of {:?}",
                    USERS[user]
                );
            }
        }
        let events: Vec<Vec<String>> = model.events.iter().map(|event| vec![event.to_string()]).collect();
        assert_eq!(rows(&self.app, "SELECT n FROM e ORDER BY n"), events, "step {step}: events");
    }
}

/// Two histories, side by side on two cores; `KALAMDB_SEED=n` gives the first another seed.
#[test]
fn five_thousand_random_steps_agree_with_the_model() {
    random_steps(std::env::var("KALAMDB_SEED").map_or(2024, |seed| seed.parse().unwrap()));
}

#[test]
fn five_thousand_other_random_steps_agree_with_the_model() {
    random_steps(7);
}

fn random_steps(seed: u64) {
    let mut random = Random(seed);
    let mut world = World::open(Disk::new());
    for table in ["SHARED TABLE s", "USER TABLE u"] {
        query(
            &world.app,
            &format!("CREATE {table} (id INTEGER PRIMARY KEY, v INTEGER NOT NULL CHECK (v >= 0), tag TEXT UNIQUE)"),
        )
        .unwrap();
    }
    query(&world.app, &format!("CREATE STREAM TABLE e (n INTEGER) WITH (MAX_BUFFER = {BUFFER})")).unwrap();
    let mut model = Model::default();
    let mut failures: BTreeMap<String, usize> = BTreeMap::new();
    for step in 0..STEPS {
        match random.below(200) {
            0 => world = world.reopen(),
            4 | 5 => drop(query(&world.app, "STORAGE FLUSH ALL").unwrap()),
            6 => drop(query(&world.app, "STORAGE COMPACT ALL").unwrap()),
            1 | 2 => {
                let event = step as i64;
                query(&world.users[0], &format!("INSERT INTO e VALUES ({event})")).unwrap();
                model.events.push(event);
                let over = model.events.len().saturating_sub(BUFFER);
                model.events.drain(..over);
            }
            3 => {
                model.has_extra = !model.has_extra;
                for table in ["s", "u"] {
                    let action = if model.has_extra {
                        format!("ADD COLUMN extra INTEGER DEFAULT {ADDED}")
                    } else {
                        "DROP COLUMN extra".to_owned()
                    };
                    query(&world.app, &format!("ALTER TABLE {table} {action}")).unwrap();
                }
                let extra = model.has_extra.then_some(ADDED);
                for rows in std::iter::once(&mut model.shared).chain(&mut model.of_user) {
                    rows.live.values_mut().chain(rows.deleted.values_mut()).for_each(|row| row.extra = extra);
                }
            }
            _ => transaction(&mut random, &world, &mut model, &mut failures, step),
        }
        if random.one_in(10) {
            world.check(&model, step);
        }
    }
    world.check(&model, STEPS);
    // The history is of use only if statements do fail, each in its way.
    for kind in [ErrorKind::UniqueViolation, ErrorKind::CheckViolation, ErrorKind::CardinalityViolation] {
        assert!(failures.get(kind.code()).is_some_and(|n| *n > 10), "{failures:?}");
    }
}

/// Runs one statement, or several in a transaction, with savepoints.
fn transaction(
    random: &mut Random,
    world: &World,
    model: &mut Model,
    failures: &mut BTreeMap<String, usize>,
    step: usize,
) {
    let user = random.below(3) as usize;
    let session = &world.users[user];
    let is_transaction = random.one_in(6);
    let n_statements = if is_transaction { random.below(5) + 1 } else { 1 };
    let (before, mut saved) = (model.clone(), None);
    if is_transaction {
        query(session, "BEGIN").unwrap();
    }
    for _ in 0..n_statements {
        if is_transaction && random.one_in(4) {
            query(session, "SAVEPOINT a").unwrap();
            saved = Some(model.clone());
        }
        let table = if random.one_in(2) { "s" } else { "u" };
        let (sql, change) = statement(random, table);
        let mut next = model.rows(table, user).clone();
        let mut expected = change(&mut next);
        if model.has_extra {
            // A row that is new has the column's default.
            next.live.values_mut().for_each(|row| row.extra = row.extra.or(Some(ADDED)));
        }
        let stored = query(session, &sql).map(|result| result.affected_rows.unwrap_or_default());
        if let Err(error) = &stored {
            assert_ne!(error.kind(), ErrorKind::InternalError, "step {step}: {sql}: {error:?}");
        }
        let stored = stored.map_err(|error| error.kind());
        if let (Err(found), Err(wanted)) = (&stored, &mut expected) {
            // A statement that breaks several constraints reports one of them.
            *wanted = *found;
        }
        assert_eq!(stored, expected, "step {step}: {sql}");
        match stored {
            Ok(_) => *model.rows(table, user) = next,
            Err(kind) => {
                *failures.entry(kind.code().to_owned()).or_default() += 1;
                if is_transaction {
                    assert_eq!(query(session, "SELECT 1").unwrap_err().kind(), ErrorKind::InFailedTransaction);
                    match saved.clone() {
                        Some(saved) => {
                            query(session, "ROLLBACK TO a").unwrap();
                            *model = saved;
                        }
                        None => {
                            query(session, "ROLLBACK").unwrap();
                            *model = before;
                            return;
                        }
                    }
                }
            }
        }
    }
    if is_transaction && random.one_in(3) {
        query(session, "ROLLBACK").unwrap();
        *model = before;
    } else if is_transaction {
        query(session, "COMMIT").unwrap();
    }
}
