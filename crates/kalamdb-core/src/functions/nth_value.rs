//! `nth_value` whose number may be any expression, of the row that asks, as in PostgreSQL. DataFusion's takes a
//! constant alone.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use crate::error::{Error, ErrorKind, into_datafusion};

/// Puts the function in place of DataFusion's.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.window_functions().get_or_insert_default() {
        if function.name() == "nth_value" {
            let nth =
                NthValue { inner: Arc::clone(function), signature: Signature::user_defined(Volatility::Immutable) };
            *function = Arc::new(WindowUDF::new_from_impl(nth));
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct NthValue {
    inner: Arc<WindowUDF>,
    signature: Signature,
}

/// The number, unless it is a constant.
fn computed(args: &[Arc<dyn PhysicalExpr>]) -> Option<&Arc<dyn PhysicalExpr>> {
    args.get(1).filter(|n| !n.is::<Literal>())
}

impl WindowUDFImpl for NthValue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [value, n] if n.is_integer() || n.is_null() || n.is_string() => Ok(vec![value.clone(), DataType::Int64]),
            _ => {
                Err(into_datafusion(Error::new(ErrorKind::UndefinedFunction, "nth_value takes a value and an integer")))
            }
        }
    }

    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        let exprs = args.input_exprs();
        exprs.first().into_iter().chain(computed(exprs)).map(Arc::clone).collect()
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        if computed(args.input_exprs()).is_none() {
            return self.inner.inner().partition_evaluator(args);
        }
        Ok(Box::new(Evaluator { row: 0, is_reversed: args.is_reversed(), ignores_nulls: args.ignore_nulls() }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.inner().field(args)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        ReversedUDWF::Reversed(Arc::new(WindowUDF::new_from_impl(self.clone())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(args)
    }
}

/// Is asked for one row after the other.
#[derive(Debug)]
struct Evaluator {
    row: usize,
    is_reversed: bool,
    ignores_nulls: bool,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate(&mut self, args: &[ArrayRef], frame: &Range<usize>) -> Result<ScalarValue> {
        let [values, numbers, ..] = args else {
            return Err(internal_datafusion_err!("nth_value takes a value and a number"));
        };
        let numbers = numbers
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| internal_datafusion_err!("the number is an integer"))?;
        let row = self.row;
        self.row += 1;
        if row >= numbers.len() || numbers.is_null(row) {
            return ScalarValue::try_new_null(values.data_type());
        }
        let n = usize::try_from(numbers.value(row)).unwrap_or(if numbers.value(row) < 0 { 0 } else { usize::MAX });
        let Some(before) = n.checked_sub(1) else {
            return Err(into_datafusion(Error::new(ErrorKind::InvalidParameterValue, "nth_value counts from 1")));
        };
        let nulls = if self.ignores_nulls { values.logical_nulls() } else { None };
        let mut rows = frame.clone().filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)));
        match if self.is_reversed { rows.nth_back(before) } else { rows.nth(before) } {
            Some(row) => ScalarValue::try_from_array(values, row),
            None => ScalarValue::try_new_null(values.data_type()),
        }
    }

    fn uses_window_frame(&self) -> bool {
        true
    }
}
