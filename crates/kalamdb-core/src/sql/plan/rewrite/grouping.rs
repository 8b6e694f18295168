//! Telling that a statement was refused because a column is neither grouped nor aggregated: the planner says so in
//! words alone.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, Value, Visit,
    VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::Result;
use crate::sql::parse::fold;

/// Makes a SELECT with HAVING and without GROUP BY one group, as the standard has it; the planner asks for an
/// aggregate.
pub(crate) fn group_having(select: &mut Select) -> Result<()> {
    let is_ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    if let (Some(having), true) = (&mut select.having, is_ungrouped) {
        let count = Parser::new(&GenericDialect {}).try_with_sql("count(*) >= 0")?.parse_expr()?;
        let condition = std::mem::replace(having, Expr::Value(Value::Null.into()));
        let condition = Expr::Nested(Box::new(condition));
        *having = Expr::BinaryOp { left: Box::new(condition), op: BinaryOperator::And, right: Box::new(count) };
    }
    Ok(())
}

/// Whether a SELECT may group its rows: it says so, or has an expression that may be an aggregate.
pub(crate) fn may_group(select: &Select) -> bool {
    let is_ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    let is_column = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_))
        }
        _ => true,
    };
    !is_ungrouped || select.having.is_some() || !select.projection.iter().all(is_column)
}

/// Groups every SELECT by all columns that it names. If the planner takes the statement then, a column was not grouped
/// before.
pub(crate) fn group_by_all_columns(statement: &mut Statement) {
    let _: ControlFlow<()> = statement.visit(&mut Grouper);
}

struct Grouper;

impl VisitorMut for Grouper {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let mut columns = Columns::default();
        if let Some(OrderByKind::Expressions(by)) = query.order_by.as_ref().map(|by| &by.kind) {
            let _ = by.visit(&mut columns);
        }
        if let SetExpr::Select(select) = query.body.as_mut() {
            group(select, columns);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        group(select, Columns::default());
        ControlFlow::Continue(())
    }
}

fn group(select: &mut Select, mut columns: Columns) {
    let _ = select.projection.visit(&mut columns);
    let _ = select.having.visit(&mut columns);
    // A name that the select list gives may be that of an aggregate.
    let aliases: HashSet<String> = select
        .projection
        .iter()
        .filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
            _ => None,
        })
        .collect();
    if let GroupByExpr::Expressions(by, _) = &mut select.group_by {
        let is_alias = |expr: &Expr| matches!(expr, Expr::Identifier(name) if aliases.contains(&fold(name)));
        by.extend(columns.0.into_iter().filter(|column| !is_alias(column)));
    }
}

/// The columns that expressions name, but not those of subqueries.
#[derive(Default)]
struct Columns(Vec<Expr>);

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            self.0.push(expr.clone());
        }
        ControlFlow::Continue(())
    }
}
