//! The choice of an index for a scan, and the rows of a chunk that the index finds.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, DynComparator, make_comparator};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::utils::{split_binary, split_conjunction};
use datafusion::logical_expr::{Expr, Operator};

use super::visible_columns::{VisibleColumn, VisibleColumns};
use crate::catalog::Table;
use crate::error::Result;
use crate::partition::{Chunk, Sorted};
use crate::rows::ORDER;

/// Chunks of fewer rows are scanned.
const MIN_ROWS: usize = 256;

/// The most combinations of values that one scan looks up.
const MAX_RANGES: usize = 64;

/// The columns of an index or of the primary key, by position, and its name.
#[derive(Debug, Clone)]
pub(crate) struct IndexColumns {
    name: String,
    columns: Vec<usize>,
}

/// A look-up of rows by an index. It leads to all rows that pass the filters that it was made from, and perhaps to
/// others.
#[derive(Debug, Clone)]
pub(crate) struct IndexScan {
    index: IndexColumns,
    ranges: Arc<[KeyRange]>,
}

/// Rows whose first columns have given values, and whose next one is between bounds.
#[derive(Debug, Clone, Default)]
struct KeyRange {
    equal: Vec<ArrayRef>,
    lower: Option<Bound>,
    upper: Option<Bound>,
}

/// A value, and whether it is itself within the range.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) value: ArrayRef,
    pub(super) inclusive: bool,
}

/// The values or bounds that filters set for one column.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) values: Option<Vec<ArrayRef>>,
    pub(super) lower: Option<Bound>,
    pub(super) upper: Option<Bound>,
}

/// The primary key and the indexes of a table.
pub(crate) fn indexes_of(table: &Table) -> Vec<IndexColumns> {
    let key = table
        .has_primary_key()
        .then(|| IndexColumns { name: table.primary_key_name(), columns: table.primary_key.clone() });
    let others =
        table.indexes.iter().map(|index| IndexColumns { name: index.name.clone(), columns: index.columns.clone() });
    key.into_iter().chain(others).collect()
}

impl IndexScan {
    /// The index that the filters narrow down most, if there is one.
    pub(crate) fn choose(indexes: &[IndexColumns], visible_columns: &VisibleColumns, filters: &[Expr]) -> Option<Self> {
        let conjuncts: Vec<&Expr> = filters.iter().flat_map(split_conjunction).collect();
        let mut best: Option<(usize, Self)> = None;
        for index in indexes {
            let (score, ranges) = ranges(&index.columns, visible_columns, &conjuncts);
            if score > best.as_ref().map_or(0, |(score, _)| *score) {
                best = Some((score, Self { index: index.clone(), ranges: ranges.into() }));
            }
        }
        best.map(|(_, scan)| scan)
    }

    pub(crate) fn name(&self) -> &str {
        &self.index.name
    }

    pub(crate) fn columns(&self) -> &[usize] {
        &self.index.columns
    }

