use std::cell::Cell;

use async_trait::async_trait;
use indexed_db_futures::database::Database;
use kalamdb_store::{Attempt, Commit, Faults, MAX_KEY, Page, PageKey, Position, Store, StoreError, StoreResult, Tail, check_commit};

use crate::connection::Connection;
use crate::hint::Hints;
use crate::open::{self, IdbOptions, database_name};
use crate::values::writes_of;
use crate::{read, reserve, write};

/// A KalamDB database in IndexedDB.
///
/// Any number of connections, in one tab or many, may be open to one database. A connection closes by itself when another one
/// deletes or upgrades the database, and the browser may close it; the next call then opens another one. If the database was
/// deleted, every call fails with `Deleted`: a new one of the same name is not begun. Dropping the store closes it.
pub struct IdbStore {
    connection: Connection,
    hints: Hints,
    faults: Faults,
    /// The size of the reserve when this connection last looked.
    reserve: Cell<Option<usize>>,
}

impl IdbStore {
    /// Opens the database `name` of this origin, creating it if there is none.
    ///
    /// # Errors
    /// `Unavailable` if there is no IndexedDB here or it is refused; `SchemaTooNew` if newer code has written the database;
    /// `Blocked` if another connection does not make way for an upgrade; `Corrupted` if it is not a KalamDB database.
    pub async fn open(name: &str, options: IdbOptions) -> StoreResult<Self> {
        let name = database_name(name);
        let database = open::open(&name, &options).await?;
        let (hints, faults) = (Hints::listen(&name), options.faults.clone());
        Ok(Self { connection: Connection::new(name, options, database), hints, faults, reserve: Cell::default() })
    }

    /// Deletes the database `name`; nothing happens if there is none. Its connections in other tabs close.
    ///
    /// # Errors
    /// `Blocked` if a connection does not close in time: the database is then deleted as soon as it does. `Unavailable`.
    pub async fn delete(name: &str) -> StoreResult<()> {
        Self::delete_with(name, &IdbOptions::default()).await
    }

    /// As [`IdbStore::delete`], waiting as long as `options` say.
    ///
    /// # Errors
    /// As [`IdbStore::delete`].
    pub async fn delete_with(name: &str, options: &IdbOptions) -> StoreResult<()> {
        open::delete(&database_name(name), options).await
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

    /// Stores a commit; on another connection if the one that there is turns out to be closed before the transaction has begun.
    async fn store(&self, commit: &Commit) -> StoreResult<()> {
        for _ in 0..2 {
            let writes = writes_of(commit)?;
            // Told before it is done, as that takes time too: who reads on then waits for it in the browser.
            let tell = self.hints.teller(commit.meta.head);
            match self.transact(async |database, attempt| write::commit(database, commit, writes, attempt, tell).await).await? {
                Ended::Told(result) => return result,
                // It had begun: if it is stored, nobody is left to tell.
                Ended::Lost(StoreError::Dom { name, message }) => return Err(StoreError::Indeterminate { reason: format!("{name}: {message}") }),
                Ended::Lost(_) => {}
            }
        }
        Err(StoreError::Closed)
    }

    /// Stores a commit in the room of the reserve, if that is large enough.
    async fn store_in_reserve(&self, commit: &Commit) -> StoreResult<()> {
        let found = self.read(reserve::size).await?;
        self.reserve.set(Some(found));
        let Some(left) = reserve::left_after(found, reserve::needed(commit)) else { return Err(StoreError::QuotaExceeded) };
        self.set_reserve(None).await?;
        let stored = self.store(commit).await;
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
    async fn transact<T>(&self, run: impl AsyncFnOnce(&Database, &mut Attempt) -> StoreResult<T>) -> StoreResult<Ended<T>> {
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
            Err(error @ StoreError::Dom { .. }) if self.connection.is_lost() => Ended::Lost(error),
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
    async fn read_since(&self, since: Option<Position>) -> StoreResult<Tail> {
        let heard = self.hints.newest();
        let (tail, id) = self.read(async |database, attempt| read::since(database, since, attempt).await).await?;
        if let Some(id) = id {
            self.connection.is(id);
        }
        self.hints.correct(heard, tail.meta.head);
        self.connection.saw(&tail.meta);
        Ok(tail)
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        check_commit(commit)?;
        match self.store(commit).await {
            Err(StoreError::QuotaExceeded) if commit.makes_room => self.store_in_reserve(commit).await?,
            result => result?,
        }
        self.connection.saw(&commit.meta);
        Ok(())
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        self.read(async |database, attempt| read::pages(database, keys, attempt).await).await
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
