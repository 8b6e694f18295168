//! Random histories of the store in memory against a plain model of what must be stored.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use kalamdb_store::{
    CatalogRecord, Commit, Durability, Fault, Faults, LogEntry, LogKey, LogRecord, MemoryDisk, MemoryStore, Meta,
    Owner, PartitionId, RowState, Store, StoreError, Tail,
};
use proptest::prelude::*;

const HANDLES: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// Commits from what the handle has read; that may be old.
    Commit { handle: usize, change: Change, is_quiet: bool, fault: Option<(u64, Fault)> },
    /// Reads what the handle has not seen.
    Read { handle: usize, fault: Option<u64> },
    /// Closes the handle and opens another one that has seen nothing.
    Reopen { handle: usize },
}

#[derive(Debug, Clone)]
struct Change {
    rows: Vec<Vec<u8>>,
    /// Which of the stored records to drop, as fractions of their number.
    drop_log: Vec<prop::sample::Index>,
    put_catalog: Vec<(u8, Vec<u8>)>,
    drop_catalog: Vec<u8>,
}

/// What must be stored.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    meta: Meta,
    catalog: BTreeMap<String, CatalogRecord>,
    /// The records of the log, void ones too, with the rows that are in them.
    log: BTreeMap<u64, Vec<LogRecord>>,
    void: BTreeSet<u64>,
}

/// A handle and everything that it has read, kept up to date as a reader would.
struct Reader {
    store: MemoryStore,
    position: Option<Meta>,
    seen: Model,
}

impl Model {
    fn commit_from(&self, change: &Change) -> Commit {
        let number = self.meta.head + 1;
        let log = change.rows.iter().zip(0..).map(|(rows, part)| LogRecord {
            key: LogKey { commit: number, part },
            partition: PartitionId { table: 1, owner: (part % 2 == 1).then(|| Owner(format!("owner {part}"))) },
            schema_version: 1,
            first_seq: self.meta.next_seq + u64::from(part),
            updated_us: 0,
            state: RowState::Live,
            is_new: true,
            n_rows: 1,
            rows: rows.clone(),
        });
        let stored: Vec<u64> = self.log.keys().copied().collect();
        let drop_log = change.drop_log.iter().filter(|_| !stored.is_empty()).map(|index| *index.get(&stored)).collect();
        let changes_catalog = !change.put_catalog.is_empty() || !change.drop_catalog.is_empty();
        let meta = Meta {
            head: number,
            catalog_head: if changes_catalog { number } else { self.meta.catalog_head },
            manifest_head: 0,
            owners_head: 0,
            next_seq: self.meta.next_seq + change.rows.len() as u64,
            next_id: self.meta.next_id + 1,
        };
        Commit {
            base: self.meta.head,
            meta,
            log: log.collect(),
            drop_log,
            put_catalog: change
                .put_catalog
                .iter()
                .map(|(key, value)| CatalogRecord { key: name(*key), value: value.clone() })
                .collect(),
            drop_catalog: change.drop_catalog.iter().map(|key| name(*key)).collect(),
            durability: Durability::Relaxed,
            ..Commit::default()
        }
    }

    fn apply(&mut self, commit: &Commit) {
        self.meta = commit.meta.clone();
        self.log.retain(|number, _| !commit.drop_log.contains(number));
        self.void.retain(|number| !commit.drop_log.contains(number));
        self.catalog.retain(|key, _| !commit.drop_catalog.contains(key));
        self.log.insert(commit.meta.head, commit.log.clone());
        self.catalog.extend(commit.put_catalog.iter().map(|record| (record.key.clone(), record.clone())));
    }

    fn everything(&self) -> Tail {
        Tail {
            meta: self.meta.clone(),
            catalog: Some(self.catalog.values().cloned().collect()),
            entries: self.entries_after(0),
            log: self.log.values().flatten().cloned().collect(),
            ..Tail::default()
        }
    }

    /// A writer in haste has lost.
    fn void(&mut self) {
        self.meta.head += 1;
        self.log.insert(self.meta.head, Vec::new());
        self.void.insert(self.meta.head);
    }

    fn entries_after(&self, head: u64) -> Vec<LogEntry> {
        self.log
            .range(head + 1..)
            .map(|(number, _)| LogEntry {
                number: *number,
                nonce: (!self.void.contains(number)).then_some(0),
                is_damaged: false,
            })
            .collect()
    }
}

fn name(key: u8) -> String {
    format!("table/{key}")
}

impl Reader {
    fn open(disk: &MemoryDisk, faults: &Faults) -> Self {
        Self { store: MemoryStore::on_disk(disk.clone(), faults.clone()), position: None, seen: Model::default() }
    }

