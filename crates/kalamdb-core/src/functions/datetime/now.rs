//! `now()` and its like: the time of the statement, in microseconds.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result as DataFusionResult, ScalarValue, internal_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{DAY, SECOND};

use crate::error::{Error, ErrorKind, into_datafusion};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let function = |name, aliases: &[&str], sql_type: SqlType| {
        let signature = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::Any(1)], Volatility::Stable);
        let aliases = aliases.iter().map(ToString::to_string).collect();
        Arc::new(ScalarUDF::new_from_impl(Now { name, aliases, sql_type: sql_type.arrow(), signature }))
    };
    vec![
        function("now", &["current_timestamp", "transaction_timestamp", "statement_timestamp"], SqlType::TimestampTz),
        function("localtimestamp", &[], SqlType::Timestamp),
        function("current_date", &["today"], SqlType::Date),
        function("current_time", &["localtime"], SqlType::Time),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    name: &'static str,
    aliases: Vec<String>,
    sql_type: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.sql_type.clone())
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> DataFusionResult<ExprSimplifyResult> {
        let Some(now) = info.query_execution_start_time() else { return Ok(ExprSimplifyResult::Original(args)) };
        let micros = match args.first() {
            None => now.timestamp_micros(),
            Some(digits) => rounded(now.timestamp_micros(), digits)?,
        };
        let value = match &self.sql_type {
            DataType::Date32 => ScalarValue::Date32(i32::try_from(micros.div_euclid(DAY)).ok()),
            DataType::Time64(_) => ScalarValue::Time64Microsecond(Some(micros.rem_euclid(DAY))),
            DataType::Timestamp(_, zone) => ScalarValue::TimestampMicrosecond(Some(micros), zone.clone()),
            other => return internal_err!("there is no time of type {other}"),
        };
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, None)))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        internal_err!("{} is a constant of the statement", self.name)
    }
}

/// The time with so many digits after the point.
fn rounded(micros: i64, digits: &Expr) -> DataFusionResult<i64> {
    let digits = match digits {
        Expr::Literal(ScalarValue::Int64(Some(digits)), _) => u32::try_from(*digits).ok().filter(|digits| *digits <= 6),
        _ => None,
    };
    let Some(digits) = digits else {
        let error = Error::new(ErrorKind::InvalidParameterValue, "the precision of a time is a number from 0 to 6");
        return Err(into_datafusion(error));
    };
    let unit = SECOND / 10_i64.pow(digits);
    Ok((micros + unit / 2).div_euclid(unit) * unit)
}
