//! Numbers that meet decimals: literals and parameters are taken as they are written, and types are found that hold
//! every digit of all sides.
//!
//! A number with a point or an exponent is a float to the planner, and decimals would be compared with the nearest
//! float, or with its first digits. This rule comes before the planner looks for common types, and leaves it none to
//! find.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Cast, InList, InSubquery, ScalarFunction, SetComparison};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Case, Expr, ExprSchemable, Join, LogicalPlan, LogicalPlanBuilder, Operator, Subquery,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::arithmetic::checked;
use super::decimals::{common_type, fitting, literal_of};
use crate::sql::analyzer::{any_expression, compares, rewrite};
use crate::sql::parse::long_numbers;

#[derive(Debug)]
pub(crate) struct ExactNumbers;

impl AnalyzerRule for ExactNumbers {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        "exact_numbers"
    }
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let inputs = node.inputs();
    let reads_decimals =
        inputs.iter().any(|input| input.schema().fields().iter().any(|field| field.data_type().is_decimal()));
    if !reads_decimals && !has_numbers(&node)? {
        return Ok(Transformed::no(node));
    }
    let schema = merge_schema(&inputs);
    let node = match node {
        LogicalPlan::Join(join) => LogicalPlan::Join(join_keys(join)?),
        node => node,
    };
    let node = rewrite(node, |expr| expression(expr, &schema))?;
    // The types of what is computed may be others now.
    node.map_data(LogicalPlan::recompute_schema)
}

/// Whether a node that reads no decimals has something to be taken exactly: decimals that it makes, or literals in a
/// place that rounds.
fn has_numbers(node: &LogicalPlan) -> Result<bool> {
    any_expression(node, |expr| {
        expr.exists(|expr| {
            Ok(match expr {
                Expr::Cast(Cast { field, .. }) => field.data_type().is_decimal() || field.data_type().is_integer(),
                Expr::Literal(ScalarValue::Float64(Some(value)), _) => {
                    value.fract() != 0.0 || value.abs() >= EXACT_INTEGERS
                }
                Expr::ScalarFunction(function) => long_numbers::is_call(function),
                Expr::BinaryExpr(BinaryExpr { op, .. }) => {
                    matches!(op, Operator::BitwiseShiftLeft | Operator::BitwiseShiftRight)
                }
                Expr::InSubquery(InSubquery { subquery, .. }) | Expr::SetComparison(SetComparison { subquery, .. }) => {
                    subquery.subquery.schema().fields().iter().any(|field| field.data_type().is_decimal())
                }
                Expr::OuterReferenceColumn(field, _) => field.data_type().is_decimal(),
                Expr::ScalarSubquery(subquery) => {
                    subquery.subquery.schema().fields().iter().any(|field| field.data_type().is_decimal())
                }
                _ => false,
            })
        })
    })
}

/// From here on not every integer is a float.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

fn join_keys(mut join: Join) -> Result<Join> {
    let (left, right) = (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
    let schema = left.join(&right)?;
    for (left, right) in &mut join.on {
        let (a, b) = pair(left.clone(), right.clone(), &schema)?;
        (*left, *right) = (a, b);
    }
    Ok(join)
}

fn expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let (left, right) = pair(*left, *right, schema)?;
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_arithmetic(op) => {
            Transformed::yes(arithmetic(*left, op, *right, schema)?)
        }
        // A shift is of its left operand's type.
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::BitwiseShiftLeft | Operator::BitwiseShiftRight),
            right,
        }) => {
            let (of, by) = (left.get_type(schema)?, right.get_type(schema)?);
            let right = if of.is_integer() && by.is_integer() && of != by {
                Box::new(Expr::Cast(Cast::new(right, of)))
            } else {
                right
            };
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(left, op, right)))
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            match <[Expr; 3]>::try_from(unified(vec![*expr, *low, *high], schema)?) {
                Ok([expr, low, high]) => Transformed::yes(Expr::Between(Between::new(
                    Box::new(expr),
                    negated,
                    Box::new(low),
                    Box::new(high),
                ))),
                Err(_) => return internal_err!("BETWEEN has three operands"),
            }
        }
        Expr::InList(InList { expr, list, negated }) => {
            let mut all = unified(std::iter::once(*expr).chain(list).collect(), schema)?.into_iter();
            match all.next() {
                Some(expr) => Transformed::yes(Expr::InList(InList::new(Box::new(expr), all.collect(), negated))),
                None => return internal_err!("IN has an operand"),
            }
        }
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
            let (expr, subquery) = with_subquery(expr, subquery, schema)?;
            Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery, negated }))
        }
        Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) => {
            let (expr, subquery) = with_subquery(expr, subquery, schema)?;
            Transformed::yes(Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }))
        }
        Expr::Case(case) => Transformed::yes(Expr::Case(branches(case, schema)?)),
        // A cast and a rounding of what is written in digits are about these digits.
        Expr::Cast(Cast { expr, field }) if field.data_type().is_integer() || field.data_type().is_decimal() => {
            let expr = exact(&expr, schema)?.map_or(expr, Box::new);
            Transformed::yes(Expr::Cast(Cast::new_from_field(expr, field)))
        }
        Expr::ScalarFunction(function) => call(function, schema)?,
        Expr::WindowFunction(mut shift)
            if matches!(shift.fun.name(), "lead" | "lag") && shift.params.args.len() == 3 =>
        {
            shift.params.args = shifted(std::mem::take(&mut shift.params.args), schema)?;
            Transformed::yes(Expr::WindowFunction(shift))
        }
        expr => Transformed::no(expr),
    })
}

