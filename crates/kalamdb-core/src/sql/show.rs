//! SHOW and DESCRIBE: the catalog as results.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array};
use datafusion::catalog::information_schema::INFORMATION_SCHEMA;
use datafusion::common::TableReference;
use datafusion::logical_expr::planner::ContextProvider;

use crate::access::Action;
use crate::catalog::{ColumnDef, Table, TableName};
use crate::error::Result;
use crate::result::StatementResult;
use crate::sql::parse::{Show, namespace_name, table_name};
use crate::sql::plan::StatementContext;
use crate::sql::system::{SYSTEM_SCHEMA, TABLES as SYSTEM_TABLES, batch_of, boolean, stats, text};

/// Gives what a statement asks for.
pub(super) async fn run(show: &Show, context: &StatementContext<'_>) -> Result<StatementResult> {
    context.view.refresh().await?;
    let catalog = context.view.catalog();
    let columns = match show {
        Show::Namespaces => vec![text("namespace", catalog.namespace_names().map(Some))],
        Show::Tables(namespace) => {
            let namespace = namespace.as_ref().map_or_else(|| Ok(context.namespace.clone()), namespace_name)?;
            if namespace != SYSTEM_SCHEMA {
                catalog.require_namespace(&namespace)?;
            }
            let system = SYSTEM_TABLES.iter().filter(|_| namespace == SYSTEM_SCHEMA).map(|name| (*name, "system"));
            let tables = catalog.tables_in(&namespace).filter(|table| table.is_readable(context.principal));
            let tables = tables.map(|table| (table.name.as_str(), table.kind.name()));
            let mut rows: Vec<(&str, &str)> = system
                .chain(tables)
                .chain(catalog.views_in(&namespace).map(|view| (view.name.as_str(), "view")))
                .collect();
            rows.sort_unstable();
            vec![
                text("namespace", rows.iter().map(|_| Some(namespace.as_str()))),
                text("table_name", rows.iter().map(|(name, _)| Some(*name))),
                text("table_type", rows.iter().map(|(_, kind)| Some(*kind))),
            ]
        }
        Show::Columns(name, _) => {
            let name = table_name(name, &context.namespace)?;
            if catalog.find_view(&name).is_some() || is_read_only(&name.namespace) {
                readable_columns(context, &name)?
            } else {
                table_columns(table(context, &name)?.as_ref())
            }
        }
        Show::History(name) => history(table(context, &table_name(name, &context.namespace)?)?.as_ref()),
        Show::Options(name) => options(table(context, &table_name(name, &context.namespace)?)?.as_ref()),
        Show::Stats(name) => {
            let table = table(context, &table_name(name, &context.namespace)?)?;
            let stats = stats(context.view, context.principal, &table)?;
            let rows = [
                ("live_rows", stats.live_rows),
                ("deleted_rows", stats.deleted_rows),
                ("partitions", stats.partitions),
                ("schema_version", i64::from(table.schema_version)),
            ];
            vec![
                text("statistic", rows.iter().map(|(name, _)| Some(*name))),
                ("value", Arc::new(rows.iter().map(|(_, value)| Some(*value)).collect::<Int64Array>())),
            ]
        }
    };
    let (schema, batch) = batch_of(columns)?;
    Ok(StatementResult::rows(show.tag(), &schema, vec![batch]))
}

fn is_read_only(namespace: &str) -> bool {
    matches!(namespace, SYSTEM_SCHEMA | INFORMATION_SCHEMA)
}

fn table(context: &StatementContext<'_>, name: &TableName) -> Result<Arc<Table>> {
    let catalog = context.view.catalog();
    let table = catalog.require_table(name)?;
    table.check_access(context.principal, Action::Read)?;
    Ok(Arc::clone(table))
}

/// What a column that nobody gives a value for takes.
fn default_of(column: &ColumnDef) -> Option<&str> {
    match (column.generated_always, column.auto_increment) {
        (true, _) => Some("GENERATED ALWAYS AS IDENTITY"),
        (false, true) => Some("AUTO_INCREMENT"),
        (false, false) => column.default.as_deref(),
    }
}

