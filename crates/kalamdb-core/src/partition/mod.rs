//! The rows of one partition in memory: chunks of Arrow columns, and an index from keys to rows.
//!
//! A row version is never changed in place: a newer one is appended, and a bit masks the older. A key has one live row
//! at most, and one tombstone: a new row leaves that of the row before it as it is, until it is deleted in turn.
//! Readers hold a [`Snapshot`], which later commits do not touch. The first chunks are the partition's segments, whose
//! columns are read when they are needed; the others hold the rows that are in the log.

mod chunk;
mod columns;
mod compaction;
mod events;
mod frozen;
mod index_order;
mod key_index;
mod layered_map;
mod partition;
mod row_group;
mod salvage;
mod swap;
mod take;
mod tap;
mod unique_index;
mod unstored;

pub(crate) use chunk::{Chunk, RowAddress};
pub(crate) use compaction::{CompactionInput, CompactionPlan, CompactionResult, Source, Unflushed};
pub(crate) use events::{is_expired, oldest_in_buffer, visible_events};
pub(crate) use index_order::Sorted;
pub(crate) use partition::{Logged, Partition, Snapshot, StoredKey};
pub(crate) use row_group::RowGroup;
pub(crate) use salvage::Salvage;
pub(crate) use take::take_rows;
pub(crate) use tap::{Appended, Report, Tap};
pub(crate) use unstored::snapshot_of;
