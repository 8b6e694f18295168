//! The engine: catalog, partitions, table providers and SQL over a [`Store`](kalamdb_store::Store).
//!
//! It knows no browser: the same code runs natively on `MemoryStore` and in wasm on IndexedDB. It keeps no global
//! state; the clock is an argument.
//!
//! - [`Database`] is what is stored, as one instance has read it, and the one writer at a time.
//! - [`Session`] runs statements on it.
//! - [`Error`] has a closed list of kinds, [`ErrorKind`].

mod access;
mod call;
mod catalog;
mod change;
mod clock;
mod database;
mod error;
mod feed;
mod functions;
mod message;
mod partition;
mod result;
mod retry;
mod rows;
mod segment;
mod session;
mod sql;
mod tables;
mod write;

/// The Arrow of [`StatementResult::batches`] is this DataFusion's.
pub use datafusion;

pub use access::{Principal, Role};
pub use call::{CallContext, CancelFlag, Progress, ProgressPhase, ProgressReport};
pub use catalog::PartitionId;
pub use clock::Clock;
pub use database::{
    CheckReport, DamagedRecord, Database, MaintenanceTrigger, MemoryBudget, PartitionUse, Resources, SalvageReport,
    SalvagedColumn, SalvagedTable, StorageUse,
};
pub use error::{Error, ErrorCause, ErrorKind, ErrorPayload, Location, Result};
pub use feed::{CommitChanges, Delta, PartitionChange, Watch};
pub use message::encode_results;
pub use result::{ResultField, StatementResult};
pub use segment::HeapUse;
pub use session::{KeptQuery, QueryStream, Session};
