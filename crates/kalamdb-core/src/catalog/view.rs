//! The definition of a view.

use super::names::TableName;

/// A view: a query with a name, planned anew by each statement that reads it, for the session that runs the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredView {
    pub(crate) id: u64,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) created_at_us: i64,
    /// The namespace that was current when the view was made: its query's names are looked up there.
    pub(crate) planned_in: String,
    /// The names of its columns, where CREATE VIEW lists them.
    pub(crate) columns: Vec<String>,
    /// The query as SQL text.
    pub(crate) query: String,
    /// The tables and views that the query names.
    pub(crate) reads: Vec<TableName>,
}

impl StoredView {
    pub(crate) fn full_name(&self) -> TableName {
        TableName { namespace: self.namespace.clone(), table: self.name.clone() }
    }
}
