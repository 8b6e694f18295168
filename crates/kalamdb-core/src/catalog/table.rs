//! The definition of a table: its kind, columns, keys, indexes and conditions.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use kalamdb_store::TableId;
use kalamdb_types::SqlType;
use serde::{Deserialize, Serialize};

use super::names::TableName;
use super::options::TableOptions;
use super::partition_id::PartitionId;
use crate::access::{Action, Principal, Target};
use crate::error::{Error, ErrorKind, Result};

/// Whose rows a table holds, and what may be done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TableKind {
    /// Everybody's.
    Shared,
    /// One user's each.
    User,
    /// Events, which are kept for a while and never changed.
    Stream,
}

impl TableKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            TableKind::Shared => "shared",
            TableKind::User => "user",
            TableKind::Stream => "stream",
        }
    }
}

/// One column as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ColumnDef {
    /// Unique in the table for ever, so that renaming and dropping never confuse stored rows.
    pub(crate) id: u32,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) sql_type: SqlType,
    pub(crate) nullable: bool,
    /// The DEFAULT expression as SQL text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    /// Counts from 1 in each partition, where no value is given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) auto_increment: bool,
    /// GENERATED ALWAYS: takes no values but those that it counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) generated_always: bool,
    /// What rows read that were written before the column was added, as stored rows: one, of one cell. `None`: NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<String>,
}

/// A secondary index, or the uniqueness of some columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// Positions in the table's columns, in key order.
    pub(crate) columns: Vec<usize>,
    pub(crate) unique: bool,
    /// Declared as a UNIQUE constraint, and so dropped with the table only.
    pub(crate) is_constraint: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// The condition as SQL text.
    pub(crate) condition: String,
}

/// The columns of a table from one ALTER to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SchemaVersion {
    pub(crate) version: u32,
    pub(crate) columns: Vec<ColumnDef>,
}

/// A table's definition.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) id: TableId,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    pub(crate) options: TableOptions,
    pub(crate) created_at_us: i64,
    pub(crate) schema_version: u32,
    pub(crate) columns: Vec<ColumnDef>,
    /// Positions in `columns` of the primary key's columns, in key order; empty without a primary key.
    pub(crate) primary_key: Vec<usize>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) checks: Vec<Check>,
    /// Earlier versions of the columns, oldest first: stored rows may be of any of them.
    pub(crate) earlier: Vec<SchemaVersion>,
    /// The user columns as Arrow fields.
    pub(crate) fields: Vec<FieldRef>,
}

impl Table {
    pub(crate) fn full_name(&self) -> TableName {
        TableName { namespace: self.namespace.clone(), table: self.name.clone() }
    }

    pub(crate) fn has_primary_key(&self) -> bool {
        !self.primary_key.is_empty()
    }

    /// What the primary key is called where constraints and indexes are named.
    pub(crate) fn primary_key_name(&self) -> String {
        format!("{}_pkey", self.name)
    }

    /// Whether each user has rows of their own.
    pub(crate) fn is_per_user(&self) -> bool {
        self.kind == TableKind::User || self.options.per_user
    }

    /// The partition that a principal reads and writes: the only way from a statement to rows.
    pub(crate) fn partition(&self, principal: &Principal) -> PartitionId {
        let user = if self.is_per_user() { principal.user_id().map(str::to_owned) } else { None };
        PartitionId { table: self.id, user }
    }

    /// Refuses to read, or to write to, a table whose access level keeps the role out.
    pub(crate) fn check_access(&self, principal: &Principal, action: Action) -> Result<()> {
        let level = self.options.access_level;
        principal.require(action, Target::Table(level), || {
            let verb = if action == Action::Write { "writing to" } else { "reading" };
            format!("{verb} the {} table {}", level.name(), self.full_name())
        })
    }

    /// Whether the principal reads the table, and finds it listed.
    pub(crate) fn is_readable(&self, principal: &Principal) -> bool {
        principal.may(Action::Read, Target::Table(self.options.access_level))
    }

    /// The names of the columns at these positions.
    pub(crate) fn column_names(&self, columns: &[usize]) -> Vec<&str> {
        columns.iter().filter_map(|&at| self.columns.get(at)).map(|column| column.name.as_str()).collect()
    }

    /// The same as a list that is read.
    pub(crate) fn column_list(&self, columns: &[usize]) -> String {
        self.column_names(columns).join(", ")
    }

    pub(crate) fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The column's position, or an error that suggests the nearest name.
    pub(crate) fn require_column(&self, name: &str) -> Result<usize> {
        self.column_index(name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedColumn, format!("table {} has no column {name}", self.full_name()))
                .with_nearest(name, self.columns.iter().map(|column| column.name.as_str()))
        })
    }

    /// The types of a stored row's cells: the hidden row id first where there is no primary key.
    pub(crate) fn stored_types(&self) -> Vec<SqlType> {
        self.stored_types_of(&self.columns)
    }

    /// The same for an earlier version of the columns.
    pub(crate) fn stored_types_of(&self, columns: &[ColumnDef]) -> Vec<SqlType> {
        let row_id = (!self.has_primary_key()).then_some(SqlType::BigInt);
        row_id.into_iter().chain(columns.iter().map(|column| column.sql_type)).collect()
    }

    /// How long tombstones are kept, 0: for ever. Events leave none.
    pub(crate) fn retention_hours(&self) -> Option<u32> {
        (self.kind != TableKind::Stream).then(|| self.options.retention_hours())
    }

    /// The versions of the columns after `version` up to the current one, oldest first.
    pub(crate) fn columns_since(&self, version: u32) -> impl Iterator<Item = &[ColumnDef]> {
        let later = self
            .earlier
            .iter()
            .filter(move |earlier| earlier.version > version)
            .map(|earlier| earlier.columns.as_slice());
        later.chain((self.schema_version > version).then_some(self.columns.as_slice()))
    }

    /// The columns of one version.
    pub(crate) fn columns_of(&self, version: u32) -> Option<&[ColumnDef]> {
        if version == self.schema_version {
            return Some(&self.columns);
        }
        self.earlier.iter().find(|earlier| earlier.version == version).map(|earlier| earlier.columns.as_slice())
    }

    /// An index or a constraint of that name.
    pub(crate) fn has_constraint(&self, name: &str) -> bool {
        let is_key = self.has_primary_key() && name == self.primary_key_name();
        is_key
            || self.indexes.iter().any(|index| index.name == name)
            || self.checks.iter().any(|check| check.name == name)
    }

    pub(crate) fn arrow_fields(columns: &[ColumnDef]) -> Vec<FieldRef> {
        columns.iter().map(|column| Arc::new(column.sql_type.field(&column.name, column.nullable))).collect()
    }

    /// The data type of one column.
    pub(crate) fn data_type(&self, index: usize) -> Option<&DataType> {
        self.fields.get(index).map(|field: &Arc<Field>| field.data_type())
    }
}
/// Rows of streams stay in the log: they are over soon.
pub(crate) fn is_kept_in_segments(table: &Table) -> bool {
    table.kind != TableKind::Stream
}
