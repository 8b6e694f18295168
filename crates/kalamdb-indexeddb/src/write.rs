//! The readwrite transaction of a commit.

use std::future::poll_fn;
use std::pin::pin;

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
/// Returning early drops the transaction, which aborts it. `on_way` is called when nothing but the browser is left to wait for.
pub(crate) async fn commit(
    database: &Database,
    commit: &Commit,
    writes: Vec<Write>,
    attempt: &mut Attempt,
    on_way: impl FnOnce(),
) -> StoreResult<()> {
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
    let meta = read::meta(&transaction, attempt)?;
    // The writes do not wait for the head, which seldom has moved: nothing of them stays if it has.
    request_all(&transaction, writes, attempt)?;
    let (format, meta) = meta.await?;
    check_base(&meta, commit.base)?;
    if format < FORMAT_VERSION {
        let version = Write::Put { store: META, key: JsValue::from_str(FORMAT_KEY), value: JsValue::from(FORMAT_VERSION) };
        request_all(&transaction, vec![version], attempt)?;
    }
    finish(transaction, on_way).await
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
async fn finish(transaction: Transaction<'_>, on_way: impl FnOnce()) -> StoreResult<()> {
    let raw = transaction.as_sys().clone();
    let mut committing = pin!(transaction.commit());
    let mut on_way = Some(on_way);
    let committed = poll_fn(|context| {
        let polled = committing.as_mut().poll(context);
        if let Some(on_way) = on_way.take() {
            on_way();
        }
        polled
    });
    match committed.await {
        Ok(()) => Ok(()),
        // The `abort` event: the reason, for instance the quota, is in the transaction.
        Err(Error::MissingData(UnexpectedDataError::TransactionAborted)) => {
            Err(raw.error().map_or_else(|| dom("AbortError", "the transaction was aborted".to_owned()), |reason| from_js(&reason)))
        }
        // Not an event but an exception of commit() itself: the transaction had already ended. Unless it has an error, that
        // may have been with success.
        Err(Error::DomException(DomException::InvalidStateError(exception))) => {
            Err(raw.error().map_or_else(|| StoreError::Indeterminate { reason: exception.message() }, |reason| from_js(&reason)))
        }
        // The `error` event of a request, after which the browser aborts the transaction.
        Err(error) => Err(store_error(error)),
    }
}
