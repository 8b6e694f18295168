use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::sql::sqlparser::ast::ObjectName;

use super::execute::Executor;
use super::names::table_name;
use crate::error::Result;
use crate::result::StatementResult;

pub(super) async fn namespaces(executor: &Executor<'_>) -> Result<StatementResult> {
    executor.view.refresh().await?;
    let catalog = executor.view.catalog();
    let names: StringArray = catalog.namespace_names().map(Some).collect();
    table("SHOW", vec![("namespace", Arc::new(names) as ArrayRef)])
}

/// One row a column: name, type, whether it takes NULL, its place in the primary key, its default.
pub(super) async fn describe(executor: &Executor<'_>, name: &ObjectName) -> Result<StatementResult> {
    executor.view.refresh().await?;
    let name = table_name(name, &executor.namespace)?;
    let catalog = executor.view.catalog();
    let described = catalog.require_table(&name)?;
    let columns = &described.columns;
    let in_key = (0..columns.len()).map(|index| Some(described.primary_key.contains(&index)));
    table(
        "DESCRIBE",
        vec![
            ("column_name", Arc::new(columns.iter().map(|column| Some(column.name.as_str())).collect::<StringArray>()) as ArrayRef),
            ("data_type", Arc::new(columns.iter().map(|column| Some(column.sql_type.to_string())).collect::<StringArray>())),
            ("is_nullable", Arc::new(columns.iter().map(|column| Some(column.nullable)).collect::<BooleanArray>())),
            ("is_primary_key", Arc::new(in_key.collect::<BooleanArray>())),
            ("column_default", Arc::new(columns.iter().map(|column| column.default.as_deref()).collect::<StringArray>())),
        ],
    )
}

fn table(command: &'static str, columns: Vec<(&str, ArrayRef)>) -> Result<StatementResult> {
    let fields: Vec<Field> = columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, values)| values).collect())?;
    Ok(StatementResult::rows(command, &schema, vec![batch]))
}
