//! `+`, `-`, `*` and `/` of dates, times and intervals, and EXTRACT: planned as calls of functions.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Date32Type, FieldRef, Int32Type, Int64Type, Time64MicrosecondType};
use datafusion::common::{DFSchema, Result as DataFusionResult, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, lit,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use kalamdb_types::SqlType;

use super::shift::MICROSECOND;
use super::values::{
    Dates, Intervals, Kind, Numbers, Times, Timestamps, Values, each, each_interval, each_timestamp, out_of_range,
};
use super::{extract, shift};
use crate::error::{Error, ErrorKind, Result, into_datafusion};
use crate::functions::{asked_for_type, cast_to};

/// Plans the operators whose operands are dates, times or intervals.
#[derive(Debug)]
pub(crate) struct Operators {
    extract: Arc<ScalarUDF>,
}

impl Operators {
    pub(crate) fn new() -> Self {
        Self { extract: extract::extract() }
    }
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        let op = match expr.op {
            BinaryOperator::Plus => Operator::Plus,
            BinaryOperator::Minus => Operator::Minus,
            BinaryOperator::Multiply => Operator::Multiply,
            BinaryOperator::Divide => Operator::Divide,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(match operation(&expr.left, op, &expr.right, schema)? {
            Some(planned) => PlannerResult::Planned(planned),
            None => PlannerResult::Original(expr),
        })
    }

    fn plan_extract(&self, args: Vec<Expr>) -> DataFusionResult<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(self.extract.call(args)))
    }
}

/// The call that an operator stands for, if one of its operands is a date, a time or an interval. A parameter that is
/// not bound yet has the type that the other operand suggests.
pub(crate) fn operation(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> DataFusionResult<Option<Expr>> {
    if !matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide) {
        return Ok(None);
    }
    let (Some(left_kind), Some(right_kind)) = (kind_of(left, schema), kind_of(right, schema)) else { return Ok(None) };
    if !(is_temporal(left_kind) || is_temporal(right_kind)) {
        return Ok(None);
    }
    let known = |expr: &Expr, kind, other| match unknown_type(expr, kind, op, other) {
        Some(sql_type) => cast_to().call(vec![expr.clone(), lit(sql_type.to_string())]),
        None => expr.clone(),
    };
    let args = vec![known(left, left_kind, right_kind), known(right, right_kind, left_kind)];
    let function = ScalarUDF::new_from_impl(Operation { op, signature: Signature::any(2, Volatility::Immutable) });
    Ok(Some(function.call(args)))
}

/// The call with its operands as they are now, if it is one of an operator: parameters have been bound since.
pub(crate) fn operation_again(call: &ScalarFunction, schema: &DFSchema) -> DataFusionResult<Option<Expr>> {
    match (call.func.inner().downcast_ref::<Operation>(), call.args.as_slice()) {
        (Some(Operation { op, .. }), [left, right]) => operation(left, *op, right, schema),
        _ => Ok(None),
    }
}

fn kind_of(expr: &Expr, schema: &DFSchema) -> Option<Kind> {
    match expr {
        Expr::Placeholder(placeholder) if placeholder.field.is_none() => Some(Kind::Null),
        expr => expr.get_type(schema).ok().map(|data_type| Kind::of(&data_type)),
    }
}

fn is_temporal(kind: Kind) -> bool {
    kind.is_moment() || matches!(kind, Kind::Time | Kind::Interval)
}

/// The type that an operand takes from the other one, if it is a literal text or NULL: that of the other, or an
/// interval where only that can be added.
fn unknown_type(expr: &Expr, kind: Kind, op: Operator, other: Kind) -> Option<SqlType> {
    let is_unknown = kind == Kind::Null || (kind == Kind::Text && matches!(expr, Expr::Literal(..)));
    if !is_unknown || matches!(expr, Expr::Placeholder(_)) {
        return None;
    }
    Some(match (op, other) {
        (Operator::Multiply | Operator::Divide, _) => SqlType::Double,
        (Operator::Minus, Kind::Timestamp) => SqlType::Timestamp,
        (Operator::Minus, Kind::TimestampTz) => SqlType::TimestampTz,
        (Operator::Minus, Kind::Date) => SqlType::Date,
        (Operator::Minus, Kind::Time) => SqlType::Time,
        (Operator::Plus, Kind::Date) if kind == Kind::Null => SqlType::Integer,
        // PostgreSQL has no rule for a date and any text.
        (Operator::Plus, Kind::Date) => return None,
        _ => SqlType::Interval,
    })
}

