//! Cold rows: immutable runs of rows of a partition, sorted by key, one page a column. A manifest names the segments of
//! a partition.
//!
//! Pages are read when a statement needs them and kept under a byte budget. Code that lacks a page fails with an
//! error that names it ([`Error::missing_pages`](crate::error::Error)). The page is then read, and the statement runs
//! again.

mod bounds;
mod cache;
mod columns;
mod hashes;
mod key_search;
mod manifest;
mod pages;
mod query_memory;
mod segment;
mod unique_search;

pub(crate) use bounds::bounds_of;
pub(crate) use cache::{PageCache, Pins};
pub(crate) use columns::SegmentColumns;
pub(crate) use manifest::{Contents, StoredSegment, decode_manifest, encode_manifest, reach};
pub(crate) use pages::Pages;
pub use query_memory::HeapUse;
pub(crate) use query_memory::{DefaultMemory, QueryMemory};
pub(crate) use segment::{DeletionVector, ROW_ID, SEGMENT_BYTES, SEGMENT_ROWS, SEQ, Segment, SegmentColumn, UPDATED};
