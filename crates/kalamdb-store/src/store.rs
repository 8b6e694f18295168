use std::any::Any;

use async_trait::async_trait;

use crate::{Commit, CommitRecord, LogKey, Meta, Page, PageKey, Repair, StoreResult, Tail};

/// A durable log of commits, with the catalog that describes their rows.
///
/// Futures are local: a store in the browser holds JavaScript objects, which belong to one thread.
///
/// # Atomicity
/// A [`Commit`] is stored whole or not at all. [`Store::commit`] resolves only when it is durable (for IndexedDB: after
/// the transaction's `complete` event). After an error other than
/// [`StoreError::Indeterminate`](crate::StoreError::Indeterminate) nothing of it is stored.
#[async_trait(?Send)]
pub trait Store {
    /// Reads, in one consistent snapshot, what was committed after `since`, the numbers that a reader has seen last;
    /// everything if it has seen nothing.
    ///
    /// The catalog is returned only if it changed after `since`. Records of the log and manifests come in the order of
    /// their keys.
    ///
    /// # Errors
    /// A record that does not decode is not an error here: it is listed in [`Tail::damaged`], so that the rest stays
    /// readable. `SchemaTooNew` if the stored format is newer than [`FORMAT_VERSION`](crate::FORMAT_VERSION);
    /// `Corrupted` if commits that the reader has seen are gone.
    async fn read_since(&self, since: Option<&Meta>) -> StoreResult<Tail>;

    /// Stores `commit` if it is based on all that was committed before.
    ///
    /// What decides is the number that the browser gives to its record in the log ([`protocol`](crate::protocol)):
    /// nothing that happens to the caller on the way makes a commit count that is not based on the one before it.
    ///
    /// # Errors
    /// `Conflict` if another writer has committed since; `InvalidCommit`; `QuotaExceeded`; `Closed`.
    async fn commit(&self, commit: &Commit) -> StoreResult<()>;

    /// Reads records of the log, each `None` if it is not there, is void or does not decode.
    async fn read_commits(&self, numbers: &[u64]) -> StoreResult<Vec<Option<CommitRecord>>>;

    /// Reads columns of segments, each `None` if there is no such record.
    ///
    /// # Errors
    /// `Corrupted` for the first that does not decode.
    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>>;

    /// Reads columns of segments at a moment at which the manifest `of` is the one that names them; `None` if it is
    /// another one by now.
    async fn read_pages_of(&self, of: LogKey, keys: &[PageKey]) -> StoreResult<Option<Vec<StoreResult<Option<Page>>>>>;

    /// What was set right when the database was opened, now or earlier.
    async fn repairs(&self) -> StoreResult<Vec<Repair>> {
        Ok(Vec::new())
    }

    /// The keys of all columns of segments, in order.
    async fn page_keys(&self) -> StoreResult<Vec<PageKey>>;

    /// Keeps space aside, in proportion to the bytes that are stored, which commits that
    /// [make room](Commit::makes_room) get when nothing else is left.
    ///
    /// # Errors
    /// `QuotaExceeded` if there is none to be kept: nothing has changed then.
    async fn keep_reserve(&self, _stored_bytes: u64) -> StoreResult<()> {
        Ok(())
    }

    /// Waits for a turn among all writers that have lost races, of whatever tab; dropping what it gives passes the turn
    /// on, and so does the end of the tab. Those that have not lost yet are asked to wait for their turns too.
    ///
    /// Nothing depends on it but how long writers wait: it gives nothing where the platform has no such queue, where it
    /// does not move, and to a store of which somebody is in the queue already. Without a queue it waits a little, the
    /// longer the more races were lost.
    async fn queue(&self, _n_lost: usize) -> Option<Box<dyn Any>> {
        None
    }

    /// Whether writers of other tabs are waiting in the queue, so that those who come now should wait too.
    fn should_queue(&self) -> bool {
        false
    }

    /// The highest head that other connections are known to have committed, as far as their news arrived.
    ///
    /// A hint for when to read on: news may be late or lost, so nothing may depend on it.
    fn newest_head_heard(&self) -> Option<u64> {
        None
    }

    /// Closes the store; later calls fail with `Closed`. Closing twice is allowed.
    async fn close(&self);
}
