//! Random histories of three tabs: in each of them the feed leads from one state of the tables to the next, and tells
//! the same of each commit.

use std::collections::{BTreeMap, BTreeSet};

use crate::feed::follower::{Differences, Follower, Rows};
use crate::support::{Disk, query};
use futures::executor::block_on;
use futures::join;
use kalamdb_core::{CallContext, ErrorKind};
use proptest::prelude::*;

const TABLES: [&str; 2] = ["keyed", "bag"];

/// Of the tabs, which listens only now and then; the others listen after every step.
const LATE: usize = 2;

/// One event of a history.
#[derive(Debug, Clone)]
enum Step {
    Run {
        tab: usize,
        sql: String,
    },
    Transaction {
        tab: usize,
        statements: Vec<String>,
        commits: bool,
    },
    /// Two tabs write at the same moment, and read while they do.
    Race {
        first: String,
        second: String,
    },
    /// Stores the rows of the log as segments, or merges the segments.
    Store {
        tab: usize,
        compacts: bool,
    },
    /// The tab that listens now and then does.
    Listen,
    Reopen {
        tab: usize,
    },
}

fn statement() -> impl Strategy<Value = String> {
    let value = || -5..5_i64;
    let divisor = || 1..8_i64;
    let insert = |verb: &'static str| {
        (prop::collection::btree_set(0..30_i64, 1..6), value()).prop_map(move |(keys, value): (BTreeSet<i64>, i64)| {
            let values: Vec<String> = keys.iter().map(|key| format!("({key}, {value}, 'n{key}')")).collect();
            format!("{verb} INTO keyed VALUES {}", values.join(", "))
        })
    };
    prop_oneof![
        4 => insert("INSERT"),
        2 => insert("REPLACE"),
        3 => (divisor(), value()).prop_map(|(divisor, value)| format!("UPDATE keyed SET v = v + {value} WHERE id % {divisor} = 0")),
        1 => (0..30_i64, 1..4_i64).prop_map(|(from, shift)| format!("UPDATE keyed SET id = id + {shift} WHERE id >= {from}")),
        2 => divisor().prop_map(|divisor| format!("DELETE FROM keyed WHERE id % {divisor} = 0")),
        2 => divisor().prop_map(|divisor| format!("UNDELETE FROM keyed WHERE id % {divisor} = 0")),
        3 => (value(), 1..4_usize).prop_map(|(value, n)| format!("INSERT INTO bag SELECT {value} FROM generate_series(1, {n})")),
        1 => value().prop_map(|value| format!("UPDATE bag SET v = v + 1 WHERE v = {value}")),
        1 => value().prop_map(|value| format!("DELETE FROM bag WHERE v = {value}")),
        1 => (0..2_usize).prop_map(|table| format!("TRUNCATE {}", TABLES[table])),
    ]
}

