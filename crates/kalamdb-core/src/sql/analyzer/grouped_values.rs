//! The values of a batch with the groups that they belong to, for aggregates of our own.

use datafusion::arrow::array::{Array, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use datafusion::error::Result;

/// Gives each value that is not NULL and passes the filter, with its group.
pub(crate) fn each_value<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    groups: &[usize],
    filter: Option<&BooleanArray>,
    mut take: impl FnMut(usize, T::Native) -> Result<()>,
) -> Result<()> {
    if values.null_count() == 0 && filter.is_none() {
        return groups.iter().zip(values.values()).try_for_each(|(&group, &value)| take(group, value));
    }
    for (row, (&group, value)) in groups.iter().zip(values).enumerate() {
        let passes = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        if let (Some(value), true) = (value, passes) {
            take(group, value)?;
        }
    }
    Ok(())
}
