//! DataFusion's simplification of expressions, kept from what is not the same for NULL.
//!
//! It takes `i IN (1) AND i IN (2)` for false and `i # i` for 0 where i is NULL, `s ~ '.*'` for false there, a minus
//! for the complement of bits, and evaluates what is random twice where it was written once. Each of its rules finds
//! two parts of an expression to be the same, or one to be of a certain form: from what it would get wrong, the parts
//! are hidden while it is at work. So are conditions that may fail, where it would take them out of both sides of OR,
//! before what guards them there.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Alias, Case, InList, ScalarFunction};
use datafusion::logical_expr::utils::{merge_schema, split_binary};
use datafusion::logical_expr::{
    BinaryExpr, Cast, ColumnarValue, Expr, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TryCast, Volatility, lit,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::sql::analyzer::{any_expression, expressions};
use crate::sql::optimizer::evaluation::may_fail;

/// The rule with all its simplifications but those that are wrong.
#[derive(Debug)]
pub(super) struct Simplify(pub(crate) Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for Simplify {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let schema = OnceCell::new();
        let schema = || schema.get_or_init(|| merge_schema(&plan.inputs()));
        if !any_expression(&plan, |expr| is_risky(expr, &schema))? {
            return self.0.rewrite(plan, config);
        }
        let mut n_hidden = 0;
        let plan = expressions::rewrite(plan, |expr| hide(expr, &mut n_hidden))?;
        self.0
            .rewrite(plan.data, config)?
            .map_data(|plan| Ok(plan.map_expressions(|expr| expr.transform_up(show))?.data))
    }
}

/// Whether an expression holds what would be simplified wrongly.
fn is_risky<'a>(expr: &Expr, schema: &dyn Fn() -> &'a DFSchema) -> Result<bool> {
    let mut risky = false;
    expr.apply(|expr| {
        risky |= match expr {
            Expr::BinaryExpr(BinaryExpr { op: Operator::BitwiseXor, .. }) => true,
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::BitwiseAnd | Operator::BitwiseOr, right }) => {
                [left, right].into_iter().any(|operand| matches!(**operand, Expr::Negative(_)))
            }
            Expr::Negative(operand) => {
                matches!(**operand, Expr::BinaryExpr(BinaryExpr { op: Operator::BitwiseAnd | Operator::BitwiseOr, .. }))
            }
            Expr::BinaryExpr(BinaryExpr { op, right, .. }) if is_pattern(*op) => is_any_text(right),
            Expr::Case(Case { expr: None, when_then_expr, .. }) => {
                when_then_expr.iter().any(|(when, _)| when.is_volatile())
            }
            // A chain is looked at once, from its top.
            Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => {
                let operands = split_binary(expr, *op);
                for operand in &operands {
                    risky |= is_risky(operand, schema)?;
                }
                risky = risky
                    || *op == Operator::Or && shares_what_fails(&operands, schema)?
                    || meets_itself(operands, *op);
                return Ok(if risky { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Jump });
            }
            _ => false,
        };
        Ok(if risky { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(risky)
}

/// Whether two operands of OR are conjunctions with a common condition that may fail: it would go before its guards.
fn shares_what_fails<'a>(operands: &[&Expr], schema: &dyn Fn() -> &'a DFSchema) -> Result<bool> {
    let conditions: Vec<&Expr> = operands.iter().flat_map(|operand| split_binary(operand, Operator::And)).collect();
    let mut seen = HashSet::new();
    for condition in conditions {
        // BETWEEN becomes two conditions, either of which may be in another operand.
        if (matches!(condition, Expr::Between(_)) || !seen.insert(condition)) && may_fail(condition, schema())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether two of the lists that are looked into by one operand of AND, or that are not to hold it by one of OR, have
/// the same value to look for.
fn meets_itself(operands: Vec<&Expr>, op: Operator) -> bool {
    let values: Vec<&Expr> =
        operands.into_iter().filter_map(|operand| value_of_list(operand, op == Operator::Or)).map(uncast).collect();
    let distinct: HashSet<&&Expr> = values.iter().collect();
    distinct.len() < values.len()
}

/// What is looked for in a list, or in what becomes one.
fn value_of_list(expr: &Expr, negated: bool) -> Option<&Expr> {
    match expr {
        Expr::InList(list) if list.negated || !negated => Some(&list.expr),
        Expr::Not(inner) => value_of_list(inner, false),
        Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::Or | Operator::And), .. }) => {
            split_binary(expr, *op).into_iter().find_map(|operand| match operand {
                Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq | Operator::NotEq, right }) => {
                    [left, right].into_iter().map(|side| uncast(side)).find(|side| matches!(side, Expr::Column(_)))
                }
                other => value_of_list(other, negated),
            })
        }
        _ => None,
    }
}

