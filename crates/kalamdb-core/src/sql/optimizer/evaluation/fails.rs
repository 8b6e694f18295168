//! Which expressions may fail for a row.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};
use kalamdb_types::SqlType;

use crate::functions::CAST_TO;

/// Functions that have a value for whatever they are given. Of those that are not named, nothing is known.
const SAFE: &[&str] = &[
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_length",
    "ascii",
    "bit_length",
    "btrim",
    "cardinality",
    "ceil",
    "character_length",
    "coalesce",
    "compared_date",
    "compared_date_tz",
    "concat",
    "concat_ws",
    "contains",
    "current_date",
    "current_role",
    "current_time",
    "current_user",
    "empty",
    "ends_with",
    "floor",
    "get_field",
    "greatest",
    "initcap",
    "isnan",
    "iszero",
    "json_array_length",
    "json_as_text",
    "json_get",
    "json_length",
    "json_typeof",
    "jsonb_contains",
    "jsonb_exists",
    "jsonb_exists_all",
    "jsonb_exists_any",
    "least",
    "left",
    "localtimestamp",
    "lower",
    "ltrim",
    "make_array",
    "md5",
    "named_struct",
    "nanvl",
    "now",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "pi",
    "random",
    "reverse",
    "right",
    "rtrim",
    "sha256",
    "signum",
    "sort_key",
    "sort_place",
    "starts_with",
    "strpos",
    "upper",
    "version",
    "||",
];

/// Functions that are as good with literals behind the first argument: they fail for every row or for none.
const SAFE_WITH_LITERALS: [&str; 10] = [
    "array_element",
    "date_part",
    "date_trunc",
    "extract",
    "lpad",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "rpad",
    "substr",
];

/// Whether an expression over rows of `schema` may fail for one.
pub(crate) fn may_fail(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    let mut fails = false;
    expr.apply(|expr| {
        fails |= match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::Divide | Operator::Modulo | Operator::IntegerDivide => {
                    !is_literal(right) && !is_float(left, schema)
                }
                // Of what has become no function, times may be out of range.
                Operator::Plus | Operator::Minus | Operator::Multiply => {
                    !is_number(left, schema) || !is_number(right, schema)
                }
                Operator::RegexMatch | Operator::RegexIMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch => {
                    !is_literal(right)
                }
                _ => false,
            },
            Expr::Cast(Cast { expr, field }) => is_text(&type_of(expr, schema)) && !is_text(field.data_type()),
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                let is_settled = || {
                    SAFE_WITH_LITERALS.contains(&func.name()) && args.iter().filter(|arg| !is_literal(arg)).count() <= 1
                };
                !(SAFE.contains(&func.name()) || is_settled() || func.name() == CAST_TO && converts_all(args, schema))
            }
            Expr::HigherOrderFunction(_) => true,
            _ => false,
        };
        Ok(if fails { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(fails)
}

/// Whether it is a cast that has a value for each: to text, or of timestamps to timestamps.
fn converts_all(args: &[Expr], schema: &DFSchema) -> bool {
    match args {
        [value, Expr::Literal(ScalarValue::Utf8(Some(name)), _)] => match name.parse() {
            Ok(SqlType::Text) => !type_of(value, schema).is_binary(),
            Ok(SqlType::Timestamp | SqlType::TimestampTz) => matches!(type_of(value, schema), DataType::Timestamp(..)),
            _ => false,
        },
        _ => false,
    }
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        // What is divided by 0 fails for some rows only: those that are not NULL.
        Expr::Literal(value, _) => ScalarValue::new_zero(&value.data_type()).map_or(true, |zero| zero != *value),
        Expr::Cast(Cast { expr, .. }) => is_literal(expr),
        _ => false,
    }
}

fn type_of(expr: &Expr, schema: &DFSchema) -> DataType {
    expr.get_type(schema).unwrap_or(DataType::Null)
}

fn is_float(expr: &Expr, schema: &DFSchema) -> bool {
    type_of(expr, schema).is_floating()
}

fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
    type_of(expr, schema).is_numeric()
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
