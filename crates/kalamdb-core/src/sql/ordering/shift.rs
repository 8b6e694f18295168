//! `lead` and `lag` with IGNORE NULLS; DataFusion's own lose their place where NULLs are between the values.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use datafusion::arrow::compute::{cast, concat, take};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;
use std::sync::Arc;

/// The function in place of DataFusion's of that name.
pub(super) fn shift(name: &str) -> Option<Arc<WindowUDF>> {
    let is_lead = match name {
        "lead" => true,
        "lag" => false,
        _ => return None,
    };
    Some(Arc::new(WindowUDF::new_from_impl(Shift { is_lead, signature: Signature::variadic_any(Volatility::Immutable) })))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Shift {
    is_lead: bool,
    signature: Signature,
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &'static str {
        if self.is_lead { "lead" } else { "lag" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator { is_lead: self.is_lead }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let value = args.input_fields().first().ok_or_else(|| internal_datafusion_err!("{} takes a value", self.name()))?;
        Ok(Arc::new(value.as_ref().clone().with_name(args.name()).with_nullable(true)))
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Evaluator {
    is_lead: bool,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, args: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
        let values = args.first().ok_or_else(|| internal_datafusion_err!("a value is missing"))?;
        let offsets = args.get(1).map(|offsets| cast(offsets, &DataType::Int64)).transpose()?;
        let default = match args.get(2) {
            Some(default) => cast(default, values.data_type())?,
            None => new_null_array(values.data_type(), n_rows),
        };
        // The places of the values, and for each row how many are before it.
        let nulls = values.logical_nulls();
        let is_value = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let places: Vec<usize> = (0..n_rows).filter(|row| is_value(*row)).collect();
        let mut n_before = 0_i64;
        let mut indices = Vec::with_capacity(n_rows);
        for row in 0..n_rows {
            let offset = match &offsets {
                Some(offsets) if offsets.is_null(row) => None,
                Some(offsets) => Some(offsets.as_primitive::<Int64Type>().value(row)),
                None => Some(1),
            };
            let at_value = is_value(row);
            let index = match offset.map(|offset| if self.is_lead { offset } else { offset.saturating_neg() }) {
                None => None,
                Some(0) => Some(row),
                Some(forward) => {
                    // From a NULL, the next value is the one that comes at its place.
                    let to = if forward > 0 { n_before + i64::from(at_value) + forward.saturating_sub(1) } else { n_before.saturating_add(forward) };
                    let place = usize::try_from(to).ok().and_then(|to| places.get(to)).copied();
                    Some(place.unwrap_or(n_rows + row))
                }
            };
            indices.push(index.map(u32::try_from).transpose().map_err(|_| internal_datafusion_err!("a partition is too large"))?);
            n_before += i64::from(at_value);
        }
        // What is not found is the default of the row, behind the values.
        let all = concat(&[values.as_ref(), default.as_ref()])?;
        Ok(take(&all, &UInt32Array::from(indices), None)?)
    }
}
