//! Bringing a database of an earlier version of the format to this one.
//!
//! The upgrade of the IndexedDB database makes the object stores; the records follow in a readwrite transaction, which
//! ends with the format's version. Whoever opens a database whose version is still the earlier one does it again.

use indexed_db_futures::database::Database;
use js_sys::{Array, Math, Reflect};
use kalamdb_store::migration::{Old, migrate};
use kalamdb_store::protocol::WriteTransaction;
use kalamdb_store::{Durability, FORMAT_VERSION, Faults, RecordKey, StoreResult};
use wasm_bindgen::prelude::*;

use crate::values::{
    CATALOG, FORMAT_KEY, ID_KEY, LOG, MANIFEST, META, OLD_LOG, OLD_STATE_KEY, REPAIRS_KEY, SEGMENTS, STORES, bytes,
    to_bytes, to_log_key, to_number, to_page_key,
};
use crate::write::IdbTransaction;

/// Brings the records of a database that was upgraded to this version, if nobody has done so yet.
pub(crate) async fn bring_records(database: &Database) -> StoreResult<()> {
    if !database.object_store_names().any(|name| name == OLD_LOG) {
        return Ok(());
    }
    let mut attempt = Faults::default().attempt();
    let scope: Vec<&'static str> = STORES.into_iter().chain([OLD_LOG]).collect();
    let mut transaction = IdbTransaction::begin(database, &scope, Durability::Relaxed, &mut attempt, Box::new(|| ()))?;
    let format = transaction.get(META, FORMAT_KEY)?.await?;
    if to_number(&format).is_some_and(|format| format >= u64::from(FORMAT_VERSION)) {
        // Nothing was asked for but this; it ends by itself.
        return Ok(());
    }
    let (id, state) = (transaction.get(META, ID_KEY)?, transaction.get(META, OLD_STATE_KEY)?);
    let log = (transaction.get_all(OLD_LOG, true)?, transaction.get_all(OLD_LOG, false)?);
    let catalog = (transaction.get_all(CATALOG, true)?, transaction.get_all(CATALOG, false)?);
    let manifests = (transaction.get_all(MANIFEST, true)?, transaction.get_all(MANIFEST, false)?);
    let pages = transaction.get_all(SEGMENTS, true)?;
    let (id, state) = (id.await?, state.await?);
    let (log, catalog, manifests) =
        ((log.0.await?, log.1.await?), (catalog.0.await?, catalog.1.await?), (manifests.0.await?, manifests.1.await?));
    let old = Old {
        meta: to_bytes(&state),
        log: records(&log.0, &log.1, to_log_key),
        catalog: records(&catalog.0, &catalog.1, JsValue::as_string),
        manifests: records(&manifests.0, &manifests.1, to_log_key),
        page_keys: pages.await?.iter().filter_map(|key| to_page_key(&key)).collect(),
    };
    let new = migrate(&old, &mut || {
        (Math::random() * 2_f64.powi(32)) as u64 | ((Math::random() * 2_f64.powi(32)) as u64) << 32
    })?;

    // All at once from here on.
    transaction.clear(LOG)?;
    for (number, value) in &new.log {
        transaction.put(&RecordKey::Log(*number), value)?;
    }
    for (key, value) in &new.catalog {
        transaction.put(&RecordKey::Catalog(key.clone()), value)?;
    }
    for (key, _) in &old.manifests {
        transaction.delete(&RecordKey::Manifest(*key))?;
    }
    for (key, value) in &new.manifests {
        transaction.put(&RecordKey::Manifest(*key), value)?;
    }
    if id.as_f64().is_none() {
        transaction.put_at(META, &ID_KEY.into(), &Math::random().into())?;
    }
    if !new.repairs.is_empty() {
        let repairs = serde_json::to_vec(&new.repairs).unwrap_or_default();
        transaction.put_at(META, &REPAIRS_KEY.into(), &bytes(&repairs))?;
        for repair in &new.repairs {
            warn(&format!(
                "KalamDB has set a stored database right: {}. Lost: {}",
                repair.what,
                repair.lost.join("; ")
            ));
        }
    }
    transaction.delete_at(META, &OLD_STATE_KEY.into())?;
    transaction.clear(OLD_LOG)?;
    transaction.put_at(META, &FORMAT_KEY.into(), &FORMAT_VERSION.into())?;
    transaction.commit().await
}

/// Keys with their bytes. Foreign keys are passed over; a value that is not bytes is damaged.
fn records<K>(keys: &Array, values: &Array, key: impl Fn(&JsValue) -> Option<K>) -> Vec<(K, Vec<u8>)> {
    let value = |value: JsValue| to_bytes(&value).unwrap_or_else(|| b"damaged".to_vec());
    keys.iter().zip(values.iter()).filter_map(|(of, stored)| Some((key(&of)?, value(stored)))).collect()
}

/// Tells whoever looks at the console. There is one wherever there is IndexedDB.
fn warn(message: &str) {
    let console = Reflect::get(&js_sys::global(), &"console".into()).unwrap_or_default();
    let warn = Reflect::get(&console, &"warn".into()).ok().and_then(|warn| warn.dyn_into::<js_sys::Function>().ok());
    if let Some(warn) = warn {
        // What it gives or throws does not matter.
        let _ = warn.call1(&console, &message.into());
    }
}
