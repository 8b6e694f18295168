//! The readwrite transaction of a commit.

use indexed_db_futures::database::Database;
use indexed_db_futures::error::{DomException, Error, UnexpectedDataError};
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{Transaction, TransactionDurability, TransactionMode, TransactionOptions, TransactionRef};
use kalamdb_store::{Attempt, Commit, Durability, FORMAT_VERSION, StoreError, StoreResult, check_base};
use wasm_bindgen::prelude::*;

use crate::error::{dom, from_js, store_error};
use crate::read;
use crate::values::{FORMAT_KEY, META, STORES, Write};

/// Stores `writes` if the head is still the base of `commit`; resolves on `complete`.
///
/// Returning early drops the transaction, which aborts it.
pub(crate) async fn commit(database: &Database, commit: &Commit, mut writes: Vec<Write>, attempt: &mut Attempt) -> StoreResult<()> {
    let durability = match commit.durability {
        Durability::Relaxed => TransactionDurability::Relaxed,
        Durability::Strict => TransactionDurability::Strict,
    };
    let transaction = database
        .transaction(STORES)
        .with_mode(TransactionMode::Readwrite)
        .with_options(TransactionOptions::new().with_durability(durability))
        .build()
        .map_err(store_error)?;
    let (format, meta) = read::meta(&transaction, attempt).await?;
    check_base(&meta, commit.base)?;
    if format < FORMAT_VERSION {
        writes.push(Write::Put { store: META, key: JsValue::from_str(FORMAT_KEY), value: JsValue::from(FORMAT_VERSION) });
    }
    request_all(&transaction, writes, attempt)?;
    finish(transaction).await
}

/// Makes all requests at once. Their own results are not waited for: if one fails, so does the transaction.
fn request_all(transaction: &TransactionRef<'_>, writes: Vec<Write>, attempt: &mut Attempt) -> StoreResult<()> {
    for write in writes {
        attempt.request()?;
        let request = match write {
            Write::Put { store, key, value } => {
                let store = transaction.object_store(store).map_err(store_error)?;
                store.put(value).with_key(key).without_key_type().primitive()
            }
            Write::Delete { store, key } => {
                let store = transaction.object_store(store).map_err(store_error)?;
                store.delete::<JsValue, _>(key).primitive()
            }
        };
        request.map_err(store_error)?;
    }
    Ok(())
}

/// Commits, and tells what a failure to do so means.
async fn finish(transaction: Transaction<'_>) -> StoreResult<()> {
    let raw = transaction.as_sys().clone();
    match transaction.commit().await {
        Ok(()) => Ok(()),
        // The `abort` event: the reason, for instance the quota, is in the transaction.
        Err(Error::MissingData(UnexpectedDataError::TransactionAborted)) => {
            Err(raw.error().map_or_else(|| dom("AbortError", "the transaction was aborted".to_owned()), |reason| from_js(&reason)))
        }
        // Not an event but an exception of commit() itself: the transaction had already ended. Unless it has an error, that
        // may have been with success.
        Err(Error::DomException(DomException::InvalidStateError(exception))) if raw.error().is_none() => {
            Err(StoreError::Indeterminate { reason: exception.message() })
        }
        // The `error` event of a request, after which the browser aborts the transaction.
        Err(error) => Err(store_error(error)),
    }
}
