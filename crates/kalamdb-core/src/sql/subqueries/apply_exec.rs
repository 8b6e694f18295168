//! The operator that asks a subquery for each row, and remembers its answers.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array, new_null_array,
};
use datafusion::arrow::compute::{concat_batches, take_arrays};
use datafusion::arrow::datatypes::{Float32Type, Float64Type, SchemaRef};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, ScalarValue, internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::distribution_requirements::InputDistributionRequirements;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::lock::Mutex;
use futures::{TryStreamExt, stream};

use super::apply::{ApplySpec, SubqueryKind};
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::sql::physical::{held, size_of};

/// How many values answers may hold before they are forgotten.
const MAX_REMEMBERED: usize = 1 << 20;

/// How many rows of LATERAL are put together in one batch.
const MAX_JOINED: usize = 1 << 16;

/// Runs a subquery's plan for each distinct set of outer values, and adds its answers as a last column.
#[derive(Debug, Clone)]
pub(crate) struct ApplyExec {
    spec: ApplySpec,
    input: Arc<dyn ExecutionPlan>,
    subquery: Arc<dyn ExecutionPlan>,
    arguments: ApplyArguments,
    /// Held while the slots are in use: a plan may be in the tree twice.
    turn: Arc<Mutex<()>>,
    /// Whether each row is asked for anew, as the subquery calls random() or the like.
    is_volatile: bool,
    properties: Arc<PlanProperties>,
}

/// What is evaluated on each row.
#[derive(Debug, Clone)]
pub(crate) struct ApplyArguments {
    /// What goes into the slots.
    pub(crate) outer: Vec<Arc<dyn PhysicalExpr>>,
    /// What is looked for, for [`SubqueryKind::In`].
    pub(crate) compared_value: Option<Arc<dyn PhysicalExpr>>,
    /// The condition under which the answer is used.
    pub(crate) guard: Option<Arc<dyn PhysicalExpr>>,
}

impl ApplyExec {
    pub(crate) fn new(
        spec: ApplySpec,
        input: Arc<dyn ExecutionPlan>,
        subquery: Arc<dyn ExecutionPlan>,
        arguments: ApplyArguments,
        is_volatile: bool,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { spec, input, subquery, arguments, turn: Arc::default(), is_volatile, properties: Arc::new(properties) }
    }
}

