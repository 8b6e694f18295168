//! Plans with UNNEST forget the keys of their tables.
//!
//! DataFusion takes what a key determines for determined after UNNEST too, although that repeats the key: it would drop `e` from
//! `SELECT id, unnest(a) AS e FROM t ORDER BY id, e`, from GROUP BY as well, and the DISTINCT of the ids altogether.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::logical_plan::TableScanBuilder;
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// The plan, with tables that declare no keys if it holds an UNNEST.
pub(super) fn forget_keys(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut unnests = false;
    plan.apply_with_subqueries(|node| {
        unnests |= matches!(node, LogicalPlan::Unnest(_));
        Ok(if unnests { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if !unnests {
        return Ok(plan);
    }
    let forgotten = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) if scan.source.constraints().is_some() => {
            let provider = Arc::new(Keyless(source_as_provider(&scan.source)?));
            let source = provider_as_source(provider);
            let keyless =
                TableScanBuilder::new(scan.table_name, source).with_projection(scan.projection).with_filters(scan.filters).with_fetch(scan.fetch);
            Ok(Transformed::yes(LogicalPlan::TableScan(keyless.build()?)))
        }
        other => other.recompute_schema().map(Transformed::yes),
    })?;
    Ok(forgotten.data)
}

/// A table that does not tell its keys.
#[derive(Debug)]
struct Keyless(Arc<dyn TableProvider>);

#[async_trait]
impl TableProvider for Keyless {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.0.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan(state, projection, filters, limit).await
    }
}
