//! `lead` and `lag` whose offset and default may be any expressions, of the row that asks, as in PostgreSQL.
//! DataFusion's take constants alone, and lose their place where NULLs are left out; where they are right they do the
//! work, as they need not wait for all rows.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{ScalarValue, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use crate::error::{Error, ErrorKind, into_datafusion};

/// Puts the functions in place of DataFusion's.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.window_functions().get_or_insert_default() {
        if matches!(function.name(), "lead" | "lag") {
            let is_lead = function.name() == "lead";
            let shift = Shift {
                inner: Arc::clone(function),
                is_lead,
                signature: Signature::user_defined(Volatility::Immutable),
            };
            *function = Arc::new(WindowUDF::new_from_impl(shift));
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shift {
    inner: Arc<WindowUDF>,
    is_lead: bool,
    signature: Signature,
}

impl Shift {
    /// The offset in rows after the current one, if it is a constant that DataFusion's function takes, and so is the
    /// default.
    fn plain_offset(&self, args: &[Arc<dyn PhysicalExpr>]) -> Option<i64> {
        if args.get(2).is_some_and(|default| constant(default).is_none()) {
            return None;
        }
        let offset = match args.get(1).map(constant) {
            None => 1,
            Some(Some(ScalarValue::Int64(Some(offset)))) => i64::from(i32::try_from(*offset).ok()?),
            Some(_) => return None,
        };
        Some(if self.is_lead { offset } else { -offset })
    }
}

fn constant(expr: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    expr.downcast_ref::<Literal>().map(Literal::value)
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Value and default have one type, a text takes that of the other.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let refuse = |what: String| Err(into_datafusion(Error::new(ErrorKind::UndefinedFunction, what)));
        let ([value] | [value, _] | [value, _, _]) = types else {
            return refuse(format!("{} takes a value, an offset and a default", self.name()));
        };
        if let Some(offset) =
            types.get(1).filter(|offset| !offset.is_integer() && !offset.is_null() && !is_text(offset))
        {
            return refuse(format!("the offset of {} is an integer, not of type {offset}", self.name()));
        }
        let of = match types.get(2) {
            None => value.clone(),
            Some(default) if default == value || is_text(default) && !value.is_null() => value.clone(),
            Some(default) if is_text(value) => default.clone(),
            Some(default) => match type_union_coercion(value, default) {
                Some(of) => of,
                None => {
                    return refuse(format!(
                        "a value of type {value} and a default of type {default} have no common type"
                    ));
                }
            },
        };
        Ok([of.clone(), DataType::Int64, of].into_iter().take(types.len()).collect())
    }

    /// What is not a constant is computed for each row, the value before all else.
    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        let exprs = args.input_exprs().iter().enumerate();
        exprs.filter(|(at, expr)| *at == 0 || constant(expr).is_none()).map(|(_, expr)| Arc::clone(expr)).collect()
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        let exprs = args.input_exprs();
        if self.plain_offset(exprs).is_some() && !args.ignore_nulls() {
            return self.inner.inner().partition_evaluator(args);
        }
        let mut n_computed = 1;
        let mut argument = |at: usize, otherwise: ScalarValue| match exprs.get(at).map(|expr| constant(expr).cloned()) {
            None => Argument::Constant(otherwise),
            Some(Some(value)) => Argument::Constant(value),
            Some(None) => {
                n_computed += 1;
                Argument::Computed(n_computed - 1)
            }
        };
        let offset = argument(1, ScalarValue::Int64(Some(1)));
        let default = argument(2, ScalarValue::Null);
        Ok(Box::new(Evaluator {
            forward: self.is_lead != args.is_reversed(),
            ignores_nulls: args.ignore_nulls(),
            offset,
            default,
        }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let fields = args.input_fields();
        let of = fields
            .first()
            .filter(|value| !value.data_type().is_null())
            .or_else(|| fields.get(2))
            .or_else(|| fields.first());
        let of = of.ok_or_else(|| internal_datafusion_err!("{} takes a value", self.name()))?;
        Ok(Arc::new(of.as_ref().clone().with_name(args.name()).with_nullable(true)))
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        ReversedUDWF::Reversed(Arc::new(WindowUDF::new_from_impl(self.clone())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        match self.plain_offset(args).map(usize::try_from) {
            None => LimitEffect::Unknown,
            Some(Ok(after)) => LimitEffect::Relative(after),
            Some(Err(_)) => LimitEffect::None,
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

#[derive(Debug)]
enum Argument {
    Constant(ScalarValue),
    /// The place among what is computed for each row.
    Computed(usize),
}

#[derive(Debug)]
struct Evaluator {
    forward: bool,
    ignores_nulls: bool,
    offset: Argument,
    default: Argument,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, args: &[ArrayRef], n_rows: usize) -> Result<ArrayRef> {
        let column = |at: usize| args.get(at).ok_or_else(|| internal_datafusion_err!("an argument is missing"));
        let values = column(0)?;
        let offsets = match &self.offset {
            Argument::Constant(offset) => offset.to_array_of_size(n_rows)?,
            Argument::Computed(at) => Arc::clone(column(*at)?),
        };
        let offsets =
            offsets.as_primitive_opt::<Int64Type>().ok_or_else(|| internal_datafusion_err!("offsets are integers"))?;
        // What is not found is the default, behind the values.
        let (defaults, is_one) = match &self.default {
            Argument::Constant(default) => (default.cast_to(values.data_type())?.to_array()?, true),
            Argument::Computed(at) => (Arc::clone(column(*at)?), false),
        };
        let places = if self.ignores_nulls { Places::of_values(values) } else { Places::All };
        let mut indices = Vec::with_capacity(n_rows);
        for row in 0..n_rows {
            let offset = offsets.is_valid(row).then(|| offsets.value(row));
            let index = offset.map(|offset| {
                let forward = if self.forward { offset } else { offset.saturating_neg() };
                places.find(row, forward, n_rows).unwrap_or(n_rows + if is_one { 0 } else { row })
            });
            indices.push(
                index
                    .map(u32::try_from)
                    .transpose()
                    .map_err(|_| internal_datafusion_err!("a partition is too large"))?,
            );
        }
        let all = concat(&[values.as_ref(), defaults.as_ref()])?;
        Ok(take(&all, &UInt32Array::from(indices), None)?)
    }
}

/// The rows that are counted.
enum Places {
    All,
    /// The rows with a value, and for each row how many of them are before it.
    Values(Vec<usize>, Vec<usize>),
}

impl Places {
    fn of_values(values: &ArrayRef) -> Self {
        let Some(nulls) = values.logical_nulls() else { return Self::All };
        let places: Vec<usize> = nulls.valid_indices().collect();
        let mut n_before = 0;
        let before = nulls.iter().map(|is_value| {
            n_before += usize::from(is_value);
            n_before - usize::from(is_value)
        });
        let before = before.collect();
        Self::Values(places, before)
    }

    /// The row that is so many behind a row.
    fn find(&self, row: usize, forward: i64, n_rows: usize) -> Option<usize> {
        if forward == 0 {
            return Some(row);
        }
        let counted =
            |at: usize, by: i64| i64::try_from(at).ok()?.checked_add(by).and_then(|to| usize::try_from(to).ok());
        match self {
            Self::All => counted(row, forward).filter(|to| *to < n_rows),
            Self::Values(places, before) => {
                let n_before = *before.get(row)?;
                // From a NULL, the next value is the one that comes at its place.
                let from_null = forward > 0 && places.get(n_before) != Some(&row);
                places.get(counted(n_before, if from_null { forward - 1 } else { forward })?).copied()
            }
        }
    }
}
