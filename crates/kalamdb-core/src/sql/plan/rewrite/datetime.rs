//! Literals of dates, times and other types, AT TIME ZONE, and arguments that are left out, written in forms that the
//! planner reads as PostgreSQL does.

use datafusion::sql::sqlparser::ast::{
    DateTimeField, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Interval, ObjectNamePart, TypedString,
    UnaryOperator, Value,
};
use kalamdb_types::{IntervalField, IntervalFields, SqlType, parse_interval_of};

use super::casts::{take_precision, with_precision};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::CAST_TO;
use crate::sql::parse::{call, column_type, fold};

/// Whether the planner reads literals of the type as PostgreSQL does.
fn is_planned(target: &SqlType) -> bool {
    !matches!(
        target,
        SqlType::Date
            | SqlType::Time
            | SqlType::Timestamp
            | SqlType::TimestampTz
            | SqlType::Uuid
            | SqlType::Json
            | SqlType::Bytea
    )
}

/// Rewrites one expression.
///
/// # Errors
/// `invalid_datetime_format` and `datetime_field_overflow` for an INTERVAL that is none, `feature_not_supported` for
/// its fields.
pub(crate) fn rewrite(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::Interval(interval) => rewrite_interval(interval),
        // `EXTRACT('month' FROM d)`
        Expr::Extract { field: DateTimeField::Custom(name), .. } => {
            name.quote_style = None;
            Ok(())
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } => {
            if let Expr::Interval(interval) = operand.as_mut() {
                negate(interval)?;
                *expr = taken(operand);
            }
            Ok(())
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            let args = vec![taken(time_zone), taken(timestamp)];
            *expr = call(Ident::new("timezone"), args);
            Ok(())
        }
        Expr::TypedString(TypedString { data_type, value, .. }) => {
            let digits = take_precision(data_type);
            if let (Ok(target), Some(text)) = (column_type(data_type), value.value.clone().into_string())
                && !is_planned(&target)
            {
                let literal = |text: String| Expr::value(Value::SingleQuotedString(text));
                *expr =
                    with_precision(call(Ident::new(CAST_TO), vec![literal(text), literal(target.to_string())]), digits);
            }
            Ok(())
        }
        Expr::Function(function) => {
            let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return Ok(()) };
            let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
            match fold(name).as_str() {
                "age" if list.args.len() == 1 => {
                    // Today, at midnight.
                    let today = call(Ident::new("current_date"), Vec::new());
                    list.args.insert(0, FunctionArg::Unnamed(FunctionArgExpr::Expr(today)));
                }
                "make_interval" => list.args = by_position(std::mem::take(&mut list.args))?,
                _ => {}
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The parameters of `make_interval`.
const PARTS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];

/// Arguments with names, `days => 10`, in the places that the names have; what is not given is 0.
fn by_position(args: Vec<FunctionArg>) -> Result<Vec<FunctionArg>> {
    if !args.iter().any(|arg| matches!(arg, FunctionArg::Named { .. })) {
        return Ok(args);
    }
    let mut places = [const { None }; PARTS.len()];
    for (index, arg) in args.into_iter().enumerate() {
        let (place, arg) = match arg {
            FunctionArg::Named { name, arg, .. } => {
                let name = fold(&name);
                let place = PARTS.iter().position(|part| *part == name);
                (
                    place.ok_or_else(|| {
                        Error::new(ErrorKind::UndefinedFunction, format!("make_interval has no parameter {name}"))
                    })?,
                    arg,
                )
            }
            FunctionArg::Unnamed(arg) => (index, arg),
            FunctionArg::ExprNamed { .. } => {
                return Err(Error::unsupported("an expression as the name of a parameter"));
            }
        };
        match places.get_mut(place) {
            Some(empty @ None) => *empty = Some(FunctionArg::Unnamed(arg)),
            _ => {
                return Err(Error::new(
                    ErrorKind::UndefinedFunction,
                    "make_interval takes each of its seven parameters once",
                ));
            }
        }
    }
    let zero = || FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::value(Value::Number("0".to_owned(), false))));
    Ok(places.into_iter().map(|place| place.unwrap_or_else(zero)).collect())
}

fn taken(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::value(Value::Null))
}

/// Writes months, days, seconds and nanoseconds, which the planner's own reader of intervals knows.
fn rewrite_interval(interval: &mut Interval) -> Result<()> {
    let text = match interval.value.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.clone(),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    if interval.leading_precision.is_some() || interval.fractional_seconds_precision.is_some() {
        return Err(
            Error::unsupported("an INTERVAL with a precision").with_hint("intervals keep their fractions of seconds")
        );
    }
    let fields = match (&interval.leading_field, &interval.last_field) {
        (None, _) => None,
        (Some(from), to) => {
            let from = field(from)?;
            Some(IntervalFields { from, to: to.as_ref().map_or(Ok(from), field)? })
        }
    };
    write(interval, parse(&text, fields)?);
    Ok(())
}

/// Turns the signs of an interval that has been rewritten.
fn negate(interval: &mut Interval) -> Result<()> {
    let Expr::Value(value) = interval.value.as_ref() else { return Ok(()) };
    let Value::SingleQuotedString(text) = &value.value else { return Ok(()) };
    let (months, days, nanos) = parse(text, None)?;
    let negated = months.checked_neg().zip(days.checked_neg()).zip(nanos.checked_neg());
    let ((months, days), nanos) =
        negated.ok_or_else(|| Error::new(ErrorKind::DatetimeFieldOverflow, "interval out of range"))?;
    write(interval, (months, days, nanos));
    Ok(())
}

fn parse(text: &str, fields: Option<IntervalFields>) -> Result<(i32, i32, i64)> {
    parse_interval_of(text, fields).map_err(|is_out_of_range| {
        if is_out_of_range {
            Error::new(ErrorKind::DatetimeFieldOverflow, format!("interval field value out of range: {text:?}"))
        } else {
            Error::new(ErrorKind::InvalidDatetimeFormat, format!("invalid input for type INTERVAL: {text:?}"))
        }
    })
}

fn write(interval: &mut Interval, (months, days, nanos): (i32, i32, i64)) {
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let written = format!("{months} months {days} days {seconds} seconds {nanos} nanoseconds");
    *interval = Interval {
        value: Box::new(Expr::value(Value::SingleQuotedString(written))),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    };
}

fn field(field: &DateTimeField) -> Result<IntervalField> {
    Ok(match field {
        DateTimeField::Year | DateTimeField::Years => IntervalField::Year,
        DateTimeField::Month | DateTimeField::Months => IntervalField::Month,
        DateTimeField::Day | DateTimeField::Days => IntervalField::Day,
        DateTimeField::Hour | DateTimeField::Hours => IntervalField::Hour,
        DateTimeField::Minute | DateTimeField::Minutes => IntervalField::Minute,
        DateTimeField::Second | DateTimeField::Seconds => IntervalField::Second,
        other => {
            return Err(Error::unsupported(format!("an INTERVAL of {other}"))
                .with_hint("write the unit in the text, as in INTERVAL '2 weeks'"));
        }
    })
}
