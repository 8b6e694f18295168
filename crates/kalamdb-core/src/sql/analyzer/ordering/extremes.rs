//! `max` and `min` of floats by group, and of intervals; DataFusion's own depend on the order of rows where there is a
//! NaN, and compare the parts of intervals one after the other.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    IntervalUnit,
};
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::min_max::{Max, Min};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};

use crate::functions::datetime::length;
use crate::sql::analyzer::each_value;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

pub(crate) fn max() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Extreme { inner: Max::new(), is_max: true }))
}

pub(crate) fn min() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Extreme { inner: Min::new(), is_max: false }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme<F> {
    inner: F,
    is_max: bool,
}

impl<F: AggregateUDFImpl + Eq + Hash> AggregateUDFImpl for Extreme<F> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, args: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(args)
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        self.inner.return_type(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match args.return_field.data_type() {
            &INTERVAL => Ok(Box::new(Longest { values: VecDeque::new(), is_max: self.is_max })),
            _ => self.inner.accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match args.return_field.data_type() {
            &INTERVAL => Ok(Box::new(Longest { values: VecDeque::new(), is_max: self.is_max })),
            _ => self.inner.create_sliding_accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        *args.return_field.data_type() == INTERVAL || self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(match args.return_field.data_type() {
            DataType::Float64 => Box::new(Extremes::<Float64Type>::new(self.is_max)),
            DataType::Float32 => Box::new(Extremes::<Float32Type>::new(self.is_max)),
            &INTERVAL => Box::new(Extremes::<IntervalMonthDayNanoType>::new(self.is_max)),
            _ => return self.inner.create_groups_accumulator(args),
        })
    }

    fn is_descending(&self) -> Option<bool> {
        self.inner.is_descending()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.inner.reverse_expr()
    }

    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        self.inner.value_from_stats(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.set_monotonicity(data_type)
    }
}

/// A type whose values have SQL's order.
trait Ordered: ArrowPrimitiveType {
    fn is_greater(a: Self::Native, b: Self::Native) -> bool;
}

impl Ordered for Float64Type {
    fn is_greater(a: f64, b: f64) -> bool {
        a > b || a.is_nan() && !b.is_nan()
    }
}

impl Ordered for Float32Type {
    fn is_greater(a: f32, b: f32) -> bool {
        a > b || a.is_nan() && !b.is_nan()
    }
}

impl Ordered for IntervalMonthDayNanoType {
    fn is_greater(a: IntervalMonthDayNano, b: IntervalMonthDayNano) -> bool {
        length(a) > length(b)
    }
}

fn first<T: ArrowPrimitiveType>(values: &[ArrayRef]) -> Result<&PrimitiveArray<T>> {
    let values = values.first().and_then(|values| values.as_primitive_opt::<T>());
    values.ok_or_else(|| internal_datafusion_err!("max and min take values of their own type"))
}

/// The longest or shortest of intervals, also of those in a frame that slides.
#[derive(Debug)]
struct Longest {
    /// What may still be the answer, the answer first: each is beaten by none behind it. With each the number of values
    /// that it stands for.
    values: VecDeque<(IntervalMonthDayNano, usize)>,
    is_max: bool,
}

impl Longest {
    fn beats(&self, a: IntervalMonthDayNano, b: IntervalMonthDayNano) -> bool {
        if self.is_max { length(a) > length(b) } else { length(a) < length(b) }
    }
}

impl Accumulator for Longest {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in first::<IntervalMonthDayNanoType>(values)?.iter().flatten() {
            let mut count = 1;
            while let Some(&(last, stands_for)) = self.values.back()
                && !self.beats(last, value)
            {
                count += stands_for;
                self.values.pop_back();
            }
            self.values.push_back((value, count));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::IntervalMonthDayNano(self.values.front().map(|(value, _)| *value)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<(IntervalMonthDayNano, usize)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    /// What leaves a frame is what came into it first.
    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for _ in first::<IntervalMonthDayNanoType>(values)?.iter().flatten() {
            if let Some((_, stands_for)) = self.values.front_mut() {
                *stands_for -= 1;
                if *stands_for == 0 {
                    self.values.pop_front();
                }
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// The greatest or least value of each group.
#[derive(Debug)]
struct Extremes<T: Ordered> {
    best: Vec<Option<T::Native>>,
    is_max: bool,
}

impl<T: Ordered> Extremes<T> {
    fn new(is_max: bool) -> Self {
        Self { best: Vec::new(), is_max }
    }

    fn take(&mut self, group: usize, value: T::Native) -> Result<()> {
        let best = self.best.get_mut(group).ok_or_else(|| internal_datafusion_err!("group {group} is not known"))?;
        let is_beaten =
            best.is_none_or(|best| if self.is_max { !T::is_greater(best, value) } else { !T::is_greater(value, best) });
        if is_beaten {
            *best = Some(value);
        }
        Ok(())
    }
}

impl<T: Ordered> GroupsAccumulator for Extremes<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        self.best.resize(n_groups, None);
        each_value(first::<T>(values)?, groups, filter, |group, value| self.take(group, value))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(emit_to.take_needed(&mut self.best).into_iter().collect::<PrimitiveArray<T>>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], n_groups: usize) -> Result<()> {
        self.update_batch(values, groups, None, n_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let kept = first::<T>(values)?.iter().enumerate().map(|(row, value)| value.filter(|_| passes(row)));
        Ok(vec![Arc::new(kept.collect::<PrimitiveArray<T>>())])
    }

    fn size(&self) -> usize {
        self.best.capacity() * size_of::<Option<T::Native>>()
    }
}