fn hide(expr: Expr, n_hidden: &mut usize) -> Result<Transformed<Expr>> {
    let mut hidden = |expr: Box<Expr>| -> Box<Expr> {
        *n_hidden += 1;
        Box::new(hidden(*expr, *n_hidden))
    };
    Ok(Transformed::yes(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::BitwiseXor, right }) => {
            Expr::BinaryExpr(BinaryExpr::new(hidden(left), Operator::BitwiseXor, hidden(right)))
        }
        Expr::Negative(operand) if !matches!(*operand, Expr::Literal(..)) => Expr::Negative(hidden(operand)),
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Eq | Operator::NotEq), right })
            if matches!((uncast(&left), uncast(&right)), (Expr::Column(_), Expr::Literal(..))) =>
        {
            Expr::BinaryExpr(BinaryExpr::new(below_casts(*left, &mut hidden), op, right))
        }
        Expr::InList(InList { expr, list, negated }) => {
            Expr::InList(InList { expr: below_casts(*expr, &mut hidden), list, negated })
        }
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Divide | Operator::Modulo), right }) => {
            *hidden(Box::new(Expr::BinaryExpr(BinaryExpr::new(left, op, right))))
        }
        Expr::ScalarFunction(function) => *hidden(Box::new(Expr::ScalarFunction(function))),
        // What matches every text matches the empty pattern.
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_pattern(op) && is_any_text(&right) => {
            let empty = right.transform_up(|expr| match expr {
                Expr::Literal(..) => Ok(Transformed::yes(lit(""))),
                other => Ok(Transformed::no(other)),
            })?;
            Expr::BinaryExpr(BinaryExpr::new(left, op, Box::new(empty.data)))
        }
        Expr::Case(Case { expr: None, when_then_expr, else_expr })
            if when_then_expr.iter().any(|(when, _)| when.is_volatile()) =>
        {
            Expr::Case(Case { expr: Some(Box::new(lit(true))), when_then_expr, else_expr })
        }
        other => return Ok(Transformed::no(other)),
    }))
}

fn show(expr: Expr) -> Result<Transformed<Expr>> {
    Ok(Transformed::yes(match expr {
        Expr::ScalarFunction(ScalarFunction { func, mut args }) if func.inner().downcast_ref::<Hidden>().is_some() => {
            match args.pop() {
                Some(arg) => arg,
                None => return internal_err!("what is hidden is one expression"),
            }
        }
        // The name that an expression had before, and has again.
        Expr::Alias(Alias { expr, relation, name, metadata }) => {
            let (own_relation, own_name) = expr.qualified_name();
            if metadata.is_none() && own_relation == relation && own_name == name {
                *expr
            } else {
                Expr::Alias(Alias { expr, relation, name, metadata })
            }
        }
        Expr::Case(Case { expr: Some(operand), when_then_expr, else_expr })
            if matches!(*operand, Expr::Literal(ScalarValue::Boolean(Some(true)), _))
                && when_then_expr.iter().any(|(when, _)| when.is_volatile()) =>
        {
            Expr::Case(Case { expr: None, when_then_expr, else_expr })
        }
        other => return Ok(Transformed::no(other)),
    }))
}

fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) => uncast(expr),
        other => other,
    }
}

/// Casts of a column are seen through where it is compared with literals.
fn below_casts(expr: Expr, hidden: &mut impl FnMut(Box<Expr>) -> Box<Expr>) -> Box<Expr> {
    match expr {
        Expr::Cast(Cast { expr, field }) => Box::new(Expr::Cast(Cast { expr: below_casts(*expr, hidden), field })),
        Expr::TryCast(TryCast { expr, field }) => {
            Box::new(Expr::TryCast(TryCast { expr: below_casts(*expr, hidden), field }))
        }
        other => hidden(Box::new(other)),
    }
}

fn is_pattern(op: Operator) -> bool {
    matches!(op, Operator::RegexMatch | Operator::RegexIMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch)
}

fn is_any_text(pattern: &Expr) -> bool {
    matches!(uncast(pattern), Expr::Literal(value, _) if value.try_as_str().flatten() == Some(".*"))
}

fn hidden(expr: Expr, number: usize) -> Expr {
    let function = Hidden { number, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::new_from_impl(function).call(vec![expr])
}

/// A function that gives its argument, and is another one each time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Hidden {
    number: usize,
    signature: Signature,
}

impl ScalarUDFImpl for Hidden {
    fn name(&self) -> &'static str {
        "hidden"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [arg] => Ok(arg.clone()),
            _ => internal_err!("what is hidden is one expression"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [arg] => Ok(Arc::clone(arg)),
            _ => internal_err!("what is hidden is one expression"),
        }
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.pop() {
            Some(arg) => Ok(arg),
            None => internal_err!("what is hidden is one expression"),
        }
    }
}
