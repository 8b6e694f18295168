//! The system columns, which the engine fills in on every row.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};

/// The columns that the engine fills in on every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SystemColumn {
    /// The row version's sequence number, unique and rising over all tabs.
    Seq,
    /// When the row version was written.
    Updated,
    /// Whether the row is soft-deleted.
    Deleted,
}

impl SystemColumn {
    pub(crate) const ALL: [SystemColumn; 3] = [SystemColumn::Seq, SystemColumn::Updated, SystemColumn::Deleted];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            SystemColumn::Seq => "_seq",
            SystemColumn::Updated => "_updated",
            SystemColumn::Deleted => "_deleted",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    pub(crate) fn field(self) -> FieldRef {
        let data_type = match self {
            SystemColumn::Seq => DataType::Int64,
            SystemColumn::Updated => DataType::Timestamp(TimeUnit::Microsecond, None),
            SystemColumn::Deleted => DataType::Boolean,
        };
        Arc::new(Field::new(self.name(), data_type, false))
    }
}

pub(crate) fn is_system_column(name: &str) -> bool {
    SystemColumn::from_name(name).is_some()
}
