//! The rows at given addresses.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{DataType, Int64Type};

use super::chunk::{Chunk, RowAddress};
use super::partition::Snapshot;
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::rows::Rows;

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
                let chunk = snapshot
                    .get(address.chunk())
                    .ok_or_else(|| Error::internal("a row address is outside the table"))?;
                chunks.push(chunk);
                number_by_chunk.insert(address.chunk(), chunks.len() - 1);
                chunks.len() - 1
            }
        };
        places.push((number, address.row()));
    }
    let gather = |of: &dyn Fn(&Chunk) -> Result<ArrayRef>, data_type: DataType| -> Result<ArrayRef> {
        let parts = chunks.iter().map(|chunk| of(chunk)).collect::<Result<Vec<_>>>()?;
        if parts.is_empty() {
            return Ok(new_empty_array(&data_type));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
        Ok(interleave(&parts, &places)?)
    };
    let columns = table
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| gather(&|chunk| chunk.column(index), field.data_type().clone()))
        .collect::<Result<Vec<_>>>()?;
    let row_ids = if table.has_primary_key() {
        None
    } else {
        let missing = || Error::internal("a chunk has no row ids");
        let ids = gather(&|chunk| Ok(Arc::new(chunk.row_ids()?.ok_or_else(missing)?)), DataType::Int64)?;
        Some(ids.as_primitive::<Int64Type>().clone())
    };
    Ok(Rows { columns, row_ids, n_rows: addresses.len() })
}
