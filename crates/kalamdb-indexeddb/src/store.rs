use std::any::Any;
use std::cell::Cell;

use async_trait::async_trait;
use indexed_db_futures::database::Database;
use kalamdb_store::protocol::Prepared;
use kalamdb_store::{
    Attempt, Commit, CommitRecord, Faults, LogKey, MAX_KEY, Meta, Page, PageKey, Repair, Store, StoreError,
    StoreResult, Tail,
};

use crate::connection::Connection;
use crate::hint::Hints;
use crate::open::{self, IdbOptions, database_name};
use crate::queue::{Queue, Rivals};
use crate::values::{CATALOG, LOG, MANIFEST, SEGMENTS};
use crate::write::IdbTransaction;
use crate::{delete, read, reserve};

/// A KalamDB database in IndexedDB.
///
/// Any number of connections, in one tab or many, may be open to one database. A connection closes by itself when
/// another one deletes or upgrades the database, and the browser may close it; the next call then opens another one. If
/// the database was deleted, every call fails with `Deleted`: a new one of the same name is not begun. Dropping the
/// store closes it.
pub struct IdbStore {
    connection: Connection,
    hints: Hints,
    rivals: Rivals,
    queue: Queue,
    faults: Faults,
    /// The size of the reserve when this connection last looked.
    reserve: Cell<Option<usize>>,
}

impl IdbStore {
    /// Opens the database `name` of this origin, creating it if there is none.
    ///
    /// # Errors
    /// `Unavailable` if there is no IndexedDB here or it is refused; `SchemaTooNew` if newer code has written the
    /// database; `Blocked` if another connection does not make way for an upgrade; `Corrupted` if it is not a KalamDB
    /// database.
    pub async fn open(name: &str, options: IdbOptions) -> StoreResult<Self> {
        let name = database_name(name);
        let database = open::open(&name, &options).await?;
        let (hints, queue, faults) = (Hints::listen(&name), Queue::new(&name), options.faults.clone());
        Ok(Self {
            connection: Connection::new(name, options, database),
            hints,
            rivals: Rivals::default(),
            queue,
            faults,
            reserve: Cell::default(),
        })
    }

    /// Deletes the database `name`; nothing happens if there is none. Whoever has it open finds it deleted.
    ///
    /// # Errors
    /// `Blocked` if newer or foreign code has made the database and keeps it open: it is then deleted as soon as it
    /// does not. `Unavailable`.
    pub async fn delete(name: &str) -> StoreResult<()> {
        Self::delete_with(name, &IdbOptions::default()).await
    }

    /// As [`IdbStore::delete`], waiting as long as `options` say.
    ///
    /// # Errors
    /// As [`IdbStore::delete`].
    pub async fn delete_with(name: &str, options: &IdbOptions) -> StoreResult<()> {
        let name = database_name(name);
        delete::delete(&name, options).await?;
        Hints::say_deleted(&name);
        Ok(())
    }

    /// Says whether commits are made as if nobody else wrote, from now on, for tests.
    pub fn set_quiet(&self, is_quiet: bool) {
        self.rivals.set_quiet(is_quiet);
    }

    /// Runs a readonly transaction, and runs it again if the browser has closed the connection.
    async fn read<T>(&self, read: impl AsyncFn(&Database, &mut Attempt) -> StoreResult<T>) -> StoreResult<T> {
        for _ in 0..2 {
            if let Ended::Told(result) = self.transact(&read).await? {
                return result;
            }
        }
        Err(StoreError::Closed)
    }