/// What an operator does with its operands, the one that is a date or time first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    DatePlusDays,
    DateMinusDays,
    DateMinusDate,
    DatePlusTime,
    /// The days and points in time may have a zone.
    MomentPlusInterval(bool),
    MomentMinusInterval(bool),
    MomentMinusMoment,
    TimePlusInterval,
    TimeMinusInterval,
    TimeMinusTime,
    IntervalPlusInterval,
    IntervalMinusInterval,
    IntervalTimes,
    IntervalDividedBy,
}

impl Rule {
    /// The rule, and whether the operands change places.
    fn of(op: Operator, left: Kind, right: Kind) -> Option<(Self, bool)> {
        use Kind as K;
        let rule = |left, right| {
            Some(match (op, left, right) {
                (Operator::Plus, K::Date, K::Integer) => Self::DatePlusDays,
                (Operator::Plus, K::Date, K::Time) => Self::DatePlusTime,
                (Operator::Plus, K::Date | K::Timestamp, K::Interval) => Self::MomentPlusInterval(false),
                (Operator::Plus, K::TimestampTz, K::Interval) => Self::MomentPlusInterval(true),
                (Operator::Plus, K::Time, K::Interval) => Self::TimePlusInterval,
                (Operator::Plus, K::Interval, K::Interval) => Self::IntervalPlusInterval,
                (Operator::Multiply, K::Interval, K::Integer | K::Number) => Self::IntervalTimes,
                _ => return None,
            })
        };
        let minus = || {
            Some(match (left, right) {
                (K::Date, K::Integer) => Self::DateMinusDays,
                (K::Date, K::Date) => Self::DateMinusDate,
                (K::Date | K::Timestamp, K::Interval) => Self::MomentMinusInterval(false),
                (K::TimestampTz, K::Interval) => Self::MomentMinusInterval(true),
                (left, right) if left.is_moment() && right.is_moment() => Self::MomentMinusMoment,
                (K::Time, K::Interval) => Self::TimeMinusInterval,
                (K::Time, K::Time) => Self::TimeMinusTime,
                (K::Interval, K::Interval | K::Time) => Self::IntervalMinusInterval,
                _ => return None,
            })
        };
        match op {
            Operator::Minus => minus().map(|rule| (rule, false)),
            Operator::Divide => matches!((left, right), (K::Interval, K::Integer | K::Number))
                .then_some((Self::IntervalDividedBy, false)),
            _ => rule(left, right).map(|rule| (rule, false)).or_else(|| rule(right, left).map(|rule| (rule, true))),
        }
    }

    fn result(self) -> SqlType {
        match self {
            Self::DatePlusDays | Self::DateMinusDays => SqlType::Date,
            Self::DateMinusDate => SqlType::Integer,
            Self::DatePlusTime | Self::MomentPlusInterval(false) | Self::MomentMinusInterval(false) => {
                SqlType::Timestamp
            }
            Self::MomentPlusInterval(true) | Self::MomentMinusInterval(true) => SqlType::TimestampTz,
            Self::TimePlusInterval | Self::TimeMinusInterval => SqlType::Time,
            Self::MomentMinusMoment
            | Self::TimeMinusTime
            | Self::IntervalPlusInterval
            | Self::IntervalMinusInterval
            | Self::IntervalTimes
            | Self::IntervalDividedBy => SqlType::Interval,
        }
    }
}

