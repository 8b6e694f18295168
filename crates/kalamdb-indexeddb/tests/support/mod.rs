//! The conformance suite's view of a database in IndexedDB.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "not every file of tests closes connections")]
pub(crate) mod connections;

use async_trait::async_trait;
use indexed_db_futures::database::Database;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionMode;
use js_sys::{Array, Date, Math, Uint8Array};
use kalamdb_indexeddb::{IdbOptions, IdbStore, database_name};
use kalamdb_store::conformance::Harness;
use kalamdb_store::{Faults, RecordKey};
use wasm_bindgen::prelude::*;

pub(crate) struct IdbHarness {
    pub(crate) name: String,
    faults: Faults,
}

#[async_trait(?Send)]
impl Harness for IdbHarness {
    type Store = IdbStore;

    async fn fresh() -> Self {
        Self { name: format!("test-{}-{}", Date::now(), Math::random()), faults: Faults::default() }
    }

    async fn connect(&self) -> IdbStore {
        let options = IdbOptions { faults: self.faults.clone(), ..IdbOptions::default() };
        IdbStore::open(&self.name, options).await.unwrap()
    }

    fn set_quiet(store: &IdbStore, is_quiet: bool) {
        store.set_quiet(is_quiet);
    }

    async fn claim(&self) {
        let database = Database::open(database_name(&self.name)).await.unwrap();
        let transaction = database.transaction("log").with_mode(TransactionMode::Readwrite).build().unwrap();
        transaction.object_store("log").unwrap().put(JsValue::from(Uint8Array::new_with_length(0))).await.unwrap();
        transaction.commit().await.unwrap();
        database.close();
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    async fn damage(&self, key: &RecordKey) {
        let (store, key) = match key {
            RecordKey::Log(number) => ("log", (*number as f64).into()),
            RecordKey::Catalog(key) => ("catalog", key.into()),
            RecordKey::Page(key) => ("segments", Array::of2(&(key.segment as f64).into(), &key.column.into()).into()),
            RecordKey::Manifest(key) => ("manifest", Array::of2(&(key.commit as f64).into(), &key.part.into()).into()),
        };
        self.edit(store, key, |value| {
            let bytes: Uint8Array = value.dyn_into().unwrap();
            let middle = bytes.length() / 2;
            bytes.set_index(middle, bytes.get_index(middle) ^ 1);
            bytes.into()
        })
        .await;
    }

    async fn set_format(&self, version: u32) {
        self.edit("meta", "format".into(), |_| version.into()).await;
    }

    async fn destroy(self) {
        IdbStore::delete(&self.name).await.unwrap();
    }
}

impl IdbHarness {
    /// Replaces a stored value, on a connection beside the store's.
    pub(crate) async fn edit(&self, store: &str, key: JsValue, change: impl FnOnce(JsValue) -> JsValue) {
        let database = Database::open(database_name(&self.name)).await.unwrap();
        let transaction = database.transaction(store).with_mode(TransactionMode::Readwrite).build().unwrap();
        let records = transaction.object_store(store).unwrap();
        let value: Option<JsValue> = records.get::<_, JsValue, _>(key.clone()).await.unwrap();
        let value = change(value.unwrap_or(JsValue::UNDEFINED));
        records.put(value).with_key(key).without_key_type().await.unwrap();
        drop(records);
        transaction.commit().await.unwrap();
        database.close();
    }
}
