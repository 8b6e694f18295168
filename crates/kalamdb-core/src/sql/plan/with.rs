//! WITH before INSERT, UPDATE and DELETE: every query that the statement makes sees it.

use datafusion::sql::sqlparser::ast::{Expr, SelectItem, SetExpr, Statement as SqlStatement, Value, With};

use super::engine_query::select;
use crate::error::{Error, Result};

/// Puts the WITH before a query, around one that it may have itself.
pub(super) fn put(with: &With, statement: &mut SqlStatement) -> Result<()> {
    let SqlStatement::Query(query) = statement else { return Ok(()) };
    if query.with.is_some() {
        let SqlStatement::Query(outer) = nothing()? else { return Err(Error::internal("the template is a query")) };
        let inner = std::mem::replace(query, outer);
        *query.body = SetExpr::Query(inner);
    }
    query.with = Some(with.clone());
    Ok(())
}

/// `SELECT NULL`
pub(crate) fn nothing() -> Result<SqlStatement> {
    select(vec![SelectItem::UnnamedExpr(Expr::value(Value::Null))], Vec::new(), None)
}