/// The kind of an operand, or what the other one suggests where it is none yet.
fn known(op: Operator, kind: Kind, other: Kind) -> Kind {
    match (op, kind, other) {
        (Operator::Plus, Kind::Null, Kind::Date) => Kind::Integer,
        (Operator::Plus, Kind::Null, _) => Kind::Interval,
        (Operator::Minus, Kind::Null, _) => other,
        (_, Kind::Null, _) => Kind::Number,
        _ => kind,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Operation {
    op: Operator,
    signature: Signature,
}

impl Operation {
    fn rule(&self, args: &[FieldRef]) -> Result<(Rule, bool)> {
        let [left, right] = args else { return Err(Error::internal("an operator has two operands")) };
        let (left_kind, right_kind) = (Kind::of(left.data_type()), Kind::of(right.data_type()));
        Rule::of(self.op, known(self.op, left_kind, right_kind), known(self.op, right_kind, left_kind)).ok_or_else(
            || {
                let (left, right) = (kalamdb_types::type_name(left), kalamdb_types::type_name(right));
                let message = format!("operator does not exist: {left} {} {right}", self.op);
                Error::new(ErrorKind::UndefinedFunction, message).with_hint("cast the operands")
            },
        )
    }
}

impl ScalarUDFImpl for Operation {
    fn name(&self) -> &str {
        match self.op {
            Operator::Plus => "datetime_plus",
            Operator::Minus => "datetime_minus",
            Operator::Multiply => "datetime_times",
            _ => "datetime_divided",
        }
    }

    /// The operator's own text: columns without an alias are called by it.
    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        match args {
            [left, right] => Ok(format!("{} {} {}", left.schema_name(), self.op, right.schema_name())),
            _ => internal_err!("{} takes two arguments", self.op),
        }
    }

    fn display_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        match args {
            [left, right] => Ok(format!("{left} {} {right}", self.op)),
            _ => internal_err!("{} takes two arguments", self.op),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        // A text that is bound to a parameter gets its type before the call is made.
        let is_text = |index: usize, field: &FieldRef| {
            Kind::of(field.data_type()) == Kind::Text && args.scalar_arguments.get(index).is_some_and(Option::is_some)
        };
        let untyped = |(index, field): (usize, &FieldRef)| {
            if is_text(index, field) {
                Arc::new(field.as_ref().clone().with_data_type(DataType::Null))
            } else {
                Arc::clone(field)
            }
        };
        let fields: Vec<FieldRef> = args.arg_fields.iter().enumerate().map(untyped).collect();
        let (rule, _) = self.rule(&fields).map_err(into_datafusion)?;
        Ok(Arc::new(rule.result().field(self.name(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let evaluate = || {
            let (rule, is_swapped) = self.rule(&args.arg_fields)?;
            let (first, second) = if is_swapped { (1, 0) } else { (0, 1) };
            evaluate(rule, &args, first, second)
        };
        evaluate().map(ColumnarValue::Array).map_err(into_datafusion)
    }
}

/// Applies a rule to the arguments at two positions.
fn evaluate(rule: Rule, args: &ScalarFunctionArgs, first: usize, second: usize) -> Result<ArrayRef> {
    let dates = |index| Dates::of(args, index, SqlType::Date);
    let times = |index| Times::of(args, index, SqlType::Time);
    let intervals = |index| Intervals::of(args, index, SqlType::Interval);
    let timestamps =
        |index, has_zone| Timestamps::of(args, index, if has_zone { SqlType::TimestampTz } else { SqlType::Timestamp });
    Ok(match rule {
        Rule::DatePlusDays | Rule::DateMinusDays => {
            let sign = if rule == Rule::DatePlusDays { 1 } else { -1 };
            let (dates, numbers) = (dates(first)?, Values::<Int64Type>::of(args, second, SqlType::BigInt)?);
            Arc::new(each::<Date32Type>(args, |row| {
                both(dates.get(row), numbers.get(row), |date, days| {
                    i32::try_from(i128::from(date) + sign * i128::from(days)).map_err(|_| out_of_range("date"))
                })
            })?)
        }
        Rule::DateMinusDate => {
            let (a, b) = (dates(first)?, dates(second)?);
            Arc::new(each::<Int32Type>(args, |row| {
                both(a.get(row), b.get(row), |a, b| {
                    a.checked_sub(b)
                        .ok_or_else(|| Error::new(ErrorKind::NumericValueOutOfRange, "integer out of range"))
                })
            })?)
        }
        Rule::DatePlusTime => {
            let (dates, times) = (timestamps(first, false)?, times(second)?);
            each_timestamp(args, |row| {
                both(dates.get(row), times.get(row), |date, time| {
                    date.checked_add(time).ok_or_else(|| out_of_range("timestamp"))
                })
            })?
        }
        Rule::MomentPlusInterval(has_zone) => {
            let (moments, intervals) = (timestamps(first, has_zone)?, intervals(second)?);
            each_timestamp(args, |row| both(moments.get(row), intervals.get(row), shift::add))?
        }
        Rule::MomentMinusInterval(has_zone) => {
            let (moments, intervals) = (timestamps(first, has_zone)?, intervals(second)?);
            each_timestamp(args, |row| {
                both(moments.get(row), intervals.get(row), |micros, interval| {
                    shift::add(micros, shift::negated(interval)?)
                })
            })?
        }
        Rule::MomentMinusMoment => {
            let (a, b) = (timestamps(first, false)?, timestamps(second, false)?);
            each_interval(args, |row| both(a.get(row), b.get(row), |a, b| shift::between(b, a)))?
        }
        Rule::TimePlusInterval | Rule::TimeMinusInterval => {
            let sign = if rule == Rule::TimePlusInterval { 1 } else { -1 };
            let (times, intervals) = (times(first)?, intervals(second)?);
            Arc::new(each::<Time64MicrosecondType>(args, |row| {
                both(times.get(row), intervals.get(row), |time, interval| {
                    // Months and days change nothing, and the clock goes round.
                    let nanos = i128::from(time) * i128::from(MICROSECOND) + sign * i128::from(interval.nanoseconds);
                    i64::try_from(nanos.rem_euclid(shift::DAY_NANOS) / i128::from(MICROSECOND))
                        .map_err(|_| out_of_range("time"))
                })
            })?)
        }
        Rule::TimeMinusTime => {
            let (a, b) = (times(first)?, times(second)?);
            each_interval(args, |row| {
                both(a.get(row), b.get(row), |a, b| shift::interval(0, 0, i128::from(a - b) * i128::from(MICROSECOND)))
            })?
        }
        Rule::IntervalPlusInterval | Rule::IntervalMinusInterval => {
            let sign = if rule == Rule::IntervalPlusInterval { 1 } else { -1 };
            let (a, b) = (intervals(first)?, intervals(second)?);
            each_interval(args, |row| both(a.get(row), b.get(row), |a, b| shift::plus(a, b, sign)))?
        }
        Rule::IntervalTimes => {
            let (intervals, numbers) = (intervals(first)?, Numbers::of(args, second, SqlType::Double)?);
            each_interval(args, |row| {
                both(intervals.get(row), numbers.get(row), |interval, factor| {
                    shift::scaled(interval, |part| part * factor)
                })
            })?
        }
        Rule::IntervalDividedBy => {
            let (intervals, numbers) = (intervals(first)?, Numbers::of(args, second, SqlType::Double)?);
            each_interval(args, |row| {
                both(intervals.get(row), numbers.get(row), |interval, divisor| {
                    if divisor == 0.0 {
                        return Err(Error::new(ErrorKind::DivisionByZero, "division by zero"));
                    }
                    shift::scaled(interval, |part| part / divisor)
                })
            })?
        }
    })
}

fn both<A, B, T>(a: Option<A>, b: Option<B>, value: impl FnOnce(A, B) -> Result<T>) -> Result<Option<T>> {
    match (a, b) {
        (Some(a), Some(b)) => value(a, b).map(Some),
        _ => Ok(None),
    }
}
