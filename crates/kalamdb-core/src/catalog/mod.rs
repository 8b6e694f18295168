//! Namespaces and tables: what the engine knows of the shape of the data, and how that is stored.
//!
//! A [`Catalog`] is a value: a statement plans against one, and a DDL statement commits the next.

mod catalog;
mod columns;
mod json;
mod names;
mod namespace;
mod options;
mod partition_id;
mod record;
mod table;
mod view;

pub(crate) use catalog::Catalog;
pub(crate) use columns::{SystemColumn, is_system_column};
pub(crate) use names::{
    DEFAULT_NAMESPACE, TableName, check_column_name, check_constraint_name, check_namespace_name, check_table_name,
};
pub(crate) use namespace::{NamespaceRecord, namespace_key};
pub(crate) use options::{FlushPolicy, TableOptions};
pub use partition_id::PartitionId;
pub(crate) use record::{decode, table_key, view_key};
pub(crate) use table::{Check, ColumnDef, Index, SchemaVersion, Table, TableKind, is_kept_in_segments};
pub(crate) use view::StoredView;
