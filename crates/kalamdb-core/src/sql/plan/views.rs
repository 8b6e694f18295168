//! Views as DataFusion sees them: their queries, planned for the session that reads them.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::ViewTable;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast::Statement;

use super::analysis::{Analysis, analyze};
use super::growth::MAX_VIEW_DEPTH;
use super::query::{named, parser_options};
use super::scope::Scope;
use crate::catalog::StoredView;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::analyzer::sets;
use crate::sql::parse::parse_query;

impl Scope<'_> {
    /// Refuses a view that cannot be planned.
    pub(crate) fn check_view(&self, view: &StoredView) -> Result<()> {
        self.plan_view(view).map(drop)
    }

    pub(crate) fn view_provider(&self, view: &StoredView) -> Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(ViewTable::new(self.plan_view(view)?, Some(view.query.clone()))))
    }

    fn plan_view(&self, view: &StoredView) -> Result<LogicalPlan> {
        let name = view.full_name();
        if self.expanding().contains(&name) {
            return Err(Error::new(ErrorKind::InvalidTableDefinition, format!("view {name} would read itself")));
        }
        if self.expanding().len() >= MAX_VIEW_DEPTH {
            return Err(Error::new(
                ErrorKind::StatementTooComplex,
                format!("view {name}: more than {MAX_VIEW_DEPTH} views stand on one another"),
            ));
        }
        let statement = parse_query(&view.query)?;
        let planned = |mut statement: Statement| -> Result<LogicalPlan> {
            let scope = self.within(&name, &view.planned_in);
            let Analysis { system_columns, .. } = analyze(&mut statement, &view.planned_in, &scope)?;
            let scope = scope.with_system_columns(system_columns);
            let plan = SqlToRel::new_with_options(&scope, parser_options()).sql_statement_to_plan(statement)?;
            Ok(sets::rewrite(plan)?)
        };
        let plan = match named(&statement) {
            Some(named) => match planned(named) {
                Err(error) if error.kind() == ErrorKind::UndefinedColumn => planned(statement).map_err(|_| error)?,
                outcome => outcome?,
            },
            None => planned(statement)?,
        };
        if view.columns.is_empty() {
            return distinct_names(view, plan);
        }
        let columns = plan.schema().columns();
        if view.columns.len() > columns.len() {
            let message = format!("view {name} lists {} columns, its query has {}", view.columns.len(), columns.len());
            return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
        }
        let renamed = columns.into_iter().enumerate().map(|(at, column)| match view.columns.get(at) {
            Some(alias) => Expr::Column(column).alias(alias),
            None => Expr::Column(column),
        });
        let plan = LogicalPlanBuilder::from(plan).project(renamed.collect::<Vec<_>>())?.build()?;
        distinct_names(view, plan)
    }
}

/// Refuses a view with two columns of one name, which nothing could tell apart.
fn distinct_names(view: &StoredView, plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut names: Vec<&str> = plan.schema().fields().iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    if let Some((twice, _)) = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b) {
        let message = format!("view {} has two columns {twice}", view.full_name());
        return Err(
            Error::new(ErrorKind::DuplicateColumn, message).with_hint("give them different names, as in SELECT a AS b")
        );
    }
    Ok(plan)
}
