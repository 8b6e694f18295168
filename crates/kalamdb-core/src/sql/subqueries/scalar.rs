//! A scalar subquery is NULL where it has no row, whatever its column may hold; DataFusion asks the column alone.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Column, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Projection, Subquery};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

static OR_NULL: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(OrNull { signature: Signature::any(1, Volatility::Volatile) })));

/// The subquery with a column that may be NULL, unless it has a row for sure: one that may be NULL now may not be so
/// any more when the plan is made simpler. A correlated one is cared for where it is run.
pub(super) fn nullable(subquery: Subquery) -> Result<Subquery> {
    let plan = &subquery.subquery;
    if plan.schema().fields().len() != 1 || !subquery.outer_ref_columns.is_empty() || has_a_row(plan) {
        return Ok(subquery);
    }
    let (qualifier, field) = plan.schema().qualified_field(0);
    let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
    let value = OR_NULL.call(vec![column]).alias_qualified(qualifier.cloned(), field.name());
    let plan = LogicalPlan::Projection(Projection::try_new(vec![value], Arc::clone(plan))?);
    Ok(subquery.with_plan(Arc::new(plan)))
}

fn has_a_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(node) => has_a_row(&node.input),
        LogicalPlan::SubqueryAlias(node) => has_a_row(&node.input),
        LogicalPlan::Aggregate(node) => node.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(node) => node.produce_one_row,
        LogicalPlan::Values(node) => !node.values.is_empty(),
        _ => false,
    }
}

/// A value that may be NULL as far as its type says. It is called volatile so that it is not taken for a constant that
/// is not NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OrNull {
    signature: Signature,
}

impl ScalarUDFImpl for OrNull {
    fn name(&self) -> &str {
        "__or_null"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [data_type] = arg_types else { return internal_err!("__or_null takes one argument") };
        Ok(data_type.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [field] = args.arg_fields else { return internal_err!("__or_null takes one argument") };
        Ok(Arc::new(field.as_ref().clone().with_nullable(true)))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(value) = args.args.pop() else { return internal_err!("__or_null takes one argument") };
        Ok(value)
    }
}
