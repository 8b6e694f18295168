//! `sum` of integers that fails where the total does not fit; DataFusion's own wraps around.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::compute::sum_checked;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
};

/// DataFusion's `sum`, but for the addition of 64-bit integers.
pub(super) fn checked_sum() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(CheckedSum(Sum::new())))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum(Sum);

fn is_checked(args: &AccumulatorArgs<'_>) -> bool {
    !args.is_distinct && args.return_field.data_type() == &DataType::Int64
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        self.0.return_type(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if is_checked(&args) { Ok(Box::new(Total(None))) } else { self.0.accumulator(args) }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if is_checked(&args) { Ok(Box::new(Totals::default())) } else { self.0.create_groups_accumulator(args) }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.set_monotonicity(data_type)
    }
}

fn overflow() -> ArrowError {
    ArrowError::ArithmeticOverflow("the sum is out of range for type BIGINT".to_owned())
}

fn integers(values: &[ArrayRef]) -> Result<&Int64Array> {
    values.first().and_then(|values| values.as_primitive_opt::<Int64Type>()).ok_or_else(|| internal_datafusion_err!("sum adds integers"))
}

/// The sum of all rows; `None` while there is none but NULLs.
#[derive(Debug)]
struct Total(Option<i64>);

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let Some(sum) = sum_checked(integers(values)?).map_err(|_| overflow())? {
            self.0 = Some(self.0.unwrap_or(0).checked_add(sum).ok_or_else(overflow)?);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(self.0))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(self.0)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

/// The sum of each group.
#[derive(Debug, Default)]
struct Totals {
    sums: Vec<i64>,
    /// Whether a group has had a value.
    seen: Vec<bool>,
}

impl Totals {
    fn add(&mut self, group: usize, value: i64) -> Result<()> {
        let (Some(sum), Some(seen)) = (self.sums.get_mut(group), self.seen.get_mut(group)) else {
            return Err(internal_datafusion_err!("group {group} is not known"));
        };
        *sum = sum.checked_add(value).ok_or_else(overflow)?;
        *seen = true;
        Ok(())
    }
}

impl GroupsAccumulator for Totals {
    fn update_batch(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>, n_groups: usize) -> Result<()> {
        self.sums.resize(n_groups, 0);
        self.seen.resize(n_groups, false);
        let values = integers(values)?;
        if values.null_count() == 0 && filter.is_none() {
            for (&group, &value) in groups.iter().zip(values.values()) {
                self.add(group, value)?;
            }
            return Ok(());
        }
        for (row, (&group, value)) in groups.iter().zip(values).enumerate() {
            let passes = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if let (Some(value), true) = (value, passes) {
                self.add(group, value)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (sums, seen) = (emit_to.take_needed(&mut self.sums), emit_to.take_needed(&mut self.seen));
        let sums = sums.into_iter().zip(seen).map(|(sum, seen)| seen.then_some(sum));
        Ok(Arc::new(sums.collect::<Int64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], n_groups: usize) -> Result<()> {
        self.update_batch(values, groups, None, n_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = integers(values)?;
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let kept = values.iter().enumerate().map(|(row, value)| value.filter(|_| passes(row)));
        Ok(vec![Arc::new(kept.collect::<Int64Array>())])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i64>() + self.seen.capacity()
    }
}
