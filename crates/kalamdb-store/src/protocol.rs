//! How a commit is made, request by request: the same for every store.
//!
//! The browser numbers the records of the log itself, one after the other, and never gives a number twice, also when
//! records are removed or the tab that asked is gone. A commit is computed from all that was committed up to its base,
//! and its record says that it is number `base + 1`. So whether it counts is decided by the number that its record
//! gets, and by nothing that anybody has to do afterwards: under any other number it is void, and every reader passes
//! it over.
//!
//! - A commit of rows alone is one request: its record. Where others write at the same time, the number is waited for,
//!   so that a void record is taken back.
//! - A commit that changes more, such as a flush or a definition, first claims a number with an empty record, which is
//!   void. If it is the right one, everything else is requested in one go: what is new, then the record, then what
//!   goes. Whoever dies before has left an empty record; whoever dies later has made the commit.

use std::collections::HashSet;

use async_trait::async_trait;

use crate::codec::encode_parts;
use crate::{
    Commit, LogRecord, RecordKey, StoreError, StoreResult, check_commit, encode_catalog, encode_commit,
    encode_manifest, encode_page,
};

/// A readwrite transaction of a store. Requests are carried out in their order; if one fails, none of them was.
#[async_trait(?Send)]
pub trait WriteTransaction {
    /// Asks for a record to be put at the end of the log, under the next number.
    fn append(&mut self, value: &[u8]) -> StoreResult<()>;

    /// Waits for the number that the last record appended has got.
    async fn number(&mut self) -> StoreResult<u64>;

    /// Asks for a record to be put, in the place of the one that has its key.
    fn put(&mut self, key: &RecordKey, value: &[u8]) -> StoreResult<()>;

    /// Asks for a record to be removed; there need not be one.
    fn delete(&mut self, key: &RecordKey) -> StoreResult<()>;

    /// Makes everything that was asked for durable; resolves when it is.
    ///
    /// # Errors
    /// As [`Store::commit`](crate::Store::commit).
    async fn commit(&mut self) -> StoreResult<()>;

    /// Undoes everything; so does dropping the transaction.
    fn abort(&mut self);
}

/// A commit as it is stored.
#[derive(Debug)]
pub struct Prepared {
    base: u64,
    record: Vec<u8>,
    puts: Vec<(RecordKey, Vec<u8>)>,
    deletes: Vec<RecordKey>,
}

/// A commit of more bytes is never made in haste: a void record of that size is not left behind.
const MAX_HASTY_BYTES: usize = 64 << 10;

impl Prepared {
    /// Checks and encodes a commit.
    ///
    /// # Errors
    /// `InvalidCommit`.
    pub fn new(commit: &Commit) -> StoreResult<Self> {
        check_commit(commit)?;
        let mut log: Vec<&LogRecord> = commit.log.iter().collect();
        log.sort_by_key(|record| record.key);
        let record = encode_parts(&commit.meta, commit.nonce, commit.origin.as_deref(), &log)?;
        let mut puts = Vec::new();
        for page in &commit.put_pages {
            puts.push((RecordKey::Page(page.key), encode_page(page)?));
        }
        for manifest in &commit.put_manifests {
            puts.push((RecordKey::Manifest(manifest.key), encode_manifest(manifest)?));
        }
        puts.extend(
            commit.put_catalog.iter().map(|record| (RecordKey::Catalog(record.key.clone()), encode_catalog(record))),
        );
        for record in &commit.shrink_log {
            puts.push((RecordKey::Log(record.meta.head), encode_commit(record)?));
        }
        let mut deletes: Vec<RecordKey> = commit.drop_catalog.iter().cloned().map(RecordKey::Catalog).collect();
        deletes.extend(commit.drop_manifests.iter().copied().map(RecordKey::Manifest));
        deletes.extend(commit.drop_log.iter().copied().map(RecordKey::Log));
        deletes.extend(commit.drop_pages.iter().copied().map(RecordKey::Page));
        // What is put stays, whatever else is said of it.
        let put: HashSet<&RecordKey> = puts.iter().map(|(key, _)| key).collect();
        deletes.retain(|key| !put.contains(key));
        Ok(Self { base: commit.base, record, puts, deletes })
    }

    /// About how many bytes it puts.
    pub fn n_bytes(&self) -> usize {
        self.record.len() + self.puts.iter().map(|(_, value)| value.len()).sum::<usize>()
    }

    /// How many records it puts.
    pub fn n_puts(&self) -> usize {
        self.puts.len() + 1
    }

    /// Whether nothing but the log is touched.
    pub fn is_record_alone(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }

    /// # Errors
    /// `Conflict` if the record is void under that number.
    fn check(&self, number: u64) -> StoreResult<()> {
        let found = number.saturating_sub(1);
        if found == self.base { Ok(()) } else { Err(StoreError::Conflict { expected: self.base, found }) }
    }

    /// Stores the commit by a transaction that has just begun. `is_quiet` is whether nobody else seems to write.
    ///
    /// # Errors
    /// As [`Store::commit`](crate::Store::commit).
    pub async fn store(&self, transaction: &mut impl WriteTransaction, is_quiet: bool) -> StoreResult<()> {
        let is_hasty = is_quiet && self.record.len() <= MAX_HASTY_BYTES && self.is_record_alone();
        transaction.append(if self.is_record_alone() { &self.record } else { &[] })?;
        if is_hasty {
            transaction.commit().await?;
            return self.check(transaction.number().await?);
        }
        let number = transaction.number().await?;
        if let Err(conflict) = self.check(number) {
            transaction.abort();
            return Err(conflict);
        }
        if !self.is_record_alone() {
            for (key, value) in &self.puts {
                transaction.put(key, value)?;
            }
            transaction.put(&RecordKey::Log(number), &self.record)?;
            for key in &self.deletes {
                transaction.delete(key)?;
            }
        }
        transaction.commit().await
    }
}
