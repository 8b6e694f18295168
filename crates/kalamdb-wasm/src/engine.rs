use std::rc::Rc;

use kalamdb_core::{
    Clock, Database, Error, ErrorKind, MaintenanceTrigger, MemoryBudget, Principal, Resources, Role, Session,
};
use kalamdb_indexeddb::{IdbOptions, IdbStore};
use kalamdb_store::{Durability, MemoryStore, Store};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::calls::Calls;
use crate::clock::BrowserClock;
use crate::durability::DurabilityOption;
use crate::errors::{invalid_argument, to_js};
use crate::heap;
use crate::session::EngineSession;

/// The name of databases that are never persisted.
const MEMORY: &str = "memory:";

/// One open database.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    database: Rc<Database>,
    calls: Calls,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EngineOptions {
    durability: DurabilityOption,
    #[serde(default)]
    memory_limit_bytes: Option<f64>,
    #[serde(default)]
    value_limit_bytes: Option<f64>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens or creates the database `name`; `memory:` is one that is never persisted.
    pub async fn open(name: &str, options: JsValue) -> Result<Engine, JsValue> {
        let options: EngineOptions =
            serde_wasm_bindgen::from_value(options).map_err(|error| invalid_argument(error.to_string()))?;
        open(name, &options).await.map_err(|error| to_js(&error, ""))
    }

    /// Opens a session of a user, or of the application itself if there is no id.
    pub fn session(&self, user_id: Option<String>, role: &str) -> Result<EngineSession, JsValue> {
        let principal = match user_id {
            None => Ok(Principal::system()),
            Some(id) => Principal::user(
                &id,
                Role::from_name(role).ok_or_else(|| invalid_argument(format!("there is no role {role}")))?,
            ),
        };
        let session = principal.and_then(|principal| Session::new(Rc::clone(&self.database), principal));
        Ok(EngineSession::new(session.map_err(|error| to_js(&error, ""))?, self.calls.clone()))
    }

    /// Gives the call with that id up, if it is under way: it fails with `query_canceled`, unless it is committing.
    pub fn cancel(&self, call: u32) {
        self.calls.cancel(call);
    }

    /// Does one thing that is due: frees events that are over, stores rows of the log as a segment, merges segments.
    /// Gives whether more may be due. `hidden` is whether the page may be gone soon.
    pub async fn maintain(&self, hidden: bool) -> Result<bool, JsValue> {
        let trigger = if hidden { MaintenanceTrigger::Hidden } else { MaintenanceTrigger::Idle };
        self.database.maintain(trigger).await.map_err(|error| to_js(&error, ""))
    }

    /// How much is stored, as JSON.
    pub fn storage(&self) -> Result<String, JsValue> {
        self.database.storage().and_then(|report| to_json(&report)).map_err(|error| to_js(&error, ""))
    }

    /// Reads all that is stored and lists what is damaged, as JSON. `call` is an id by which it is given up.
    pub async fn check(&self, call: u32) -> Result<String, JsValue> {
        let (_running, call) = self.calls.begin(call);
        self.database.check(&call).await.and_then(|report| to_json(&report)).map_err(|error| to_js(&error, ""))
    }

    /// All rows that are readable, as JSON. `call` is an id by which it is given up.
    pub async fn salvage(&self, call: u32) -> Result<String, JsValue> {
        let (_running, call) = self.calls.begin(call);
        self.database.salvage(&call).await.and_then(|report| to_json(&report)).map_err(|error| to_js(&error, ""))
    }

    /// Waits for writes under way, then closes the database. Closing twice is allowed.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

fn to_json(report: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(report).map_err(|error| Error::new(ErrorKind::InternalError, error.to_string()))
}

async fn open(name: &str, options: &EngineOptions) -> Result<Engine, Error> {
    let durability = Durability::from(options.durability);
    let clock: Rc<dyn Clock> = Rc::new(BrowserClock::new());
    let memory =
        options.memory_limit_bytes.map_or_else(MemoryBudget::default, |bytes| MemoryBudget::All(bytes as usize));
    let mut resources = Resources { heap: Some(heap::in_use), ..memory.into() };
    if let Some(bytes) = options.value_limit_bytes {
        resources.value_bytes = bytes as usize;
    }
    let database = if name == MEMORY {
        Database::open_with(Rc::new(MemoryStore::new()), clock, durability, resources).await?
    } else {
        let store: Rc<dyn Store> = Rc::new(IdbStore::open(name, IdbOptions::default()).await?);
        Database::open_with(store, clock, durability, resources).await?
    };
    Ok(Engine { database, calls: Calls::default() })
}
