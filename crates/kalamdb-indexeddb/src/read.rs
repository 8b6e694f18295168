//! The readonly transactions.

use indexed_db_futures::database::Database;
use indexed_db_futures::future::GetAllPrimitiveRequest;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionRef;
use indexed_db_futures::{KeyRange, Result};
use js_sys::JSON;
use kalamdb_store::{Attempt, MAX_KEY, Meta, Position, RecordKey, SegmentRecord, StoreResult, Tail, TailBuilder, check_format, decode_segment};
use wasm_bindgen::prelude::*;

use crate::error::store_error;
use crate::values::{
    CATALOG, FORMAT_KEY, LOG, META, NOT_BYTES, SEGMENTS, STATE_KEY, log_key_after, not_bytes, number, to_bytes, to_format, to_log_key, to_meta,
};

/// Reads what was committed after `since`.
pub(crate) async fn since(database: &Database, since: Option<Position>, attempt: &mut Attempt) -> StoreResult<Tail> {
    let transaction = database.transaction([META, LOG, CATALOG]).build().map_err(store_error)?;
    // The log does not wait for the meta record: usually it is all that is new.
    let log = transaction.object_store(LOG).map_err(store_error)?;
    let start = since.map_or_else(lowest, |since| log_key_after(since.head));
    let log = Records::request(&log, start, attempt)?;
    let mut tail = TailBuilder::new(meta(&transaction, attempt).await?, since)?;
    let log = log.wait().await?;
    let mut catalog = Vec::new();
    if tail.wants_catalog() {
        let store = transaction.object_store(CATALOG).map_err(store_error)?;
        catalog = Records::request(&store, lowest(), attempt)?.wait().await?;
    }
    drop(transaction);

    for (key, value) in log {
        match (to_log_key(&key), to_bytes(&value)) {
            (Some(key), Some(bytes)) => tail.log(key, &bytes),
            (Some(key), None) => tail.damaged(RecordKey::Log(key).to_string(), NOT_BYTES),
            (None, _) => tail.damaged(foreign(LOG, &key), "its key is not [commit, part]"),
        }
    }
    for (key, value) in catalog {
        match (key.as_string(), to_bytes(&value)) {
            (Some(key), Some(bytes)) => tail.catalog(&key, &bytes),
            (Some(key), None) => tail.damaged(RecordKey::Catalog(key).to_string(), NOT_BYTES),
            (None, _) => tail.damaged(foreign(CATALOG, &key), "its key is not a string"),
        }
    }
    tail.finish()
}

/// Reads the meta record in a transaction of its own.
pub(crate) async fn stored_meta(database: &Database, attempt: &mut Attempt) -> StoreResult<Meta> {
    let transaction = database.transaction(META).build().map_err(store_error)?;
    meta(&transaction, attempt).await
}

/// Reads the meta record, having checked the format's version.
pub(crate) async fn meta(transaction: &TransactionRef<'_>, attempt: &mut Attempt) -> StoreResult<Meta> {
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let format = store.get::<JsValue, _, _>(FORMAT_KEY).primitive().map_err(store_error)?;
    attempt.request()?;
    let state = store.get::<JsValue, _, _>(STATE_KEY).primitive().map_err(store_error)?;
    check_format(to_format(format.await.map_err(store_error)?.as_ref())?)?;
    to_meta(state.await.map_err(store_error)?.as_ref())
}

/// Reads one segment.
pub(crate) async fn segment(database: &Database, id: u64, attempt: &mut Attempt) -> StoreResult<Option<SegmentRecord>> {
    if id > MAX_KEY {
        return Ok(None);
    }
    let transaction = database.transaction(SEGMENTS).build().map_err(store_error)?;
    let store = transaction.object_store(SEGMENTS).map_err(store_error)?;
    attempt.request()?;
    let request = store.get::<JsValue, JsValue, _>(number(id)).primitive().map_err(store_error)?;
    let Some(value) = request.await.map_err(store_error)? else {
        return Ok(None);
    };
    let bytes = to_bytes(&value).ok_or_else(|| not_bytes(&RecordKey::Segment(id)))?;
    decode_segment(id, &bytes).map(Some)
}

/// Names a record whose key is of a type that we do not write.
fn foreign(store: &str, key: &JsValue) -> String {
    let key = JSON::stringify(key).map(String::from).unwrap_or_default();
    format!("{store}/{key}")
}

/// The key before all keys: numbers come before every other type.
fn lowest() -> JsValue {
    JsValue::from_f64(f64::NEG_INFINITY)
}

/// Two requests that are under way: keys and values come in the same order.
struct Records {
    keys: GetAllPrimitiveRequest<JsValue>,
    values: GetAllPrimitiveRequest<JsValue>,
}

impl Records {
    /// Asks for all records from the key `start` on.
    fn request(store: &ObjectStore<'_>, start: JsValue, attempt: &mut Attempt) -> StoreResult<Self> {
        let range = KeyRange::LowerBound(start, false);
        attempt.request()?;
        let keys = store.get_all_keys().with_query::<JsValue, _>(range.clone()).primitive().map_err(store_error)?;
        attempt.request()?;
        let values = store.get_all().with_query::<JsValue, _>(range).primitive().map_err(store_error)?;
        Ok(Self { keys, values })
    }

    async fn wait(self) -> StoreResult<Vec<(JsValue, JsValue)>> {
        let keys = self.keys.await.map_err(store_error)?;
        let values = self.values.await.map_err(store_error)?;
        keys.zip(values).map(|(key, value)| Ok((key?, value?))).collect::<Result<_>>().map_err(store_error)
    }
}
