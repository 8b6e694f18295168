//! The [`Store`](kalamdb_store::Store) trait on IndexedDB, in a page or a worker.
//!
//! One IndexedDB database holds one KalamDB database; docs/storage-format.md describes what is in it. The crate knows
//! bytes and keys only: no SQL, no tables, no rows. Outside of wasm32 it is empty.
//!
//! IndexedDB commits a transaction by itself as soon as no request is under way. So nothing foreign is awaited inside
//! one: all values are made before it opens, and after the first reads everything is written and committed in one go.
#![cfg(target_arch = "wasm32")]

mod connection;
mod delete;
mod error;
mod hint;
mod migrate;
mod open;
mod queue;
mod read;
mod reserve;
mod store;
mod values;
mod write;

pub use open::{IdbOptions, database_name};
pub use store::IdbStore;