impl DisplayAs for ApplyExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<String> = self.arguments.outer.iter().map(ToString::to_string).collect();
        write!(f, "ApplyExec: {:?}, arguments=[{}]", self.spec.kind, arguments.join(", "))?;
        match &self.arguments.compared_value {
            Some(compared_value) => write!(f, ", value={compared_value}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for ApplyExec {
    fn name(&self) -> &'static str {
        "ApplyExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input, &self.subquery]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition; 2])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; 2]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let ApplyArguments { outer, compared_value, guard } = &self.arguments;
        for expr in outer.iter().chain(compared_value).chain(guard) {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input, subquery] = <[Arc<dyn ExecutionPlan>; 2]>::try_from(children)
            .map_err(|_| internal_datafusion_err!("ApplyExec has two inputs"))?;
        Ok(Arc::new(Self { input, subquery, ..self.as_ref().clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, Arc::clone(&context))?;
        let answers = SubqueryCache { plan: self.clone(), context, known: HashMap::new(), n_remembered: 0 };
        let batches = stream::try_unfold((rows, answers), |(mut rows, mut answers)| async move {
            let Some(batch) = rows.try_next().await? else { return Ok::<_, DataFusionError>(None) };
            let batches = match answers.plan.spec.kind {
                SubqueryKind::Rows | SubqueryKind::RowsOrNull => answers.join(&batch).await?,
                SubqueryKind::Value | SubqueryKind::Exists | SubqueryKind::In => vec![answers.add_to(&batch).await?],
            };
            Ok(Some((stream::iter(batches.into_iter().map(Ok)), (rows, answers))))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches.try_flatten())))
    }
}

/// The answers of one run of the plan, by the outer values.
struct SubqueryCache {
    plan: ApplyExec,
    context: Arc<TaskContext>,
    known: HashMap<Vec<ScalarValue>, Answer>,
    n_remembered: usize,
}

enum Answer {
    Value(ScalarValue),
    Values { values: HashSet<ScalarValue>, has_null: bool },
    Rows(RecordBatch),
}

impl SubqueryCache {
    async fn add_to(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let n_rows = batch.num_rows();
        let evaluate = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(n_rows);
        let arguments = self.plan.arguments.outer.iter().map(evaluate).collect::<Result<Vec<_>>>()?;
        let compared_values = self
            .plan
            .arguments
            .compared_value
            .as_ref()
            .map(evaluate)
            .transpose()?
            .map(|compared_values| one_zero(&compared_values));
        let guard = self.plan.arguments.guard.as_ref().map(evaluate).transpose()?;
        let guard = guard.as_ref().map(|guard| as_boolean_array(guard)).transpose()?;
        let schema = self.plan.schema();
        let answer_type =
            schema.fields().last().ok_or_else(|| internal_datafusion_err!("Apply adds a column"))?.data_type();
        let unasked = ScalarValue::try_new_null(answer_type)?;
        let mut answers = Vec::with_capacity(n_rows);
        for row in 0..n_rows {
            if guard.is_some_and(|guard| guard.is_null(row) || !guard.value(row)) {
                answers.push(unasked.clone());
                continue;
            }
            answers.push(self.answer(&arguments, row).await?.for_row(compared_values.as_ref(), row)?);
        }
        let answers = match answers.is_empty() {
            true => new_empty_array(answer_type),
            false => ScalarValue::iter_to_array(answers)?,
        };
        let columns = batch.columns().iter().cloned().chain([answers]).collect();
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&schema),
            columns,
            &RecordBatchOptions::new().with_row_count(Some(n_rows)),
        )?)
    }

    /// The rows of a batch, each with the rows that the subquery has for it.
    async fn join(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let n_rows = batch.num_rows();
        let evaluate = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(batch)?.into_array(n_rows);
        let arguments = self.plan.arguments.outer.iter().map(evaluate).collect::<Result<Vec<_>>>()?;
        let mut joined = Vec::new();
        let memory = MemoryConsumer::new("LATERAL").register(self.context.memory_pool());
        for (row, at) in (0..n_rows).zip(0_u32..) {
            let or_null = self.plan.spec.kind == SubqueryKind::RowsOrNull;
            let schema = self.plan.schema();
            let Answer::Rows(rows) = self.answer(&arguments, row).await? else {
                return internal_err!("LATERAL asks for rows");
            };
            let n_found = rows.num_rows();
            let n_joined = if or_null { n_found.max(1) } else { n_found };
            if n_joined == 0 {
                continue;
            }
            let outer = take_arrays(batch.columns(), &UInt32Array::from(vec![at; n_joined]), None)?;
            let inner = rows
                .columns()
                .iter()
                .map(|column| if n_found == 0 { new_null_array(column.data_type(), 1) } else { Arc::clone(column) });
            let columns = outer.into_iter().chain(inner).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(n_joined));
            let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
            memory.try_grow(size_of(&batch))?;
            joined.push(batch);
        }
        match joined.as_slice() {
            // Many small batches are slow; a few large ones are kept as they are.
            [first, _, ..] if joined.iter().map(RecordBatch::num_rows).sum::<usize>() <= MAX_JOINED => {
                Ok(vec![concat_batches(&first.schema(), joined.iter())?])
            }
            _ => Ok(joined),
        }
    }

    /// The answer for the outer values in a row of `arguments`.
    async fn answer(&mut self, arguments: &[ArrayRef], row: usize) -> Result<&Answer> {
        let key =
            arguments.iter().map(|argument| ScalarValue::try_from_array(argument, row)).collect::<Result<Vec<_>>>()?;
        if self.plan.is_volatile || !self.known.contains_key(&key) {
            let answer = self.ask(&key).await?;
            self.remember(key.clone(), answer);
        }
        self.known.get(&key).ok_or_else(|| internal_datafusion_err!("an answer is missing"))
    }

    fn remember(&mut self, key: Vec<ScalarValue>, answer: Answer) {
        if self.n_remembered > MAX_REMEMBERED {
            self.known.clear();
            self.n_remembered = 0;
        }
        self.n_remembered += match &answer {
            Answer::Value(_) => 1,
            Answer::Values { values, .. } => 1 + values.len(),
            Answer::Rows(rows) => 1 + rows.num_rows() * rows.num_columns(),
        };
        self.known.insert(key, answer);
    }

    /// Runs the subquery for these outer values.
    async fn ask(&self, values: &[ScalarValue]) -> Result<Answer> {
        let _turn = self.plan.turn.lock().await;
        for (slot, value) in self.plan.spec.slots.iter().zip(values) {
            slot.set(value.clone());
        }
        let subquery = reset_plan_states(Arc::clone(&self.plan.subquery))?;
        let mut rows = held(subquery.execute(0, Arc::clone(&self.context))?, "a subquery", &self.context, 1);
        match self.plan.spec.kind {
            SubqueryKind::Exists => loop {
                match rows.try_next().await? {
                    Some(batch) if batch.num_rows() == 0 => {}
                    batch => return Ok(Answer::Value(ScalarValue::Boolean(Some(batch.is_some())))),
                }
            },
            SubqueryKind::Value => {
                let mut value = None;
                while let Some(batch) = rows.try_next().await? {
                    if batch.num_rows() + usize::from(value.is_some()) > 1 {
                        let error = Error::new(
                            ErrorKind::CardinalityViolation,
                            "a subquery used as a value returns more than one row",
                        );
                        return Err(into_datafusion(
                            error.with_hint("add LIMIT 1, or a condition that leaves one row"),
                        ));
                    }
                    if batch.num_rows() == 1 {
                        value = Some(ScalarValue::try_from_array(batch.column(0), 0)?);
                    }
                }
                match value {
                    Some(value) => Ok(Answer::Value(value)),
                    None => Ok(Answer::Value(ScalarValue::try_new_null(subquery.schema().field(0).data_type())?)),
                }
            }
            SubqueryKind::Rows | SubqueryKind::RowsOrNull => {
                let schema = subquery.schema();
                let batches: Vec<RecordBatch> = rows.try_collect().await?;
                Ok(Answer::Rows(concat_batches(&schema, &batches)?))
            }
            SubqueryKind::In => {
                let (mut found, mut has_null) = (HashSet::new(), false);
                while let Some(batch) = rows.try_next().await? {
                    let values = &one_zero(batch.column(0));
                    has_null |= values.null_count() > 0 || values.logical_null_count() > 0;
                    for row in 0..batch.num_rows() {
                        let value = ScalarValue::try_from_array(values, row)?;
                        if !value.is_null() {
                            found.insert(value);
                        }
                    }
                }
                Ok(Answer::Values { values: found, has_null })
            }
        }
    }
}

