//! The rows of a chunk in the order of some columns, found when they are first worth it and kept with the chunk.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, DynComparator, make_comparator};

use crate::error::Result;
use crate::rows::ORDER;

/// How often rows are looked up by some columns before they are sorted: a scan of one chunk costs less than sorting it.
const LOOKUPS_BEFORE_SORTING: u32 = 3;

/// The rows of a chunk in order.
#[derive(Debug)]
pub(crate) enum Sorted {
    /// They are stored in that order, as those of a key that counts on are.
    AsStored,
    /// Positions of the rows.
    Rows(Vec<u32>),
}

impl Sorted {
    /// The row at a position of the order.
    pub(crate) fn row(&self, position: usize) -> usize {
        match self {
            Sorted::AsStored => position,
            Sorted::Rows(rows) => rows.get(position).map_or(0, |row| *row as usize),
        }
    }
}

/// The orders of one chunk that are known.
#[derive(Debug, Default)]
pub(super) struct Orders(Mutex<Vec<Order>>);

#[derive(Debug)]
struct Order {
    columns: Vec<usize>,
    lookups: u32,
    sorted: Option<Arc<Sorted>>,
}

impl Orders {
    /// The rows in the order of `columns`, whose values are `values`; `None` while they are not sorted.
    pub(crate) fn get(
        &self,
        columns: &[usize],
        values: impl FnOnce() -> Result<Vec<ArrayRef>>,
        n_rows: usize,
    ) -> Result<Option<Arc<Sorted>>> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match orders.iter().position(|order| order.columns == columns) {
            Some(at) => at,
            None => {
                orders.push(Order { columns: columns.to_vec(), lookups: 0, sorted: None });
                orders.len() - 1
            }
        };
        let Some(order) = orders.get_mut(at) else { return Ok(None) };
        if order.sorted.is_none() {
            order.lookups += 1;
            if order.lookups == 1 {
                order.sorted = compare(&values()?)?.is_sorted(n_rows).then(|| Arc::new(Sorted::AsStored));
            } else if order.lookups >= LOOKUPS_BEFORE_SORTING {
                order.sorted = Some(Arc::new(Sorted::Rows(compare(&values()?)?.sort(n_rows))));
            }
        }
        Ok(order.sorted.clone())
    }
}

/// Compares rows by several columns.
struct Comparison(Vec<DynComparator>);

fn compare(values: &[ArrayRef]) -> Result<Comparison> {
    Ok(Comparison(values.iter().map(|column| Ok(make_comparator(column, column, ORDER)?)).collect::<Result<Vec<_>>>()?))
}

impl Comparison {
    fn cmp(&self, a: usize, b: usize) -> Ordering {
        self.0.iter().map(|comparator| comparator(a, b)).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn is_sorted(&self, n_rows: usize) -> bool {
        (1..n_rows).all(|row| self.cmp(row - 1, row).is_le())
    }

    fn sort(&self, n_rows: usize) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..u32::try_from(n_rows).unwrap_or(u32::MAX)).collect();
        rows.sort_unstable_by(|a, b| self.cmp(*a as usize, *b as usize).then(a.cmp(b)));
        rows
    }
}
