//! The sum and the average of intervals.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType,
};
use datafusion::common::{Result as DataFusionResult, ScalarValue, internal_datafusion_err};
use datafusion::logical_expr::Accumulator;

use super::shift;
use crate::error::{Result, into_datafusion};

const NANOS: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// The sums of the parts of the intervals, and how many they are.
#[derive(Debug)]
pub(crate) struct IntervalTotal {
    is_average: bool,
    /// With DISTINCT, how many intervals there are of each length.
    counts: Option<HashMap<i128, u64>>,
    months: i64,
    days: i64,
    nanos: i128,
    count: i64,
}

impl IntervalTotal {
    pub(crate) fn sum(is_distinct: bool) -> Self {
        Self { is_average: false, counts: is_distinct.then(HashMap::new), months: 0, days: 0, nanos: 0, count: 0 }
    }

    pub(crate) fn average(is_distinct: bool) -> Self {
        Self { is_average: true, ..Self::sum(is_distinct) }
    }

    /// The fields of the state.
    pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
        let parts =
            [("months", DataType::Int64), ("days", DataType::Int64), ("nanos", NANOS), ("count", DataType::Int64)];
        parts
            .into_iter()
            .map(|(part, data_type)| Arc::new(Field::new(format!("{name}[{part}]"), data_type, false)))
            .collect()
    }

    fn add(&mut self, values: &[ArrayRef], sign: i64) -> DataFusionResult<()> {
        let intervals = values.first().and_then(|values| values.as_primitive_opt::<IntervalMonthDayNanoType>());
        let intervals = intervals.ok_or_else(|| internal_datafusion_err!("intervals are added up here"))?;
        // The parts of as many intervals as there can be fit.
        for interval in intervals.iter().flatten() {
            if self.is_repeated(interval, sign) {
                continue;
            }
            let IntervalMonthDayNano { months, days, nanoseconds } = interval;
            self.months += sign * i64::from(months);
            self.days += sign * i64::from(days);
            self.nanos += i128::from(sign) * i128::from(nanoseconds);
            self.count += sign;
        }
        Ok(())
    }

    /// Whether an interval that comes or leaves is counted by another of its length.
    fn is_repeated(&mut self, interval: IntervalMonthDayNano, sign: i64) -> bool {
        let Some(counts) = &mut self.counts else { return false };
        let count = counts.entry(shift::length(interval)).or_default();
        let others = if sign > 0 { *count } else { count.saturating_sub(1) };
        *count = if sign > 0 { count.saturating_add(1) } else { others };
        others > 0
    }

    fn result(&self) -> Result<IntervalMonthDayNano> {
        let sum = shift::interval(self.months.into(), self.days.into(), self.nanos)?;
        if self.is_average { shift::scaled(sum, |part| part / self.count as f64) } else { Ok(sum) }
    }
}

impl Accumulator for IntervalTotal {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        self.add(values, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        self.add(values, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let [months, days, nanos, counts] = states else {
            return Err(internal_datafusion_err!("the state of a sum of intervals has four parts"));
        };
        let sum = |values: &ArrayRef| {
            values.as_primitive_opt::<Int64Type>().map(|values| values.iter().flatten().sum::<i64>())
        };
        let nanos = nanos.as_primitive_opt::<Decimal128Type>().map(|values| values.iter().flatten().sum::<i128>());
        let parts = sum(months).zip(sum(days)).zip(sum(counts)).zip(nanos);
        let (((months, days), count), nanos) =
            parts.ok_or_else(|| internal_datafusion_err!("the state of a sum of intervals has other types"))?;
        self.months += months;
        self.days += days;
        self.nanos += nanos;
        self.count += count;
        Ok(())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        if self.counts.is_some() {
            return Err(internal_datafusion_err!("distinct intervals are in one part"));
        }
        Ok(vec![
            ScalarValue::Int64(Some(self.months)),
            ScalarValue::Int64(Some(self.days)),
            ScalarValue::Decimal128(Some(self.nanos), DECIMAL128_MAX_PRECISION, 0),
            ScalarValue::Int64(Some(self.count)),
        ])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let result = if self.count == 0 { None } else { Some(self.result().map_err(into_datafusion)?) };
        Ok(ScalarValue::IntervalMonthDayNano(result))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.as_ref().map_or(0, |counts| counts.capacity() * size_of::<(i128, u64)>())
    }
}
