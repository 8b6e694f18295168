//! WITH before INSERT, UPDATE and DELETE.

use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as SqlStatement, With};

/// The WITH and the statement behind it, if that is no query.
pub(super) fn split(query: &Query) -> Option<(With, SqlStatement)> {
    match (&query.with, query.body.as_ref()) {
        (Some(with), SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement)) => {
            Some((with.clone(), statement.clone()))
        }
        _ => None,
    }
}
