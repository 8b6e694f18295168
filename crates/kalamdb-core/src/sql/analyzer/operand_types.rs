//! Types of operands that the planner finds otherwise: a literal beside an interval, array, boolean, UUID or bytes is
//! one of those, in arithmetic a number, and a REAL beside a number of another type is a DOUBLE.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ScalarValue, TableReference, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, Between, Cast, InList, ScalarFunction, Sort};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Case, Expr, ExprSchemable, LogicalPlan, Operator, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::sqlparser::ast::BinaryOperator;
use kalamdb_types::SqlType;

use super::expressions::{any_expression, compares, rewrite};
use crate::functions::{CAST_TO, cast_to};

/// Comes before other planners, and before the planner looks for common types.
#[derive(Debug)]
pub(crate) struct OperandTypes;

/// What an operator does with its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Compares,
    Calculates,
    /// Gives one of them.
    Chooses,
    /// Of arrays alone: what it is beside a text is another operator.
    Joins,
}

impl ExprPlanner for OperandTypes {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator as B;
        let expr = without_idle_casts(expr, schema);
        let of = match expr.op {
            B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq => Use::Compares,
            B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo => Use::Calculates,
            B::AtArrow | B::ArrowAt | B::PGOverlap | B::StringConcat => Use::Joins,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let [left, right] = pair(expr.left, expr.right, of, schema);
        Ok(PlannerResult::Original(RawBinaryExpr { op: expr.op, left, right }))
    }

    /// `v.w` of a column `v` without fields is a column that is not there.
    fn plan_compound_identifier(
        &self,
        field: &Field,
        _: Option<&TableReference>,
        names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(match names {
            [name] if !matches!(field.data_type(), DataType::Struct(_) | DataType::Map(..) | DataType::Null) => {
                PlannerResult::Planned(Expr::Column(Column::new(Some(field.name().as_str()), name)))
            }
            _ => PlannerResult::Original(Vec::new()),
        })
    }
}

impl AnalyzerRule for OperandTypes {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        "operand_types"
    }
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    if !any_expression(&node, |expr| expr.exists(|expr| Ok(may_change(expr, &schema))))? {
        return Ok(Transformed::no(node));
    }
    let node = rewrite(node, |expr| expression(expr, &schema))?;
    // The types of what is computed may be others now.
    node.map_data(LogicalPlan::recompute_schema)
}

/// Whether an expression has operands of which one may get another type.
fn may_change(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            use_of(*op).is_some_and(|of| changes(&[left, right], of, schema))
        }
        Expr::InList(InList { expr, list, .. }) => {
            changes(&std::iter::once(expr.as_ref()).chain(list).collect::<Vec<_>>(), Use::Compares, schema)
        }
        Expr::Between(Between { expr, low, high, .. }) => changes(&[expr, low, high], Use::Compares, schema),
        Expr::Case(Case { expr, when_then_expr, else_expr }) => {
            let compared: Vec<&Expr> =
                expr.as_deref().into_iter().chain(when_then_expr.iter().map(|(when, _)| when.as_ref())).collect();
            if expr.is_some() && changes(&compared, Use::Compares, schema) {
                return true;
            }
            let results = when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(else_expr.as_deref());
            results.clone().any(is_text_literal) && changes(&results.collect::<Vec<_>>(), Use::Chooses, schema)
        }
        Expr::ScalarFunction(call) => {
            chooses(call)
                && call.args.iter().any(is_text_literal)
                && changes(&call.args.iter().collect::<Vec<_>>(), Use::Chooses, schema)
        }
        Expr::AggregateFunction(call) => is_wide(call) && call.params.args.iter().any(|arg| is_real(arg, schema)),
        _ => false,
    }
}

/// Whether the aggregate computes in the type of its argument, where it is to be a DOUBLE.
fn is_wide(call: &AggregateFunction) -> bool {
    matches!(call.func.name(), "percentile_cont" | "median")
}

fn chooses(call: &ScalarFunction) -> bool {
    matches!(call.func.name(), "coalesce" | "greatest" | "least")
}

fn use_of(op: Operator) -> Option<Use> {
    match op {
        op if compares(op) => Some(Use::Compares),
        Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            Some(Use::Calculates)
        }
        _ => None,
    }
}

