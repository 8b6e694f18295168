use async_trait::async_trait;
use kalamdb_store::{Commit, Faults, Page, PageKey, Position, Store, StoreError, StoreResult, Tail, check_commit};

use crate::connection::Connection;
use crate::hint::Hints;
use crate::open::{self, IdbOptions, database_name};
use crate::values::writes_of;
use crate::{read, write};

/// A KalamDB database in IndexedDB.
///
/// Any number of connections, in one tab or many, may be open to one database. A connection closes by itself when another one
/// deletes or upgrades the database, or when the browser closes it; from then on every call fails with `Closed`. Dropping the
/// store closes it too.
pub struct IdbStore {
    connection: Connection,
    hints: Hints,
    faults: Faults,
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
        Ok(Self { connection: Connection::new(database), hints: Hints::listen(&name), faults: options.faults })
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

    /// Passes on how a transaction ended, closing the connection if that is why.
    fn settle<T>(&self, result: StoreResult<T>) -> StoreResult<T> {
        if matches!(result, Err(StoreError::Closed)) {
            self.connection.close();
        }
        match result {
            // The browser aborts what is under way when it closes a connection.
            Err(StoreError::Dom { name, .. }) if name == "AbortError" && self.connection.database().is_err() => Err(StoreError::Closed),
            other => other,
        }
    }
}

#[async_trait(?Send)]
impl Store for IdbStore {
    async fn read_since(&self, since: Option<Position>) -> StoreResult<Tail> {
        let database = self.connection.database()?;
        let mut attempt = self.faults.attempt();
        let heard = self.hints.newest();
        let tail = self.settle(read::since(&database, since, &mut attempt).await)?;
        self.hints.correct(heard, tail.meta.head);
        Ok(tail)
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        let database = self.connection.database()?;
        check_commit(commit)?;
        let writes = writes_of(commit)?;
        let mut attempt = self.faults.attempt();
        // Told before it is done, as that takes time too: who reads on then waits for it in the browser.
        let tell = || self.hints.tell(commit.meta.head);
        self.settle(write::commit(&database, commit, writes, &mut attempt, tell).await)?;
        attempt.finish()
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        let database = self.connection.database()?;
        let mut attempt = self.faults.attempt();
        self.settle(read::pages(&database, keys, &mut attempt).await)
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        let database = self.connection.database()?;
        let mut attempt = self.faults.attempt();
        self.settle(read::page_keys(&database, &mut attempt).await)
    }

    fn newest_head_heard(&self) -> Option<u64> {
        self.hints.newest()
    }

    async fn close(&self) {
        self.connection.close();
        self.hints.close();
    }
}
