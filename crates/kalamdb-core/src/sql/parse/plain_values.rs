//! VALUES that are all there is to a query.

use datafusion::sql::sqlparser::ast::{Query, SetExpr, Values};

pub(crate) fn plain_values(query: &Query) -> Option<&Values> {
    let plain =
        query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    match &*query.body {
        SetExpr::Values(values) if plain => Some(values),
        _ => None,
    }
}
