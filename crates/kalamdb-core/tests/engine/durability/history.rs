//! Random histories of statements against a plain model: two tabs on one disk, reopening, and a disk that fails.

use std::collections::BTreeMap;

use crate::support::{Disk, query, rows};
use futures::executor::block_on;
use futures::join;
use kalamdb_core::{CallContext, ErrorKind, Session};
use kalamdb_store::Fault;
use proptest::prelude::*;

/// One statement or event of a history. Keys are small, so that statements meet each other's rows.
#[derive(Debug, Clone)]
enum Step {
    /// Stores the rows of the log as segments, or merges the segments.
    Store {
        tab: usize,
        compacts: bool,
    },
    Insert {
        tab: usize,
        keys: Vec<i64>,
        value: i64,
    },
    InsertSelect {
        tab: usize,
        shift: i64,
    },
    Add {
        tab: usize,
        divisor: i64,
        amount: i64,
    },
    SetNull {
        tab: usize,
        key: i64,
    },
    MoveKeys {
        tab: usize,
        from: i64,
        shift: i64,
    },
    UpdateBySubquery {
        tab: usize,
    },
    Delete {
        tab: usize,
        divisor: i64,
    },
    DeleteBySubquery {
        tab: usize,
    },
    Undelete {
        tab: usize,
        divisor: i64,
    },
    Replace {
        tab: usize,
        from: i64,
        value: i64,
    },
    BagInsert {
        tab: usize,
        value: i64,
        n: usize,
    },
    BagUpdate {
        tab: usize,
        value: i64,
    },
    BagDelete {
        tab: usize,
        value: i64,
    },
    /// Both tabs write at the same moment, neither knowing of the other.
    Race {
        key: i64,
        amount: i64,
    },
    Fail {
        nth: u64,
        fault: Fault,
    },
    Reopen {
        tab: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let tab = 0..2_usize;
    let key = 0..30_i64;
    prop_oneof![
        4 => (tab.clone(), prop::collection::vec(key.clone(), 1..6), -5..5_i64).prop_map(|(tab, keys, value)| Step::Insert { tab, keys, value }),
        1 => (tab.clone(), 20..40_i64).prop_map(|(tab, shift)| Step::InsertSelect { tab, shift }),
        2 => (tab.clone(), 1..6_i64, -3..4_i64).prop_map(|(tab, divisor, amount)| Step::Add { tab, divisor, amount }),
        1 => (tab.clone(), key.clone()).prop_map(|(tab, key)| Step::SetNull { tab, key }),
        2 => (tab.clone(), key.clone(), -3..4_i64).prop_map(|(tab, from, shift)| Step::MoveKeys { tab, from, shift }),
        1 => tab.clone().prop_map(|tab| Step::UpdateBySubquery { tab }),
        2 => (tab.clone(), 2..6_i64).prop_map(|(tab, divisor)| Step::Delete { tab, divisor }),
        1 => tab.clone().prop_map(|tab| Step::DeleteBySubquery { tab }),
        2 => (tab.clone(), 2..12_i64).prop_map(|(tab, divisor)| Step::Undelete { tab, divisor }),
        1 => (tab.clone(), key.clone(), -5..5_i64).prop_map(|(tab, from, value)| Step::Replace { tab, from, value }),
        2 => (tab.clone(), 0..4_i64, 1..4_usize).prop_map(|(tab, value, n)| Step::BagInsert { tab, value, n }),
        1 => (tab.clone(), 0..4_i64).prop_map(|(tab, value)| Step::BagUpdate { tab, value }),
        1 => (tab.clone(), 0..4_i64).prop_map(|(tab, value)| Step::BagDelete { tab, value }),
        2 => (key, 1..5_i64).prop_map(|(key, amount)| Step::Race { key, amount }),
        2 => (1..8_u64, fault()).prop_map(|(nth, fault)| Step::Fail { nth, fault }),
        2 => (tab.clone(), any::<bool>()).prop_map(|(tab, compacts)| Step::Store { tab, compacts }),
        1 => tab.prop_map(|tab| Step::Reopen { tab }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::QuotaExceeded),
        Just(Fault::Abort),
        Just(Fault::Close),
        Just(Fault::Indeterminate { stored: true }),
        Just(Fault::Indeterminate { stored: false }),
    ]
}

/// What the tables must hold.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    /// Live rows by key, with their value.
    keyed: BTreeMap<i64, Option<i64>>,
    /// Of each key the row that was deleted last.
    deleted: BTreeMap<i64, Option<i64>>,
    /// Values of the table without a key, with how often each is there.
    bag: BTreeMap<i64, usize>,
}