    /// The rows of a chunk that may pass, in their order; `None` if looking at all of them costs less.
    pub(crate) fn candidates(&self, chunk: &Chunk) -> Result<Option<Vec<u32>>> {
        let n_rows = chunk.n_rows();
        if n_rows < MIN_ROWS {
            return Ok(None);
        }
        let Some(sorted) = chunk.sorted_by(&self.index.columns)? else { return Ok(None) };
        let mut rows: Vec<u32> = Vec::new();
        for range in self.ranges.iter() {
            let (from, to) = self.bounds(range, chunk, &sorted)?;
            if rows.len() + to.saturating_sub(from) > n_rows / 4 {
                return Ok(None);
            }
            rows.extend((from..to).filter_map(|position| u32::try_from(sorted.row(position)).ok()));
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(Some(rows))
    }

    /// The first position of the order within the range, and the first after it.
    fn bounds(&self, range: &KeyRange, chunk: &Chunk, sorted: &Sorted) -> Result<(usize, usize)> {
        let comparator = |column: usize, value: &ArrayRef| -> Result<DynComparator> {
            Ok(make_comparator(&chunk.column(column)?, value, ORDER)?)
        };
        let mut equal: Vec<DynComparator> = Vec::with_capacity(range.equal.len());
        for (&column, value) in self.index.columns.iter().zip(&range.equal) {
            equal.push(comparator(column, value)?);
        }
        let next = self.index.columns.get(range.equal.len()).copied();
        let bound = |bound: &Option<Bound>| -> Result<Option<(DynComparator, bool)>> {
            match (bound, next) {
                (Some(bound), Some(column)) => Ok(Some((comparator(column, &bound.value)?, bound.inclusive))),
                _ => Ok(None),
            }
        };
        let (lower, upper) = (bound(&range.lower)?, bound(&range.upper)?);
        let prefix = |row: usize| {
            equal
                .iter()
                .map(|comparator| comparator(row, 0))
                .find(|ordering| ordering.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        let is_before = |row: usize| match prefix(row) {
            Ordering::Equal => lower.as_ref().is_some_and(|(comparator, inclusive)| match comparator(row, 0) {
                Ordering::Less => true,
                Ordering::Equal => !inclusive,
                Ordering::Greater => false,
            }),
            ordering => ordering.is_lt(),
        };
        let is_within = |row: usize| match prefix(row) {
            Ordering::Equal => upper.as_ref().is_none_or(|(comparator, inclusive)| match comparator(row, 0) {
                Ordering::Less => true,
                Ordering::Equal => *inclusive,
                Ordering::Greater => false,
            }),
            ordering => ordering.is_lt(),
        };
        let n_rows = chunk.n_rows();
        let from = partition_point(0, n_rows, |position| is_before(sorted.row(position)));
        let to = partition_point(from, n_rows, |position| is_within(sorted.row(position)));
        Ok((from, to))
    }
}

/// The first position from `from` on for which `holds` is false; it is true for all before that.
fn partition_point(from: usize, to: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (from, to);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

/// The ranges of an index that the filters leave, and how much they narrow it down: 0 if not at all.
fn ranges(columns: &[usize], visible_columns: &VisibleColumns, conjuncts: &[&Expr]) -> (usize, Vec<KeyRange>) {
    let mut ranges = vec![KeyRange::default()];
    let mut score = 0;
    for &column in columns {
        let known = known(column, visible_columns, conjuncts);
        match known.values {
            Some(values) if values.len() * ranges.len() <= MAX_RANGES => {
                let extended = |range: &KeyRange| {
                    let range = range.clone();
                    values
                        .iter()
                        .map(move |value| {
                            let mut range = range.clone();
                            range.equal.push(Arc::clone(value));
                            range
                        })
                        .collect::<Vec<_>>()
                };
                ranges = ranges.iter().flat_map(extended).collect();
                score += 2;
            }
            _ => {
                if known.lower.is_some() || known.upper.is_some() {
                    score += 1;
                    for range in &mut ranges {
                        range.lower.clone_from(&known.lower);
                        range.upper.clone_from(&known.upper);
                    }
                }
                break;
            }
        }
    }
    (score, ranges)
}

pub(super) fn known(column: usize, visible_columns: &VisibleColumns, conjuncts: &[&Expr]) -> Known {
    let mut known = Known::default();
    for conjunct in conjuncts {
        if let Some(values) = values_of(conjunct, column, visible_columns) {
            known.values.get_or_insert(values);
            continue;
        }
        match conjunct {
            Expr::BinaryExpr(binary) => {
                let (op, value) = match (
                    literal(&binary.right, &binary.left, column, visible_columns),
                    literal(&binary.left, &binary.right, column, visible_columns),
                ) {
                    (Some(value), _) => (binary.op, value),
                    (None, Some(value)) => match binary.op.swap() {
                        Some(op) => (op, value),
                        None => continue,
                    },
                    (None, None) => continue,
                };
                match op {
                    Operator::Lt | Operator::LtEq => {
                        known.upper = Some(Bound { value, inclusive: op == Operator::LtEq })
                    }
                    Operator::Gt | Operator::GtEq => {
                        known.lower = Some(Bound { value, inclusive: op == Operator::GtEq })
                    }
                    _ => {}
                }
            }
            Expr::Between(between) if !between.negated => {
                known.lower = literal(&between.low, &between.expr, column, visible_columns)
                    .map(|value| Bound { value, inclusive: true });
                known.upper = literal(&between.high, &between.expr, column, visible_columns)
                    .map(|value| Bound { value, inclusive: true });
            }
            _ => {}
        }
    }
    known
}

/// The values that a column must have one of for an expression to be true, if it says so.
fn values_of(expr: &Expr, column: usize, visible_columns: &VisibleColumns) -> Option<Vec<ArrayRef>> {
    match expr {
        Expr::InList(list) if !list.negated => {
            list.list.iter().map(|value| literal(value, &list.expr, column, visible_columns)).collect()
        }
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
            let value = literal(&binary.right, &binary.left, column, visible_columns)
                .or_else(|| literal(&binary.left, &binary.right, column, visible_columns));
            value.map(|value| vec![value])
        }
        Expr::BinaryExpr(binary) if binary.op == Operator::Or => {
            let parts: Option<Vec<Vec<ArrayRef>>> = split_binary(expr, Operator::Or)
                .into_iter()
                .map(|part| values_of(part, column, visible_columns))
                .collect();
            parts.map(|parts| parts.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// The literal `value` as one row, if `of` is the user column and both have one type, which has one order and one
/// equality.
fn literal(value: &Expr, of: &Expr, column: usize, visible_columns: &VisibleColumns) -> Option<ArrayRef> {
    let (Expr::Literal(value, _), Expr::Column(name)) = (value, of) else { return None };
    let at = visible_columns.schema.index_of(name.name()).ok()?;
    if visible_columns.columns.get(at) != Some(&VisibleColumn::User(column)) {
        return None;
    }
    let data_type = visible_columns.schema.fields().get(at)?.data_type();
    // Floats have two zeros, which are equal and are not at one place of the order; intervals may be equal and written
    // differently.
    let has_order = !data_type.is_floating() && !data_type.is_nested() && !matches!(data_type, DataType::Interval(_));
    let fits = has_order && value.data_type() == *data_type && !value.is_null();
    fits.then(|| ScalarValue::to_array(value).ok()).flatten()
}
