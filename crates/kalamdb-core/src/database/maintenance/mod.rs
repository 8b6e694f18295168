//! What is done while nobody waits: rows of the log become segments, segments are merged, expired rows go.

mod orphans;
mod policy;
mod publish;
mod segments;
mod sweep;

pub use policy::MaintenanceTrigger;