/// What a statement must do: the model afterwards and the rows affected, or the error.
type Expected = Result<(Model, u64), ErrorKind>;

impl Model {
    fn insert(&self, rows: impl IntoIterator<Item = (i64, Option<i64>)>) -> Expected {
        let mut next = self.clone();
        let mut n = 0;
        for (key, value) in rows {
            if next.keyed.insert(key, value).is_some() {
                return Err(ErrorKind::UniqueViolation);
            }
            n += 1;
        }
        Ok((next, n))
    }

    fn update(&self, mut change: impl FnMut(i64, Option<i64>) -> Option<(i64, Option<i64>)>) -> Expected {
        let changed: Vec<_> =
            self.keyed.iter().filter_map(|(key, value)| change(*key, *value).map(|new| (*key, new))).collect();
        let mut next = self.clone();
        next.keyed.retain(|key, _| changed.iter().all(|(old, _)| old != key));
        for (_, (key, value)) in &changed {
            if next.keyed.insert(*key, *value).is_some() {
                return Err(ErrorKind::UniqueViolation);
            }
        }
        // A key that nobody has taken at once keeps what was there as a deleted row.
        let left = changed
            .iter()
            .filter_map(|(old, _)| Some((*old, self.keyed[old])).filter(|(old, _)| !next.keyed.contains_key(old)));
        next.deleted.extend(left.collect::<Vec<_>>());
        Ok((next, changed.len() as u64))
    }

    fn undelete(&self, wanted: impl Fn(i64) -> bool) -> Expected {
        let back: Vec<_> =
            self.deleted.iter().filter(|(key, _)| wanted(**key)).map(|(key, value)| (*key, *value)).collect();
        let (mut next, n) = self.insert(back)?;
        next.deleted.retain(|key, _| !wanted(*key));
        Ok((next, n))
    }

    fn delete(&self, doomed: impl Fn(i64, Option<i64>) -> bool) -> Expected {
        let mut next = self.clone();
        next.keyed.retain(|key, value| !doomed(*key, *value));
        next.deleted.extend(self.keyed.iter().filter(|(key, value)| doomed(**key, **value)));
        let n = self.keyed.len() - next.keyed.len();
        Ok((next, n as u64))
    }

    fn bag(&self, value: i64, change: impl FnOnce(&mut BTreeMap<i64, usize>) -> usize) -> Expected {
        let mut next = self.clone();
        let n = change(&mut next.bag);
        if next.bag.get(&value) == Some(&0) {
            next.bag.remove(&value);
        }
        Ok((next, n as u64))
    }

