use serde::{Deserialize, Serialize};

/// The version of the stored format that this code writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 3;

/// A table's id: never used again, also after the table was dropped.
pub type TableId = u64;

/// How hard a commit is pressed to the disk before it counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Handed to the operating system: survives the death of tab and browser.
    #[default]
    Relaxed,
    /// Flushed to the disk where the platform honours it: survives loss of power too.
    Strict,
}

/// The one record that every commit replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The number of the last commit; 0 before the first.
    pub head: u64,
    /// The number of the last commit that changed the catalog.
    pub catalog_head: u64,
    /// The number of the last commit that wrote a manifest.
    pub manifest_head: u64,
    /// The next row version's sequence number; starts at 1.
    pub next_seq: u64,
    /// The next id of a table, of another catalog object or of a segment; starts at 1.
    pub next_id: u64,
}

impl Default for Meta {
    fn default() -> Self {
        Self { head: 0, catalog_head: 0, manifest_head: 0, next_seq: 1, next_id: 1 }
    }
}

/// How much of the store a reader has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The last commit applied.
    pub head: u64,
    /// [`Meta::catalog_head`] as last seen.
    pub catalog_head: u64,
}

/// One table's rows, or one user's rows of it: the unit of isolation, of loading and of flush.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartitionId {
    /// The table.
    pub table: TableId,
    /// The user that the rows belong to; `None` where they are everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Whether the row versions of a record are live rows or tombstones of a soft delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowState {
    /// Live rows.
    Live,
    /// Soft-deleted rows: they keep their values.
    Deleted,
}

/// The key of a log record or of a manifest: the commit, then the record's place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogKey {
    /// The commit's number, from 1.
    pub commit: u64,
    /// The record's place in the commit, from 0.
    pub part: u32,
}

/// Row versions that one commit wrote to one partition, all of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Where the record is kept.
    pub key: LogKey,
    /// Whose rows these are.
    pub partition: PartitionId,
    /// The version of the table's schema that the rows were written with.
    pub schema_version: u32,
    /// The sequence number of the first row; the following rows count on from it.
    pub first_seq: u64,
    /// When the rows were written, in microseconds since the epoch.
    pub updated_us: i64,
    /// Live rows or tombstones.
    pub state: RowState,
    /// True if no earlier version of any of these rows exists, so that none has to be looked for.
    pub fresh: bool,
    /// How many rows `rows` holds.
    pub n_rows: u32,
    /// The rows as a JSON array; its form is the engine's.
    pub rows: Vec<u8>,
}

/// A catalog object as the engine encodes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogRecord {
    /// The object's key, unique in the catalog, for instance `table/12`.
    pub key: String,
    /// The object as JSON; its form is the engine's.
    pub value: Vec<u8>,
}

/// The key of one column of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageKey {
    /// The segment's id.
    pub segment: u64,
    /// The column's number, which is the engine's.
    pub column: u32,
}

/// One column of a segment: immutable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it is kept.
    pub key: PageKey,
    /// Whose rows these are.
    pub partition: PartitionId,
    /// How many rows it holds.
    pub n_rows: u32,
    /// The values; their form is the engine's.
    pub values: Vec<u8>,
}

/// Which segments hold the rows of a partition that are not in the log.
///
/// A partition has at most one: who writes the next one removes the last, in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Where it is kept.
    pub key: LogKey,
    /// The partition described.
    pub partition: PartitionId,
    /// The description; its form is the engine's.
    pub body: Vec<u8>,
}

/// What one statement changes, to be stored whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// The head that the change was computed from.
    pub base: u64,
    /// The meta record to store; its head is `base + 1`.
    pub meta: Meta,
    /// New log records; their keys carry the commit number `base + 1`.
    pub log: Vec<LogRecord>,
    /// Log records to remove: their rows are in a segment now, or are over, or their table was dropped.
    pub drop_log: Vec<LogKey>,
    /// New columns of segments.
    pub put_pages: Vec<Page>,
    /// Columns of segments to remove.
    pub drop_pages: Vec<PageKey>,
    /// New manifests; their keys carry the commit number `base + 1`.
    pub put_manifests: Vec<Manifest>,
    /// Manifests to remove.
    pub drop_manifests: Vec<LogKey>,
    /// Catalog records to write or replace.
    pub put_catalog: Vec<CatalogRecord>,
    /// Keys of catalog records to remove.
    pub drop_catalog: Vec<String>,
    /// Whether less is stored after it, at once or once its tombstones are gone: it may then use the space that is kept aside.
    pub makes_room: bool,
    /// How hard to press the commit to the disk.
    pub durability: Durability,
}

/// What a reader has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// The meta record now.
    pub meta: Meta,
    /// The whole catalog, if it changed.
    pub catalog: Option<Vec<CatalogRecord>>,
    /// The log records that came after, in the order of their keys.
    pub log: Vec<LogRecord>,
    /// The manifests that came after, in the order of their keys.
    pub manifests: Vec<Manifest>,
    /// The records that do not decode.
    pub damaged: Vec<Damage>,
}

/// A record that does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its key: `log/17/0`, `catalog/table/3`.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// The partition that it belongs to, where that part of it is known to be as it was written.
    pub partition: Option<PartitionId>,
}
