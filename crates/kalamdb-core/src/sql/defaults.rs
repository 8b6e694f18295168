use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Expr;
use kalamdb_types::{Source, coerce};

use crate::catalog::ColumnDef;
use crate::error::{Error, ErrorKind, Result};

/// The values of `n_rows` rows for a column that a statement leaves to its default.
pub(super) fn values(state: &SessionState, column: &ColumnDef, n_rows: usize) -> Result<ArrayRef> {
    let Some(default) = &column.default else {
        return Ok(new_null_array(&column.sql_type.arrow(), n_rows));
    };
    evaluate(state, column, default, n_rows).map_err(|error| error.in_column(&column.name))
}

/// Refuses a DEFAULT that could not be evaluated when a row comes.
pub(super) fn check(state: &SessionState, column: &ColumnDef) -> Result<()> {
    match &column.default {
        Some(default) => evaluate(state, column, default, 1).map(drop).map_err(|error| error.in_column(&column.name)),
        None => Ok(()),
    }
}

fn evaluate(state: &SessionState, column: &ColumnDef, default: &str, n_rows: usize) -> Result<ArrayRef> {
    let schema = DFSchema::empty();
    let expr = state.create_logical_expr(default, &schema).map_err(|error| {
        let error = Error::from(error);
        // Places in the expression are not places in the statement.
        match error.kind() {
            ErrorKind::UndefinedColumn => Error::new(ErrorKind::InvalidTableDefinition, "a DEFAULT cannot name columns"),
            kind => Error::new(kind, error.message()),
        }
    })?;
    let has_relations = expr.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::AggregateFunction(_) | Expr::WindowFunction(_) | Expr::Placeholder(_)
        ))
    })?;
    if has_relations {
        return Err(Error::new(ErrorKind::InvalidTableDefinition, "a DEFAULT cannot hold subqueries, aggregates or parameters"));
    }
    let physical = state.create_physical_expr(expr, &schema)?;
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
    let values = physical.evaluate(&batch)?.into_array(n_rows)?;
    let field = Field::new("default", values.data_type().clone(), true);
    Ok(coerce(&values, &field, &column.sql_type, Source::Sql)?)
}
