//! What a statement runs in, and how it plans queries.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast::{ObjectName, Statement as SqlStatement, With};

use super::analysis::{Analysis, analyze};
use super::planned_query::{PlannedQuery, QueryRows};
use super::scope::{Relation, Scope};
use super::session_state::LazySessionState;
use super::with;
use crate::access::Principal;
use crate::call::{CallContext, Steps};
use crate::database::ReadView;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::analyzer::{grouping_sets, ordering, sets};
use crate::sql::parse::{Parameters, table_name};
use crate::sql::plan::rewrite::{
    array_parameters, duplicates, from_names, grouping, named_casts, sort_names, table_names,
};
use crate::tables::{Dependency, Snapshots};

/// Runs the statements of one session.
#[derive(Debug, Clone)]
pub(crate) struct StatementContext<'a> {
    pub(crate) view: ReadView<'a>,
    pub(crate) principal: &'a Principal,
    session_state: &'a LazySessionState,
    state: Rc<OnceCell<SessionState>>,
    /// The rows that the queries read; the state carries them.
    snapshots: Arc<Snapshots>,
    pub(crate) namespace: String,
    pub(crate) call: &'a CallContext,
    /// Stands before every query of the statement.
    pub(crate) with: Option<&'a With>,
}

impl<'a> StatementContext<'a> {
    pub(crate) fn new(
        view: ReadView<'a>,
        principal: &'a Principal,
        session_state: &'a LazySessionState,
        namespace: String,
        call: &'a CallContext,
    ) -> Self {
        Self {
            view,
            principal,
            session_state,
            state: Rc::default(),
            snapshots: Arc::default(),
            namespace,
            call,
            with: None,
        }
    }

    /// One whose queries stand behind a WITH.
    pub(crate) fn behind<'b>(&'b self, with: &'b With) -> StatementContext<'b> {
        StatementContext { with: Some(with), ..self.clone() }
    }

