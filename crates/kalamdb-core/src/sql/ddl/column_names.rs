//! The columns that the conditions of a table name.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::ast::visit_expressions;

use crate::error::Result;
use crate::sql::parse::{fold, parse_expression};

/// Whether a condition names a column.
pub(super) fn names_column(condition: &str, column: &str) -> Result<bool> {
    Ok(names_column_in(&parse_expression(condition)?, column))
}

/// Whether any expression within names a column.
pub(super) fn names_column_in(node: &impl ast::Visit, column: &str) -> bool {
    let found = visit_expressions(node, |expr| match expr {
        ast::Expr::Identifier(ident) if fold(ident) == column => ControlFlow::Break(()),
        ast::Expr::CompoundIdentifier(parts) if parts.iter().any(|part| fold(part) == column) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// The condition with a column's name replaced.
pub(super) fn rename_column(condition: &str, from: &str, to: &str) -> Result<String> {
    let mut condition = parse_expression(condition)?;
    let rename = |ident: &mut ast::Ident| {
        if fold(ident) == from {
            *ident = ast::Ident::with_quote('"', to);
        }
    };
    let _: ControlFlow<()> = ast::visit_expressions_mut(&mut condition, |expr| {
        match expr {
            ast::Expr::Identifier(ident) => rename(ident),
            ast::Expr::CompoundIdentifier(parts) => parts.iter_mut().rev().take(1).for_each(rename),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    Ok(condition.to_string())
}
