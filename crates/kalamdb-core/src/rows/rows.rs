//! Whole rows of a table, as columns.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::Int64Type;

use crate::error::{Error, Result};

/// Whole rows of a table, as columns.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The user columns, in the order of the table's schema.
    pub(crate) columns: Vec<ArrayRef>,
    /// The hidden row ids of rows that have been stored before, in a table without a primary key.
    pub(crate) row_ids: Option<Int64Array>,
    pub(crate) n_rows: usize,
}

impl Rows {
    /// A user column.
    pub(crate) fn column(&self, index: usize) -> Result<ArrayRef> {
        self.columns.get(index).cloned().ok_or_else(|| Error::internal("a column is missing"))
    }

    /// The rows of several, one after the other; all of one table.
    pub(crate) fn concat(parts: &[&Rows]) -> Result<Rows> {
        let [first, rest @ ..] = parts else { return Err(Error::internal("there are no rows to put together")) };
        if rest.is_empty() {
            return Ok((*first).clone());
        }
        let column = |index: usize| {
            let columns: Vec<&dyn Array> =
                parts.iter().filter_map(|part| part.columns.get(index)).map(|column| column.as_ref()).collect();
            Ok(concat(&columns)?)
        };
        // Rows that are not numbered yet have no ids to keep.
        let row_ids: Option<Vec<&dyn Array>> =
            parts.iter().map(|part| part.row_ids.as_ref().map(|ids| ids as &dyn Array)).collect();
        Ok(Rows {
            columns: (0..first.columns.len()).map(column).collect::<Result<Vec<_>>>()?,
            row_ids: row_ids
                .map(|ids| Ok::<_, Error>(concat(&ids)?.as_primitive::<Int64Type>().clone()))
                .transpose()?,
            n_rows: parts.iter().map(|part| part.n_rows).sum(),
        })
    }

    /// The rows at the given positions, in that order.
    pub(crate) fn select(&self, positions: &UInt32Array) -> Result<Rows> {
        Ok(Rows {
            columns: self
                .columns
                .iter()
                .map(|column| Ok(take(column, positions, None)?))
                .collect::<Result<Vec<_>>>()?,
            row_ids: match &self.row_ids {
                Some(ids) => Some(take(ids, positions, None)?.as_primitive::<Int64Type>().clone()),
                None => None,
            },
            n_rows: positions.len(),
        })
    }
}
