//! WITH ORDINALITY: the rows of a function in FROM with their numbers, written as a query.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, visit_expressions,
};
use datafusion::sql::sqlparser::parser::Parser;

use crate::sql::parse::SqlDialect;

/// Writes `unnest(a) WITH ORDINALITY` as `(SELECT *, row_number() OVER () AS ordinality FROM unnest(a))`; `name` is
/// that of a function with one column.
pub(crate) fn number(factor: &mut TableFactor, name: Option<Ident>, has_before: bool) {
    let mut function = factor.clone();
    let alias = match &mut function {
        TableFactor::Table { with_ordinality: numbered @ true, alias, .. }
        | TableFactor::UNNEST { with_ordinality: numbered @ true, alias, .. }
        | TableFactor::Function { with_ordinality: numbered @ true, alias, .. } => {
            *numbered = false;
            alias.take()
        }
        _ => return,
    };
    let Some(mut subquery) = numbered_rows() else { return };
    // What reads columns reads those of the items before it.
    let reads = visit_expressions(&function, |expr| match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    if let SetExpr::Select(select) = subquery.body.as_mut() {
        select.from = vec![TableWithJoins { relation: function, joins: Vec::new() }];
    }
    let named = |name: Ident| TableAlias { explicit: true, name, columns: Vec::new(), at: None };
    let has_one = name.is_some();
    let alias = alias.or_else(|| name.map(named)).map(|mut alias| {
        if has_one && alias.columns.is_empty() {
            alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
        }
        alias
    });
    *factor = TableFactor::Derived { lateral: has_before && reads.is_break(), subquery, alias, sample: None };
}

fn numbered_rows() -> Option<Box<Query>> {
    let sql = "SELECT *, row_number() OVER () AS ordinality FROM (SELECT 1)";
    Parser::new(&SqlDialect::PLAIN).try_with_sql(sql).ok()?.parse_query().ok()
}
