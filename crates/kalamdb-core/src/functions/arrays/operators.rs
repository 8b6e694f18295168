//! The operators of arrays, planned as calls of functions.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result as DataFusionResult};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::{containment, element_type};

/// Plans `@>`, `<@` and `&&` over arrays.
#[derive(Debug)]
pub(in super::super) struct Operators {
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
        let is_array = |operand: &Expr| operand.get_type(schema).is_ok_and(|data_type| element_type(&data_type).is_some());
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
}
