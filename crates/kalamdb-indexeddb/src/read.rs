//! The readonly transactions.

use indexed_db_futures::database::Database;
use indexed_db_futures::future::GetAllPrimitiveRequest;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionRef;
use indexed_db_futures::{KeyRange, Result};
use js_sys::JSON;
use kalamdb_store::{
    Attempt, CommitRecord, Decoded, LogKey, MAX_KEY, Meta, Page, PageKey, RecordKey, RecordKind, Repair, StoreError,
    StoreResult, Tail, TailBuilder, check_format, decode_commit, decode_page,
};
use wasm_bindgen::prelude::*;

use crate::error::store_error;
use crate::values::{
    CATALOG, FORMAT_KEY, ID_KEY, LOG, MANIFEST, META, NOT_BYTES, REPAIRS_KEY, SEGMENTS, log_key, log_key_after,
    not_bytes, page_key, to_bytes, to_format, to_js_number, to_log_key, to_number, to_page_key,
};

/// What was read from a database.
pub(crate) struct Read {
    pub(crate) tail: Tail,
    /// Which database it is, if everything was read.
    pub(crate) id: Option<f64>,
    /// Whether the one that the reader has read was deleted since.
    pub(crate) was_deleted: bool,
}

/// Reads what was committed after `since`.
pub(crate) async fn since(database: &Database, since: Option<&Meta>, attempt: &mut Attempt) -> StoreResult<Read> {
    let transaction = database.transaction([META, LOG, CATALOG, MANIFEST]).build().map_err(store_error)?;
    let meta = since
        .is_none()
        .then(|| Ok::<_, StoreError>((id(&transaction, attempt)?, format(&transaction, attempt)?)))
        .transpose()?;
    let log = transaction.object_store(LOG).map_err(store_error)?;
    // Who has read before wants no value of what is known, but to see that it is still there.
    let first = TailBuilder::first_key(since);
    let start = number_or_lowest(first);
    let log = Records::request(&log, start, first > 0, attempt)?;
    // Who reads everything need not wait to ask for it.
    let whole = match since {
        None => Some(rest_of(&transaction, lowest(), true, true, attempt)?),
        Some(_) => None,
    };
    let mut id = None;
    if let Some((asked, format)) = meta {
        id = asked.await?;
        check_format(format.await?)?;
    }
    let mut tail = TailBuilder::new(since);
    let (keys, values) = log.wait().await?;
    let numbers: Vec<Option<u64>> = keys.iter().map(to_number).collect();
    tail.check_keys(numbers.iter().flatten().copied().max())?;
    let mut values = values.into_iter();
    let mut damaged = Vec::new();
    for (key, number) in keys.iter().zip(numbers) {
        // Keys that are no numbers come after all that are.
        if number.is_some_and(|number| !tail.wants(number)) {
            continue;
        }
        let value = values.next();
        match (number, value.as_ref().and_then(to_bytes)) {
            (Some(number), Some(bytes)) => tail.commit(number, &bytes),
            (Some(number), None) => tail.commit_of_no_bytes(number, NOT_BYTES),
            (None, _) => damaged.push(text_of(LOG, key)),
        }
    }
    tail.end_log();
    damaged.into_iter().for_each(|key| tail.foreign(RecordKind::Log, key, "its key is not a number"));
    let (manifests, catalog) = match whole {
        Some(rest) => rest,
        None => rest_of(&transaction, log_key_after(first), tail.wants_manifests(), tail.wants_catalog(), attempt)?,
    };
    if let Some(manifests) = manifests {
        let (keys, values) = manifests.wait().await?;
        for (key, value) in keys.iter().zip(&values) {
            match (to_log_key(key), to_bytes(value)) {
                (Some(key), Some(bytes)) => tail.manifest(key, &bytes),
                (Some(key), None) => tail.damaged(&RecordKey::Manifest(key), NOT_BYTES),
                (None, _) => {
                    tail.foreign(RecordKind::Manifest, text_of(MANIFEST, key), "its key is not [commit, part]");
                }
            }
        }
    }
    if let Some(catalog) = catalog {
        let (keys, values) = catalog.wait().await?;
        for (key, value) in keys.iter().zip(&values) {
            match (key.as_string(), to_bytes(value)) {
                (Some(key), Some(bytes)) => tail.catalog(&key, &bytes),
                (Some(key), None) => tail.damaged(&RecordKey::Catalog(key), NOT_BYTES),
                (None, _) => tail.foreign(RecordKind::Catalog, text_of(CATALOG, key), "its key is not a string"),
            }
        }
    }
    drop(transaction);
    let was_deleted = tail.was_deleted();
    Ok(Read { tail: tail.finish(), id, was_deleted })
}

