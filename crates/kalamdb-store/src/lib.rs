//! What storage means to the engine: a commit log of row records, catalog records, and columnar segments.
//!
//! The crate knows neither SQL nor table kinds; a partition is a table's id and, for tables that belong to users, a user's
//! id. The bytes of rows and of catalog records are the engine's own: here they are framed, checked and kept.
//!
//! [`Store`] is the contract; [`MemoryStore`] keeps everything in memory. The IndexedDB store is another crate, and
//! [`conformance`] is the suite that every store passes.

mod check;
mod codec;
pub mod conformance;
mod error;
mod faults;
mod key;
mod memory;
mod records;
mod store;
mod tail;

pub use check::{MAX_KEY, check_base, check_commit, check_format};
pub use codec::{
    decode_catalog, decode_log, decode_manifest, decode_meta, decode_page, encode_catalog, encode_log, encode_manifest, encode_meta, encode_page,
    partition_of,
};
pub use error::{StoreError, StoreResult};
pub use faults::{Attempt, Fault, Faults};
pub use key::RecordKey;
pub use memory::{MemoryDisk, MemoryStore};
pub use records::{
    CatalogRecord, Commit, Damage, Durability, FORMAT_VERSION, LogKey, LogRecord, Manifest, Meta, Page, PageKey, PartitionId, Position, RowState,
    TableId, Tail,
};
pub use store::Store;
pub use tail::TailBuilder;
