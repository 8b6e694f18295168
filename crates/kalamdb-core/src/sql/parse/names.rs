//! Names in parsed statements, as the catalog has them.

use datafusion::common::TableReference;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::dialect::SqlDialect;
use crate::catalog::TableName;
use crate::error::{Error, ErrorKind, Result};

/// An identifier's name: unquoted ones fold to lower case.
pub(crate) fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn parts(name: &ObjectName) -> Result<Vec<String>> {
    name.0
        .iter()
        .map(|part| {
            part.as_ident().map(fold).ok_or_else(|| Error::new(ErrorKind::InvalidName, format!("{name} is not a name")))
        })
        .collect()
}

/// The table that a name means when `current` is the current namespace.
pub(crate) fn table_name(name: &ObjectName, current: &str) -> Result<TableName> {
    match parts(name)?.as_slice() {
        [table] => Ok(TableName { namespace: current.to_owned(), table: table.clone() }),
        [namespace, table] => Ok(TableName { namespace: namespace.clone(), table: table.clone() }),
        _ => Err(Error::new(
            ErrorKind::InvalidName,
            format!("{name} has too many parts: a table is named table or namespace.table"),
        )),
    }
}

pub(crate) fn namespace_name(name: &ObjectName) -> Result<String> {
    match parts(name)?.as_slice() {
        [namespace] => Ok(namespace.clone()),
        _ => Err(Error::new(ErrorKind::InvalidName, format!("{name} has too many parts: a namespace has one"))),
    }
}

pub(crate) fn column_name(name: &ObjectName) -> Result<String> {
    match parts(name)?.as_slice() {
        [column] => Ok(column.clone()),
        _ => Err(Error::new(
            ErrorKind::InvalidName,
            format!("{name} is not the name of a column of the table written to"),
        )),
    }
}

pub(crate) fn referenced_table(reference: &TableReference, current: &str) -> TableName {
    TableName { namespace: reference.schema().unwrap_or(current).to_owned(), table: reference.table().to_owned() }
}

/// Reads a table's name given as a text, with the rules of SQL: `items`, `app.items`, `"My Items"`.
pub(crate) fn parse_table_name(text: &str, current: &str) -> Result<TableName> {
    let invalid = |_| Error::new(ErrorKind::InvalidName, format!("{text:?} is not the name of a table"));
    let mut parser = Parser::new(&SqlDialect::PLAIN).try_with_sql(text).map_err(invalid)?;
    let name = parser.parse_object_name(false).map_err(invalid)?;
    if parser.peek_token().token != Token::EOF {
        return Err(Error::new(ErrorKind::InvalidName, format!("{text:?} is not the name of a table")));
    }
    table_name(&name, current)
}