/// Asks for manifests and the catalog, where they are wanted.
fn rest_of(
    transaction: &TransactionRef<'_>,
    first_manifest: JsValue,
    manifests: bool,
    catalog: bool,
    attempt: &mut Attempt,
) -> StoreResult<(Option<Records>, Option<Records>)> {
    let mut ask = |name: &str, first: JsValue| {
        let store = transaction.object_store(name).map_err(store_error)?;
        Records::request(&store, first, false, attempt)
    };
    let manifests = manifests.then(|| ask(MANIFEST, first_manifest)).transpose()?;
    let catalog = catalog.then(|| ask(CATALOG, lowest())).transpose()?;
    Ok((manifests, catalog))
}

/// Reads the database's id in a transaction of its own.
pub(crate) async fn identity(database: &Database, attempt: &mut Attempt) -> StoreResult<Option<f64>> {
    let transaction = database.transaction(META).build().map_err(store_error)?;
    id(&transaction, attempt)?.await
}

/// Reads what was set right when the database was opened.
pub(crate) async fn repairs(database: &Database, attempt: &mut Attempt) -> StoreResult<Vec<Repair>> {
    let transaction = database.transaction(META).build().map_err(store_error)?;
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let stored =
        store.get::<JsValue, _, _>(REPAIRS_KEY).primitive().map_err(store_error)?.await.map_err(store_error)?;
    // What does not decode was not written by us.
    Ok(stored.as_ref().and_then(to_bytes).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

/// Reads records of the log; `None` for those that are not there or hold no commit.
pub(crate) async fn commits(
    database: &Database,
    numbers: &[u64],
    attempt: &mut Attempt,
) -> StoreResult<Vec<Option<CommitRecord>>> {
    let transaction = database.transaction(LOG).build().map_err(store_error)?;
    let store = transaction.object_store(LOG).map_err(store_error)?;
    let mut requests = Vec::with_capacity(numbers.len());
    for number in numbers {
        attempt.request()?;
        requests
            .push((*number, store.get::<JsValue, JsValue, _>(to_js_number(*number)).primitive().map_err(store_error)?));
    }
    let mut commits = Vec::with_capacity(numbers.len());
    for (number, request) in requests {
        let value = request.await.map_err(store_error)?;
        commits.push(match value.as_ref().and_then(to_bytes).map(|bytes| decode_commit(number, &bytes)) {
            Some(Ok(Decoded::Commit(record))) => Some(record),
            _ => None,
        });
    }
    Ok(commits)
}

/// Asks for the database's id; the future waits for it.
fn id(
    transaction: &TransactionRef<'_>,
    attempt: &mut Attempt,
) -> StoreResult<impl Future<Output = StoreResult<Option<f64>>> + use<>> {
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let id = store.get::<JsValue, _, _>(ID_KEY).primitive().map_err(store_error)?;
    Ok(async move { Ok(id.await.map_err(store_error)?.and_then(|id| id.as_f64())) })
}

/// Asks for the format's version; the future waits for it.
fn format(
    transaction: &TransactionRef<'_>,
    attempt: &mut Attempt,
) -> StoreResult<impl Future<Output = StoreResult<u32>> + use<>> {
    let store = transaction.object_store(META).map_err(store_error)?;
    attempt.request()?;
    let format = store.get::<JsValue, _, _>(FORMAT_KEY).primitive().map_err(store_error)?;
    Ok(async move { to_format(format.await.map_err(store_error)?.as_ref()) })
}

/// Reads columns of segments.
pub(crate) async fn pages(
    database: &Database,
    keys: &[PageKey],
    attempt: &mut Attempt,
) -> StoreResult<Vec<Option<Page>>> {
    let transaction = database.transaction(SEGMENTS).build().map_err(store_error)?;
    let read = read_pages(&transaction, keys, attempt)?.await?;
    read.into_iter().collect()
}

/// Reads columns of segments, if the manifest `of` is there at the same moment.
pub(crate) async fn pages_of(
    database: &Database,
    of: LogKey,
    keys: &[PageKey],
    attempt: &mut Attempt,
) -> StoreResult<Option<Vec<StoreResult<Option<Page>>>>> {
    let transaction = database.transaction([SEGMENTS, MANIFEST]).build().map_err(store_error)?;
    let manifests = transaction.object_store(MANIFEST).map_err(store_error)?;
    attempt.request()?;
    let manifest = manifests.get_key::<JsValue, JsValue>(log_key(of)).primitive().map_err(store_error)?;
    let pages = read_pages(&transaction, keys, attempt)?;
    let is_there = manifest.await.map_err(store_error)?.is_some();
    let pages = pages.await?;
    Ok(is_there.then_some(pages))
}

/// Asks for columns of segments; the future waits for them.
fn read_pages(
    transaction: &TransactionRef<'_>,
    keys: &[PageKey],
    attempt: &mut Attempt,
) -> StoreResult<impl Future<Output = StoreResult<Vec<StoreResult<Option<Page>>>>> + use<>> {
    let store = transaction.object_store(SEGMENTS).map_err(store_error)?;
    let mut requests = Vec::with_capacity(keys.len());
    for key in keys {
        attempt.request()?;
        let exists = key.segment <= MAX_KEY;
        let request = || store.get::<JsValue, JsValue, _>(page_key(*key)).primitive().map_err(store_error);
        requests.push((*key, exists.then(request).transpose()?));
    }
    Ok(async move {
        let mut pages = Vec::with_capacity(requests.len());
        for (key, request) in requests {
            let value = match request {
                Some(request) => request.await.map_err(store_error)?,
                None => None,
            };
            let decoded = value.map(|value| {
                let bytes = to_bytes(&value).ok_or_else(|| not_bytes(&RecordKey::Page(key)))?;
                decode_page(key, &bytes)
            });
            pages.push(decoded.transpose());
        }
        Ok(pages)
    })
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
fn text_of(store: &str, key: &JsValue) -> String {
    let key = JSON::stringify(key).map(String::from).unwrap_or_default();
    format!("{store}/{key}")
}

/// The key of a record of the log; the key before all keys where there is none before.
fn number_or_lowest(number: u64) -> JsValue {
    if number == 0 { lowest() } else { to_js_number(number) }
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
    /// Asks for all keys from `start` on, and for all values from there on, or after it.
    fn request(
        store: &ObjectStore<'_>,
        start: JsValue,
        values_after: bool,
        attempt: &mut Attempt,
    ) -> StoreResult<Self> {
        attempt.request()?;
        let keys = KeyRange::LowerBound(start.clone(), false);
        let keys = store.get_all_keys().with_query::<JsValue, _>(keys).primitive().map_err(store_error)?;
        attempt.request()?;
        let values = KeyRange::LowerBound(start, values_after);
        let values = store.get_all().with_query::<JsValue, _>(values).primitive().map_err(store_error)?;
        Ok(Self { keys, values })
    }

    async fn wait(self) -> StoreResult<(Vec<JsValue>, Vec<JsValue>)> {
        let keys = self.keys.await.map_err(store_error)?.collect::<Result<_>>().map_err(store_error)?;
        let values = self.values.await.map_err(store_error)?.collect::<Result<_>>().map_err(store_error)?;
        Ok((keys, values))
    }
}
