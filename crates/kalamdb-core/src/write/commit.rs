//! The write path of every statement: compute a change, number it, store it, apply it.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use kalamdb_store::{Commit, Durability, Meta, Owner, PartitionId as StoredId, RowState};

use crate::catalog::PartitionId;
use crate::change::{CatalogChange, Change, Committed, TableChange};
use crate::database::{
    AppliedCommit, CommitGroup, CommitOutcome, Database, Dying, Leaving, MemberOutcome, Races, ReadView, Ticket,
    Transaction, WritePermit,
};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Logged;

/// How often a statement runs again because another tab committed first.
const MAX_ATTEMPTS: usize = 60;

/// A change of more rows than this opens no group: that others wait a little costs less than computing on a copy.
const MAX_FIRST_ROWS: usize = 4096;

/// Computes a change with `compute` and commits it, or takes it into the transaction that the statement is a part of.
///
/// Outside of a transaction the change is computed again from newer rows if another tab committed first. Statements
/// that wait for their turn to write are committed together ([`CommitGroup`]). Each time `compute` is given the view to
/// compute from.
///
/// # Errors
/// Those of `compute`; `serialization_failure` after many attempts; the store's. Nothing is written then.
pub(crate) async fn write<T>(
    view: ReadView<'_>,
    mut compute: impl AsyncFnMut(ReadView<'_>) -> Result<(Change, T)>,
) -> Result<(Committed, T)> {
    let database = view.database;
    database.check_open()?;
    if let Some(transaction) = view.transaction() {
        let _statements = transaction.statements().await;
        transaction.refresh(database).await?;
        let (change, outcome) = compute(view).await?;
        if !change.is_empty() {
            transaction.apply(database, change)?;
        }
        // The commit numbers the rows; until then they have no number to tell.
        return Ok((Committed::default(), outcome));
    }
    if database.take_write_stall() {
        // What fails is tried again by those who look after the log, and system.jobs tells of it.
        let _ = Box::pin(database.shorten_log()).await;
    }
    let mut turn = database.turns().next().await?;
    let mut races = Races::default();
    for attempt in 0..MAX_ATTEMPTS {
        database.check_open()?;
        races.before_another(database).await;
        let outcome = match database.open_group() {
            Some(group) => write_in_group(view, group, turn, &mut compute).await?,
            None => {
                if attempt == 0 {
                    database.refresh().await?;
                } else {
                    database.catch_up().await?;
                }
                write_first(view, turn, &mut compute).await?
            }
        };
        turn = match outcome {
            Attempt::Done(committed, outcome) => return Ok((committed, outcome)),
            Attempt::Again(turn) => turn,
            Attempt::Wait(place) => place.turn().await?,
        };
    }
    Err(Error::new(ErrorKind::SerializationFailure, "other tabs kept committing first")
        .with_hint("run the statement again"))
}

/// The outcome of one attempt to write.
enum Attempt<T> {
    Done(Committed, T),
    /// Another tab has committed first.
    Again(WritePermit),
    /// The same, and the turn has gone to the statements before this one.
    Wait(Ticket),
}

/// Writes on the committed rows: alone, or as the first of a group if other statements wait.
async fn write_first<T>(
    view: ReadView<'_>,
    turn: WritePermit,
    compute: &mut impl AsyncFnMut(ReadView<'_>) -> Result<(Change, T)>,
) -> Result<Attempt<T>> {
    let database = view.database;
    let base = database.meta();
    let computed = compute(view).await;
    if database.meta().head != base.head {
        // A reader has read on: the change may rest on rows of before and after.
        return Ok(Attempt::Again(turn));
    }
    let (change, outcome) = computed?;
    if change.is_empty() {
        return Ok(Attempt::Done(Committed::default(), outcome));
    }
    if database.turns().has_waiting() && change.catalog.is_none() && change.n_rows() <= MAX_FIRST_ROWS {
        let group = CommitGroup::open(database, commit_group)?;
        return wait_in_group(view, group, turn, change, Ok(outcome)).await;
    }
    let committed = commit(database, &base, vec![change], 0, database.durability()).await?;
    Ok(match committed.and_then(|mut committed| committed.pop()) {
        Some(committed) => Attempt::Done(committed, outcome),
        None => Attempt::Again(turn),
    })
}

/// Writes on top of the earlier statements of the group.
async fn write_in_group<T>(
    view: ReadView<'_>,
    group: Rc<CommitGroup>,
    turn: WritePermit,
    compute: &mut impl AsyncFnMut(ReadView<'_>) -> Result<(Change, T)>,
) -> Result<Attempt<T>> {
    match compute(ReadView::over(view.database, group.overlay())).await {
        Ok((change, _)) if change.catalog.is_some() => {
            // Definitions are committed alone.
            let turns = view.database.turns();
            turns.let_last_go();
            Ok(Attempt::Wait(turns.first()))
        }
        Ok((change, outcome)) => wait_in_group(view, group, turn, change, Ok(outcome)).await,
        // It may be that nothing would have failed without those before it, which are not committed yet.
        Err(error) => wait_in_group(view, group, turn, Change::default(), Err(error)).await,
    }
}

/// Joins a group, passes the turn on and waits until the group is committed.
async fn wait_in_group<T>(
    view: ReadView<'_>,
    group: Rc<CommitGroup>,
    turn: WritePermit,
    change: Change,
    outcome: Result<T>,
) -> Result<Attempt<T>> {
    let database = view.database;
    let member = Rc::clone(&group).add(database, change)?;
    if group.is_full() {
        database.turns().let_last_go();
    }
    drop((group, turn));
    match member.reply().await {
        MemberOutcome::Committed(committed) => Ok(Attempt::Done(committed, outcome?)),
        MemberOutcome::Again(place) => Ok(Attempt::Wait(place)),
        MemberOutcome::Failed(error) => Err(error),
    }
}

/// Waits until no statement adds to the group any more, then commits it.
async fn commit_group(database: Rc<Database>, group: Weak<CommitGroup>) {
    // Without a turn or members there is nobody to tell.
    let Ok(_turn) = database.turns().last().await else { return };
    database.set_open_group(Weak::new());
    let base = database.meta();
    // Held only by its members: it ends, and this with it, when they are all gone.
    let Some((changes, is_sound)) = group.upgrade().map(|group| (group.take_changes(), group.is_sound(&database)))
    else {
        return;
    };
    let committed = match is_sound {
        true if changes.iter().all(Change::is_empty) => Ok(Some(vec![Committed::default(); changes.len()])),
        true => commit(&database, &base, changes, 0, database.durability()).await,
        false => Ok(None),
    };
    let Some(group) = group.upgrade() else { return };
    let again = || MemberOutcome::Again(database.turns().first());
    group.settle(|at, is_changing| match &committed {
        Ok(Some(committed)) => MemberOutcome::Committed(committed.get(at).copied().unwrap_or_default()),
        Err(error) if is_changing => MemberOutcome::Failed(error.clone()),
        Err(_) | Ok(None) => again(),
    });
}

/// Commits what a transaction has done, in one commit.
///
/// # Errors
/// `serialization_failure` if what the transaction rests on has changed; the store's. Nothing is written then.
pub(crate) async fn commit_transaction(
    database: &Database,
    transaction: &Transaction,
    durability: Durability,
) -> Result<Committed> {
    database.check_open()?;
    let _turn = database.turn_alone().await?;
    let mut races = Races::default();
    for _ in 0..MAX_ATTEMPTS {
        races.before_another(database).await;
        database.refresh().await?;
        let base = database.meta();
        let changes = transaction.finish(database)?;
        if changes.iter().all(Change::is_empty) {
            return Ok(Committed::default());
        }
        match commit(database, &base, changes, transaction.next_seq(), durability).await? {
            Some(committed) => {
                return Ok(Committed { seq: committed.iter().filter_map(|committed| committed.seq).max() });
            }
            None => drop(database.catch_up().await?),
        }
    }
    Err(Error::new(ErrorKind::SerializationFailure, "other tabs kept committing first")
        .with_hint("run the transaction again"))
}

/// Stores changes and applies them, and tells what each has become; `None` if they are to be computed again: somebody
/// else has committed since `base`, which they were computed from, or the browser has not stored them.
///
/// Later row versions are numbered from `least_next_seq` at least: the ids of rows without a key are among the numbers
/// before it.
async fn commit(
    database: &Database,
    base: &Meta,
    changes: Vec<Change>,
    least_next_seq: u64,
    durability: Durability,
) -> Result<Option<Vec<Committed>>> {
    let n_changes = changes.len();
    let mut next = NextCommit::after(base, database, durability)?;
    let parts = next.put_definitions(changes)?;
    next.drop_log().await?;
    let (runs, committed) = number(parts, base.next_seq, n_changes);
    next.put_rows(runs)?;
    next.applied.meta.next_seq = next.applied.meta.next_seq.max(least_next_seq);
    Ok(next.store(base).await?.then_some(committed))
}

/// Numbers row versions from `next_seq` on. Gives them in runs, each of which is one record, and what each change has
/// become.
fn number(
    parts: Vec<(usize, TableChange)>,
    mut next_seq: u64,
    n_changes: usize,
) -> (Vec<Vec<TableChange>>, Vec<Committed>) {
    let mut committed = vec![Committed::default(); n_changes];
    let mut runs: Vec<Vec<TableChange>> = Vec::new();
    for (at, mut part) in parts {
        part.assign_row_ids(next_seq);
        next_seq += part.rows.n_rows as u64;
        if let Some(committed) = committed.get_mut(at) {
            committed.seq = Some(next_seq - 1);
        }
        match runs.last_mut() {
            Some(run) if run.first().is_some_and(|first| first.goes_with(&part)) => run.push(part),
            _ => runs.push(vec![part]),
        }
    }
    (runs, committed)
}

/// A commit in the making.
struct NextCommit<'a> {
    database: &'a Database,
    stored: Commit,
    /// What becomes visible when that is stored.
    applied: AppliedCommit,
    /// The parts of the log that hold rows of dropped tables.
    dying: Vec<Dying>,
}

impl<'a> NextCommit<'a> {
    fn after(base: &Meta, database: &'a Database, durability: Durability) -> Result<Self> {
        let meta = Meta { head: base.head + 1, ..base.clone() };
        Ok(Self {
            database,
            stored: Commit { base: base.head, nonce: database.random()?, durability, ..Commit::default() },
            applied: AppliedCommit {
                meta,
                catalog: None,
                owners: Vec::new(),
                leaving: Leaving::default(),
                groups: Vec::new(),
            },
            dying: Vec::new(),
        })
    }

    /// Takes in the definitions that the changes make and drop. Gives the row versions to write, each with the place of
    /// its change.
    fn put_definitions(&mut self, changes: Vec<Change>) -> Result<Vec<(usize, TableChange)>> {
        let mut parts = Vec::new();
        for (at, change) in changes.into_iter().enumerate() {
            parts.extend(change.rows.into_iter().filter(|part| part.rows.n_rows > 0).map(|part| (at, part)));
            if let Some(change) = change.catalog {
                parts.retain(|(_, part): &(usize, TableChange)| !change.drop_rows_of.contains(&part.table.id));
                self.put_catalog(change)?;
            }
        }
        Ok(parts)
    }

    fn put_catalog(&mut self, change: CatalogChange) -> Result<()> {
        let (meta, stored) = (&mut self.applied.meta, &mut self.stored);
        meta.catalog_head = meta.head;
        // Segments take ids too, and may have taken some since.
        meta.next_id = meta.next_id.max(change.next_id);
        // A later statement of a transaction may change again, or drop, what an earlier one has written.
        stored
            .put_catalog
            .retain(|record| !change.drop.contains(&record.key) && change.put.iter().all(|put| put.key != record.key));
        stored.drop_catalog.retain(|key| change.put.iter().all(|put| put.key != *key));
        stored.put_catalog.extend(change.put);
        stored.drop_catalog.extend(change.drop);
        for table in change.drop_rows_of {
            self.dying.extend(self.database.parts_of(table));
            let (manifests, pages) = self.database.stored_segments(table)?;
            stored.drop_manifests.extend(manifests);
            stored.drop_pages.extend(pages);
        }
        self.applied.catalog = Some(Arc::new(change.catalog));
        Ok(())
    }

    /// Takes what dies out of the log. Only definitions do that: rows are written at once.
    async fn drop_log(&mut self) -> Result<()> {
        if self.applied.catalog.is_some() {
            let mut leaving = self.database.leaving(&self.dying);
            self.stored.shrink_log = self.database.shrunk(&mut leaving).await?;
            self.stored.drop_log.clone_from(&leaving.drop);
            self.applied.leaving = leaving;
        }
        Ok(())
    }

    /// Encodes row versions as records of the log.
    fn put_rows(&mut self, runs: Vec<Vec<TableChange>>) -> Result<()> {
        let updated_us = self.database.now_us();
        self.applied.groups.reserve_exact(runs.len());
        for run in runs {
            let Some(part) = TableChange::concat(run)? else { continue };
            self.database.check_whole(&part.table, &part.partition)?;
            let stored_id = self.stored_id(&part.partition)?;
            let (meta, log) = (&mut self.applied.meta, &mut self.stored.log);
            let group = part.group(meta.next_seq, updated_us);
            meta.next_seq += part.rows.n_rows as u64;
            let from = log.len();
            group.encode(&part.table, &stored_id, meta.head, log)?;
            let logged: Vec<Logged> = log.iter().skip(from).map(Logged::of).collect();
            self.applied.groups.push((part.table, part.partition, group, logged));
        }
        Ok(())
    }

    /// The partition as it is stored. A user that has rows for the first time is given an owner.
    fn stored_id(&mut self, id: &PartitionId) -> Result<StoredId> {
        if let Some(stored) = self.database.stored_id(id) {
            return Ok(stored);
        }
        let user = id.user.clone().unwrap_or_default();
        let owner = match self.applied.owners.iter().find(|(_, named)| *named == user) {
            Some((owner, _)) => owner.clone(),
            None => {
                let owner = Owner::of_random(self.database.random()?);
                self.applied.meta.owners_head = self.applied.meta.head;
                self.stored.put_catalog.push(owner.record(&user));
                self.applied.owners.push((owner.clone(), user));
                owner
            }
        };
        Ok(StoredId { table: id.table, owner: Some(owner) })
    }

    /// Whether less is stored after the commit, at once or once its tombstones are gone.
    fn makes_room(&self) -> bool {
        let Commit { log, drop_catalog, drop_manifests, .. } = &self.stored;
        let is_dropping = !(self.dying.is_empty() && drop_catalog.is_empty() && drop_manifests.is_empty());
        is_dropping || !log.is_empty() && log.iter().all(|record| record.state == RowState::Deleted)
    }

    /// Stores the commit and makes it visible; false if nothing is stored and the changes are to be computed again.
    async fn store(mut self, base: &Meta) -> Result<bool> {
        self.stored.makes_room = self.makes_room();
        self.stored.meta = self.applied.meta.clone();
        match self.database.store_commit(base, &self.stored).await? {
            CommitOutcome::Stored => {}
            CommitOutcome::Conflict => return Ok(false),
            // Events of streams make room for what is to be kept.
            CommitOutcome::Full(_) if self.database.evict_events().await => return Ok(false),
            CommitOutcome::Full(error) | CommitOutcome::Unclear(error) => return Err(error),
        }
        self.database.record_log_bytes(self.stored.log.iter().map(|record| record.rows.len()).sum());
        self.database.apply_commit(base.head, self.applied);
        Ok(true)
    }
}