fn call(function: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let ScalarFunction { func, mut args } = function;
    match func.name() {
        "coalesce" | "nullif" | "greatest" | "least" | "nvl" | "make_array" => {
            args = unified(args, schema)?;
        }
        "times" | "divided" => {
            // An operand that was a decimal may be a float now.
            let is_float = |arg: &Expr| arg.get_type(schema).is_ok_and(|of| of.is_floating());
            if !args.iter().any(is_float) {
                return Ok(Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args })));
            }
            let op = if func.name() == "times" { Operator::Multiply } else { Operator::Divide };
            return match <[Expr; 2]>::try_from(args) {
                Ok([left, right]) => Ok(Transformed::yes(arithmetic(left, op, right, schema)?)),
                Err(_) => internal_err!("{op} takes two operands"),
            };
        }
        "round" | "trunc" | "ceil" | "floor" => {
            let exact = match args.first() {
                Some(first) => exact(first, schema)?,
                None => None,
            };
            if let (Some(exact), Some(first)) = (exact, args.first_mut()) {
                *first = exact;
                // The type remains that of the literal.
                return Ok(Transformed::yes(cast(func.call(args), &DataType::Float64)));
            }
        }
        _ => return Ok(Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args }))),
    }
    Ok(Transformed::yes(func.call(args)))
}

/// A value, an offset, and a default of the value's type.
fn shifted(mut args: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let offset = args.remove(1);
    args = unified(args, schema)?;
    args.insert(1, offset);
    Ok(args)
}

/// A value that is compared with the rows of a subquery: where only one of the two is a decimal, and the other a float,
/// both are floats.
fn with_subquery(expr: Box<Expr>, subquery: Subquery, schema: &DFSchema) -> Result<(Box<Expr>, Subquery)> {
    let Some(of) = subquery.subquery.schema().fields().first().map(|field| field.data_type().clone()) else {
        return Ok((expr, subquery));
    };
    let float = DataType::Float64;
    Ok(match expr.get_type(schema)? {
        own if own.is_decimal() && of.is_floating() => (Box::new(cast(*expr, &float)), subquery),
        own if own.is_floating() && of.is_decimal() => {
            let column = Expr::from(subquery.subquery.schema().qualified_field(0));
            let name = column.schema_name().to_string();
            let plan = LogicalPlanBuilder::from(Arc::clone(&subquery.subquery))
                .project([cast(column, &float).alias(name)])?
                .build()?;
            (expr, subquery.with_plan(Arc::new(plan)))
        }
        _ => (expr, subquery),
    })
}

fn branches(case: Case, schema: &DFSchema) -> Result<Case> {
    let (mut whens, thens): (Vec<Expr>, Vec<Expr>) =
        case.when_then_expr.into_iter().map(|(when, then)| (*when, *then)).unzip();
    let mut base = None;
    if let Some(expr) = case.expr {
        let mut all = unified(std::iter::once(*expr).chain(whens).collect(), schema)?.into_iter();
        base = all.next().map(Box::new);
        whens = all.collect();
    }
    let n_thens = thens.len();
    let mut results = unified(thens.into_iter().chain(case.else_expr.map(|expr| *expr)).collect(), schema)?;
    let otherwise = if results.len() > n_thens { results.pop().map(Box::new) } else { None };
    let pairs = whens.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Ok(Case::new(base, pairs, otherwise))
}

