//! Where values of unique columns are in a segment.

use datafusion::arrow::array::ArrayRef;

use super::columns::SegmentColumns;
use super::hashes::{Hashes, hash};
use crate::error::{Error, Result};
use crate::rows::Keys;

impl SegmentColumns {
    /// The rows that hold a value in `columns`, superseded ones and tombstones included; the value is as
    /// [`Keys::of_nullable`] makes it.
    ///
    /// # Errors
    /// Missing pages.
    pub(crate) fn find_values(&self, columns: &[usize], value: &[u8]) -> Result<Vec<usize>> {
        let hashes = self.cache.hashes(self.segment.id, self.table.schema_version, columns, || self.hashes(columns))?;
        let wanted = hash(value);
        let from = hashes.0.partition_point(|(hash, _)| *hash < wanted);
        let mut rows = Vec::new();
        for (_, row) in hashes.0.iter().skip(from).take_while(|(hash, _)| *hash == wanted) {
            let row = *row as usize;
            let values: Vec<ArrayRef> = self.values(columns)?.iter().map(|column| column.slice(row, 1)).collect();
            if Keys::of_nullable(&values)?.pop().flatten().as_deref() == Some(value) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn hashes(&self, columns: &[usize]) -> Result<Hashes> {
        let keys = Keys::of_nullable(&self.values(columns)?)?;
        let mut hashes: Vec<(u64, u32)> =
            keys.iter().zip(0_u32..).filter_map(|(key, row)| Some((hash(key.as_deref()?), row))).collect();
        hashes.sort_unstable();
        Ok(Hashes(hashes))
    }

    fn values(&self, columns: &[usize]) -> Result<Vec<ArrayRef>> {
        let missing = self.missing(columns.iter().filter_map(|&index| self.page_of(index)));
        if !missing.is_empty() {
            return Err(Error::missing_pages(missing));
        }
        columns.iter().map(|&index| self.column(index)).collect()
    }
}
