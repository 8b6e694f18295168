use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt32Array};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::Int64Type;

use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::partition::{Chunk, RowAddress, Snapshot};

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
    /// The rows at the given positions, in that order.
    pub(crate) fn select(&self, positions: &UInt32Array) -> Result<Rows> {
        Ok(Rows {
            columns: self.columns.iter().map(|column| Ok(take(column, positions, None)?)).collect::<Result<Vec<_>>>()?,
            row_ids: match &self.row_ids {
                Some(ids) => Some(take(ids, positions, None)?.as_primitive::<Int64Type>().clone()),
                None => None,
            },
            n_rows: positions.len(),
        })
    }
}

/// The rows at the given addresses, in that order.
pub(crate) fn take_rows(table: &Table, snapshot: &Snapshot, addresses: &[RowAddress]) -> Result<Rows> {
    // The few chunks that are touched, numbered anew.
    let mut chunks: Vec<&Chunk> = Vec::new();
    let mut number_by_chunk: HashMap<usize, usize> = HashMap::new();
    let mut places = Vec::with_capacity(addresses.len());
    for address in addresses {
        let number = match number_by_chunk.get(&address.chunk()) {
            Some(number) => *number,
            None => {
                let chunk = snapshot.get(address.chunk()).ok_or_else(|| Error::internal("a row address is outside the table"))?;
                chunks.push(chunk);
                number_by_chunk.insert(address.chunk(), chunks.len() - 1);
                chunks.len() - 1
            }
        };
        places.push((number, address.row()));
    }
    let gather = |of: &dyn Fn(&Chunk) -> Option<ArrayRef>| -> Result<Option<ArrayRef>> {
        let Some(parts) = chunks.iter().map(|chunk| of(chunk)).collect::<Option<Vec<_>>>() else { return Ok(None) };
        if parts.is_empty() {
            return Ok(None);
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
        Ok(Some(interleave(&parts, &places)?))
    };
    let columns = (0..table.columns.len())
        .map(|index| {
            let empty = || table.data_type(index).map(datafusion::arrow::array::new_empty_array);
            gather(&|chunk| chunk.column(index).cloned())?.or_else(empty).ok_or_else(|| Error::internal("a column is missing"))
        })
        .collect::<Result<Vec<_>>>()?;
    let row_ids = gather(&|chunk| chunk.row_ids().cloned().map(|ids| Arc::new(ids) as ArrayRef))?;
    Ok(Rows { columns, row_ids: row_ids.map(|ids| ids.as_primitive::<Int64Type>().clone()), n_rows: addresses.len() })
}
