use std::cell::OnceCell;
use std::sync::Arc;

use crate::partition::PartitionId;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast::{ObjectName, Statement as SqlStatement};
use futures::TryStreamExt;

use super::analysis::{Analysis, analyze};
use super::held::held;
use super::names::table_name;
use super::scope::{Relation, Scope};
use super::{
    Command, Parameters, array_parameters, ddl, delete, duplicates, from_names, grouping, grouping_sets, insert, named_casts, ordering, point, sets,
    sizes, sort_names, subqueries, update,
};
use crate::catalog::{Table, TableKind, TableName};
use crate::database::View;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Snapshot;
use crate::principal::{Principal, Role};
use crate::result::StatementResult;

/// Runs the statements of one session.
#[derive(Debug, Clone)]
pub(crate) struct Executor<'a> {
    pub(crate) view: View<'a>,
    pub(crate) principal: &'a Principal,
    session_state: &'a SessionState,
    state: OnceCell<SessionState>,
    pub(crate) namespace: String,
    pub(crate) system_columns_in_star: bool,
}

impl<'a> Executor<'a> {
    pub(crate) fn new(view: View<'a>, principal: &'a Principal, state: &'a SessionState, namespace: String, system_columns_in_star: bool) -> Self {
        Self { view, principal, session_state: state, state: OnceCell::new(), namespace, system_columns_in_star }
    }

    /// The session's DataFusion state, with the time of the statement. Many statements do without.
    pub(super) fn state(&self) -> &SessionState {
        self.state.get_or_init(|| {
            let mut state = self.session_state.clone();
            let options = Arc::clone(state.config_options());
            // now() is the same everywhere in one statement.
            state.execution_props_mut().mark_start_execution(options);
            self.view.database.ids().set_time(self.view.now_us());
            state
        })
    }

    pub(crate) async fn run(&self, command: &Command, parameters: &Parameters) -> Result<StatementResult> {
        match command {
            Command::Query(statement) | Command::Explain(statement) => {
                self.view.refresh().await?;
                if let Some(result) = point::run(self, statement, parameters)? {
                    return Ok(result);
                }
                let rows = self.query((**statement).clone(), parameters, Vec::new()).await?;
                let result = StatementResult::rows(command.tag(), &rows.schema, rows.batches);
                StatementResult::check_size([&result])?;
                Ok(result)
            }
            Command::Insert { statement, overriding } => insert::run(self, statement, *overriding, parameters).await,
            Command::Update(statement) => update::run(self, statement, parameters).await,
            Command::Delete(statement) => delete::run(self, statement, parameters).await,
            Command::Undelete(statement) => delete::undelete(self, statement, parameters).await,
            Command::Define(definition) => ddl::run(self, definition, parameters).await,
            Command::Show(show) => show.run(self).await,
            Command::ExecuteAs { user, command } => Box::pin(self.run_as(user, command, parameters)).await,
            // The session itself changes; see `Session`.
            Command::Use(_) | Command::Transaction(_) => Ok(StatementResult::done(command.tag())),
        }
    }

    /// Runs a statement as a user, which takes the role service or one above it.
    async fn run_as(&self, user: &str, command: &Command, parameters: &Parameters) -> Result<StatementResult> {
        self.principal.require(Role::Service, "EXECUTE AS USER")?;
        let principal = Principal::user(user, Role::User)?;
        let executor = Executor::new(self.view, &principal, self.state(), self.namespace.clone(), self.system_columns_in_star);
        let result = executor.run(command, parameters).await?;
        Ok(StatementResult { as_user: Some(user.to_owned()), ..result })
    }

    /// A table whose rows a statement changes, with the partition and the rows that are the session's.
    pub(super) fn changeable(&self, name: &TableName, statement: &str) -> Result<Changeable> {
        let (table, partition) = self.writable(name)?;
        if table.kind == TableKind::Stream {
            return Err(Error::unsupported_on_streams(statement));
        }
        let rows = self.view.snapshot(&table, &partition)?;
        Ok(Changeable { table, partition, rows })
    }

    /// A table that a statement writes to, with the partition that is the session's.
    pub(super) fn writable(&self, name: &TableName) -> Result<(Arc<Table>, PartitionId)> {
        let catalog = self.view.catalog();
        let table = catalog.require_table(name)?;
        table.check_access(self.principal, true)?;
        Ok((Arc::clone(table), table.partition(self.principal)))
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope::new(self.view, self.principal, self.state(), &self.namespace).with_system_columns_in_star(self.system_columns_in_star)
    }

