//! DataFusion's state for one session: functions, rules and settings.

use std::cell::OnceCell;
use std::sync::Arc;

use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::optimizer::analyzer::resolve_grouping_function::ResolveGroupingFunction;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::prelude::SessionConfig;

use super::planner;
use crate::error::Result;
use crate::functions;
use crate::functions::{Ids, Limits};
use crate::sql::analyzer::datetime::{DatetimeCasts, DatetimeOperators};
use crate::sql::analyzer::numbers::{CheckedArithmetic, ExactNumbers, average, sum};
use crate::sql::analyzer::{
    AggregateCalls, BoundedCalls, JsonChoices, ListsByRow, OperandTypes, RepeatedKeys, UnorderedAggregates, ValueTypes,
    VolatileKeys, named_value, ordering, sets,
};
use crate::sql::optimizer::evaluation::FilteredArguments;
use crate::sql::optimizer::rules;
use crate::sql::parse::long_numbers;
use crate::sql::physical::{GroupLimits, Held, NoRows, Sequential, fences};

/// DataFusion's state of one session: functions, rules and settings; tables come with each statement.
///
/// It is made when the first statement is planned, as many sessions never plan one, and it takes time and memory.
#[derive(Debug, Clone)]
pub(crate) struct LazySessionState {
    runtime: Arc<RuntimeEnv>,
    ids: Arc<Ids>,
    limits: Arc<Limits>,
    state: OnceCell<SessionState>,
}

impl LazySessionState {
    pub(crate) fn new(memory: &Arc<dyn MemoryPool>, ids: &Arc<Ids>, limits: &Arc<Limits>) -> Result<Self> {
        let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(no_disk).with_memory_pool(Arc::clone(memory));
        Ok(Self {
            runtime: Arc::new(runtime.build()?),
            ids: Arc::clone(ids),
            limits: Arc::clone(limits),
            state: OnceCell::new(),
        })
    }

    pub(crate) fn get(&self) -> &SessionState {
        self.state.get_or_init(|| session_state(&self.runtime, &self.ids, &self.limits))
    }

    /// The same with that state.
    pub(crate) fn with(self, state: SessionState) -> Self {
        Self { state: OnceCell::from(state), ..self }
    }
}

fn session_state(runtime: &Arc<RuntimeEnv>, ids: &Arc<Ids>, limits: &Arc<Limits>) -> SessionState {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(true)
        .with_default_catalog_and_schema(crate::sql::system::CATALOG, crate::catalog::DEFAULT_NAMESPACE)
        .with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // What collects the rows of a subquery takes them in its order.
    options.sql_parser.enable_subquery_sort_elimination = false;
    options.optimizer.enable_round_robin_repartition = false;
    // Joins and sorts over rows in memory gain nothing from filters that the scan would have to evaluate again.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    // What is planned and what is executed may differ in whether a column can be NULL, as for IS TRUE: nothing rests on
    // it.
    options.execution.skip_physical_aggregate_schema_check = true;
    // It reads fields of structs early, and computes the struct twice: rows in memory gain nothing, and random()
    // differs.
    options.optimizer.enable_leaf_expression_pushdown = false;
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(Arc::clone(runtime))
        // All that DataFusion has but file formats: there are no files here, and their code would be a part of every
        // download.
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(SessionStateDefaults::default_scalar_functions())
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_functions(
            SessionStateDefaults::default_table_functions().into_iter().map(|f| (f.name().to_owned(), f)).collect(),
        )
        .with_optimizer_rules(rules::rules())
        .with_analyzer_rules(vec![
            Arc::new(RepeatedKeys),
            Arc::new(ResolveGroupingFunction::new()),
            Arc::new(UnorderedAggregates),
            Arc::new(DatetimeOperators),
            Arc::new(OperandTypes),
            Arc::new(JsonChoices),
            Arc::new(ExactNumbers),
            Arc::new(ValueTypes::OfColumns),
            Arc::new(TypeCoercion::new()),
            Arc::new(ValueTypes::OfValues),
            Arc::new(DatetimeCasts),
            Arc::new(CheckedArithmetic::new()),
            Arc::new(FilteredArguments),
            Arc::new(VolatileKeys),
            Arc::new(ordering::CompareByKey),
            Arc::new(sets::NullableSets),
            Arc::new(BoundedCalls::new(limits)),
            Arc::new(ListsByRow::new()),
        ])
        .with_query_planner(Arc::new(planner::Planner))
        .with_physical_optimizer_rules(fences::physical_rules())
        .with_physical_optimizer_rule(Arc::new(NoRows))
        .with_physical_optimizer_rule(Arc::new(GroupLimits))
        .with_physical_optimizer_rule(Arc::new(Sequential))
        .with_physical_optimizer_rule(Arc::new(Held));
    builder.scalar_functions().get_or_insert_default().extend([long_numbers::function(), named_value::named()]);
    builder.aggregate_functions().get_or_insert_default().extend([
        sum::checked_sum(),
        average::exact_average(),
        ordering::max(),
        ordering::min(),
    ]);
    builder
        .expr_planners()
        .get_or_insert_default()
        .splice(0..0, [Arc::new(AggregateCalls) as Arc<dyn ExprPlanner>, Arc::new(ExactNumbers)]);
    let mut builder = functions::register(builder, ids, limits);
    builder.expr_planners().get_or_insert_default().insert(0, Arc::new(OperandTypes));
    builder.build()
}
