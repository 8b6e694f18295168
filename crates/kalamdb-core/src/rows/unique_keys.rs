//! The values of unique columns as keys.

use super::keys::Keys;
use super::rows::Rows;
use crate::error::Result;

/// The values of unique columns, `None` where one of them is NULL.
pub(crate) fn unique_keys(rows: &Rows, columns: &[usize]) -> Result<Vec<Option<Box<[u8]>>>> {
    let columns = columns.iter().map(|&index| rows.column(index)).collect::<Result<Vec<_>>>()?;
    Keys::of_nullable(&columns)
}