fn changes(operands: &[&Expr], of: Use, schema: &DFSchema) -> bool {
    let is_null = |operand: &&Expr| matches!(operand, Expr::Literal(ScalarValue::Null, _));
    let is_open =
        operands.iter().any(|operand| is_text_literal(operand)) || of == Use::Joins && operands.iter().any(is_null);
    is_open && operands.iter().any(|operand| literal_type(operand, of, schema).is_some())
        || matches!(of, Use::Compares | Use::Calculates) && widens(operands, schema)
}

/// Whether a REAL is beside a number of another type.
fn widens(operands: &[&Expr], schema: &DFSchema) -> bool {
    let (mut has_real, mut has_other) = (false, false);
    for data_type in operands.iter().filter_map(|operand| operand.get_type(schema).ok()) {
        let is_real = data_type == DataType::Float32;
        has_real |= is_real;
        has_other |= !is_real && data_type.is_numeric();
    }
    has_real && has_other
}

fn expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !may_change(&expr, schema) {
        return Ok(Transformed::no(expr));
    }
    Ok(Transformed::yes(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let [left, right] = pair(*left, *right, use_of(op).unwrap_or(Use::Compares), schema);
            Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
        }
        Expr::InList(InList { expr, list, negated }) => {
            // Of several constants in a list all are REAL, as what is looked for.
            let list = if list.len() > 1 && is_real(&expr, schema) && list.iter().all(|item| is_constant(item, schema))
            {
                let real = |item: Expr| match is_text_literal(&item) {
                    true => item,
                    false => Expr::Cast(Cast::new(Box::new(item), DataType::Float32)),
                };
                list.into_iter().map(real).collect()
            } else {
                list
            };
            let mut operands = typed(std::iter::once(*expr).chain(list).collect(), Use::Compares, schema).into_iter();
            match operands.next() {
                Some(expr) => Expr::InList(InList::new(Box::new(expr), operands.collect(), negated)),
                None => return internal_err!("IN has an operand"),
            }
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            match <[Expr; 3]>::try_from(typed(vec![*expr, *low, *high], Use::Compares, schema)) {
                Ok([expr, low, high]) => {
                    Expr::Between(Between::new(Box::new(expr), negated, Box::new(low), Box::new(high)))
                }
                Err(_) => return internal_err!("BETWEEN has three operands"),
            }
        }
        Expr::Case(case) => Expr::Case(branches(case, schema)),
        Expr::ScalarFunction(ScalarFunction { func, args }) => func.call(typed(args, Use::Chooses, schema)),
        Expr::AggregateFunction(mut call) => {
            let wide = |expr: Expr| match is_real(&expr, schema) {
                true => Expr::Cast(Cast::new(Box::new(expr), DataType::Float64)),
                false => expr,
            };
            call.params.args = call.params.args.into_iter().map(wide).collect();
            let order = call.params.order_by.into_iter().map(|by| Sort { expr: wide(by.expr), ..by });
            call.params.order_by = order.collect();
            Expr::AggregateFunction(call)
        }
        other => other,
    }))
}

fn branches(case: Case, schema: &DFSchema) -> Case {
    let (mut whens, thens): (Vec<Expr>, Vec<Expr>) =
        case.when_then_expr.into_iter().map(|(when, then)| (*when, *then)).unzip();
    let mut base = None;
    if let Some(expr) = case.expr {
        let mut all = typed(std::iter::once(*expr).chain(whens).collect(), Use::Compares, schema).into_iter();
        base = all.next().map(Box::new);
        whens = all.collect();
    }
    let n_thens = thens.len();
    let mut results = typed(thens.into_iter().chain(case.else_expr.map(|expr| *expr)).collect(), Use::Chooses, schema);
    let otherwise = if results.len() > n_thens { results.pop().map(Box::new) } else { None };
    let pairs = whens.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Case::new(base, pairs, otherwise)
}

/// The operation without casts of texts to TEXT: an expression with one is the same as one without, also to GROUP BY.
fn without_idle_casts(expr: RawBinaryExpr, schema: &DFSchema) -> RawBinaryExpr {
    use BinaryOperator as B;
    let RawBinaryExpr { op, left, right } = expr;
    let (left, right) = match op {
        B::StringConcat => (without_idle_cast(left, false, schema), without_idle_cast(right, false, schema)),
        B::Arrow | B::LongArrow => (left, without_idle_cast(right, true, schema)),
        _ => (left, right),
    };
    RawBinaryExpr { op, left, right }
}

