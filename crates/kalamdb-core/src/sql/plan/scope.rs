//! What the names of one statement mean: tables, functions and types.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::catalog::information_schema::{INFORMATION_SCHEMA, InformationSchemaProvider};
use datafusion::catalog::{SchemaProvider, TableFunctionArgs, TableProvider};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DFSchema, DataFusionError, TableReference, plan_datafusion_err};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::sqlparser::ast::DataType as SqlDataType;
use futures::FutureExt;
use kalamdb_types::SqlType;

use crate::access::{Action, Principal};
use crate::catalog::{Catalog, SystemColumn, Table, TableKind, TableName};
use crate::database::ReadView;
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::functions::datetime::series as datetime_series;
use crate::functions::session_function;
use crate::partition::Snapshot;
use crate::sql::optimizer::RelationsWithoutKeys;
use crate::sql::parse::{column_type, referenced_table};
use crate::sql::plan::rewrite::{ShortAliases, TypedValues, VisibleSystemColumns};
use crate::sql::system::{CATALOG, CatalogView, SYSTEM_SCHEMA, tables};
use crate::tables::{Dependency, PageLoader, TableRows, VisibleColumns};

/// The namespace of relations that the engine itself puts into a query; no statement can name it, as it holds a NUL.
pub(crate) const ENGINE_NAMESPACE: &str = "\0engine";

/// Rows that a query reads under a name in [`ENGINE_NAMESPACE`], with their addresses.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) table: Arc<Table>,
    pub(crate) rows: Snapshot,
    /// Whether the rows' addresses are a column.
    pub(crate) with_addresses: bool,
}

/// What the names of one statement mean: the tables of one catalog, and the session's functions.
pub(crate) struct Scope<'a> {
    view: ReadView<'a>,
    principal: &'a Principal,
    state: &'a SessionState,
    current_namespace: &'a str,
    system_columns: VisibleSystemColumns,
    system_columns_in_star: bool,
    relations: Vec<Relation>,
    /// The views whose queries are being planned, outermost first.
    expanding: Vec<TableName>,
    /// One provider a table.
    tables: RefCell<HashMap<TableReference, Arc<dyn TableSource>>>,
    relation_planners: [Arc<dyn RelationPlanner>; 3],
}

impl<'a> Scope<'a> {
    pub(crate) fn new(
        view: ReadView<'a>,
        principal: &'a Principal,
        state: &'a SessionState,
        current_namespace: &'a str,
    ) -> Self {
        Self {
            view,
            principal,
            state,
            current_namespace,
            system_columns: VisibleSystemColumns::new(),
            system_columns_in_star: false,
            relations: Vec::new(),
            expanding: Vec::new(),
            tables: RefCell::default(),
            relation_planners: [
                Arc::new(ShortAliases),
                Arc::new(TypedValues),
                Arc::new(RelationsWithoutKeys::default()),
            ],
        }
    }

    /// Sets the system columns that the statement can see.
    pub(crate) fn with_system_columns(mut self, system_columns: VisibleSystemColumns) -> Self {
        self.system_columns = system_columns;
        self
    }

    /// Makes every system column an ordinary column of every table.
    pub(crate) fn with_system_columns_in_star(mut self, yes: bool) -> Self {
        self.system_columns_in_star = yes;
        self
    }

    pub(crate) fn has_system_columns_in_star(&self) -> bool {
        self.system_columns_in_star
    }

    /// Adds relations of the engine's own.
    pub(crate) fn with_relations(mut self, relations: Vec<Relation>) -> Self {
        self.relations = relations;
        self
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.view.catalog()
    }

    /// Whether a table holds events, which have no system columns.
    pub(crate) fn is_stream(&self, name: &TableName) -> bool {
        self.view.catalog().find(name).is_some_and(|table| table.kind == TableKind::Stream)
    }

    pub(crate) fn expanding(&self) -> &[TableName] {
        &self.expanding
    }

    /// The scope that the query of a view is planned in: the same rows and principal, and the namespace of the view.
    pub(crate) fn within<'b>(&'b self, view: &TableName, namespace: &'b str) -> Scope<'b> {
        let mut expanding = self.expanding.clone();
        expanding.push(view.clone());
        Scope { expanding, ..Scope::new(self.view, self.principal, self.state, namespace) }
    }

