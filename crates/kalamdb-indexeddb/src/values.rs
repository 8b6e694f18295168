//! Keys and values as IndexedDB holds them.

use js_sys::{Array, Number, Uint8Array};
use kalamdb_store::{LogKey, MAX_KEY, PageKey, RecordKey, StoreError, StoreResult};
use wasm_bindgen::prelude::*;

pub(crate) const META: &str = "meta";
pub(crate) const CATALOG: &str = "catalog";
pub(crate) const LOG: &str = "log";
pub(crate) const SEGMENTS: &str = "segments";
pub(crate) const MANIFEST: &str = "manifest";

/// The log of versions before 4, which had a record for each part of a commit. A database that was made by later code
/// does not have it.
pub(crate) const OLD_LOG: &str = "log3";

/// All object stores of a database.
pub(crate) const STORES: [&str; 5] = [META, CATALOG, LOG, SEGMENTS, MANIFEST];

/// The key in `meta` of the format's version.
pub(crate) const FORMAT_KEY: &str = "format";

/// The key in `meta` of the meta record of versions before 4.
pub(crate) const OLD_STATE_KEY: &str = "state";

/// The key in `meta` of what was set right, as JSON.
pub(crate) const REPAIRS_KEY: &str = "repairs";

/// The key in `meta` of the database's id: a random number, the same for as long as the database exists.
pub(crate) const ID_KEY: &str = "id";

/// The key in `meta` of the [reserve](crate::reserve).
pub(crate) const RESERVE_KEY: &str = "reserve";

/// Where a record is kept: its object store, and its key there.
pub(crate) fn place(key: &RecordKey) -> (&'static str, JsValue) {
    match key {
        RecordKey::Log(number) => (LOG, to_js_number(*number)),
        RecordKey::Catalog(key) => (CATALOG, JsValue::from_str(key)),
        RecordKey::Page(key) => (SEGMENTS, page_key(*key)),
        RecordKey::Manifest(key) => (MANIFEST, log_key(*key)),
    }
}

/// Copies bytes to where JavaScript can keep them.
pub(crate) fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// Copies bytes from JavaScript; `None` if the value is something else.
pub(crate) fn to_bytes(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

/// The key `[commit, part]`.
pub(crate) fn log_key(key: LogKey) -> JsValue {
    Array::of2(&to_js_number(key.commit), &JsValue::from(key.part)).into()
}

/// The least key of the commits after `head`: `[head + 1]` comes before `[head + 1, 0]`.
pub(crate) fn log_key_after(head: u64) -> JsValue {
    Array::of1(&to_js_number(head.saturating_add(1))).into()
}

/// Reads a key `[commit, part]`; `None` if it is another one.
pub(crate) fn to_log_key(key: &JsValue) -> Option<LogKey> {
    let key = key.dyn_ref::<Array>().filter(|key| key.length() == 2)?;
    Some(LogKey { commit: to_number(&key.get(0))?, part: u32::try_from(to_number(&key.get(1))?).ok()? })
}

/// The key `[segment, column]`.
pub(crate) fn page_key(key: PageKey) -> JsValue {
    Array::of2(&to_js_number(key.segment), &JsValue::from(key.column)).into()
}

/// Reads a key `[segment, column]`; `None` if it is another one.
pub(crate) fn to_page_key(key: &JsValue) -> Option<PageKey> {
    let key = to_log_key(key)?;
    Some(PageKey { segment: key.commit, column: key.part })
}

/// Reads what is kept under [`FORMAT_KEY`].
pub(crate) fn to_format(value: Option<&JsValue>) -> StoreResult<u32> {
    let number = value.and_then(to_number).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| StoreError::Corrupted {
        key: format!("{META}/{FORMAT_KEY}"),
        what: "it is not a version".to_owned(),
    })
}

/// The error of a record that is missing or of another type.
pub(crate) fn not_bytes(key: &RecordKey) -> StoreError {
    StoreError::Corrupted { key: key.to_string(), what: NOT_BYTES.to_owned() }
}

/// What is wrong with a value that is missing or of another type.
pub(crate) const NOT_BYTES: &str = "it is not bytes";

/// Every number that comes here is checked before, apart from positions, which may be anything and then match no key.
pub(crate) fn to_js_number(number: u64) -> JsValue {
    JsValue::from_f64(number.min(MAX_KEY) as f64)
}

/// Reads an integer that is exact; `None` if it is something else.
pub(crate) fn to_number(value: &JsValue) -> Option<u64> {
    let number = value.as_f64().filter(|number| *number >= 0.0 && Number::is_safe_integer(value))?;
    Some(number as u64)
}