/// The values with 0 in place of -0, and one NaN in place of all: they are equal, but not in every bit.
fn one_zero(values: &ArrayRef) -> ArrayRef {
    if let Some(values) = values.as_primitive_opt::<Float64Type>() {
        return Arc::new(values.unary::<_, Float64Type>(|value| if value.is_nan() { f64::NAN } else { value + 0.0 }));
    }
    if let Some(values) = values.as_primitive_opt::<Float32Type>() {
        return Arc::new(values.unary::<_, Float32Type>(|value| if value.is_nan() { f32::NAN } else { value + 0.0 }));
    }
    Arc::clone(values)
}

impl Answer {
    fn for_row(&self, compared_values: Option<&ArrayRef>, row: usize) -> Result<ScalarValue> {
        match self {
            Answer::Value(value) => Ok(value.clone()),
            Answer::Rows(_) => internal_err!("LATERAL has rows for a row"),
            Answer::Values { values, has_null } => {
                let compared_values =
                    compared_values.ok_or_else(|| internal_datafusion_err!("IN has no value to look for"))?;
                let compared_value = ScalarValue::try_from_array(compared_values, row)?;
                let is_empty = values.is_empty() && !has_null;
                Ok(ScalarValue::Boolean(match () {
                    () if is_empty => Some(false),
                    () if compared_value.is_null() => None,
                    () if values.contains(&compared_value) => Some(true),
                    () if *has_null => None,
                    () => Some(false),
                }))
            }
        }
    }
}
