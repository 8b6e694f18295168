//! Casts to types that the planner does not know.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, Expr, Ident, Value};
use kalamdb_types::SqlType;

use crate::functions::datetime::WITH_PRECISION;
use crate::functions::{CAST_TO, TRY_CAST_TO};
use crate::sql::parse::{call, column_type};

/// Turns a CAST to a type that DataFusion does not know, or reads otherwise, into a call of our own function. A cast to
/// TEXT would remain of the type that it casts, where that is a kind of text, such as JSON.
pub(crate) fn rewrite(expr: &mut Expr) {
    let Expr::Cast { kind, expr: value, data_type, array: false, format: None } = expr else { return };
    let digits = take_precision(data_type);
    let Ok(target) = column_type(data_type) else { return };
    // DataFusion takes the characters of a text for bytes, and knows other forms of times.
    let is_read_otherwise =
        matches!(target, SqlType::Bytea | SqlType::Date | SqlType::Time | SqlType::Timestamp | SqlType::TimestampTz);
    let function = match kind {
        CastKind::Cast | CastKind::DoubleColon => CAST_TO,
        CastKind::TryCast | CastKind::SafeCast if is_read_otherwise => TRY_CAST_TO,
        CastKind::TryCast | CastKind::SafeCast => return,
    };
    if !is_read_otherwise
        && !matches!(
            target,
            SqlType::Json
                | SqlType::Uuid
                | SqlType::Interval
                | SqlType::Embedding(_)
                | SqlType::Array(_)
                | SqlType::Varchar(_)
                | SqlType::Text
        )
    {
        return;
    }
    let value = std::mem::replace(&mut **value, Expr::value(Value::Null));
    let name = Expr::value(Value::SingleQuotedString(target.to_string()));
    *expr = with_precision(call(Ident::new(function), vec![value, name]), digits);
}

/// Takes the precision off the type of a time; a column has none but 6.
pub(super) fn take_precision(data_type: &mut DataType) -> Option<u64> {
    match data_type {
        DataType::Time(digits, _) | DataType::Timestamp(digits, _) | DataType::Datetime(digits) => {
            digits.take().filter(|digits| *digits < 6)
        }
        _ => None,
    }
}

/// The value rounded to so many digits after the point.
pub(super) fn with_precision(value: Expr, digits: Option<u64>) -> Expr {
    match digits {
        Some(digits) => {
            call(Ident::new(WITH_PRECISION), vec![value, Expr::value(Value::Number(digits.to_string(), false))])
        }
        None => value,
    }
}
