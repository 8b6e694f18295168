//! `sum` of integers, decimals and intervals that fails where the total does not fit; DataFusion's own wraps around.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DecimalType, FieldRef, Int64Type, IntervalUnit, UInt64Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature,
};

use crate::functions::datetime::IntervalTotal;
use crate::sql::analyzer::each_value;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// DataFusion's `sum`, but for the addition of 64-bit integers and of decimals.
pub(crate) fn checked_sum() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(CheckedSum(Sum::new())))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum(Sum);

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
        if *args.return_field.data_type() == INTERVAL {
            return Ok(Box::new(IntervalTotal::sum(args.is_distinct)));
        }
        if !is_checked(&args) {
            return self.0.accumulator(args);
        }
        let total = Total::new(args.return_field.data_type());
        Ok(if args.is_distinct {
            Box::new(Distinct { total, values: self.0.accumulator(args)? })
        } else {
            Box::new(total)
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if *args.return_field.data_type() == INTERVAL {
            return Ok(IntervalTotal::state_fields(args.name));
        }
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        *args.return_field.data_type() != INTERVAL && self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_field.data_type();
        Ok(match data_type {
            DataType::Int64 => Box::new(Totals::<Int64Type>::new(data_type)),
            DataType::UInt64 => Box::new(Totals::<UInt64Type>::new(data_type)),
            DataType::Decimal128(..) => Box::new(Totals::<Decimal128Type>::new(data_type)),
            _ => return self.0.create_groups_accumulator(args),
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if *args.return_field.data_type() == INTERVAL {
            return Ok(Box::new(IntervalTotal::sum(args.is_distinct)));
        }
        if !is_checked(&args) {
            return self.0.create_sliding_accumulator(args);
        }
        let total = Total::new(args.return_field.data_type());
        Ok(if args.is_distinct { Box::new(SlidingDistinct { total, counts: HashMap::new() }) } else { Box::new(total) })
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

fn is_checked(args: &AccumulatorArgs<'_>) -> bool {
    matches!(args.return_field.data_type(), DataType::Int64 | DataType::UInt64 | DataType::Decimal128(..))
}

fn overflow() -> ArrowError {
    ArrowError::ArithmeticOverflow("a sum is out of range for its type".to_owned())
}

/// The values that are added up, NULLs left out.
fn each(values: &ArrayRef, mut take: impl FnMut(i128) -> Result<()>) -> Result<()> {
    match values.data_type() {
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().flatten().try_for_each(|value| take(value.into())),
        DataType::UInt64 => {
            values.as_primitive::<UInt64Type>().iter().flatten().try_for_each(|value| take(value.into()))
        }
        DataType::Decimal128(..) => values.as_primitive::<Decimal128Type>().iter().flatten().try_for_each(take),
        other => Err(internal_datafusion_err!("sum does not add {other}")),
    }
}

fn first(values: &[ArrayRef]) -> Result<&ArrayRef> {
    values.first().ok_or_else(|| internal_datafusion_err!("sum adds one column"))
}

/// The sum of all rows. What is added and taken away again does not count: only the total has to fit.
#[derive(Debug)]
struct Total {
    sum: i128,
    /// How many values it is the sum of.
    n_values: u64,
    data_type: DataType,
}

impl Total {
    fn new(data_type: &DataType) -> Self {
        Self { sum: 0, n_values: 0, data_type: data_type.clone() }
    }

    fn add(&mut self, value: i128) -> Result<()> {
        self.sum = self.sum.checked_add(value).ok_or_else(overflow)?;
        self.n_values += 1;
        Ok(())
    }

    fn subtract(&mut self, value: i128) -> Result<()> {
        self.sum = self.sum.checked_sub(value).ok_or_else(overflow)?;
        self.n_values = self.n_values.saturating_sub(1);
        Ok(())
    }

    fn value(&self) -> Result<ScalarValue> {
        let sum = (self.n_values > 0).then_some(self.sum);
        let out_of_range = |_| overflow();
        Ok(match self.data_type {
            DataType::UInt64 => ScalarValue::UInt64(sum.map(u64::try_from).transpose().map_err(out_of_range)?),
            DataType::Decimal128(precision, scale) => {
                if let Some(sum) = sum {
                    Decimal128Type::validate_decimal_precision(sum, precision, scale).map_err(|_| overflow())?;
                }
                ScalarValue::Decimal128(sum, precision, scale)
            }
            _ => ScalarValue::Int64(sum.map(i64::try_from).transpose().map_err(out_of_range)?),
        })
    }
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(first(values)?, |value| self.add(value))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.value()
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(first(values)?, |value| self.subtract(value))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// The sum of the values that DataFusion's own `sum(DISTINCT)` has collected.
#[derive(Debug)]
struct Distinct {
    total: Total,
    values: Box<dyn Accumulator>,
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut total = Total::new(&self.total.data_type);
        for state in self.values.state()? {
            let ScalarValue::List(values) = state else {
                return Err(internal_datafusion_err!("distinct values are a list"));
            };
            each(values.values(), |value| total.add(value))?;
        }
        total.value()
    }

    fn size(&self) -> usize {
        self.values.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.values.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge_batch(states)
    }
}

/// The sum of the distinct values of a frame, each with the number of its rows.
#[derive(Debug)]
struct SlidingDistinct {
    total: Total,
    counts: HashMap<i128, u64>,
}

impl Accumulator for SlidingDistinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(first(values)?, |value| {
            let count = self.counts.entry(value).or_insert(0);
            *count += 1;
            if *count == 1 { self.total.add(value) } else { Ok(()) }
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.total.value()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * size_of::<(i128, u64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Err(internal_datafusion_err!("a frame of a window is in one part"))
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        Err(internal_datafusion_err!("a frame of a window is in one part"))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        each(first(values)?, |value| {
            let Some(count) = self.counts.get_mut(&value) else { return Ok(()) };
            *count -= 1;
            if *count > 0 {
                return Ok(());
            }
            self.counts.remove(&value);
            self.total.subtract(value)
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// The sum of each group.
#[derive(Debug)]
struct Totals<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    /// Whether a group has had a value.
    seen: Vec<bool>,
    data_type: DataType,
    of: PhantomData<fn() -> T>,
}

impl<T: ArrowPrimitiveType> Totals<T>
where
    T::Native: ArrowNativeTypeOp,
{
    fn new(data_type: &DataType) -> Self {
        Self { sums: Vec::new(), seen: Vec::new(), data_type: data_type.clone(), of: PhantomData }
    }

    fn add(&mut self, group: usize, value: T::Native) -> Result<()> {
        let (Some(sum), Some(seen)) = (self.sums.get_mut(group), self.seen.get_mut(group)) else {
            return Err(internal_datafusion_err!("group {group} is not known"));
        };
        *sum = sum.add_checked(value).map_err(|_| overflow())?;
        *seen = true;
        Ok(())
    }

    fn values(values: &[ArrayRef]) -> Result<&PrimitiveArray<T>> {
        first(values)?
            .as_primitive_opt::<T>()
            .ok_or_else(|| internal_datafusion_err!("sum adds values of its own type"))
    }
}

impl<T: ArrowPrimitiveType> GroupsAccumulator for Totals<T>
where
    T::Native: ArrowNativeTypeOp,
{
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        self.sums.resize(n_groups, T::Native::ZERO);
        self.seen.resize(n_groups, false);
        each_value(Self::values(values)?, groups, filter, |group, value| self.add(group, value))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (sums, seen) = (emit_to.take_needed(&mut self.sums), emit_to.take_needed(&mut self.seen));
        let sums = sums.into_iter().zip(seen).map(|(sum, seen)| seen.then_some(sum));
        let sums: ArrayRef = Arc::new(sums.collect::<PrimitiveArray<T>>().with_data_type(self.data_type.clone()));
        if let Some(decimals) = sums.as_primitive_opt::<Decimal128Type>() {
            decimals.validate_decimal_precision(decimals.precision()).map_err(|_| overflow())?;
        }
        Ok(sums)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], n_groups: usize) -> Result<()> {
        self.update_batch(values, groups, None, n_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = Self::values(values)?;
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let kept = values.iter().enumerate().map(|(row, value)| value.filter(|_| passes(row)));
        Ok(vec![Arc::new(kept.collect::<PrimitiveArray<T>>().with_data_type(self.data_type.clone()))])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<T::Native>() + self.seen.capacity()
    }
}
