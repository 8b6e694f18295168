use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::collect;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast::{ObjectName, Statement as SqlStatement};
use kalamdb_store::PartitionId;

use super::analysis::{Analysis, analyze};
use super::names::table_name;
use super::scope::Scope;
use super::{Command, Parameters, ddl, delete, duplicates, grouping, insert, show, subqueries, update};
use crate::catalog::{Table, TableName};
use crate::database::View;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Snapshot;
use crate::principal::Principal;
use crate::result::StatementResult;

/// Runs the statements of one session.
#[derive(Debug, Clone)]
pub(crate) struct Executor<'a> {
    pub(crate) view: View<'a>,
    pub(crate) principal: &'a Principal,
    /// The session's DataFusion state, with the time of the statement.
    pub(crate) state: SessionState,
    pub(crate) namespace: String,
    pub(crate) system_columns_in_star: bool,
}

impl<'a> Executor<'a> {
    pub(crate) fn new(view: View<'a>, principal: &'a Principal, state: &SessionState, namespace: String, system_columns_in_star: bool) -> Self {
        let mut state = state.clone();
        let options = Arc::clone(state.config_options());
        // now() is the same everywhere in one statement.
        state.execution_props_mut().mark_start_execution(options);
        Self { view, principal, state, namespace, system_columns_in_star }
    }

    pub(crate) async fn run(&self, command: &Command, parameters: &Parameters) -> Result<StatementResult> {
        match command {
            Command::Query(statement) | Command::Explain(statement) => {
                self.view.refresh().await?;
                let rows = self.query((**statement).clone(), parameters, None).await?;
                Ok(StatementResult::rows(command.tag(), &rows.schema, rows.batches))
            }
            Command::ShowTables(statement) => {
                self.view.refresh().await?;
                let rows = self.plan_and_collect((**statement).clone(), parameters, &self.scope()).await?;
                Ok(StatementResult::rows(command.tag(), &rows.schema, rows.batches))
            }
            Command::Insert(statement) => insert::run(self, statement, parameters).await,
            Command::Update(statement) => update::run(self, statement, parameters).await,
            Command::Delete(statement) => delete::run(self, statement, parameters).await,
            Command::CreateTable(create) => ddl::create_table(self, create).await,
            Command::DropTables { names, if_exists } => ddl::drop_tables(self, names, *if_exists).await,
            Command::CreateNamespace { name, if_not_exists } => ddl::create_namespace(self, name, *if_not_exists).await,
            Command::DropNamespace { name, if_exists, cascade } => ddl::drop_namespace(self, name, *if_exists, *cascade).await,
            Command::ShowNamespaces => show::namespaces(self).await,
            Command::Describe(name) => show::describe(self, name).await,
            // The session itself changes; see `Session`.
            Command::Use(_) | Command::Transaction(_) => Ok(StatementResult::done(command.tag())),
        }
    }

    /// A table that a statement writes to, with the partition and the rows that are the session's.
    pub(super) fn writable(&self, name: &TableName) -> Result<(Arc<Table>, PartitionId, Snapshot)> {
        let catalog = self.view.catalog();
        let table = catalog.require_table(name)?;
        table.check_access(self.principal, true)?;
        let partition = table.partition(self.principal);
        let snapshot = self.view.snapshot(table, &partition)?;
        Ok((Arc::clone(table), partition, snapshot))
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope::new(self.view, self.principal, &self.state, &self.namespace).with_system_columns_in_star(self.system_columns_in_star)
    }

    /// Plans and runs a query. `target` is the table that an UPDATE or DELETE finds its rows in.
    pub(super) async fn query(&self, mut statement: SqlStatement, parameters: &Parameters, target: Option<TableName>) -> Result<QueryRows> {
        let Analysis { exposure, may_be_refused } = analyze(&mut statement, &self.namespace, &self.scope())?;
        let mut scope = self.scope().with_exposure(exposure);
        if let Some(target) = target {
            scope = scope.with_target(target);
        }
        if !may_be_refused {
            return self.plan_and_collect(statement, parameters, &scope).await;
        }
        let copy = statement.clone();
        match plan(statement, parameters, &scope) {
            Ok(plan) => self.collect(plan).await,
            Err(error) => self.query_refused(copy, error, parameters, &scope).await,
        }
    }

    async fn plan_and_collect(&self, statement: SqlStatement, parameters: &Parameters, scope: &Scope<'_>) -> Result<QueryRows> {
        self.collect(plan(statement, parameters, scope)?).await
    }

    /// Runs a query that the planner has refused under other names for its columns, or finds the reason.
    async fn query_refused(&self, mut statement: SqlStatement, error: Error, parameters: &Parameters, scope: &Scope<'_>) -> Result<QueryRows> {
        let catalog = self.view.catalog();
        let columns_of = |name: &ObjectName| {
            let table = table_name(name, &self.namespace).ok().filter(|_| !self.system_columns_in_star)?;
            Some(catalog.require_table(&table).ok()?.columns.iter().map(|column| column.name.clone()).collect())
        };
        let mut error = error;
        if duplicates::make_unique(&mut statement, columns_of) {
            match plan(statement.clone(), parameters, scope) {
                Ok(plan) => {
                    let schema = duplicates::visible_names(&plan, plan.schema().as_arrow())?;
                    return Ok(QueryRows { schema, ..self.collect(plan).await? });
                }
                Err(second) => error = second,
            }
        }
        if error.kind() == ErrorKind::InvalidQuery {
            grouping::group_by_all_columns(&mut statement);
            if plan(statement, parameters, scope).is_ok() {
                return Err(error.with_kind(ErrorKind::GroupingError));
            }
        }
        Err(error)
    }

    async fn collect(&self, plan: LogicalPlan) -> Result<QueryRows> {
        let schema = Arc::clone(plan.schema().inner());
        let physical = self.state.create_physical_plan(&subqueries::rewrite(plan)?).await?;
        Ok(QueryRows { schema, batches: collect(physical, self.state.task_ctx()).await? })
    }
}

fn plan(statement: SqlStatement, parameters: &Parameters, scope: &Scope<'_>) -> Result<LogicalPlan> {
    let plan = SqlToRel::new_with_options(scope, parser_options()).sql_statement_to_plan(statement)?;
    let plan = if parameters.is_empty() { plan } else { plan.with_param_values(parameters.to_param_values()?)? };
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false).verify_plan(&plan)?;
    Ok(plan)
}

/// The rows of a query.
#[derive(Debug)]
pub(super) struct QueryRows {
    pub(super) schema: Arc<Schema>,
    pub(super) batches: Vec<RecordBatch>,
}

fn parser_options() -> ParserOptions {
    ParserOptions {
        parse_float_as_decimal: false,
        enable_ident_normalization: true,
        support_varchar_with_length: true,
        map_string_types_to_utf8view: true,
        enable_options_value_normalization: false,
        collect_spans: true,
        // PostgreSQL's: NULL sorts as if larger than every value.
        default_null_ordering: NullOrdering::NullsMax,
    }
}