    fn expect(&self, step: &Step) -> Option<(usize, String, Expected)> {
        Some(match step {
            Step::Insert { tab, keys, value } => {
                let values: Vec<String> = keys.iter().map(|key| format!("({key}, {value})")).collect();
                let sql = format!("INSERT INTO keyed VALUES {}", values.join(", "));
                (*tab, sql, self.insert(keys.iter().map(|key| (*key, Some(*value)))))
            }
            Step::InsertSelect { tab, shift } => {
                let sql = format!("INSERT INTO keyed SELECT id + {shift}, v FROM keyed WHERE id < 5");
                let copied: Vec<_> = self.keyed.range(..5).map(|(key, value)| (key + shift, *value)).collect();
                (*tab, sql, self.insert(copied))
            }
            Step::Add { tab, divisor, amount } => {
                let sql = format!("UPDATE keyed SET v = v + {amount} WHERE id % {divisor} = 0");
                (
                    *tab,
                    sql,
                    self.update(|key, value| (key % divisor == 0).then(|| (key, value.map(|value| value + amount)))),
                )
            }
            Step::SetNull { tab, key: wanted } => {
                let sql = format!("UPDATE keyed SET v = NULL WHERE id = {wanted}");
                (*tab, sql, self.update(|key, _| (key == *wanted).then_some((key, None))))
            }
            Step::MoveKeys { tab, from, shift } => {
                let sql = format!("UPDATE keyed SET id = id + {shift} WHERE id >= {from}");
                (*tab, sql, self.update(|key, value| (key >= *from).then_some((key + shift, value))))
            }
            Step::UpdateBySubquery { tab } => {
                let sql = "UPDATE keyed SET v = (SELECT count(*) FROM bag) WHERE id IN (SELECT v FROM bag)".to_owned();
                let n: usize = self.bag.values().sum();
                (*tab, sql, self.update(|key, _| self.bag.contains_key(&key).then_some((key, Some(n as i64)))))
            }
            Step::Delete { tab, divisor } => {
                (*tab, format!("DELETE FROM keyed WHERE id % {divisor} = 0"), self.delete(|key, _| key % divisor == 0))
            }
            Step::Undelete { tab, divisor } => {
                (*tab, format!("UNDELETE FROM keyed WHERE id % {divisor} = 0"), self.undelete(|key| key % divisor == 0))
            }
            Step::Replace { tab, from, value } => {
                let keys = [*from, from + 1, from + 2];
                let values = keys.map(|key| format!("({key}, {value})"));
                let mut next = self.clone();
                next.keyed.extend(keys.map(|key| (key, Some(*value))));
                (*tab, format!("REPLACE INTO keyed VALUES {}", values.join(", ")), Ok((next, 3)))
            }
            Step::DeleteBySubquery { tab } => {
                let greatest = self.keyed.values().flatten().max().copied();
                let sql = "DELETE FROM keyed WHERE v = (SELECT max(v) FROM keyed)".to_owned();
                (*tab, sql, self.delete(|_, value| value.is_some() && value == greatest))
            }
            Step::BagInsert { tab, value, n } => {
                let sql = format!("INSERT INTO bag VALUES {}", vec![format!("({value})"); *n].join(", "));
                let inserted = self.bag(*value, |bag| {
                    *bag.entry(*value).or_default() += n;
                    *n
                });
                (*tab, sql, inserted)
            }
            Step::BagUpdate { tab, value } => {
                let sql = format!("UPDATE bag SET v = v + 1 WHERE v = {value}");
                let updated = self.bag(*value, |bag| match bag.remove(value) {
                    Some(n) => {
                        *bag.entry(value + 1).or_default() += n;
                        n
                    }
                    None => 0,
                });
                (*tab, sql, updated)
            }
            Step::BagDelete { tab, value } => {
                let deleted = self.bag(*value, |bag| bag.remove(value).unwrap_or_default());
                (*tab, format!("DELETE FROM bag WHERE v = {value}"), deleted)
            }
            Step::Race { .. } | Step::Fail { .. } | Step::Reopen { .. } | Step::Store { .. } => return None,
        })
    }
}

fn check(tab: &Session, model: &Model) {
    let keyed: Vec<Vec<String>> = model
        .keyed
        .iter()
        .map(|(key, value)| vec![key.to_string(), value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())])
        .collect();
    assert_eq!(rows(tab, "SELECT id, v FROM keyed ORDER BY id"), keyed);
    assert_eq!(rows(tab, "SELECT count(*) FROM keyed"), [[model.keyed.len().to_string()]]);
    let bag: Vec<Vec<String>> = model.bag.iter().map(|(value, n)| vec![value.to_string(), n.to_string()]).collect();
    assert_eq!(rows(tab, "SELECT v, count(*) FROM bag GROUP BY v ORDER BY v"), bag);
    let deleted: Vec<Vec<String>> = model
        .deleted
        .iter()
        .map(|(key, value)| vec![key.to_string(), value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())])
        .collect();
    assert_eq!(rows(tab, "SELECT id, v FROM keyed WHERE _deleted ORDER BY id"), deleted);
    // No version has the number of another.
    let versions =
        "SELECT _seq FROM keyed WHERE _deleted IS NOT NULL UNION ALL SELECT _seq FROM bag WHERE _deleted IS NOT NULL";
    assert_eq!(rows(tab, &format!("SELECT count(*) - count(DISTINCT _seq) FROM ({versions}) q")), [["0"]]);
    // Keys lead to the live rows.
    for key in model.deleted.keys() {
        let value =
            model.keyed.get(key).map(|value| vec![value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())]);
        assert_eq!(rows(tab, &format!("SELECT v FROM keyed WHERE id = {key}")), Vec::from_iter(value));
    }
}

