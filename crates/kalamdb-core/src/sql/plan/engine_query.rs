//! Queries that the engine itself makes, over the tables of a statement and relations of its own.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, SelectItem, SetExpr, Statement as SqlStatement, TableAlias, TableFactor,
    TableWithJoins,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::scope::ENGINE_NAMESPACE;
use crate::error::{Error, Result};

/// A quoted identifier.
pub(crate) fn column(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// A relation of the engine's own in a FROM clause.
pub(crate) fn engine_table(name: &str, alias: &Ident) -> TableWithJoins {
    let name = ObjectName(vec![
        ObjectNamePart::Identifier(column(ENGINE_NAMESPACE)),
        ObjectNamePart::Identifier(column(name)),
    ]);
    let alias = TableAlias { explicit: true, name: alias.clone(), columns: Vec::new(), at: None };
    let relation = TableFactor::Table {
        name,
        alias: Some(alias),
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    };
    TableWithJoins { relation, joins: Vec::new() }
}

/// The query `SELECT items FROM from WHERE selection`.
pub(crate) fn select(
    items: Vec<SelectItem>,
    from: Vec<TableWithJoins>,
    selection: Option<Expr>,
) -> Result<SqlStatement> {
    // Parsed rather than built, so that every clause of a SELECT that is not set here has its default.
    let mut statement =
        Parser::parse_sql(&GenericDialect {}, "SELECT 1")?.pop().ok_or_else(|| Error::internal("no template"))?;
    let SqlStatement::Query(query) = &mut statement else { return Err(Error::internal("the template is a query")) };
    let SetExpr::Select(select) = &mut *query.body else { return Err(Error::internal("the template is a SELECT")) };
    select.projection = items;
    select.from = from;
    select.selection = selection;
    Ok(statement)
}