fn part_of_transaction() -> impl Strategy<Value = String> {
    let name = || prop_oneof![Just("a"), Just("b")];
    prop_oneof![
        6 => statement(),
        2 => name().prop_map(|name| format!("SAVEPOINT {name}")),
        1 => name().prop_map(|name| format!("ROLLBACK TO {name}")),
        1 => name().prop_map(|name| format!("RELEASE {name}")),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let tab = || 0..2_usize;
    prop_oneof![
        10 => (tab(), statement()).prop_map(|(tab, sql)| Step::Run { tab, sql }),
        3 => (tab(), prop::collection::vec(part_of_transaction(), 1..6), prop::bool::weighted(0.8))
            .prop_map(|(tab, statements, commits)| Step::Transaction { tab, statements, commits }),
        2 => (statement(), statement()).prop_map(|(first, second)| Step::Race { first, second }),
        3 => (tab(), any::<bool>()).prop_map(|(tab, compacts)| Step::Store { tab, compacts }),
        3 => Just(Step::Listen),
        1 => (0..3_usize).prop_map(|tab| Step::Reopen { tab }),
    ]
}

/// Runs a statement, which may fail for what it meets in the tables.
fn may_run(tab: &Follower, sql: &str) -> bool {
    match query(&tab.session, sql) {
        Ok(_) => true,
        Err(error) => {
            let kinds = [ErrorKind::UniqueViolation, ErrorKind::InvalidSavepoint, ErrorKind::InFailedTransaction];
            assert!(kinds.contains(&error.kind()), "{sql}: {error:?}");
            false
        }
    }
}

/// What all tabs have been told.
#[derive(Debug, Default)]
struct Told {
    /// What each commit did.
    commits: BTreeMap<u64, Differences>,
    /// The rows of each table after a commit that changed any.
    states: BTreeMap<(u64, &'static str), Rows>,
}

impl Told {
    /// Lets a tab listen, and compares what it is told with what others were told.
    fn listen(&mut self, disk: &Disk, tab: &mut Follower) {
        let states = &mut self.states;
        let outcome = tab.follow(disk, |tab, commit| {
            for (table, _) in tab.commits.get(&commit).into_iter().flatten() {
                let (since, rows) = &tab.copies[table];
                if *since >= commit {
                    continue;
                }
                let state = states.entry((commit, *table)).or_insert_with(|| rows.clone());
                assert_eq!(state, rows, "{table} after commit {commit}");
            }
        });
        outcome.unwrap();
        tab.check();
        for (commit, differences) in &tab.commits {
            let told = self.commits.entry(*commit).or_insert_with(|| differences.clone());
            for (table, difference) in differences {
                assert_eq!(told.entry(table).or_insert_with(|| difference.clone()), difference, "commit {commit}");
            }
        }
    }

    /// Checks that a tab was told of every commit since it began to watch, up to the last one that it has heard of.
    fn check_whole(&self, tab: &Follower, last: u64) {
        for table in TABLES {
            let since = tab.copies[table].0;
            let of = |commits: &BTreeMap<u64, Differences>| -> Vec<u64> {
                let later = commits.iter().filter(|(commit, _)| (since + 1..=last).contains(commit));
                later.filter(|(_, differences)| differences.contains_key(table)).map(|(commit, _)| *commit).collect()
            };
            assert_eq!(of(&tab.commits), of(&self.commits), "{table} since {since}");
        }
    }
}

fn run(steps: &[Step]) {
    let disk = Disk::new();
    let setup = disk.open();
    query(&setup, "CREATE TABLE keyed (id BIGINT PRIMARY KEY, v BIGINT, name TEXT)").unwrap();
    query(&setup, "CREATE TABLE bag (v BIGINT)").unwrap();
    // One has memory for pages, the others have none.
    let open = |tab: usize| {
        let budget = if tab == 0 { 1 << 28 } else { 1 };
        Follower::new(&disk, disk.open_database(budget), &TABLES)
    };
    let mut tabs = [open(0), open(1), open(LATE)];
    let mut told = Told::default();
    let mut may_reset = false;
    for step in steps {
        match step {
            Step::Run { tab, sql } => {
                may_run(&tabs[*tab], sql);
            }
            Step::Transaction { tab, statements, commits } => {
                query(&tabs[*tab].session, "BEGIN").unwrap();
                let done = statements.iter().all(|sql| may_run(&tabs[*tab], sql));
                query(&tabs[*tab].session, if done && *commits { "COMMIT" } else { "ROLLBACK" }).unwrap();
            }
            Step::Race { first, second } => race(&tabs, first, second),
            Step::Store { tab, compacts } => {
                may_reset = true;
                query(&tabs[*tab].session, if *compacts { "STORAGE COMPACT ALL" } else { "STORAGE FLUSH ALL" })
                    .unwrap();
            }
            Step::Listen => {
                told.listen(&disk, &mut tabs[LATE]);
                assert!(may_reset || tabs[LATE].n_resets == 0);
                (may_reset, tabs[LATE].n_resets) = (false, 0);
            }
            Step::Reopen { tab } => {
                let last = tabs[*tab].commits.keys().next_back().copied().unwrap_or_default();
                told.check_whole(&tabs[*tab], last);
                tabs[*tab] = open(*tab);
            }
        }
        for tab in tabs.iter_mut().take(LATE) {
            told.listen(&disk, tab);
            assert_eq!(tab.n_resets, 0);
        }
    }
    for tab in &mut tabs {
        told.listen(&disk, tab);
        told.check_whole(tab, u64::MAX);
    }
}

fn race(tabs: &[Follower; 3], first: &str, second: &str) {
    let call = CallContext::default;
    let read = "SELECT count(*) FROM keyed";
    let (first, second, _, _) = block_on(async {
        join!(
            tabs[0].session.query(first, &[], call()),
            tabs[1].session.query(second, &[], call()),
            tabs[0].session.query(read, &[], call()),
            tabs[1].session.query(read, &[], call()),
        )
    });
    for outcome in [first, second] {
        let failed = outcome.map_or_else(|error| Some(error.kind()), |_| None);
        assert!(failed.is_none_or(|kind| kind == ErrorKind::UniqueViolation), "{failed:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tab_is_told_of_every_commit_once_and_of_what_it_did(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps);
    }
}
