//! Space that is kept aside for commits that make room.
//!
//! A browser refuses to store anything when the quota is used up, the few bytes of a commit that removes gigabytes too;
//! only a transaction that does nothing but delete goes through. So a record is kept that can be deleted. It is one
//! large value, as Chromium keeps those in files of their own, whose space is free at once; that of small values is
//! only after a while.

use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;
use js_sys::Uint8Array;
use kalamdb_store::protocol::WriteTransaction;
use kalamdb_store::{Attempt, Durability, StoreResult};
use wasm_bindgen::prelude::*;

use crate::error::store_error;
use crate::values::{META, RESERVE_KEY};
use crate::write::IdbTransaction;

/// The reserve is this part of what is stored.
const PART: u64 = 8;

/// It has at most so many bytes: what the browser itself needs to delete much, and a little more.
const MAX_BYTES: usize = 4 << 20;

/// What a record takes besides its values, at most.
const RECORD_BYTES: usize = 512;

/// With less, Chromium would not keep it in a file of its own. So the smallest databases have none.
const MIN_BYTES: usize = 128 << 10;

/// The size that a reserve should have, if any.
pub(crate) fn wanted(stored_bytes: u64) -> Option<usize> {
    worth_it(usize::try_from(stored_bytes / PART).unwrap_or(MAX_BYTES).min(MAX_BYTES))
}

/// What is left of a reserve after a commit that needs so many bytes; `None` if it cannot help.
pub(crate) fn left_after(reserve: usize, n_bytes: usize) -> Option<Option<usize>> {
    reserve.checked_sub(n_bytes).filter(|_| reserve > 0).map(worth_it)
}

/// A size that is large enough for a reserve.
pub(crate) fn worth_it(n_bytes: usize) -> Option<usize> {
    Some(n_bytes).filter(|n_bytes| *n_bytes >= MIN_BYTES)
}

/// About how many bytes the browser has to find room for.
pub(crate) fn needed(n_bytes: usize, n_records: usize) -> usize {
    n_bytes + n_records * RECORD_BYTES
}

/// The size of the reserve that there is.
pub(crate) async fn size(database: &Database, attempt: &mut Attempt) -> StoreResult<usize> {
    let transaction = database.transaction(META).build().map_err(store_error)?;
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let found = store.get::<JsValue, _, _>(RESERVE_KEY).primitive().map_err(store_error)?.await.map_err(store_error)?;
    Ok(found.and_then(|value| value.dyn_ref::<Uint8Array>().map(|bytes| bytes.length() as usize)).unwrap_or_default())
}

/// Stores a reserve of so many bytes, or none. It belongs to no commit, so that it does not matter who else writes.
pub(crate) async fn set(database: &Database, n_bytes: Option<usize>, attempt: &mut Attempt) -> StoreResult<()> {
    let key = JsValue::from_str(RESERVE_KEY);
    let value = n_bytes.map(noise);
    let mut transaction = IdbTransaction::begin(database, &[META], Durability::Relaxed, attempt, Box::new(|| ()))?;
    match value {
        Some(value) => transaction.put_at(META, &key, &Uint8Array::from(value.as_slice()))?,
        None => transaction.delete_at(META, &key)?,
    }
    transaction.commit().await
}

/// Bytes that do not compress.
fn noise(n_bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(n_bytes).collect()
}
