//! Follows tables by what their feed reports, without reading them again.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::support::{Disk, rows, rows_of};
use futures::executor::block_on;
use kalamdb_core::{Database, Error, PartitionChange, PartitionId, Principal, Session, Watch};

pub(crate) type Row = Vec<String>;

/// Rows, in some order.
pub(crate) type Rows = Vec<Row>;

/// What a commit took away from a table and put into it, both sorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Difference {
    pub(crate) removed: Rows,
    pub(crate) added: Rows,
}

/// What a commit did to each table by its name.
pub(crate) type Differences = BTreeMap<&'static str, Difference>;

/// One tab's copy of some tables.
pub(crate) struct Follower {
    pub(crate) session: Session,
    watch: Watch,
    names: HashMap<PartitionId, &'static str>,
    /// Of each table, the commit from which on it is watched, and its rows, sorted.
    pub(crate) copies: BTreeMap<&'static str, (u64, Rows)>,
    /// What was reported, by the numbers of the commits.
    pub(crate) commits: BTreeMap<u64, Differences>,
    /// How often it had to read a table anew without being told what had changed.
    pub(crate) n_resets: usize,
}

impl Follower {
    pub(crate) fn new(disk: &Disk, database: Rc<Database>, tables: &[&'static str]) -> Self {
        let mut follower = Self {
            session: Session::new(database, Principal::system()).unwrap(),
            watch: Watch::default(),
            names: HashMap::new(),
            copies: BTreeMap::new(),
            commits: BTreeMap::new(),
            n_resets: 0,
        };
        tables.iter().for_each(|table| follower.watch(disk, table));
        follower
    }

    fn watch(&mut self, disk: &Disk, table: &'static str) {
        let database = self.session.database();
        let id = block_on(database.watch(&mut self.watch, "default", table, &Principal::system())).unwrap();
        self.names.insert(id, table);
        let copy = (disk.head(), self.read(table));
        self.copies.insert(table, copy);
    }

    /// The rows of a table as a query reads them, sorted.
    pub(crate) fn read(&self, table: &str) -> Rows {
        let mut rows = rows(&self.session, &format!("SELECT * FROM {table}"));
        rows.sort_unstable();
        rows
    }

    /// Applies what is reported by now, and compares the copies with what queries read.
    pub(crate) fn catch_up(&mut self, disk: &Disk) {
        self.follow(disk, |_, _| ()).unwrap();
        self.check();
    }

    /// Compares the copies with what queries read.
    pub(crate) fn check(&self) {
        for (table, (_, copy)) in &self.copies {
            assert_eq!(*copy, self.read(table), "{table}");
        }
    }

    /// Applies what is reported by now; `after` is called with the number of each commit.
    pub(crate) fn follow(&mut self, disk: &Disk, mut after: impl FnMut(&Self, u64)) -> Result<(), Error> {
        while let Some(changes) = block_on(self.session.database().next_changes(&mut self.watch))? {
            assert!(self.commits.keys().all(|earlier| *earlier < changes.commit), "commit {} again", changes.commit);
            let mut anew = Vec::new();
            for (id, change) in changes.partitions {
                let table = self.names[&id];
                match change {
                    PartitionChange::Rows(deltas) => {
                        for delta in deltas {
                            let (removed, added) =
                                (rows_of(&delta.removed().unwrap()), rows_of(&delta.added().unwrap()));
                            self.apply(table, &removed, &added);
                            let difference = self.commits.entry(changes.commit).or_default().entry(table).or_default();
                            difference.removed.extend(removed);
                            difference.added.extend(added);
                        }
                    }
                    PartitionChange::Reset => {
                        self.n_resets += 1;
                        anew.push(table);
                    }
                    PartitionChange::Dropped => anew.push(table),
                }
            }
            for difference in self.commits.get_mut(&changes.commit).into_iter().flat_map(BTreeMap::values_mut) {
                difference.removed.sort_unstable();
                difference.added.sort_unstable();
            }
            anew.into_iter().for_each(|table| self.watch(disk, table));
            after(self, changes.commit);
        }
        Ok(())
    }

    fn apply(&mut self, table: &str, removed: &[Row], added: &[Row]) {
        let copy = &mut self.copies.get_mut(table).unwrap().1;
        for row in removed {
            let at = copy.binary_search(row);
            copy.remove(at.unwrap_or_else(|_| panic!("{table}: {row:?} is taken away, which is not there")));
        }
        for row in added {
            let at = copy.binary_search(row).unwrap_or_else(|at| at);
            copy.insert(at, row.clone());
        }
    }
}
