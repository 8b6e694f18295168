//! `ntile`, whose number of parts may be any expression, of the first row of a partition that has one, as in
//! PostgreSQL. DataFusion's takes a constant alone.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;

use crate::error::{Error, ErrorKind, into_datafusion};

/// The function, in place of DataFusion's.
pub(super) fn ntile() -> Arc<WindowUDF> {
    Arc::new(WindowUDF::new_from_impl(Ntile { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Ntile {
    signature: Signature,
}

impl WindowUDFImpl for Ntile {
    fn name(&self) -> &'static str {
        "ntile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [n] if n.is_integer() || n.is_null() || n.is_string() => Ok(vec![DataType::Int64]),
            _ => Err(into_datafusion(Error::new(ErrorKind::UndefinedFunction, "ntile takes an integer"))),
        }
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Evaluator;

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, args: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
        let numbers = args.first().and_then(|numbers| numbers.as_primitive_opt::<Int64Type>());
        let numbers = numbers.ok_or_else(|| internal_datafusion_err!("ntile takes an integer"))?;
        let Some(first) = (0..numbers.len()).find(|row| numbers.is_valid(*row)) else {
            return Ok(new_null_array(&DataType::Int64, n_rows));
        };
        let too_large = |_| internal_datafusion_err!("a partition is too large");
        let (first_row, n_rows) = (i64::try_from(first).map_err(too_large)?, i64::try_from(n_rows).map_err(too_large)?);
        let (length, longer) = match numbers.value(first) {
            n if n > 0 => (n_rows / n, n_rows % n),
            _ => {
                return Err(into_datafusion(Error::new(
                    ErrorKind::InvalidParameterValue,
                    "ntile takes a number greater than 0",
                )));
            }
        };
        // The first parts have a row more than the others.
        let in_longer = longer * (length + 1);
        let part =
            |row: i64| if row < in_longer { row / (length + 1) } else { longer + (row - in_longer) / length.max(1) };
        Ok(Arc::new(
            (0..n_rows).map(|row| (row >= first_row).then(|| part(row - first_row) + 1)).collect::<Int64Array>(),
        ))
    }
}
