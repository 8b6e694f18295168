//! What the expressions and queries of definitions cannot hold.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Value, Visit, visit_expressions};

use crate::error::{Error, ErrorKind, Result};

/// What a definition may be unable to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Subqueries,
    Parameters,
    Aggregates,
}

/// Refuses subqueries and parameters in the expressions of a definition, as far as they are among `refused`. Aggregates
/// are functions, which only the planner tells apart.
///
/// # Errors
/// `invalid_table_definition`.
pub(crate) fn refuse_in_expressions(node: &impl Visit, place: &str, refused: &[Refused]) -> Result<()> {
    let found = visit_expressions(node, |expr| {
        let found = match expr {
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => Refused::Subqueries,
            Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => Refused::Parameters,
            _ => return ControlFlow::Continue(()),
        };
        if refused.contains(&found) { ControlFlow::Break(found) } else { ControlFlow::Continue(()) }
    });
    match found {
        ControlFlow::Break(found) => Err(found.within(place)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

impl Refused {
    /// The error of a definition that holds it; `place` names the definition.
    pub(crate) fn within(self, place: &str) -> Error {
        let what = match self {
            Self::Subqueries => "subqueries",
            Self::Parameters => "parameters",
            Self::Aggregates => "aggregates",
        };
        Error::new(ErrorKind::InvalidTableDefinition, format!("{place} cannot hold {what}"))
    }
}
