//! Stores a commit, and tells what has become of it.

use kalamdb_store::{Commit, Meta, StoreError};

use super::database::Database;
use crate::error::{Error, Result};

/// What has become of a commit.
#[derive(Debug)]
pub(crate) enum CommitOutcome {
    Stored,
    /// Nothing is stored: somebody else has committed first, or the browser has given the transaction up.
    Conflict,
    /// The browser did not say, and the log does not tell either.
    Unclear(Error),
    /// Nothing is stored: the quota is used up.
    Full(Error),
}

impl Database {
    /// Stores a commit that rests on `base`. Every commit of this instance is stored here.
    ///
    /// # Errors
    /// The store's, if nothing is stored and trying again is of no use.
    pub(crate) async fn store_commit(&self, base: &Meta, commit: &Commit) -> Result<CommitOutcome> {
        Ok(match self.store.commit(commit).await {
            Ok(()) => CommitOutcome::Stored,
            Err(StoreError::Conflict { .. }) => CommitOutcome::Conflict,
            Err(error @ StoreError::Indeterminate { .. }) => {
                let outcome = self.outcome_of(base, commit.nonce).await.unwrap_or_default();
                outcome.unwrap_or_else(|| CommitOutcome::Unclear(error.into()))
            }
            Err(error @ StoreError::QuotaExceeded) => CommitOutcome::Full(error.into()),
            Err(error) => return Err(error.into()),
        })
    }

    /// Reads from the log what became of a commit whose transaction has ended: its nonce tells it from every other one.
    /// `None` if others have committed since, and what they wrote has taken the place of the log by now.
    async fn outcome_of(&self, base: &Meta, nonce: u64) -> Result<Option<CommitOutcome>> {
        let tail = self.store.read_since(Some(base)).await?;
        let next = tail.entries.iter().find(|entry| entry.number == base.head + 1);
        Ok(match next {
            Some(entry) if entry.nonce == Some(nonce) => Some(CommitOutcome::Stored),
            Some(_) => Some(CommitOutcome::Conflict),
            None if tail.meta.head == base.head => Some(CommitOutcome::Conflict),
            None => None,
        })
    }
}