    /// The same statement with another view.
    pub(crate) fn seeing<'b>(&self, view: ReadView<'b>) -> StatementContext<'b>
    where
        'a: 'b,
    {
        StatementContext { view, ..self.clone() }
    }

    /// One on behalf of somebody else.
    pub(crate) fn of<'b>(&'b self, principal: &'b Principal) -> StatementContext<'b> {
        StatementContext::new(self.view, principal, self.session_state, self.namespace.clone(), self.call)
    }

    /// The session's DataFusion state, with the time of the statement. Many statements do without.
    pub(crate) fn state(&self) -> &SessionState {
        self.state.get_or_init(|| {
            let mut state = self.session_state.get().clone();
            let options = Arc::clone(state.config_options());
            state.config_mut().set_extension(Arc::clone(&self.snapshots));
            state.config_mut().set_extension(Arc::new(Steps::new(self.call, &self.view.database.clock)));
            // now() is the same everywhere in one statement.
            state.execution_props_mut().mark_start_execution(options);
            self.view.database.ids().set_time(self.view.now_us());
            state
        })
    }

    /// Has the queries that are run from now on read the rows of `dependencies` as of now.
    pub(super) fn take_snapshots(&self, dependencies: &[Dependency]) -> Result<()> {
        let mut rows = HashMap::with_capacity(dependencies.len());
        for dependency in dependencies {
            let stored = self.view.snapshot(&dependency.table, &dependency.partition)?;
            rows.insert(dependency.partition.clone(), dependency.visible(stored, || self.view.now_us()));
        }
        self.snapshots.set(rows);
        Ok(())
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(self.view, self.principal, self.state(), &self.namespace)
            .with_system_columns_in_star(self.call.system_columns_in_star)
    }

    /// Plans and runs a query, which may read `relations` besides the tables.
    pub(crate) async fn query(
        &self,
        statement: SqlStatement,
        parameters: &Parameters,
        relations: Vec<Relation>,
    ) -> Result<QueryRows> {
        let planned = self.plan(statement, parameters, relations)?;
        Box::pin(planned.run_once(self, None)).await
    }

    /// Plans a query, which may read `relations` besides the tables.
    pub(crate) fn plan(
        &self,
        mut statement: SqlStatement,
        parameters: &Parameters,
        relations: Vec<Relation>,
    ) -> Result<PlannedQuery> {
        if let Some(with) = self.with {
            with::put(with, &mut statement)?;
        }
        array_parameters::expand(&mut statement, parameters)?;
        let Some(named) = named(&statement) else {
            return self.plan_named(statement, parameters, relations);
        };
        match self.plan_named(named, parameters, relations.clone()) {
            // The planner knows more names: that of an output column anywhere in ORDER BY, and its own of the columns
            // of functions.
            Err(error) if error.kind() == ErrorKind::UndefinedColumn => {
                self.plan_named(statement, parameters, relations).map_err(|_| error)
            }
            outcome => outcome,
        }
    }

    fn plan_named(
        &self,
        mut statement: SqlStatement,
        parameters: &Parameters,
        relations: Vec<Relation>,
    ) -> Result<PlannedQuery> {
        let Analysis { system_columns, may_be_refused } = analyze(&mut statement, &self.namespace, &self.scope())?;
        let scope = self.scope().with_system_columns(system_columns).with_relations(relations);
        let copy = may_be_refused.then(|| statement.clone());
        match (plan(statement, parameters, &scope), copy) {
            (Ok(plan), _) => self.planned(plan),
            (Err(error), None) => Err(error),
            (Err(error), Some(copy)) => self.plan_refused(copy, error, parameters, &scope),
        }
    }

    /// Plans a query that the planner has refused under other names for its columns, or finds the reason.
    fn plan_refused(
        &self,
        mut statement: SqlStatement,
        error: Error,
        parameters: &Parameters,
        scope: &Scope<'_>,
    ) -> Result<PlannedQuery> {
        let catalog = self.view.catalog();
        let columns_of = |name: &ObjectName| {
            let table = table_name(name, &self.namespace).ok().filter(|_| !self.call.system_columns_in_star)?;
            Some(catalog.require_table(&table).ok()?.columns.iter().map(|column| column.name.clone()).collect())
        };
        let mut error = error;
        let mut renamed = statement.clone();
        if duplicates::make_unique(&mut renamed, columns_of) {
            statement = renamed;
            match plan(statement.clone(), parameters, scope) {
                Ok(plan) => return self.planned_renamed(plan),
                Err(second) => error = second,
            }
        }
        if error.kind() == ErrorKind::UndefinedColumn {
            table_names::make_unlike_columns(&mut statement);
            if let Ok(plan) = plan(statement.clone(), parameters, scope) {
                return self.planned_renamed(plan);
            }
        }
        let repeats =
            error.kind() == ErrorKind::DuplicateColumn || error.to_string().contains("unique expression names");
        if repeats && named_casts::name_casts(&mut statement) {
            match plan(statement.clone(), parameters, scope) {
                Ok(plan) => return self.planned_renamed(plan),
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

    fn planned(&self, plan: LogicalPlan) -> Result<PlannedQuery> {
        let schema = Arc::clone(plan.schema().inner());
        PlannedQuery::new(plan, schema, self.view.catalog(), self.principal.clone())
    }

    /// A plan whose columns have other names than the statement gave them, and gives them those.
    fn planned_renamed(&self, plan: LogicalPlan) -> Result<PlannedQuery> {
        let schema = duplicates::visible_names(&plan, plan.schema().as_arrow())?;
        PlannedQuery::new(plan, schema, self.view.catalog(), self.principal.clone())
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
fn prepare(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(grouping_sets::compute_before(ordering::order_windows(sets::rewrite(plan)?)?)?)
}

pub(crate) fn parser_options() -> ParserOptions {
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