/// One row a column: name, type, whether it takes NULL, its place in the primary key, its default.
fn table_columns(table: &Table) -> Vec<(&'static str, ArrayRef)> {
    let columns = &table.columns;
    let in_key = (0..columns.len()).map(|index| Some(table.primary_key.contains(&index)));
    vec![
        text("column_name", columns.iter().map(|column| Some(column.name.as_str()))),
        text("data_type", columns.iter().map(|column| Some(column.sql_type.to_string()))),
        boolean("is_nullable", columns.iter().map(|column| Some(column.nullable))),
        boolean("is_primary_key", in_key),
        text("column_default", columns.iter().map(default_of)),
    ]
}

/// The columns of a view, or of a table that the engine makes up.
fn readable_columns(context: &StatementContext<'_>, name: &TableName) -> Result<Vec<(&'static str, ArrayRef)>> {
    let reference = TableReference::partial(name.namespace.as_str(), name.table.as_str());
    let schema = context.scope().get_table_source(reference)?.schema();
    let fields = schema.fields();
    Ok(vec![
        text("column_name", fields.iter().map(|field| Some(field.name().as_str()))),
        text("data_type", fields.iter().map(|field| Some(kalamdb_types::type_name(field)))),
        boolean("is_nullable", fields.iter().map(|field| Some(field.is_nullable()))),
        boolean("is_primary_key", fields.iter().map(|_| Some(false))),
        text("column_default", fields.iter().map(|_| None::<&str>)),
    ])
}

fn history(table: &Table) -> Vec<(&'static str, ArrayRef)> {
    let versions = table.earlier.iter().map(|version| (version.version, &version.columns));
    let versions = versions.chain([(table.schema_version, &table.columns)]);
    let rows: Vec<(u32, &ColumnDef)> =
        versions.flat_map(|(version, columns)| columns.iter().map(move |column| (version, column))).collect();
    vec![
        (
            "schema_version",
            Arc::new(rows.iter().map(|(version, _)| i32::try_from(*version).ok()).collect::<Int32Array>()) as ArrayRef,
        ),
        text("column_name", rows.iter().map(|(_, column)| Some(column.name.as_str()))),
        text("data_type", rows.iter().map(|(_, column)| Some(column.sql_type.to_string()))),
        boolean("is_nullable", rows.iter().map(|(_, column)| Some(column.nullable))),
        text("column_default", rows.iter().map(|(_, column)| default_of(column))),
    ]
}

fn options(table: &Table) -> Vec<(&'static str, ArrayRef)> {
    let options = &table.options;
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let rows = [
        ("table_type", Some(table.kind.name().to_owned())),
        ("flush_policy.rows", number(options.flush_policy.rows)),
        ("flush_policy.interval_secs", number(options.flush_policy.interval_secs)),
        ("deleted_retention_hours", table.retention_hours().map(|hours| hours.to_string())),
        ("ttl_seconds", number(options.ttl_seconds)),
        ("max_buffer", number(options.max_buffer)),
        ("ephemeral", options.ephemeral.then(|| "true".to_owned())),
        ("scope", options.per_user.then(|| "user".to_owned())),
        ("access_level", Some(options.access_level.name().to_owned())),
        ("location", options.location.clone()),
        ("storage_id", options.storage_id.clone()),
    ];
    let constraints =
        table.indexes.iter().filter(|index| index.is_constraint).map(|index| {
            (format!("constraint {}", index.name), format!("UNIQUE ({})", table.column_list(&index.columns)))
        });
    let checks =
        table.checks.iter().map(|check| (format!("constraint {}", check.name), format!("CHECK ({})", check.condition)));
    let rows = rows.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)));
    let rows: Vec<(String, String)> = rows.chain(constraints).chain(checks).collect();
    vec![
        text("property", rows.iter().map(|(name, _)| Some(name.as_str()))),
        text("value", rows.iter().map(|(_, value)| Some(value.as_str()))),
    ]
}
