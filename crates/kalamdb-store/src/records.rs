use serde::{Deserialize, Serialize};

use crate::{RecordKey, RecordKind};

/// The version of the stored format that this code writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 4;

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

/// The numbers of the store after a commit; every record of the log has those of its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The number of the last commit; 0 before the first. Numbers that no commit got are counted too.
    pub head: u64,
    /// The number of the last commit that changed the catalog.
    pub catalog_head: u64,
    /// The number of the last commit that wrote a manifest.
    pub manifest_head: u64,
    /// The number of the last commit that named an owner.
    pub owners_head: u64,
    /// The next row version's sequence number; starts at 1.
    pub next_seq: u64,
    /// The next id of a table, of another catalog object or of a segment; starts at 1.
    pub next_id: u64,
}

impl Default for Meta {
    fn default() -> Self {
        Self { head: 0, catalog_head: 0, manifest_head: 0, owners_head: 0, next_seq: 1, next_id: 1 }
    }
}

/// Whose rows a partition holds, as an opaque id: the catalog says which user that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(pub String);

/// One table's rows, or one user's rows of it: the unit of isolation, of loading and of flush.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartitionId {
    /// The table.
    pub table: TableId,
    /// Whom the rows belong to; `None` where they are everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
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

/// The place of row versions in the log, and the key of a manifest: the commit, then the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogKey {
    /// The commit's number, from 1.
    pub commit: u64,
    /// The record's place in the commit, from 0.
    pub part: u32,
}

/// The one record that a commit leaves in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRecord {
    /// The store's numbers after the commit, its own among them.
    pub meta: Meta,
    /// A random number that tells the commit from every other one.
    pub nonce: u64,
    /// Who wrote it, where rows come from elsewhere.
    pub origin: Option<String>,
    /// What it wrote, in the order of the keys.
    pub log: Vec<LogRecord>,
}

/// A record of the log, as a reader finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEntry {
    /// Its key in the log.
    pub number: u64,
    /// The commit's nonce; `None` if the record is void or damaged.
    pub nonce: Option<u64>,
    /// Whether it does not decode: what was in it may be needed, if it can be mended.
    pub is_damaged: bool,
}

/// Row versions that one commit wrote to one partition, all of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Where they are.
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
    pub is_new: bool,
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
    /// The numbers after it; its head is `base + 1`.
    pub meta: Meta,
    /// A random number that tells the commit from every other one.
    pub nonce: u64,
    /// Who wrote it, where rows come from elsewhere.
    pub origin: Option<String>,
    /// New row versions; their keys carry the commit number `base + 1`.
    pub log: Vec<LogRecord>,
    /// Records of the log to remove, by their commits: all their rows are in segments now, or are over, or their tables
    /// were dropped.
    pub drop_log: Vec<u64>,
    /// Records of the log that stay with fewer rows.
    pub shrink_log: Vec<CommitRecord>,
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
    /// Whether less is stored after it, at once or once its tombstones are gone: it may then use the space that is kept
    /// aside.
    pub makes_room: bool,
    /// How hard to press the commit to the disk.
    pub durability: Durability,
}

/// What a reader has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// The numbers now.
    pub meta: Meta,
    /// The whole catalog, if it changed or an owner was named.
    pub catalog: Option<Vec<CatalogRecord>>,
    /// The records of the log that came after, in order.
    pub entries: Vec<LogEntry>,
    /// The row versions in them, in the order of their keys. Some may be in segments by now, or their tables gone.
    pub log: Vec<LogRecord>,
    /// The manifests that came after, in the order of their keys.
    pub manifests: Vec<Manifest>,
    /// The records that do not decode.
    pub damaged: Vec<Damage>,
}

/// A record that does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What kind of record it is.
    pub kind: RecordKind,
    /// Its key as text: `log/17`, `catalog/table/3`. It need not be a key of ours.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// The partition that it belongs to, where that part of it is known to be as it was written.
    pub partition: Option<PartitionId>,
}

impl Damage {
    /// Damage to the record of a key.
    pub fn of(key: &RecordKey, what: &str, partition: Option<PartitionId>) -> Self {
        Self { kind: key.kind(), key: key.to_string(), what: what.to_owned(), partition }
    }
}

/// Something that was set right when the database was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// What was wrong, and what was made of it.
    pub what: String,
    /// What is lost for good, as far as it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}
