//! `avg` of decimals with as many digits as PostgreSQL's, where DataFusion's has four more than its values, and of
//! intervals.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, FieldRef, IntervalUnit};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::expr::{Cast, WindowFunctionDefinition};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Expr, ExprSchemable, GroupsAccumulator, ReversedUDAF,
    Signature, TypeSignature,
};

use super::decimal_arithmetic::quotient_scale;
use crate::functions::datetime::IntervalTotal;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

const NAME: &str = "avg";

/// Decimals of so many digits have sums with room for the digits of the average.
const MAX_PRECISION: u8 = 12;

/// PostgreSQL shows 16 digits of long averages.
const MIN_SCALE: u8 = 18;

/// DataFusion's `avg`, but for the type of the average of decimals.
pub(crate) fn exact_average() -> Arc<AggregateUDF> {
    let inner = Avg::new();
    let mut signatures = match inner.signature().type_signature.clone() {
        TypeSignature::OneOf(signatures) => signatures,
        other => vec![other],
    };
    signatures.push(TypeSignature::Exact(vec![INTERVAL]));
    let signature = Signature::one_of(signatures, inner.signature().volatility);
    Arc::new(AggregateUDF::new_from_impl(Average { inner, signature }))
}

/// Gives long decimals that are averaged the type whose sums are of 256 bits.
pub(super) fn with_room(mut expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let args = match &mut expr {
        Expr::AggregateFunction(function) if function.func.name() == NAME => &mut function.params.args,
        Expr::WindowFunction(function) => match &function.fun {
            WindowFunctionDefinition::AggregateUDF(of) if of.name() == NAME => &mut function.params.args,
            _ => return Ok(Transformed::no(expr)),
        },
        _ => return Ok(Transformed::no(expr)),
    };
    let [arg] = args.as_mut_slice() else { return Ok(Transformed::no(expr)) };
    match arg.get_type(schema)? {
        DataType::Decimal128(precision, scale) if precision > MAX_PRECISION && precision < DECIMAL128_MAX_PRECISION => {
            let wide = DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale);
            *arg = Expr::Cast(Cast::new(Box::new(arg.clone()), wide));
            Ok(Transformed::yes(expr))
        }
        _ => Ok(Transformed::no(expr)),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Average {
    inner: Avg,
    signature: Signature,
}

impl AggregateUDFImpl for Average {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [DataType::Decimal128(precision, scale)] => {
                // The sum of a billion rows has nine digits more.
                let room = if *precision <= MAX_PRECISION { precision.saturating_add(9) } else { *precision };
                let of = u8::try_from(*scale).unwrap_or(0);
                // The last digit is cut off, not rounded: it is one of those that PostgreSQL does not show.
                let scale = quotient_scale(room.saturating_sub(of), of).max(MIN_SCALE);
                Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, i8::try_from(scale).unwrap_or(i8::MAX)))
            }
            [INTERVAL] => Ok(INTERVAL),
            _ => self.inner.return_type(args),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if *args.return_field.data_type() != INTERVAL {
            return self.inner.accumulator(args);
        }
        Ok(Box::new(IntervalTotal::average(args.is_distinct)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if *args.return_field.data_type() == INTERVAL {
            return Ok(IntervalTotal::state_fields(args.name));
        }
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        *args.return_field.data_type() != INTERVAL && self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.inner.reverse_expr()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
