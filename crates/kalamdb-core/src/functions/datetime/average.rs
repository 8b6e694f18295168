//! The average of intervals.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
};
use datafusion::common::{Result as DataFusionResult, ScalarValue, internal_datafusion_err};
use datafusion::logical_expr::Accumulator;

use super::shift;
use crate::error::{Result, into_datafusion};

const NANOS: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// The sums of the parts of the intervals, and how many they are.
#[derive(Debug, Default)]
pub(crate) struct IntervalAverage {
    months: i64,
    days: i64,
    nanos: i128,
    count: i64,
}

impl IntervalAverage {
    /// The fields of the state.
    pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
        let parts = [("months", DataType::Int64), ("days", DataType::Int64), ("nanos", NANOS), ("count", DataType::Int64)];
        parts.into_iter().map(|(part, data_type)| Arc::new(Field::new(format!("{name}[{part}]"), data_type, false))).collect()
    }

    fn add(&mut self, values: &[ArrayRef], sign: i64) -> DataFusionResult<()> {
        let intervals = values.first().and_then(|values| values.as_primitive_opt::<IntervalMonthDayNanoType>());
        let intervals = intervals.ok_or_else(|| internal_datafusion_err!("avg takes intervals here"))?;
        // The parts of as many intervals as there can be fit.
        for IntervalMonthDayNano { months, days, nanoseconds } in intervals.iter().flatten() {
            self.months += sign * i64::from(months);
            self.days += sign * i64::from(days);
            self.nanos += i128::from(sign) * i128::from(nanoseconds);
            self.count += sign;
        }
        Ok(())
    }

    fn average(&self) -> Result<IntervalMonthDayNano> {
        let sum = shift::interval(self.months.into(), self.days.into(), self.nanos)?;
        shift::scaled(sum, |part| part / self.count as f64)
    }
}

impl Accumulator for IntervalAverage {
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
        let [months, days, nanos, counts] = states else { return Err(internal_datafusion_err!("the state of avg has four parts")) };
        let sum = |values: &ArrayRef| values.as_primitive_opt::<Int64Type>().map(|values| values.iter().flatten().sum::<i64>());
        let nanos = nanos.as_primitive_opt::<Decimal128Type>().map(|values| values.iter().flatten().sum::<i128>());
        let parts = sum(months).zip(sum(days)).zip(sum(counts)).zip(nanos);
        let (((months, days), count), nanos) = parts.ok_or_else(|| internal_datafusion_err!("the state of avg has other types"))?;
        self.months += months;
        self.days += days;
        self.nanos += nanos;
        self.count += count;
        Ok(())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::Int64(Some(self.months)),
            ScalarValue::Int64(Some(self.days)),
            ScalarValue::Decimal128(Some(self.nanos), DECIMAL128_MAX_PRECISION, 0),
            ScalarValue::Int64(Some(self.count)),
        ])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let average = if self.count == 0 { None } else { Some(self.average().map_err(into_datafusion)?) };
        Ok(ScalarValue::IntervalMonthDayNano(average))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
