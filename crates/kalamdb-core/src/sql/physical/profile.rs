//! EXPLAIN ANALYZE without a task of its own.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::distribution_requirements::InputDistributionRequirements;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::{TryStreamExt, stream};

/// EXPLAIN ANALYZE without a task of its own: runs the plan, and returns it as a text with what each node has counted.
#[derive(Debug, Clone)]
pub(crate) struct ProfileExec {
    input: Arc<dyn ExecutionPlan>,
    verbose: bool,
    properties: Arc<PlanProperties>,
}

impl ProfileExec {
    pub(crate) fn new(analyze: &AnalyzeExec) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(analyze.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input: Arc::clone(analyze.input()), verbose: analyze.verbose(), properties: Arc::new(properties) }
    }

    async fn run(self, context: Arc<TaskContext>) -> Result<RecordBatch> {
        for partition in 0..self.input.output_partitioning().partition_count() {
            let mut rows = self.input.execute(partition, Arc::clone(&context))?;
            while rows.try_next().await?.is_some() {}
        }
        let text = DisplayableExecutionPlan::with_metrics(self.input.as_ref()).indent(self.verbose).to_string();
        let columns = vec![
            Arc::new(StringArray::from(vec!["Plan with Metrics"])) as _,
            Arc::new(StringArray::from(vec![text])) as _,
        ];
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

impl DisplayAs for ProfileExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileExec")
    }
}

impl ExecutionPlan for ProfileExec {
    fn name(&self) -> &'static str {
        "ProfileExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::UnspecifiedDistribution])
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| internal_datafusion_err!("ProfileExec has one input"))?;
        Ok(Arc::new(Self { input, ..self.as_ref().clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = stream::once(self.clone().run(context));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
