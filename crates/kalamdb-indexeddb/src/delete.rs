//! Deleting databases.
//!
//! The browser cannot take back a request to delete a database: while anybody has it open, all who open it later wait,
//! and it is gone in the end whatever was told meanwhile. So a database of ours is emptied instead, in one transaction,
//! which waits for nobody. What is left says that it was deleted, to those who still have it open, and is an empty
//! database to those who open it next.

use indexed_db_futures::database::Database;
use js_sys::Math;
use kalamdb_store::protocol::WriteTransaction;
use kalamdb_store::{Durability, FORMAT_VERSION, Faults, RecordKey, StoreError, StoreResult, encode_deletion};
use wasm_bindgen::prelude::*;

use crate::open::{self, IdbOptions};
use crate::values::{FORMAT_KEY, ID_KEY, META, OLD_LOG, STORES};
use crate::write::IdbTransaction;

/// Deletes the database; nothing happens if there is none.
pub(crate) async fn delete(name: &str, options: &IdbOptions) -> StoreResult<()> {
    match open::open_existing(name, options).await {
        Ok(None) => Ok(()),
        Ok(Some(database)) => {
            let emptied = empty(&database).await;
            database.close();
            emptied
        }
        // It is none of ours, or of a later version.
        Err(StoreError::Corrupted { .. } | StoreError::SchemaTooNew { .. }) => open::remove(name, options).await,
        Err(error) => Err(error),
    }
}

async fn empty(database: &Database) -> StoreResult<()> {
    let mut attempt = Faults::default().attempt();
    let old = database.object_store_names().any(|name| name == OLD_LOG).then_some(OLD_LOG);
    let scope: Vec<&'static str> = STORES.into_iter().chain(old).collect();
    let mut transaction = IdbTransaction::begin(database, &scope, Durability::Relaxed, &mut attempt, Box::new(|| ()))?;
    // Nobody's commit can be based on a number that nobody has read.
    transaction.append(&[])?;
    let number = transaction.number().await?;
    for store in scope.iter().copied() {
        transaction.clear(store)?;
    }
    transaction.put(&RecordKey::Log(number), &encode_deletion(number))?;
    transaction.put_at(META, &ID_KEY.into(), &Math::random().into())?;
    transaction.put_at(META, &FORMAT_KEY.into(), &JsValue::from(FORMAT_VERSION))?;
    transaction.commit().await
}
