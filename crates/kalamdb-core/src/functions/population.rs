//! The deviation of a population that holds NaN or an infinity is NaN, also if it has one member; DataFusion's is 0
//! then. Such a member is counted twice, which makes NaN of what it is in.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// Whether the aggregate of that name is the deviation of a population.
pub(super) fn is_of_population(name: &str) -> bool {
    matches!(name, "stddev_pop" | "var_pop")
}

pub(super) fn accumulator(inner: Box<dyn Accumulator>) -> Box<dyn Accumulator> {
    Box::new(Population(inner))
}

pub(super) fn groups_accumulator(inner: Box<dyn GroupsAccumulator>) -> Box<dyn GroupsAccumulator> {
    Box::new(Populations(inner))
}

/// The rows to count, if some of them are to be counted twice.
fn counted(values: &[ArrayRef]) -> Result<Option<UInt32Array>> {
    let floats = values.first().and_then(|values| values.as_primitive_opt::<Float64Type>());
    let Some(floats) = floats.filter(|floats| !floats.values().iter().all(|value| value.is_finite())) else {
        return Ok(None);
    };
    let is_twice = |floats: &Float64Array, row: usize| floats.is_valid(row) && !floats.value(row).is_finite();
    let rows = (0..floats.len()).flat_map(|row| std::iter::repeat_n(row, 1 + usize::from(is_twice(floats, row))));
    let rows = rows.map(u32::try_from).collect::<Result<Vec<_>, _>>();
    Ok(Some(
        rows.map(UInt32Array::from).map_err(|error| datafusion::common::DataFusionError::External(Box::new(error)))?,
    ))
}

fn of_rows(values: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<ArrayRef>> {
    Ok(values.iter().map(|values| take(values, rows, None)).collect::<Result<_, _>>()?)
}

#[derive(Debug)]
struct Population(Box<dyn Accumulator>);

impl Accumulator for Population {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match counted(values)? {
            Some(rows) => self.0.update_batch(&of_rows(values, &rows)?),
            None => self.0.update_batch(values),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.evaluate()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge_batch(states)
    }
}

struct Populations(Box<dyn GroupsAccumulator>);

impl GroupsAccumulator for Populations {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        let Some(rows) = counted(values)? else { return self.0.update_batch(values, groups, filter, n_groups) };
        let groups: Vec<usize> = rows.values().iter().filter_map(|row| groups.get(*row as usize).copied()).collect();
        let filter = filter.map(|filter| take(filter, &rows, None)).transpose()?;
        let filter = filter.as_ref().map(|filter| filter.as_boolean());
        self.0.update_batch(&of_rows(values, &rows)?, &groups, filter, n_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.0.evaluate(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.0.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], n_groups: usize) -> Result<()> {
        self.0.merge_batch(values, groups, n_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.0.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