/// An operator of arithmetic over operands of which one may be a decimal.
fn arithmetic(left: Expr, op: Operator, right: Expr, schema: &DFSchema) -> Result<Expr> {
    let beside = |expr: Expr, other: &Expr| -> Result<Expr> {
        Ok(match &expr {
            Expr::Literal(value, _) if value.is_null() => {
                let of = other.get_type(schema)?;
                Expr::Literal(ScalarValue::try_new_null(&of)?, None)
            }
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) => {
                literal_of(&ScalarValue::Utf8(Some(text.trim().to_owned()))).unwrap_or(expr)
            }
            Expr::Literal(value, _) => literal_of(value).unwrap_or(expr),
            _ => exact(&expr, schema)?.unwrap_or(expr),
        })
    };
    let (left, right) = match (is_decimal(&left, schema), is_decimal(&right, schema)) {
        (true, false) => {
            let right = beside(right, &left)?;
            (left, right)
        }
        (false, true) => (beside(left, &right)?, right),
        _ => (left, right),
    };
    // The planner would give products and quotients of decimals fewer digits.
    if matches!(op, Operator::Multiply | Operator::Divide) && (is_decimal(&left, schema) || is_decimal(&right, schema))
    {
        let as_decimal = |expr: &Expr| {
            let of = expr.get_type(schema).ok().filter(|of| !of.is_null())?;
            if matches!(of, DataType::Decimal128(..)) {
                return Some(expr.clone());
            }
            let wide = common_type(&[of]).filter(|wide| matches!(wide, DataType::Decimal128(..)))?;
            Some(cast(expr.clone(), &wide))
        };
        if let (Some(left), Some(right)) = (as_decimal(&left), as_decimal(&right)) {
            return Ok(checked(op).call(vec![left, right]));
        }
    }
    Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
}

/// Products and quotients have their types from the beginning.
impl ExprPlanner for ExactNumbers {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let op = match expr.op {
            BinaryOperator::Multiply => Operator::Multiply,
            BinaryOperator::Divide => Operator::Divide,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        if !is_decimal(&expr.left, schema) && !is_decimal(&expr.right, schema) {
            return Ok(PlannerResult::Original(expr));
        }
        Ok(match arithmetic(expr.left.clone(), op, expr.right.clone(), schema)? {
            Expr::BinaryExpr(_) => PlannerResult::Original(expr),
            planned => PlannerResult::Planned(planned),
        })
    }
}

fn pair(left: Expr, right: Expr, schema: &DFSchema) -> Result<(Expr, Expr)> {
    let (mut left, mut right) = (left, right);
    // What is computed of literals is compared as what they say: `i * 0.1 = 0.3`.
    if is_computed(&left) || is_computed(&right) {
        let (exact_left, exact_right) = (exact(&left, schema)?, exact(&right, schema)?);
        let is_exact = |exact: &Option<Expr>, expr: &Expr| {
            exact.is_some() || expr.get_type(schema).is_ok_and(|t| t.is_integer() || t.is_decimal())
        };
        if is_exact(&exact_left, &left) && is_exact(&exact_right, &right) {
            (left, right) = (exact_left.unwrap_or(left), exact_right.unwrap_or(right));
        }
    }
    match <[Expr; 2]>::try_from(unified(vec![left, right], schema)?) {
        Ok([left, right]) => Ok((left, right)),
        Err(_) => internal_err!("a comparison has two sides"),
    }
}

fn is_computed(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryExpr(BinaryExpr { op, .. }) if is_arithmetic(*op))
}

