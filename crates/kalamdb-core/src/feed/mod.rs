//! The change feed: what each commit has done to the rows of partitions that somebody watches.

mod commit;
mod delta;
mod watch;

pub use commit::{CommitChanges, PartitionChange};
pub use delta::Delta;
pub use watch::Watch;
