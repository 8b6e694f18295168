//! `SELECT count(*) FROM table`: answered from what is known of each chunk, without the planner.

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, SelectItem,
    Statement as SqlStatement,
};

use super::key_equality::is_plain;
use super::plain_select::PlainSelect;
use super::query::StatementContext;
use crate::error::Result;
use crate::partition::Chunk;
use crate::result::StatementResult;
use crate::sql::parse::fold;

/// Answers a query, if it has the shape.
pub(crate) fn run(context: &StatementContext<'_>, statement: &SqlStatement) -> Result<Option<StatementResult>> {
    let Some(select) = PlainSelect::of(statement).filter(|select| select.selection.is_none()) else {
        return Ok(None);
    };
    let Some(name) = only_count(select.projection) else { return Ok(None) };
    let Some(table) = select.table(context) else { return Ok(None) };
    let rows = context.view.snapshot(&table, &table.partition(context.principal))?;
    let n_rows: usize = rows.iter().map(Chunk::n_live).sum();
    let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Int64, false)]));
    let counts = Int64Array::from_iter_values([n_rows as i64]);
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(counts)])?;
    Ok(Some(StatementResult::rows("SELECT", &schema, vec![batch])))
}

/// The name of the only column, if that counts all rows.
fn only_count(projection: &[SelectItem]) -> Option<String> {
    let (expr, name) = match projection {
        [SelectItem::UnnamedExpr(expr)] => (expr, "count(*)".to_owned()),
        [SelectItem::ExprWithAlias { expr, alias }] if is_plain(alias) => (expr, fold(alias)),
        _ => return None,
    };
    let Expr::Function(Function {
        name: function,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group,
    }) = expr
    else {
        return None;
    };
    let [part] = function.0.as_slice() else { return None };
    let is_count = part.as_ident().is_some_and(|ident| fold(ident) == "count");
    let is_of_all = matches!(args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    (is_count && is_of_all && clauses.is_empty() && within_group.is_empty()).then_some(name)
}
