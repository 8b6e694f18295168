//! An open database, and the transactions on it.

mod database;
mod group;
mod health;
mod interval;
mod jobs;
mod log_use;
pub(crate) mod maintenance;
mod outcome;
mod owners;
mod races;
mod resources;
mod retry;
mod state;
mod transaction;
mod turns;
mod view;
mod watching;

pub(crate) use database::AppliedCommit;
pub use database::Database;
pub(crate) use group::{CommitGroup, MemberOutcome};
pub use health::{CheckReport, DamagedRecord, PartitionUse, SalvageReport, SalvagedColumn, SalvagedTable, StorageUse};
pub(crate) use jobs::JobKind;
pub(crate) use log_use::{Dying, Leaving};
pub use maintenance::MaintenanceTrigger;
pub(crate) use outcome::CommitOutcome;
pub(crate) use races::Races;
pub use resources::{MemoryBudget, Resources};
pub(crate) use transaction::Transaction;
pub(crate) use turns::{Ticket, WritePermit};
pub(crate) use view::ReadView;
