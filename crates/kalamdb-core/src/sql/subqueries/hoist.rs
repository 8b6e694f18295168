//! Takes subqueries out of expressions and makes their answers columns.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::bool_and_or::{bool_and, bool_or};
use datafusion::functions_aggregate::count::count;
use datafusion::logical_expr::expr::{
    BinaryExpr, Case, Exists, InSubquery, ScalarFunction, SetComparison, SetQuantifier,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{Extension, Subquery};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, is_not_false, is_not_true, is_null, is_true, lit,
    not, when,
};

use super::apply::{Apply, ApplySpec, SubqueryKind};
use super::outer::{as_outer, outer_columns, replace_outer_columns};
use super::outer_value::CorrelatedParameter;
use super::rewrite::{Rewriter, holds_subquery, stays_scalar};
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::sql::analyzer::numbers::comparison_type;
use crate::sql::analyzer::ordering::{has_key, key};

/// Takes subqueries out of expressions over `input`, and makes their answers columns of it.
pub(super) struct Hoist<'a> {
    rewriter: &'a mut Rewriter,
    input: LogicalPlan,
    /// Whether DataFusion makes joins of correlated scalar subqueries in these expressions.
    joins: bool,
    /// The condition under which the expression at hand is evaluated at all.
    guard: Option<Expr>,
}

impl<'a> Hoist<'a> {
    pub(super) fn new(rewriter: &'a mut Rewriter, input: LogicalPlan, joins: bool) -> Self {
        Self { rewriter, input, joins, guard: None }
    }

    /// The input with the answers' columns at the end.
    pub(super) fn into_input(self) -> LogicalPlan {
        self.input
    }

    /// Rewrites expressions that are columns of a plan under their own names.
    pub(super) fn named(&mut self, exprs: Vec<Expr>, names: &NamePreserver) -> Result<Vec<Expr>> {
        exprs
            .into_iter()
            .map(|expr| {
                let name = names.save(&expr);
                Ok(name.restore(self.expr(expr)?))
            })
            .collect()
    }

