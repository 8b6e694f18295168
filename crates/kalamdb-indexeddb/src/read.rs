//! The readonly transactions.

use indexed_db_futures::database::Database;
use indexed_db_futures::future::GetAllPrimitiveRequest;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionRef;
use indexed_db_futures::{KeyRange, Result};
use js_sys::JSON;
use kalamdb_store::{Attempt, MAX_KEY, Meta, Page, PageKey, Position, RecordKey, StoreResult, Tail, TailBuilder, check_format, decode_page};
use wasm_bindgen::prelude::*;

use crate::error::store_error;
use crate::values::{
    CATALOG, FORMAT_KEY, ID_KEY, LOG, MANIFEST, META, NOT_BYTES, SEGMENTS, STATE_KEY, log_key_after, not_bytes, page_key, to_bytes, to_format,
    to_log_key, to_meta, to_page_key,
};

/// Reads what was committed after `since`, and from which database that is if it is everything.
pub(crate) async fn since(database: &Database, since: Option<Position>, attempt: &mut Attempt) -> StoreResult<(Tail, Option<f64>)> {
    let transaction = database.transaction([META, LOG, CATALOG, MANIFEST]).build().map_err(store_error)?;
    let id = since.is_none().then(|| id(&transaction, attempt)).transpose()?;
    // The log does not wait for the meta record: usually it is all that is new.
    let log = transaction.object_store(LOG).map_err(store_error)?;
    let start = since.map_or_else(lowest, |since| log_key_after(since.head));
    let log = Records::request(&log, start.clone(), attempt)?;
    let mut tail = TailBuilder::new(meta(&transaction, attempt)?.await?, since)?;
    let log = log.wait().await?;
    let id = match id {
        Some(id) => id.await?,
        None => None,
    };
    let mut manifests = Vec::new();
    if tail.wants_manifests() {
        let store = transaction.object_store(MANIFEST).map_err(store_error)?;
        manifests = Records::request(&store, start, attempt)?.wait().await?;
    }
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
    for (key, value) in manifests {
        match (to_log_key(&key), to_bytes(&value)) {
            (Some(key), Some(bytes)) => tail.manifest(key, &bytes),
            (Some(key), None) => tail.damaged(RecordKey::Manifest(key).to_string(), NOT_BYTES),
            (None, _) => tail.damaged(foreign(MANIFEST, &key), "its key is not [commit, part]"),
        }
    }
    for (key, value) in catalog {
        match (key.as_string(), to_bytes(&value)) {
            (Some(key), Some(bytes)) => tail.catalog(&key, &bytes),
            (Some(key), None) => tail.damaged(RecordKey::Catalog(key).to_string(), NOT_BYTES),
            (None, _) => tail.damaged(foreign(CATALOG, &key), "its key is not a string"),
        }
    }
    Ok((tail.finish()?, id))
}

/// Reads the database's id and the meta record in a transaction of its own.
pub(crate) async fn identity(database: &Database, attempt: &mut Attempt) -> StoreResult<(Option<f64>, Meta)> {
    let transaction = database.transaction(META).build().map_err(store_error)?;
    let (id, meta) = (id(&transaction, attempt)?, meta(&transaction, attempt)?);
    Ok((id.await?, meta.await?))
}

/// Asks for the database's id; the future waits for it.
fn id(transaction: &TransactionRef<'_>, attempt: &mut Attempt) -> StoreResult<impl Future<Output = StoreResult<Option<f64>>> + use<>> {
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let id = store.get::<JsValue, _, _>(ID_KEY).primitive().map_err(store_error)?;
    Ok(async move { Ok(id.await.map_err(store_error)?.and_then(|id| id.as_f64())) })
}

/// Asks for the format's version and the meta record; the future waits for them and checks the version.
fn meta(transaction: &TransactionRef<'_>, attempt: &mut Attempt) -> StoreResult<impl Future<Output = StoreResult<Meta>> + use<>> {
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let format = store.get::<JsValue, _, _>(FORMAT_KEY).primitive().map_err(store_error)?;
    attempt.request()?;
    let state = store.get::<JsValue, _, _>(STATE_KEY).primitive().map_err(store_error)?;
    Ok(async move {
        let format = to_format(format.await.map_err(store_error)?.as_ref())?;
        check_format(format)?;
        to_meta(state.await.map_err(store_error)?.as_ref())
    })
}

/// Reads columns of segments.
pub(crate) async fn pages(database: &Database, keys: &[PageKey], attempt: &mut Attempt) -> StoreResult<Vec<Option<Page>>> {
    let transaction = database.transaction(SEGMENTS).build().map_err(store_error)?;
    let store = transaction.object_store(SEGMENTS).map_err(store_error)?;
    let mut requests = Vec::with_capacity(keys.len());
    for key in keys {
        attempt.request()?;
        let exists = key.segment <= MAX_KEY;
        let request = || store.get::<JsValue, JsValue, _>(page_key(*key)).primitive().map_err(store_error);
        requests.push((*key, exists.then(request).transpose()?));
    }
    let mut pages = Vec::with_capacity(keys.len());
    for (key, request) in requests {
        let value = match request {
            Some(request) => request.await.map_err(store_error)?,
            None => None,
        };
        let decoded = value.map(|value| {
            let bytes = to_bytes(&value).ok_or_else(|| not_bytes(&RecordKey::Page(key)))?;
            decode_page(key, &bytes)
        });
        pages.push(decoded.transpose()?);
    }
    Ok(pages)
}

/// The keys of all columns of segments; keys that are not ours are left out.
pub(crate) async fn page_keys(database: &Database, attempt: &mut Attempt) -> StoreResult<Vec<PageKey>> {
    let transaction = database.transaction(SEGMENTS).build().map_err(store_error)?;
    let store = transaction.object_store(SEGMENTS).map_err(store_error)?;
    attempt.request()?;
    let keys = store.get_all_keys::<JsValue>().primitive().map_err(store_error)?.await.map_err(store_error)?;
    Ok(keys.filter_map(|key| key.ok().as_ref().and_then(to_page_key)).collect())
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
