//! What storage means to the engine: a commit log of row records, catalog records, and columnar segments.
//!
//! The crate knows neither SQL nor table kinds; a partition is a table's id and, for tables that belong to users, an
//! owner's id. The bytes of rows and of catalog records are the engine's own: here they are framed, checked and kept.
//!
//! [`Store`] is the contract; [`MemoryStore`] keeps everything in memory. The IndexedDB store is another crate, and
//! [`conformance`] is the suite that every store passes.

mod check;
mod codec;
pub mod conformance;
mod error;
mod faults;
mod frame;
mod key;
mod memory;
mod memory_transaction;
pub mod migration;
mod owners;
pub mod protocol;
mod records;
mod store;
mod tail;

pub use check::{MAX_KEY, check_commit, check_format};
pub use codec::{
    Decoded, commit_header, decode_catalog, decode_commit, decode_manifest, decode_page, encode_catalog, encode_commit,
    encode_deletion, encode_manifest, encode_page, manifest_partition,
};
pub use error::{StoreError, StoreResult};
pub use faults::{Attempt, Fault, Faults};
pub use key::{RecordKey, RecordKind};
pub use memory::{Death, MemoryDisk, MemoryStore, Steps};
pub use memory_transaction::MemoryTransaction;
pub use records::{
    CatalogRecord, Commit, CommitRecord, Damage, Durability, FORMAT_VERSION, LogEntry, LogKey, LogRecord, Manifest,
    Meta, Owner, Page, PageKey, PartitionId, Repair, RowState, TableId, Tail,
};
pub use store::Store;
pub use tail::TailBuilder;
