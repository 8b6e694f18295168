//! Where keys are in a segment: its rows are sorted by key, which a live row and a tombstone may share.

use std::cmp::Ordering;

use super::columns::SegmentColumns;
use crate::error::{Error, Result};
use crate::rows::Keys;

impl SegmentColumns {
    /// Finds the rows of those keys at the positions `wanted`; gives pairs of position and row.
    ///
    /// # Errors
    /// Missing pages, if a key may be here.
    pub(crate) fn find_keys(&self, keys: &Keys, wanted: &[usize]) -> Result<Vec<(usize, usize)>> {
        let is_sorted = self.is_sorted_by_key();
        let within: Vec<usize> = match self.key_range(is_sorted)? {
            Some(range) => {
                let is_within =
                    |key: &&usize| range.cmp_at(0, keys, **key).is_le() && range.cmp_at(1, keys, **key).is_ge();
                wanted.iter().filter(is_within).copied().collect()
            }
            None => wanted.to_vec(),
        };
        if within.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.keys()?;
        let n_rows = stored.len();
        let order: Option<Vec<usize>> = (!is_sorted).then(|| stored.order());
        let row_at =
            |position: usize| order.as_ref().map_or(position, |order| order.get(position).copied().unwrap_or_default());
        let mut found = Vec::new();
        for key in within {
            let (mut from, mut to) = (0, n_rows);
            while from < to {
                let middle = from + (to - from) / 2;
                match stored.cmp_at(row_at(middle), keys, key) {
                    Ordering::Less => from = middle + 1,
                    Ordering::Equal | Ordering::Greater => to = middle,
                }
            }
            let equal = (from..n_rows).map(row_at).take_while(|row| stored.cmp_at(*row, keys, key).is_eq());
            found.extend(equal.map(|row| (key, row)));
        }
        Ok(found)
    }

    /// The keys of all rows.
    pub(crate) fn keys(&self) -> Result<std::sync::Arc<Keys>> {
        self.cache.keys(self.segment.id, self.table.schema_version, || {
            let missing = self.missing(self.key_pages());
            if !missing.is_empty() {
                return Err(Error::missing_pages(missing));
            }
            match self.row_ids()? {
                Some(row_ids) => Ok(Keys::Integers(row_ids.values().to_vec())),
                None => Keys::of_columns(&self.table, |index| self.column(index)),
            }
        })
    }

    /// The first and the last key, if the rows are in the order of the keys as they are now.
    fn key_range(&self, is_sorted: bool) -> Result<Option<Keys>> {
        if !is_sorted || self.segment.key_range.is_empty() {
            return Ok(None);
        }
        Keys::of_arrays(&self.segment.key_range).map(Some)
    }

    /// Whether the key's columns have the types that the rows were sorted by.
    fn is_sorted_by_key(&self) -> bool {
        let stored = self.table.columns_of(self.segment.schema_version).unwrap_or_default();
        self.table.primary_key.iter().all(|&index| {
            let now = self.table.columns.get(index);
            now.is_some_and(|now| stored.iter().any(|stored| stored.id == now.id && stored.sql_type == now.sql_type))
        })
    }
}