/// A literal may have another type without its cast, and so may keep it.
fn without_idle_cast(operand: Expr, of_literals: bool, schema: &DFSchema) -> Expr {
    match operand {
        Expr::ScalarFunction(ScalarFunction { func, mut args }) if func.name() == CAST_TO => match args.as_slice() {
            [value, Expr::Literal(ScalarValue::Utf8(Some(target)), _)]
                if *target == SqlType::Text.to_string()
                    && (of_literals || !is_text_literal(value))
                    && is_text(value, schema) =>
            {
                args.swap_remove(0)
            }
            _ => Expr::ScalarFunction(ScalarFunction { func, args }),
        },
        other => other,
    }
}

fn is_text(expr: &Expr, schema: &DFSchema) -> bool {
    let sql_type = expr.to_field(schema).ok().and_then(|(_, field)| SqlType::of_field(&field));
    matches!(sql_type, Some(SqlType::Text | SqlType::Varchar(_)))
}

fn pair(left: Expr, right: Expr, of: Use, schema: &DFSchema) -> [Expr; 2] {
    if !changes(&[&left, &right], of, schema) {
        return [left, right];
    }
    match <[Expr; 2]>::try_from(typed(vec![left.clone(), right.clone()], of, schema)) {
        Ok(pair) => pair,
        Err(_) => [left, right],
    }
}

fn typed(operands: Vec<Expr>, of: Use, schema: &DFSchema) -> Vec<Expr> {
    let target = operands.iter().find_map(|operand| literal_type(operand, of, schema));
    let widens = matches!(of, Use::Compares | Use::Calculates) && widens(&operands.iter().collect::<Vec<_>>(), schema);
    let as_typed = |operand: Expr| match &target {
        Some(target) if is_text_literal(&operand) && (of != Use::Joins || is_array_literal(&operand)) => {
            cast_to().call(vec![operand, lit(target.to_string())])
        }
        // Beside an array NULL is one.
        Some(target) if of == Use::Joins && matches!(operand, Expr::Literal(ScalarValue::Null, _)) => {
            cast_to().call(vec![operand, lit(target.to_string())])
        }
        _ if widens && is_real(&operand, schema) => Expr::Cast(Cast::new(Box::new(operand), DataType::Float64)),
        _ => operand,
    };
    operands.into_iter().map(as_typed).collect()
}

/// The type that a literal beside the operand has, where the planner would not find it.
fn literal_type(operand: &Expr, of: Use, schema: &DFSchema) -> Option<SqlType> {
    if matches!(operand, Expr::Placeholder(_)) || is_text_literal(operand) {
        return None;
    }
    let sql_type = SqlType::of_field(&operand.to_field(schema).ok()?.1)?;
    let is_number =
        matches!(sql_type, SqlType::SmallInt | SqlType::Integer | SqlType::BigInt | SqlType::Real | SqlType::Double);
    let fits = match of {
        Use::Compares => {
            matches!(
                sql_type,
                SqlType::Interval | SqlType::Boolean | SqlType::Bytea | SqlType::Uuid | SqlType::Array(_)
            )
        }
        Use::Calculates => is_number,
        Use::Chooses => {
            !matches!(sql_type, SqlType::Text | SqlType::Varchar(_) | SqlType::Json | SqlType::Embedding(_))
        }
        Use::Joins => matches!(sql_type, SqlType::Array(_)),
    };
    fits.then_some(sql_type)
}

fn is_real(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type == DataType::Float32)
}

/// Whether it is a literal or a cast of one, that is no DOUBLE by a cast.
fn is_constant(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Literal(value, _) => value.data_type().is_numeric() || is_text_literal(expr),
        Expr::Negative(inner) => is_constant(inner, schema),
        expr => {
            let is_number = |data_type: DataType| data_type.is_numeric() && data_type != DataType::Float64;
            expr.column_refs().is_empty() && !expr.is_volatile() && expr.get_type(schema).is_ok_and(is_number)
        }
    }
}

fn is_text_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(value, _) if value.try_as_str().flatten().is_some())
}

fn is_array_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) if text.trim_start().starts_with('{'))
}