fn run(steps: &[Step]) {
    let disk = Disk::new();
    let mut tabs = [disk.open(), disk.open()];
    query(&tabs[0], "CREATE TABLE keyed (id BIGINT PRIMARY KEY, v BIGINT)").unwrap();
    query(&tabs[0], "CREATE TABLE bag (v BIGINT)").unwrap();
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Fail { nth, fault } => {
                disk.faults.arm(*nth, *fault);
                continue;
            }
            Step::Reopen { tab } => {
                disk.faults.disarm();
                tabs[*tab] = disk.open_with_little_memory();
            }
            Step::Store { tab, compacts } => {
                let outcome = query(&tabs[*tab], if *compacts { "STORAGE COMPACT ALL" } else { "STORAGE FLUSH ALL" });
                let struck = !disk.faults.is_armed();
                disk.faults.disarm();
                if let Err(error) = outcome {
                    assert!(struck, "{error:?}");
                    if error.kind() == ErrorKind::DatabaseClosed {
                        tabs[*tab] = disk.open();
                    }
                }
            }
            Step::Race { key, amount } => {
                disk.faults.disarm();
                race(&disk, &tabs, &mut model, *key, *amount);
            }
            statement => {
                let (tab, sql, expected) = model.expect(statement).unwrap();
                let outcome = query(&tabs[tab], &sql);
                // A read of ours, not one of the statement's, would meet a fault that has not struck yet.
                let struck = !disk.faults.is_armed();
                disk.faults.disarm();
                match (outcome, expected) {
                    (Ok(result), Ok((next, n))) => {
                        assert_eq!(result.affected_rows, Some(n), "{sql}");
                        model = next;
                    }
                    (Err(error), Err(kind)) if error.kind() == kind => {}
                    (Err(error), expected) => {
                        assert!(struck, "{sql}: {error:?}, expected {expected:?}");
                        // What failed has written nothing: the model stays as it is.
                        if error.kind() == ErrorKind::DatabaseClosed {
                            tabs[tab] = disk.open();
                        }
                    }
                    (Ok(_), expected) => panic!("{sql}: done, expected {expected:?}"),
                }
            }
        }
        tabs.iter().for_each(|tab| check(tab, &model));
    }
    disk.faults.disarm();
    check(&disk.open(), &model);
}

fn race(disk: &Disk, tabs: &[Session; 2], model: &mut Model, key: i64, amount: i64) {
    disk.hears.set(false);
    let add = format!("UPDATE keyed SET v = v + {amount} WHERE id >= {key}");
    let insert = format!("INSERT INTO bag SELECT {amount} FROM keyed WHERE id = {key}");
    let call = CallContext::default;
    let (added, inserted) =
        block_on(async { join!(tabs[0].query(&add, &[], call()), tabs[1].query(&insert, &[], call())) });
    let (next, n) = model.update(|at, value| (at >= key).then(|| (at, value.map(|value| value + amount)))).unwrap();
    assert_eq!(added.unwrap().affected_rows, Some(n));
    *model = next;
    let n = usize::from(model.keyed.contains_key(&key));
    assert_eq!(inserted.unwrap().affected_rows, Some(n as u64));
    if n > 0 {
        *model.bag.entry(amount).or_default() += n;
    }
    disk.hears.set(true);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_hold_what_the_model_holds(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps);
    }
}
