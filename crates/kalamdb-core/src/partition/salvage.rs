//! The rows of a partition, put together from whatever of it is readable.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, new_null_array};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::Int64Type;
use kalamdb_store::RowState;

use super::partition::Partition;
use super::row_group::RowGroup;
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::rows::upgrade_column;
use crate::segment::{ROW_ID, StoredSegment};

/// A partition that is being put together.
#[derive(Debug)]
pub(crate) struct Salvage<'a> {
    table: &'a Arc<Table>,
    partition: Partition,
}

impl<'a> Salvage<'a> {
    pub(crate) fn new(table: &'a Arc<Table>) -> Self {
        Self { table, partition: Partition::default() }
    }

    /// Adds rows of a log record.
    pub(crate) fn add(&mut self, group: RowGroup) -> Result<()> {
        // A record that is missing may have held an earlier version.
        self.partition.apply(self.table, RowGroup { is_new: false, ..group }, 0)
    }

    /// Adds the rows of a segment of which some columns are readable.
    pub(crate) fn add_segment(&mut self, stored: &StoredSegment, columns: &BTreeMap<u32, ArrayRef>) -> Result<()> {
        let segment = &stored.segment;
        let has_key = if self.table.has_primary_key() {
            self.table
                .primary_key
                .iter()
                .all(|&at| self.table.columns.get(at).is_some_and(|column| columns.contains_key(&column.id)))
        } else {
            columns.contains_key(&ROW_ID)
        };
        if !has_key {
            return Ok(());
        }
        let user = self.table.columns.iter().map(|column| match (segment.column(column.id), columns.get(&column.id)) {
            (Some(_), None) => Ok(new_null_array(&column.sql_type.arrow(), segment.n_rows)),
            (_, values) => {
                upgrade_column(self.table, segment.schema_version, column.id, values.cloned(), segment.n_rows)
            }
        });
        let user = user.collect::<Result<Vec<_>>>()?;
        let row_ids = columns.get(&ROW_ID).and_then(|ids| ids.as_primitive_opt::<Int64Type>()).cloned();
        // Tombstones are of no use here, and live rows may have their keys.
        let counts = |row: usize| {
            let is_deleted = stored.marks.deleted.as_ref().is_some_and(|deleted| deleted.value(row));
            !is_deleted && stored.marks.current.as_ref().is_none_or(|current| current.value(row))
        };
        let kept: BooleanArray = (0..segment.n_rows).map(|row| Some(counts(row))).collect();
        let columns = user.iter().map(|column| Ok(filter(column, &kept)?)).collect::<Result<Vec<_>>>()?;
        let row_ids = row_ids
            .as_ref()
            .map(|ids| Ok::<_, Error>(filter(ids, &kept)?.as_primitive::<Int64Type>().clone()))
            .transpose()?;
        let n_rows = kept.true_count();
        self.add(RowGroup {
            state: RowState::Live,
            is_new: false,
            columns,
            row_ids,
            first_seq: 0,
            updated_us: 0,
            n_rows,
        })
    }

    /// The live rows, as stored rows.
    pub(crate) fn rows(mut self) -> Result<Vec<u8>> {
        let types: Vec<_> = self.table.columns.iter().map(|column| column.sql_type).collect();
        let mut out = Vec::from(*b"[");
        for chunk in self.partition.snapshot(self.table)?.iter() {
            let visible: BooleanArray = match chunk.visible(false) {
                Some(visible) => BooleanArray::new(visible, None),
                None => vec![true; chunk.n_rows()].into(),
            };
            let columns =
                (0..types.len()).map(|at| Ok(filter(&chunk.column(at)?, &visible)?)).collect::<Result<Vec<_>>>()?;
            if visible.true_count() == 0 {
                continue;
            }
            let mut rows = Vec::new();
            kalamdb_types::json::encode_rows(&columns, &types, 0, visible.true_count(), &mut rows)
                .map_err(|error| Error::internal(error.to_string()))?;
            if out.len() > 1 {
                out.push(b',');
            }
            // Without the brackets around them.
            out.extend_from_slice(rows.get(1..rows.len().saturating_sub(1)).unwrap_or_default());
        }
        out.push(b']');
        Ok(out)
    }
}
