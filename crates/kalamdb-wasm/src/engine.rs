use std::rc::Rc;

use futures::future::join;
use js_sys::Uint8Array;
use kalamdb_core::{CallOptions, Clock, Database, Error, Session, encode_results};
use kalamdb_indexeddb::{IdbOptions, IdbStore};
use kalamdb_store::{Durability, MemoryStore, Store};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use crate::clock::BrowserClock;
use crate::errors::{invalid_argument, to_js};

/// The name of databases that are never persisted.
const MEMORY: &str = "memory:";

/// One open database.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    session: Session,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EngineOptions {
    durability: DurabilityOption,
    #[serde(default)]
    memory_limit_bytes: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DurabilityOption {
    Relaxed,
    Strict,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InsertOutcome {
    affected_rows: u64,
    seq: Option<u64>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens or creates the database `name`; `memory:` is one that is never persisted.
    pub async fn open(name: &str, options: JsValue) -> Result<Engine, JsValue> {
        let options: EngineOptions = serde_wasm_bindgen::from_value(options).map_err(|error| invalid_argument(error.to_string()))?;
        open(name, &options).await.map_err(|error| to_js(&error, ""))
    }

    /// Runs any number of statements; returns their results as one message.
    pub async fn exec(&self, sql: &str, system_columns: bool) -> Result<Uint8Array, JsValue> {
        let options = CallOptions { system_columns_in_star: system_columns };
        let results = self.session.exec(sql, options).await.and_then(|results| encode_results(&results));
        bytes(results, sql)
    }

    /// Runs one statement with parameters, a block of one row; returns its result as a message.
    pub async fn query(&self, sql: &str, params: &[u8], system_columns: bool) -> Result<Uint8Array, JsValue> {
        let options = CallOptions { system_columns_in_star: system_columns };
        let result = self.session.query(sql, params, options).await.and_then(|result| encode_results(&[result]));
        bytes(result, sql)
    }

    /// Inserts the rows of a block, one column of it for each name in `columns`, in one commit.
    pub async fn insert(&self, table: &str, columns: Vec<String>, block: &[u8]) -> Result<JsValue, JsValue> {
        let result = self.session.insert(table, &columns, block).await.map_err(|error| to_js(&error, ""))?;
        let outcome = InsertOutcome { affected_rows: result.affected_rows.unwrap_or_default(), seq: result.seq };
        Ok(outcome.serialize(&Serializer::json_compatible())?)
    }

    /// Waits for writes under way, then closes the database. Closing twice is allowed.
    pub async fn close(&self) {
        self.session.database().close().await;
    }
}

async fn open(name: &str, options: &EngineOptions) -> Result<Engine, Error> {
    let durability = match options.durability {
        DurabilityOption::Relaxed => Durability::Relaxed,
        DurabilityOption::Strict => Durability::Strict,
    };
    let clock: Rc<dyn Clock> = Rc::new(BrowserClock::new());
    let database = if name == MEMORY {
        Database::open(Rc::new(MemoryStore::new()), clock, durability).await?
    } else {
        let store: Rc<dyn Store> = Rc::new(IdbStore::open(name, IdbOptions::default()).await?);
        // While the browser reads the log, this thread has nothing else to do.
        let (database, ()) = join(Database::open(store, Rc::clone(&clock), durability), warm_up(clock)).await;
        database?
    };
    let memory_limit = options.memory_limit_bytes.filter(|bytes| *bytes >= 1.0).map(|bytes| bytes as usize);
    Ok(Engine { session: Session::new(database, memory_limit)? })
}

/// Runs a small query on a database of its own, so that the browser has compiled the planner's code before the first real one.
///
/// A failure is of no consequence here: the first real query meets it again.
async fn warm_up(clock: Rc<dyn Clock>) {
    let Ok(database) = Database::open(Rc::new(MemoryStore::new()), clock, Durability::Relaxed).await else { return };
    let Ok(session) = Session::new(database, None) else { return };
    let sql = "CREATE TABLE w (id INTEGER PRIMARY KEY, v TEXT); SELECT count(*) AS n FROM w; SELECT id, v FROM w WHERE id = 1 ORDER BY v LIMIT 1";
    drop(session.exec(sql, CallOptions::default()).await);
}

/// A copy of a message outside the instance's memory, so that it can be transferred.
fn bytes(message: Result<Vec<u8>, Error>, sql: &str) -> Result<Uint8Array, JsValue> {
    message.map(|message| Uint8Array::from(message.as_slice())).map_err(|error| to_js(&error, sql))
}