    /// Reads on, and checks that it gets the news and nothing else.
    fn read(&mut self, truth: &Model) -> Result<(), StoreError> {
        let tail = block_on(self.store.read_since(self.position.as_ref()))?;
        let from = self.position.as_ref().map_or(0, |position| position.head);
        let news: Vec<LogRecord> = truth.log.range(from + 1..).flat_map(|(_, parts)| parts).cloned().collect();
        assert_eq!(tail.log, news);
        assert_eq!(tail.entries, truth.entries_after(from));
        assert_eq!(tail.meta, truth.meta);
        let changed = self.position.as_ref().is_none_or(|position| position.catalog_head != truth.meta.catalog_head);
        assert_eq!(tail.catalog, changed.then(|| truth.catalog.values().cloned().collect::<Vec<_>>()));
        self.position = Some(tail.meta);
        self.seen = truth.clone();
        Ok(())
    }
}

fn faults() -> impl Strategy<Value = (u64, Fault)> {
    let fault = prop_oneof![
        Just(Fault::QuotaExceeded),
        Just(Fault::Abort),
        Just(Fault::Close),
        any::<bool>().prop_map(|stored| Fault::Indeterminate { stored }),
    ];
    (1..12_u64, fault)
}

fn changes() -> impl Strategy<Value = Change> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..8);
    (
        prop::collection::vec(bytes(), 0..4),
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        prop::collection::btree_map(0..5_u8, bytes(), 0..3),
        prop::collection::vec(0..5_u8, 0..2),
    )
        .prop_map(|(rows, drop_log, put_catalog, drop_catalog)| {
            let put_catalog = put_catalog.into_iter().collect();
            Change { rows, drop_log, put_catalog, drop_catalog }
        })
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..HANDLES, changes(), any::<bool>(), prop::option::weighted(0.3, faults()))
            .prop_map(|(handle, change, is_quiet, fault)| Step::Commit { handle, change, is_quiet, fault }),
        3 => (0..HANDLES, prop::option::weighted(0.2, 1..6_u64)).prop_map(|(handle, fault)| Step::Read { handle, fault }),
        1 => (0..HANDLES).prop_map(|handle| Step::Reopen { handle }),
    ]
}

proptest! {
    #[test]
    fn every_history_leaves_what_the_model_says(history in prop::collection::vec(steps(), 0..60)) {
        let (disk, faults) = (MemoryDisk::default(), Faults::default());
        let mut truth = Model::default();
        let mut readers: Vec<Reader> = (0..HANDLES).map(|_| Reader::open(&disk, &faults)).collect();
        for step in history {
            match step {
                Step::Commit { handle, change, is_quiet, fault } => {
                    let reader = &mut readers[handle];
                    let commit = reader.seen.commit_from(&change);
                    let stale = commit.base != truth.meta.head;
                    if let Some((nth, fault)) = fault {
                        faults.arm(nth, fault);
                    }
                    reader.store.set_quiet(is_quiet);
                    let is_alone = commit.drop_log.is_empty() && commit.put_catalog.is_empty() && commit.drop_catalog.is_empty();
                    let outcome = block_on(reader.store.commit(&commit));
                    let struck = fault.map(|(_, fault)| fault).filter(|_| !faults.is_armed());
                    faults.disarm();
                    match (outcome, struck) {
                        (Ok(()), None) => prop_assert!(!stale),
                        (Err(StoreError::Conflict { found, .. }), None | Some(Fault::Indeterminate { stored: true })) => {
                            prop_assert!(stale);
                            prop_assert_eq!(found, truth.meta.head);
                            if is_quiet && is_alone {
                                truth.void();
                            }
                            continue;
                        }
                        (Err(StoreError::Indeterminate { .. }), Some(Fault::Indeterminate { stored: true })) if stale => {
                            prop_assert!(is_quiet && is_alone);
                            truth.void();
                            continue;
                        }
                        (Err(StoreError::Indeterminate { .. }), Some(Fault::Indeterminate { stored: true })) => {}
                        (Err(StoreError::Closed), Some(Fault::Close)) => {
                            *reader = Reader::open(&disk, &faults);
                            continue;
                        }
                        (Err(StoreError::QuotaExceeded), Some(Fault::QuotaExceeded))
                        | (Err(StoreError::Platform { .. }), Some(Fault::Abort))
                        | (Err(StoreError::Indeterminate { .. }), Some(Fault::Indeterminate { stored: false })) => continue,
                        unexpected => prop_assert!(false, "{unexpected:?}"),
                    }
                    truth.apply(&commit);
                }
                Step::Read { handle, fault } => {
                    if let Some(nth) = fault {
                        faults.arm(nth, Fault::Abort);
                    }
                    let outcome = readers[handle].read(&truth);
                    prop_assert_eq!(outcome.is_err(), fault.is_some() && !faults.is_armed());
                    faults.disarm();
                }
                Step::Reopen { handle } => {
                    block_on(readers[handle].store.close());
                    prop_assert_eq!(readers[handle].read(&truth), Err(StoreError::Closed));
                    readers[handle] = Reader::open(&disk, &faults);
                }
            }
            prop_assert_eq!(block_on(MemoryStore::on_disk(disk.clone(), Faults::default()).read_since(None)), Ok(truth.everything()));
        }
    }
}