    /// Stores a commit; on another connection if the one that there is turns out to be closed before the transaction
    /// has begun.
    async fn store(&self, commit: &Commit, prepared: &Prepared) -> StoreResult<()> {
        let scope: &[&'static str] =
            if prepared.is_record_alone() { &[LOG] } else { &[LOG, CATALOG, SEGMENTS, MANIFEST] };
        for _ in 0..2 {
            // Told before it is done, as that takes time too: who reads on then waits for it in the browser.
            let tell = self.hints.teller(commit.meta.head);
            let is_quiet = self.rivals.are_quiet(self.hints.n_heard());
            let run = async |database: &Database, attempt: &mut Attempt| {
                let mut transaction =
                    IdbTransaction::begin(database, scope, commit.durability, attempt, Box::new(tell))?;
                prepared.store(&mut transaction, is_quiet).await
            };
            match self.transact(run).await? {
                Ended::Told(result) => {
                    self.rivals.raced(matches!(result, Err(StoreError::Conflict { .. })));
                    return result;
                }
                // It had begun: if it is stored, nobody is left to tell.
                Ended::Lost(StoreError::Platform { name, message }) => {
                    return Err(StoreError::Indeterminate { reason: format!("{name}: {message}") });
                }
                Ended::Lost(_) => {}
            }
        }
        Err(StoreError::Closed)
    }

    /// Stores a commit in the room of the reserve, if that is large enough.
    async fn store_in_reserve(&self, commit: &Commit, prepared: &Prepared) -> StoreResult<()> {
        let found = self.read(reserve::size).await?;
        self.reserve.set(Some(found));
        let needed = reserve::needed(prepared.n_bytes(), prepared.n_puts());
        let Some(left) = reserve::left_after(found, needed) else { return Err(StoreError::QuotaExceeded) };
        self.set_reserve(None).await?;
        let stored = self.store(commit, prepared).await;
        // What is left is for the next one, and not for new rows.
        let mut left = if stored.is_ok() { left } else { Some(found) };
        while left.is_some() && self.set_reserve(left).await == Err(StoreError::QuotaExceeded) {
            left = left.and_then(|n_bytes| reserve::worth_it(n_bytes / 2));
        }
        stored
    }

    async fn set_reserve(&self, n_bytes: Option<usize>) -> StoreResult<()> {
        match self.transact(async |database, attempt| reserve::set(database, n_bytes, attempt).await).await? {
            Ended::Told(result) => result?,
            Ended::Lost(error) => return Err(error),
        }
        self.reserve.set(n_bytes.or(Some(0)));
        Ok(())
    }

    /// Runs a transaction on the connection, and finds out whether the connection ended with it.
    async fn transact<T>(
        &self,
        run: impl AsyncFnOnce(&Database, &mut Attempt) -> StoreResult<T>,
    ) -> StoreResult<Ended<T>> {
        let database = self.connection.database().await?;
        let was_armed = self.faults.is_armed();
        let mut attempt = self.faults.attempt();
        let result = match run(&database, &mut attempt).await {
            Ok(value) => attempt.finish().map(|()| value),
            Err(error) => Err(error),
        };
        Ok(match result {
            // An injected fault: there is no other connection to be had.
            Err(StoreError::Closed) if was_armed && !self.faults.is_armed() => {
                self.connection.close();
                Ended::Told(Err(StoreError::Closed))
            }
            Err(error @ StoreError::Closed) => {
                self.connection.lose();
                Ended::Lost(error)
            }
            // The browser aborts what is under way when it closes a connection, and says so only afterwards.
            Err(error @ StoreError::Platform { .. }) if self.connection.is_lost() => Ended::Lost(error),
            result => Ended::Told(result),
        })
    }
}

/// How a transaction has ended.
enum Ended<T> {
    /// As the browser has told.
    Told(StoreResult<T>),
    /// With its connection.
    Lost(StoreError),
}

#[async_trait(?Send)]
impl Store for IdbStore {
    async fn read_since(&self, since: Option<&Meta>) -> StoreResult<Tail> {
        let heard = self.hints.newest();
        let read = self.read(async |database, attempt| read::since(database, since, attempt).await).await?;
        if read.was_deleted {
            self.connection.was_deleted();
            return Err(self.connection.deleted());
        }
        if let Some(id) = read.id {
            self.connection.is(id);
        }
        self.hints.correct(heard, read.tail.meta.head);
        Ok(read.tail)
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        let prepared = Prepared::new(commit)?;
        match self.store(commit, &prepared).await {
            Err(StoreError::QuotaExceeded) if commit.makes_room => self.store_in_reserve(commit, &prepared).await,
            result => result,
        }
    }

    async fn read_commits(&self, numbers: &[u64]) -> StoreResult<Vec<Option<CommitRecord>>> {
        self.read(async |database, attempt| read::commits(database, numbers, attempt).await).await
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        self.read(async |database, attempt| read::pages(database, keys, attempt).await).await
    }

    async fn read_pages_of(&self, of: LogKey, keys: &[PageKey]) -> StoreResult<Option<Vec<StoreResult<Option<Page>>>>> {
        self.read(async |database, attempt| read::pages_of(database, of, keys, attempt).await).await
    }

    async fn repairs(&self) -> StoreResult<Vec<Repair>> {
        self.read(async |database, attempt| read::repairs(database, attempt).await).await
    }

    async fn queue(&self, n_lost: usize) -> Option<Box<dyn Any>> {
        self.queue.place(n_lost, &self.hints).await
    }

    fn should_queue(&self) -> bool {
        self.hints.should_queue()
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        self.read(async |database, attempt| read::page_keys(database, attempt).await).await
    }

    async fn keep_reserve(&self, stored_bytes: u64) -> StoreResult<()> {
        // It grows in steps, as growing means to write all of it.
        let is_enough = |found: usize, wanted: usize| found >= wanted / 2;
        let Some(wanted) = reserve::wanted(stored_bytes) else { return Ok(()) };
        if self.reserve.get().is_some_and(|known| is_enough(known, wanted)) {
            return Ok(());
        }
        let found = self.read(reserve::size).await?;
        self.reserve.set(Some(found));
        if is_enough(found, wanted) { Ok(()) } else { self.set_reserve(Some(wanted)).await }
    }

    fn newest_head_heard(&self) -> Option<u64> {
        // Whoever reads on finds out whether the database is still there.
        if self.connection.has_ended() { Some(MAX_KEY) } else { self.hints.newest() }
    }

    async fn close(&self) {
        self.connection.close();
        self.hints.close();
    }
}
