//! One user's rows of a table, or the rows of a table that all share.

use kalamdb_store::TableId;

/// One table's rows, or one user's rows of it: the unit of isolation, of loading and of flush.
///
/// What is stored names an [owner](kalamdb_store::Owner) in the user's place; the database knows which user that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionId {
    /// The table.
    pub(crate) table: TableId,
    /// The user that the rows belong to; `None` where they are everybody's.
    pub(crate) user: Option<String>,
}