    /// Plans and runs a query, which may read `relations` besides the tables.
    pub(super) async fn query(&self, mut statement: SqlStatement, parameters: &Parameters, relations: Vec<Relation>) -> Result<QueryRows> {
        array_parameters::expand(&mut statement, parameters)?;
        let Some(named) = named(&statement) else {
            return Box::pin(self.query_named(statement, parameters, relations)).await;
        };
        match Box::pin(self.query_named(named, parameters, relations.clone())).await {
            // The planner knows more names: that of an output column anywhere in ORDER BY, and its own of the columns of functions.
            Err(error) if error.kind() == ErrorKind::UndefinedColumn => {
                Box::pin(self.query_named(statement, parameters, relations)).await.map_err(|_| error)
            }
            outcome => outcome,
        }
    }

    async fn query_named(&self, mut statement: SqlStatement, parameters: &Parameters, relations: Vec<Relation>) -> Result<QueryRows> {
        let Analysis { exposure, may_be_refused } = analyze(&mut statement, &self.namespace, &self.scope())?;
        let scope = self.scope().with_exposure(exposure).with_relations(relations);
        if !may_be_refused {
            return Box::pin(self.plan_and_collect(statement, parameters, &scope)).await;
        }
        let copy = statement.clone();
        match plan(statement, parameters, &scope) {
            Ok(plan) => Box::pin(self.collect(plan)).await,
            Err(error) => Box::pin(self.query_refused(copy, error, parameters, &scope)).await,
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
        let mut renamed = statement.clone();
        if duplicates::make_unique(&mut renamed, columns_of) {
            statement = renamed;
            match plan(statement.clone(), parameters, scope) {
                Ok(plan) => return self.collect_renamed(plan).await,
                Err(second) => error = second,
            }
        }
        let repeats = error.kind() == ErrorKind::DuplicateColumn || error.to_string().contains("unique expression names");
        if repeats && named_casts::name_casts(&mut statement) {
            match plan(statement.clone(), parameters, scope) {
                Ok(plan) => return self.collect_renamed(plan).await,
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

    /// Runs a plan whose columns have other names than the statement gave them, and gives them those.
    async fn collect_renamed(&self, plan: LogicalPlan) -> Result<QueryRows> {
        let schema = duplicates::visible_names(&plan, plan.schema().as_arrow())?;
        Ok(QueryRows { schema, ..Box::pin(self.collect(plan)).await? })
    }

    async fn collect(&self, plan: LogicalPlan) -> Result<QueryRows> {
        let schema = Arc::clone(plan.schema().inner());
        let plan = self.state().optimize(&subqueries::rewrite(plan)?)?;
        let small = sizes::check(&plan)?.map(|batch_size| {
            let mut state = self.state().clone();
            *state.config_mut() = state.config().clone().with_batch_size(batch_size);
            Box::new(state)
        });
        let state = small.as_deref().unwrap_or_else(|| self.state());
        let physical = state.query_planner().create_physical_plan(&plan, state).await?;
        let context = state.task_ctx();
        // The rows are there twice when they are handed over: as they are, and as what is sent.
        let rows = held(execute_stream(physical, Arc::clone(&context))?, "the result", &context, 2);
        Ok(QueryRows { schema, batches: rows.try_collect().await? })
    }
}

/// The statement with the names that PostgreSQL gives to columns in ORDER BY and in FROM, if that makes a difference.
pub(super) fn named(statement: &SqlStatement) -> Option<SqlStatement> {
    let (from, order) = (from_names::has_nameless(statement), sort_names::has_ambiguous_order(statement));
    if !from && !order {
        return None;
    }
    let mut named = statement.clone();
    if from {
        from_names::name_columns(&mut named);
    }
    if order {
        sort_names::sort_by_columns(&mut named);
    }
    Some(named)
}

fn plan(statement: SqlStatement, parameters: &Parameters, scope: &Scope<'_>) -> Result<LogicalPlan> {
    let plan = SqlToRel::new_with_options(scope, parser_options()).sql_statement_to_plan(statement)?;
    let plan = if parameters.is_empty() { plan } else { plan.with_param_values(parameters.to_param_values()?)? };
    let plan = prepare(plan)?;
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false).verify_plan(&plan)?;
    Ok(plan)
}

/// What every plan goes through before it is analyzed.
pub(super) fn prepare(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(grouping_sets::compute_before(ordering::order_windows(sets::rewrite(plan)?)?)?)
}

/// What UPDATE, DELETE and their like change.
#[derive(Debug, Clone)]
pub(super) struct Changeable {
    pub(super) table: Arc<Table>,
    pub(super) partition: PartitionId,
    pub(super) rows: Snapshot,
}

/// The rows of a query.
#[derive(Debug)]
pub(super) struct QueryRows {
    pub(super) schema: Arc<Schema>,
    pub(super) batches: Vec<RecordBatch>,
}

pub(super) fn parser_options() -> ParserOptions {
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
