use async_trait::async_trait;

use crate::{Commit, Page, PageKey, Position, StoreResult, Tail};

/// A durable log of commits, with the catalog that describes their rows.
///
/// Futures are local: a store in the browser holds JavaScript objects, which belong to one thread.
///
/// # Atomicity
/// A [`Commit`] is stored whole or not at all. [`Store::commit`] resolves only when it is durable (for IndexedDB: after
/// the transaction's `complete` event). After an error other than [`StoreError::Indeterminate`](crate::StoreError::Indeterminate)
/// nothing of it is stored.
#[async_trait(?Send)]
pub trait Store {
    /// Reads, in one consistent snapshot, what was committed after `since`; everything if `since` is `None`.
    ///
    /// The catalog is returned only if it changed after `since`. Log records and manifests come in the order of their keys.
    ///
    /// # Errors
    /// A record that does not decode is not an error here: it is listed in [`Tail::damaged`], so that the rest stays readable.
    /// `SchemaTooNew` if the stored format is newer than [`FORMAT_VERSION`](crate::FORMAT_VERSION); `Corrupted` if the meta
    /// record is damaged or contradicts the log or `since`.
    async fn read_since(&self, since: Option<Position>) -> StoreResult<Tail>;

    /// Stores `commit` if the stored head is still `commit.base`.
    ///
    /// # Errors
    /// `Conflict` if another writer has committed since; `InvalidCommit`; `Corrupted` if the meta record is damaged;
    /// `QuotaExceeded`; `Closed`.
    async fn commit(&self, commit: &Commit) -> StoreResult<()>;

    /// Reads columns of segments, each `None` if there is no such record.
    ///
    /// # Errors
    /// `Corrupted` for the first that does not decode.
    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>>;

    /// The keys of all columns of segments, in order.
    async fn page_keys(&self) -> StoreResult<Vec<PageKey>>;

    /// Keeps space aside, in proportion to the bytes that are stored, which commits that [make room](Commit::makes_room) get when
    /// nothing else is left.
    ///
    /// # Errors
    /// `QuotaExceeded` if there is none to be kept: nothing has changed then.
    async fn keep_reserve(&self, _stored_bytes: u64) -> StoreResult<()> {
        Ok(())
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
