use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use kalamdb_store::{PartitionId, TableId};
use kalamdb_types::SqlType;
use serde::{Deserialize, Serialize};

use super::names::TableName;
use crate::error::{Error, ErrorKind, Result, nearest};

/// Whose rows a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TableKind {
    /// Everybody's.
    Shared,
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
    pub(crate) created_at_us: i64,
    pub(crate) schema_version: u32,
    pub(crate) columns: Vec<ColumnDef>,
    /// Positions in `columns` of the primary key's columns, in key order; empty without a primary key.
    pub(crate) primary_key: Vec<usize>,
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

    /// The partition that a shared table's rows are in.
    pub(crate) fn partition(&self) -> PartitionId {
        PartitionId { table: self.id, user: None }
    }

    pub(crate) fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The column's position, or an error that suggests the nearest name.
    pub(crate) fn require_column(&self, name: &str) -> Result<usize> {
        self.column_index(name).ok_or_else(|| {
            let error = Error::new(ErrorKind::UndefinedColumn, format!("table {} has no column {name}", self.full_name()));
            match nearest(name, self.columns.iter().map(|column| column.name.as_str())) {
                Some(near) => error.with_hint(format!("perhaps you meant {near}")),
                None => error,
            }
        })
    }

    /// The types of a stored row's cells: the hidden row id first where there is no primary key.
    pub(crate) fn stored_types(&self) -> Vec<SqlType> {
        let row_id = (!self.has_primary_key()).then_some(SqlType::BigInt);
        row_id.into_iter().chain(self.columns.iter().map(|column| column.sql_type)).collect()
    }

    pub(crate) fn arrow_fields(columns: &[ColumnDef]) -> Vec<FieldRef> {
        columns.iter().map(|column| Arc::new(column.sql_type.field(&column.name, column.nullable))).collect()
    }

    /// The data type of one column.
    pub(crate) fn data_type(&self, index: usize) -> Option<&DataType> {
        self.fields.get(index).map(|field: &Arc<Field>| field.data_type())
    }
}
