//! The wasm-bindgen surface of the engine: it converts values and decides nothing.
//!
//! Natively the crate is empty, so that a build of the whole workspace works everywhere.

#![cfg(target_arch = "wasm32")]

mod calls;
mod clock;
mod durability;
mod engine;
mod errors;
mod heap;
mod session;
mod stream;
mod warm_up;

use wasm_bindgen::prelude::*;

pub use engine::Engine;
pub use session::EngineSession;
pub use stream::EngineStream;
pub use warm_up::warm_up;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Removes a stored database. Connections that are still open close themselves first.
#[wasm_bindgen(js_name = deleteDatabase)]
pub async fn delete_database(name: &str) -> Result<(), JsValue> {
    kalamdb_indexeddb::IdbStore::delete(name).await.map_err(|error| errors::to_js(&error.into(), ""))
}

/// Traps the instance, as a bug in the engine would: applications test with it what they do then.
#[wasm_bindgen]
pub fn crash() {
    core::arch::wasm32::unreachable()
}