    fn table(&self, reference: &TableReference) -> Result<Arc<dyn TableProvider>, Error> {
        if reference.catalog().is_some_and(|catalog| catalog != CATALOG) {
            return Err(Error::new(ErrorKind::UndefinedTable, format!("table {reference} does not exist")));
        }
        let name = referenced_table(reference, self.current_namespace);
        if name.namespace == INFORMATION_SCHEMA {
            return self.information_schema(&name.table);
        }
        if name.namespace == SYSTEM_SCHEMA {
            return tables::provider(self.view, self.principal, &name.table);
        }
        let relation =
            self.relations.iter().find(|relation| name.namespace == ENGINE_NAMESPACE && name.table == relation.name);
        let catalog = self.view.catalog();
        if let Some(view) = catalog.find_view(&name).filter(|_| relation.is_none()) {
            return self.view_provider(view);
        }
        let named = self.system_columns.get(&name).map(Vec::as_slice).unwrap_or_default();
        let visible_columns = |table: &Table, with_addresses: bool| {
            let system = match table.kind {
                TableKind::Stream => &[],
                TableKind::Shared | TableKind::User if self.system_columns_in_star => SystemColumn::ALL.as_slice(),
                TableKind::Shared | TableKind::User => named,
            };
            VisibleColumns::new(table, system, with_addresses)
        };
        let rows = match relation {
            Some(Relation { table, rows, with_addresses, .. }) => {
                TableRows::given(table, visible_columns(table, *with_addresses), Arc::clone(rows))
            }
            None => {
                let dependency = self.stored(&name)?;
                let visible_columns = visible_columns(&dependency.table, false);
                TableRows::stored(dependency, visible_columns)
            }
        };
        let mut rows = rows.with_pages(PageLoader::new(self.view.database.pages()));
        if self.system_columns_in_star && !named.contains(&SystemColumn::Deleted) {
            rows = rows.without_deleted();
        }
        Ok(Arc::new(rows))
    }

    /// A table, and the partition of it that holds the rows which the session may see.
    fn stored(&self, name: &TableName) -> Result<Dependency, Error> {
        let catalog = self.view.catalog();
        let table = catalog.require_table(name)?;
        table.check_access(self.principal, Action::Read)?;
        Ok(Dependency { table: Arc::clone(table), partition: table.partition(self.principal) })
    }

    fn information_schema(&self, table: &str) -> Result<Arc<dyn TableProvider>, Error> {
        let catalog = self.view.catalog();
        // A view that does not plan any more, or not for this principal, is left out.
        let views =
            catalog.views().filter_map(|view| Some((view.full_name(), self.view_provider(view).ok()?))).collect();
        let shown = CatalogView::new(catalog, views);
        let shown = if table == "views" { shown.without_tables() } else { shown };
        let provider = InformationSchemaProvider::new(Arc::new(shown));
        // Nothing in it waits: the catalog is in memory.
        let table_provider = provider.table(table).now_or_never().transpose()?.flatten();
        table_provider.ok_or_else(|| {
            Error::new(ErrorKind::UndefinedTable, format!("table information_schema.{table} does not exist"))
        })
    }
}

/// Gives times and timestamps their microseconds, and TIMESTAMPTZ its zone, which the planner leaves out unless a
/// setting names one.
#[derive(Debug)]
struct DatetimeTypes;

impl TypePlanner for DatetimeTypes {
    fn plan_type_field(&self, data_type: &SqlDataType) -> Result<Option<FieldRef>, DataFusionError> {
        Ok(match column_type(data_type) {
            Ok(sql_type @ (SqlType::TimestampTz | SqlType::Timestamp | SqlType::Time)) => {
                Some(Arc::new(sql_type.field("", true)))
            }
            _ => None,
        })
    }
}

impl ContextProvider for Scope<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>, DataFusionError> {
        if let Some(source) = self.tables.borrow().get(&name) {
            return Ok(Arc::clone(source));
        }
        let source = provider_as_source(self.table(&name).map_err(into_datafusion)?);
        self.tables.borrow_mut().insert(name, Arc::clone(&source));
        Ok(source)
    }

    fn get_table_function_source(&self, name: &str, args: Vec<Expr>) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let function = self.state.table_functions().get(name).cloned();
        let function = function.ok_or_else(|| {
            into_datafusion(Error::new(ErrorKind::UndefinedFunction, format!("table function {name} does not exist")))
        })?;
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.state.config_options()))
            .with_query_execution_start_time(self.state.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        let schema = DFSchema::empty();
        let args = args
            .into_iter()
            .map(|arg| simplifier.coerce(arg, &schema).and_then(|arg| simplifier.simplify(arg)))
            .collect::<Result<Vec<_>, _>>()?;
        if matches!(name, "generate_series" | "range")
            && let Some(series) = datetime_series(name, &args).map_err(into_datafusion)?
        {
            return Ok(provider_as_source(series));
        }
        Ok(provider_as_source(function.create_table_provider_with_args(TableFunctionArgs::new(&args, self.state))?))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>, DataFusionError> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(DatetimeTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        session_function(name, self.principal).or_else(|| self.state.scalar_functions().get(name).cloned())
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }

    fn get_file_type(
        &self,
        extension: &str,
    ) -> Result<Arc<dyn datafusion::common::file_options::file_type::FileType>, DataFusionError> {
        Err(plan_datafusion_err!("there are no files of type {extension} here"))
    }
}
