//! The operators of arrays, planned as calls of functions.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as DataFusionResult, ScalarValue};
use datafusion::functions::core::expr_fn::greatest;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, ScalarUDF, lit, when};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::containment;
use super::lists::element_type;

/// Plans `@>`, `<@` and `&&` over arrays, and subscripts, which do not count from the end.
#[derive(Debug)]
pub(crate) struct Operators {
    has_all: Arc<ScalarUDF>,
    has_any: Arc<ScalarUDF>,
}

impl Operators {
    pub(in super::super) fn new() -> Self {
        Self { has_all: containment::has_all(), has_any: containment::has_any() }
    }

    /// The functions that the operators stand for, which also have names.
    pub(super) fn functions(&self) -> Vec<Arc<ScalarUDF>> {
        vec![Arc::clone(&self.has_all), Arc::clone(&self.has_any)]
    }
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator as B;
        if !matches!(expr.op, B::AtArrow | B::ArrowAt | B::PGOverlap) {
            return Ok(PlannerResult::Original(expr));
        }
        let is_array =
            |operand: &Expr| operand.get_type(schema).is_ok_and(|data_type| element_type(&data_type).is_some());
        if !is_array(&expr.left) && !is_array(&expr.right) {
            return Ok(PlannerResult::Original(expr));
        }
        let RawBinaryExpr { op, left, right } = expr;
        Ok(PlannerResult::Planned(match op {
            B::AtArrow => self.has_all.call(vec![left, right]),
            B::ArrowAt => self.has_all.call(vec![right, left]),
            _ => self.has_any.call(vec![left, right]),
        }))
    }
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawFieldAccessExpr>> {
        if !access.expr.get_type(schema).is_ok_and(|data_type| element_type(&data_type).is_some()) {
            return Ok(PlannerResult::Original(access));
        }
        let at_least = |index: Expr, least: i64| match &index {
            Expr::Literal(ScalarValue::Int64(Some(literal)), _) if *literal >= least => index,
            _ if matches!(index.get_type(schema), Ok(DataType::Null) | Err(_)) => index,
            // NULL stays NULL, which no element has for its number.
            _ => greatest(vec![index, lit(least)]),
        };
        // A bound that is NULL makes the slice NULL.
        let from = |bound: Expr, least: i64| match &bound {
            Expr::Literal(ScalarValue::Int64(Some(literal)), _) if *literal >= least => Ok(bound),
            _ if matches!(bound.get_type(schema), Ok(DataType::Null) | Err(_)) => Ok(bound),
            _ => when(bound.clone().lt(lit(least)), lit(least)).otherwise(bound),
        };
        let field_access = match access.field_access {
            GetFieldAccess::ListIndex { key } => GetFieldAccess::ListIndex { key: Box::new(at_least(*key, 0)) },
            GetFieldAccess::ListRange { start, stop, stride } => {
                GetFieldAccess::ListRange { start: Box::new(from(*start, 1)?), stop: Box::new(from(*stop, 0)?), stride }
            }
            other => other,
        };
        // Who plans subscripts comes after.
        Ok(PlannerResult::Original(RawFieldAccessExpr { field_access, expr: access.expr }))
    }
}
