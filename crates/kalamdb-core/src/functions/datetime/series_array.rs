//! `generate_series` and `range` of points in time where they are no table: an array.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::builder::{ListBuilder, TimestampMicrosecondBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kalamdb_types::SqlType;

use super::series::Steps;
use super::values::{Intervals, Kind, Timestamps};
use crate::error::{Error, ErrorKind, Result, into_datafusion};
use crate::functions::asked_for_type;

/// The most values of all the arrays of a batch.
const MAX_VALUES: usize = 1 << 23;

/// DataFusion's functions of these names, with their own way for points in time.
pub(crate) fn array_functions(functions: &[Arc<ScalarUDF>]) -> Vec<Arc<ScalarUDF>> {
    let named = functions.iter().filter(|function| matches!(function.name(), "generate_series" | "range"));
    named
        .map(|function| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(ScalarUDF::new_from_impl(Series { of_numbers: Arc::clone(function), signature }))
        })
        .collect()
}

#[derive(Debug)]
struct Series {
    of_numbers: Arc<ScalarUDF>,
    signature: Signature,
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.of_numbers == other.of_numbers
    }
}

impl Eq for Series {}

impl Hash for Series {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of_numbers.name().hash(state);
    }
}

/// The type of the bounds, if one of them is a day or a point in time: dates have a zone then, as in PostgreSQL.
fn bound_type(mut types: impl Iterator<Item = DataType>) -> Option<SqlType> {
    let bounds = [types.next()?, types.next()?].map(|data_type| Kind::of(&data_type));
    if !bounds.iter().any(|kind| kind.is_moment()) {
        return None;
    }
    Some(if bounds.contains(&Kind::Timestamp) { SqlType::Timestamp } else { SqlType::TimestampTz })
}

impl ScalarUDFImpl for Series {
    fn name(&self) -> &str {
        self.of_numbers.name()
    }

    fn aliases(&self) -> &[String] {
        self.of_numbers.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        if bound_type(types.iter().cloned()).is_none() {
            let fields: Vec<FieldRef> =
                types.iter().map(|data_type| Arc::new(Field::new("", data_type.clone(), true))).collect();
            let fields = fields_with_udf(&fields, self.of_numbers.as_ref())?;
            return Ok(fields.iter().map(|field| field.data_type().clone()).collect());
        }
        let fits = |kind: Kind| kind.is_moment() || matches!(kind, Kind::Text | Kind::Null);
        match types {
            [from, to, step]
                if fits(Kind::of(from))
                    && fits(Kind::of(to))
                    && matches!(Kind::of(step), Kind::Interval | Kind::Text | Kind::Null) =>
            {
                Ok(types.to_vec())
            }
            _ => {
                let message = format!("{} of timestamps takes two timestamps and an interval", self.name());
                Err(into_datafusion(Error::new(ErrorKind::UndefinedFunction, message).with_hint("cast the arguments")))
            }
        }
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        match bound_type(args.arg_fields.iter().map(|field| field.data_type().clone())) {
            None => self.of_numbers.return_field_from_args(args),
            Some(bound) => {
                let item = Field::new_list_field(bound.arrow(), true);
                Ok(Arc::new(Field::new(self.name(), DataType::List(Arc::new(item)), true)))
            }
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        match bound_type(args.arg_fields.iter().map(|field| field.data_type().clone())) {
            None => self.of_numbers.invoke_with_args(args),
            Some(bound) => {
                arrays(&args, bound, self.name() != "range").map(ColumnarValue::Array).map_err(into_datafusion)
            }
        }
    }
}

fn arrays(args: &ScalarFunctionArgs, bound: SqlType, includes_end: bool) -> Result<ArrayRef> {
    let (from, to) = (Timestamps::of(args, 0, bound)?, Timestamps::of(args, 1, bound)?);
    let steps = Intervals::of(args, 2, SqlType::Interval)?;
    let zone = (bound == SqlType::TimestampTz).then_some("UTC");
    let item = Field::new_list_field(DataType::Timestamp(TimeUnit::Microsecond, zone.map(Arc::from)), true);
    let values = TimestampMicrosecondBuilder::new().with_data_type(item.data_type().clone());
    let mut arrays = ListBuilder::new(values).with_field(item);
    let mut n_values = 0;
    for row in 0..args.number_rows {
        let (Some(from), Some(to), Some(step)) = (from.get(row), to.get(row), steps.get(row)) else {
            arrays.append_null();
            continue;
        };
        for value in Steps::new(from, to, step, includes_end)? {
            n_values += 1;
            if n_values > MAX_VALUES {
                return Err(Error::new(ErrorKind::ProgramLimitExceeded, "a series has too many values for an array")
                    .with_hint("use it in FROM"));
            }
            arrays.values().append_value(value);
        }
        arrays.append(true);
    }
    Ok(Arc::new(arrays.finish()))
}