    pub(super) fn expr(&mut self, expr: Expr) -> Result<Expr> {
        if !holds_subquery(&expr) {
            return Ok(expr);
        }
        let expr = match expr {
            Expr::Case(case) => return self.case(case),
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                return self.either(*left, op, *right);
            }
            Expr::ScalarFunction(call) if call.func.name() == "coalesce" => return self.coalesce(call),
            expr => expr,
        };
        Ok(match expr.map_children(|child| Ok(Transformed::yes(self.expr(child)?)))?.data {
            Expr::ScalarSubquery(subquery) if stays_scalar(&subquery, self.input.schema(), self.joins)? => {
                Expr::ScalarSubquery(subquery)
            }
            Expr::ScalarSubquery(subquery) => self.value(plan_of(subquery))?,
            Expr::Exists(Exists { subquery, negated }) => negate(self.exists(plan_of(subquery))?, negated),
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                negate(self.is_in(*expr, plan_of(subquery))?, negated)
            }
            Expr::SetComparison(comparison) => self.comparison(comparison)?,
            other => other,
        })
    }

    /// A branch is evaluated for the rows that come to it, and its subqueries are, too: they may fail for others.
    fn case(&mut self, case: Case) -> Result<Expr> {
        let around = self.guard.clone();
        let operand = case.expr.map(|operand| self.expr(*operand)).transpose()?;
        let mut branches = Vec::with_capacity(case.when_then_expr.len());
        for (when, then) in case.when_then_expr {
            let when = self.expr(*when)?;
            let condition = match &operand {
                Some(operand) => operand.clone().eq(when.clone()),
                None => when.clone(),
            };
            let before = self.guard.clone();
            self.only_if(is_true(condition.clone()));
            let then = self.expr(*then)?;
            self.guard = before;
            self.only_if(is_not_true(condition));
            branches.push((Box::new(when), Box::new(then)));
        }
        let otherwise = case.else_expr.map(|otherwise| self.expr(*otherwise)).transpose()?;
        self.guard = around;
        Ok(Expr::Case(Case {
            expr: operand.map(Box::new),
            when_then_expr: branches,
            else_expr: otherwise.map(Box::new),
        }))
    }

    /// Has the subqueries that follow asked under one more condition.
    fn only_if(&mut self, condition: Expr) {
        // What differs from one evaluation to the next cannot be asked twice.
        if !condition.is_volatile() && !holds_subquery(&condition) {
            self.guard = conjunction(self.guard.take().into_iter().chain([condition]));
        }
    }

    /// AND and OR: the right side is evaluated where the left one does not settle it.
    fn either(&mut self, left: Expr, op: Operator, right: Expr) -> Result<Expr> {
        let around = self.guard.clone();
        let left = self.expr(left)?;
        self.only_if(if op == Operator::And { is_not_false(left.clone()) } else { is_not_true(left.clone()) });
        let right = self.expr(right)?;
        self.guard = around;
        Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
    }

    /// An argument is evaluated where those before it are NULL.
    fn coalesce(&mut self, call: ScalarFunction) -> Result<Expr> {
        let around = self.guard.clone();
        let mut args = Vec::with_capacity(call.args.len());
        for arg in call.args {
            let arg = self.expr(arg)?;
            self.only_if(is_null(arg.clone()));
            args.push(arg);
        }
        self.guard = around;
        Ok(call.func.call(args))
    }

    fn value(&mut self, subquery: LogicalPlan) -> Result<Expr> {
        let first = first_column(&subquery)?;
        let is_single = subquery.max_rows().is_some_and(|rows| rows <= 1);
        let builder = LogicalPlanBuilder::from(subquery);
        // A second row is an error, however many follow.
        let builder = if is_single { builder } else { builder.limit(0, Some(2))? };
        let subquery = builder.project([first.alias("value")])?.build()?;
        self.apply(SubqueryKind::Value, subquery, None)
    }

    fn exists(&mut self, subquery: LogicalPlan) -> Result<Expr> {
        let subquery =
            LogicalPlanBuilder::from(subquery).limit(0, Some(1))?.project([lit(true).alias("value")])?.build()?;
        self.apply(SubqueryKind::Exists, subquery, None)
    }

    fn is_in(&mut self, value: Expr, subquery: LogicalPlan) -> Result<Expr> {
        let column = first_column(&subquery)?;
        let schema = self.input.schema();
        let (value_type, column_type) = (value.get_type(schema)?, column.get_type(subquery.schema())?);
        // Other types are brought together when the plan is made.
        let (value, column) = match comparison_type(&value_type, &column_type) {
            Some(common) if has_key(&common) => {
                (key(value.cast_to(&common, schema)?), key(column.cast_to(&common, subquery.schema())?))
            }
            _ => (value, column),
        };
        let subquery = LogicalPlanBuilder::from(subquery).project([column.alias("value")])?.build()?;
        self.apply(SubqueryKind::In, subquery, Some(value))
    }

    /// `value op ANY (subquery)` and `value op ALL (subquery)`.
    fn comparison(&mut self, comparison: SetComparison) -> Result<Expr> {
        let SetComparison { expr: value, subquery, op, quantifier } = comparison;
        let subquery = plan_of(subquery);
        match (op, &quantifier) {
            (Operator::Eq, SetQuantifier::Any) => return self.is_in(*value, subquery),
            (Operator::NotEq, SetQuantifier::All) => return Ok(not(self.is_in(*value, subquery)?)),
            _ => {}
        }
        let value = as_outer(*value, self.input.schema())?;
        let holds = Expr::BinaryExpr(BinaryExpr::new(Box::new(value), op, Box::new(first_column(&subquery)?)));
        // The comparisons of all rows joined by OR or by AND, of which one settles it and the rest may be unknown.
        let (settled, settling) = match quantifier {
            SetQuantifier::Any => (bool_or(holds.clone()), true),
            SetQuantifier::All => (bool_and(holds.clone()), false),
        };
        let column = |name: &str| Expr::Column(Column::new_unqualified(name));
        let answer = when(column("rows").eq(lit(0_i64)), lit(!settling))
            .when(column("settled").eq(lit(settling)), lit(settling))
            .when(column("known").lt(column("rows")), lit(ScalarValue::Boolean(None)))
            .otherwise(lit(!settling))?;
        let aggregates = [count(lit(1_i64)).alias("rows"), settled.alias("settled"), count(holds).alias("known")];
        let subquery = LogicalPlanBuilder::from(subquery)
            .aggregate(Vec::<Expr>::new(), aggregates)?
            .project([answer.alias("value")])?
            .build()?;
        self.apply(SubqueryKind::Value, subquery, None)
    }

    fn apply(&mut self, kind: SubqueryKind, subquery: LogicalPlan, compared_value: Option<Expr>) -> Result<Expr> {
        let Bound { subquery, mut arguments, slots } = bind(self.rewriter, &self.input, subquery)?;
        arguments.extend(compared_value);
        arguments.extend(self.guard.clone());
        let output = format!("__subquery_{}", self.rewriter.next_number());
        let spec = ApplySpec { kind, slots, is_guarded: self.guard.is_some(), output: output.clone() };
        let input = std::mem::take(&mut self.input);
        let apply = Apply::try_new(spec, input, subquery, arguments)?;
        self.input = LogicalPlan::Extension(Extension { node: Arc::new(apply) });
        Ok(Expr::Column(Column::new_unqualified(output)))
    }
}

/// A subquery's plan that reads the columns of an outer row from slots.
pub(super) struct Bound {
    pub(super) subquery: LogicalPlan,
    pub(super) arguments: Vec<Expr>,
    pub(super) slots: Vec<CorrelatedParameter>,
}

/// Binds the columns of `outer` that a subquery names. Those that are not found there are columns of a query further
/// out.
pub(super) fn bind(rewriter: &mut Rewriter, outer: &LogicalPlan, subquery: LogicalPlan) -> Result<Bound> {
    let (mut arguments, mut slots, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for (field, column) in outer_columns(&subquery)? {
        if outer.schema().maybe_index_of_column(&column).is_some() {
            let slot = CorrelatedParameter::new(rewriter.next_number());
            reads.push((column.clone(), slot.read(format!("outer {}", column.flat_name()), &field)));
            slots.push(slot);
            arguments.push(Expr::Column(column));
        }
    }
    let subquery = replace_outer_columns(subquery, &|column| {
        reads.iter().find(|(known, _)| known == column).map(|(_, read)| read.clone())
    })?;
    Ok(Bound { subquery, arguments, slots })
}

fn plan_of(subquery: Subquery) -> LogicalPlan {
    Arc::unwrap_or_clone(subquery.subquery)
}

fn first_column(plan: &LogicalPlan) -> Result<Expr> {
    let column = plan.schema().columns().into_iter().next();
    column
        .map(Expr::Column)
        .ok_or_else(|| into_datafusion(Error::new(ErrorKind::SyntaxError, "a subquery used as a value has no column")))
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { not(expr) } else { expr }
}
