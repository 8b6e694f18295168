//! Which segments a scan need not read, as no row of them can pass its filters.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, make_comparator};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::split_conjunction;

use super::index_scan::{Known, known};
use super::visible_columns::{VisibleColumn, VisibleColumns};
use crate::rows::ORDER;
use crate::segment::SegmentColumns;

/// The conditions that the filters of a scan set for single columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pruning(Arc<Vec<(usize, Known)>>);

impl Pruning {
    pub(crate) fn new(visible_columns: &VisibleColumns, filters: &[Expr]) -> Self {
        let conjuncts: Vec<&Expr> = filters.iter().flat_map(split_conjunction).collect();
        let user = visible_columns.columns.iter().filter_map(|column| match column {
            VisibleColumn::User(at) => Some(*at),
            VisibleColumn::System(_) | VisibleColumn::Address => None,
        });
        let known = user.map(|at| (at, known(at, visible_columns, &conjuncts)));
        Self(Arc::new(
            known
                .filter(|(_, known)| known.values.is_some() || known.lower.is_some() || known.upper.is_some())
                .collect(),
        ))
    }

    /// Whether some row of a segment may pass.
    pub(crate) fn may_pass(&self, columns: &SegmentColumns) -> bool {
        self.0.iter().all(|(at, known)| columns.bounds_of(*at).is_none_or(|bounds| overlaps(bounds, known)))
    }
}

/// Whether a value between the bounds may be one that is looked for.
fn overlaps(bounds: &ArrayRef, known: &Known) -> bool {
    // The value against the least, and against the greatest.
    let compare = |value: &ArrayRef| -> Option<(Ordering, Ordering)> {
        let compare = make_comparator(value, bounds, ORDER).ok()?;
        Some((compare(0, 0), compare(0, 1)))
    };
    let is_within = |value: &ArrayRef| compare(value).is_none_or(|(least, greatest)| least.is_ge() && greatest.is_le());
    let by_values = known.values.as_ref().is_none_or(|values| values.iter().any(is_within));
    let by_lower = known.lower.as_ref().is_none_or(|bound| match compare(&bound.value) {
        Some((_, Ordering::Equal)) => bound.inclusive,
        Some((_, greatest)) => greatest.is_lt(),
        None => true,
    });
    let by_upper = known.upper.as_ref().is_none_or(|bound| match compare(&bound.value) {
        Some((Ordering::Equal, _)) => bound.inclusive,
        Some((least, _)) => least.is_gt(),
        None => true,
    });
    by_values && by_lower && by_upper
}