/// Brings expressions that are compared, or that are alternatives, to one type, if decimals are among them.
fn unified(exprs: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let types: Vec<DataType> = exprs.iter().map(|expr| expr.get_type(schema).unwrap_or(DataType::Null)).collect();
    let is_known = |data_type: &DataType| data_type.is_numeric() || *data_type == DataType::Null;
    if !types.iter().all(is_known) || !(types.iter().any(DataType::is_decimal) || beyond_floats(&exprs, &types)) {
        return Ok(exprs);
    }
    let mut exacts = Vec::with_capacity(exprs.len());
    for (expr, data_type) in exprs.iter().zip(&types) {
        exacts.push(if data_type.is_floating() { exact(expr, schema)? } else { Some(expr.clone()) });
    }
    let Some(exacts) = exacts.into_iter().collect::<Option<Vec<Expr>>>() else {
        // A decimal that meets a float is a float.
        let to_float = |(expr, data_type): (Expr, DataType)| {
            if data_type.is_decimal() { cast(expr, &DataType::Float64) } else { expr }
        };
        return Ok(exprs.into_iter().zip(types).map(to_float).collect());
    };
    let types: Vec<DataType> = exacts.iter().map(|expr| expr.get_type(schema).unwrap_or(DataType::Null)).collect();
    let target = own_type(&exacts, &types).or_else(|| common_type(&types));
    let Some(target) = target else { return Ok(exprs) };
    Ok(exacts
        .into_iter()
        .zip(types)
        .map(|(expr, data_type)| if data_type == target { expr } else { cast(expr, &target) })
        .collect())
}

/// The type that all but literals have, if every literal fits it: no column needs a cast then, and its index can be
/// used.
fn own_type(exprs: &[Expr], types: &[DataType]) -> Option<DataType> {
    let mut own: Option<&DataType> = None;
    for (expr, data_type) in exprs.iter().zip(types) {
        if matches!(expr, Expr::Literal(..)) {
            continue;
        }
        if own.is_some_and(|own| own != data_type) || !data_type.is_decimal() {
            return None;
        }
        own = Some(data_type);
    }
    let own = own?;
    let fits = |expr: &Expr| match expr {
        Expr::Literal(value, _) => value.is_null() || fitting(value, own).is_some(),
        _ => true,
    };
    exprs.iter().all(fits).then(|| own.clone())
}

/// Whether integers of 64 bits meet literals that floats cannot tell from their neighbours.
fn beyond_floats(exprs: &[Expr], types: &[DataType]) -> bool {
    let is_large = |expr: &Expr| match expr {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) => value.abs() >= EXACT_INTEGERS,
        _ => false,
    };
    let is_long = |expr: &Expr| matches!(expr, Expr::ScalarFunction(function) if long_numbers::is_call(function));
    types.iter().any(|data_type| matches!(data_type, DataType::Int64 | DataType::UInt64)) && exprs.iter().any(is_large)
        || types.iter().any(DataType::is_integer) && exprs.iter().any(is_long)
}

/// An expression that is a float only because of its literals, as the decimal that it is in PostgreSQL.
fn exact(expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    Ok(match expr {
        Expr::Literal(value @ ScalarValue::Float64(Some(_)), _) => literal_of(value),
        Expr::ScalarFunction(function) if long_numbers::is_call(function) => {
            long_numbers::value(function).as_ref().and_then(literal_of)
        }
        Expr::Negative(operand) => exact(operand, schema)?.map(|operand| Expr::Negative(Box::new(operand))),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_arithmetic(*op) => {
            let (exact_left, exact_right) = (exact(left, schema)?, exact(right, schema)?);
            if exact_left.is_none() && exact_right.is_none() {
                return Ok(None);
            }
            let is_exact = |expr: &Expr| {
                expr.get_type(schema).is_ok_and(|data_type| data_type.is_integer() || data_type.is_decimal())
            };
            let side = |exact: Option<Expr>, expr: &Expr| exact.or_else(|| is_exact(expr).then(|| expr.clone()));
            match (side(exact_left, left), side(exact_right, right)) {
                (Some(left), Some(right)) => Some(arithmetic(left, *op, right, schema)?),
                _ => None,
            }
        }
        _ => None,
    })
}

fn cast(expr: Expr, to: &DataType) -> Expr {
    let literal = match &expr {
        Expr::Literal(value, _) => fitting(value, to).map(|value| Expr::Literal(value, None)),
        _ => None,
    };
    literal.unwrap_or_else(|| Expr::Cast(Cast::new(Box::new(expr), to.clone())))
}

fn is_decimal(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type.is_decimal())
}

fn is_arithmetic(op: Operator) -> bool {
    matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo)
}
