//! The schema `system`: the catalog and the state of the database as read-only tables, of what the session may see.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use datafusion::catalog::{MemTable, TableProvider};
use kalamdb_types::SqlType;

use super::arrays::{batch_of, boolean, text};
use crate::access::{Action, Principal, Target};
use crate::catalog::{ColumnDef, Table};
use crate::database::ReadView;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Chunk;

/// The schema that holds these tables.
pub(crate) const SYSTEM_SCHEMA: &str = "system";

/// Its tables.
pub(crate) const TABLES: [&str; 13] = [
    "namespaces",
    "tables",
    "columns",
    "table_schemas",
    "users",
    "live_queries",
    "jobs",
    "storages",
    "stats",
    "settings",
    "datatypes",
    "views",
    "indexes",
];

type Columns = Vec<(&'static str, ArrayRef)>;

/// A table of the schema, as the principal sees it.
pub(crate) fn provider(view: ReadView<'_>, principal: &Principal, name: &str) -> Result<Arc<dyn TableProvider>> {
    let columns = match name {
        "namespaces" => namespaces(view),
        "tables" => tables(view, principal)?,
        "columns" => columns(view, principal),
        "table_schemas" => table_schemas(view, principal)?,
        "users" => vec![text("user_id", users(view, principal).into_iter().map(Some))],
        "live_queries" => live_queries(),
        "jobs" => jobs(view, principal),
        "storages" => {
            vec![text("storage_id", [Some("local")].into_iter()), text("storage_type", [Some("indexeddb")].into_iter())]
        }
        "stats" => stats_of_all(view, principal)?,
        "settings" => settings(view, principal),
        "datatypes" => datatypes(),
        "views" => views(view),
        "indexes" => indexes(view, principal),
        _ => {
            return Err(Error::new(ErrorKind::UndefinedTable, format!("table {SYSTEM_SCHEMA}.{name} does not exist"))
                .with_nearest(name, TABLES.into_iter()));
        }
    };
    let (schema, batch) = batch_of(columns)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

fn visible_tables(view: ReadView<'_>, principal: &Principal) -> Vec<Arc<Table>> {
    view.catalog().tables().filter(|table| table.is_readable(principal)).cloned().collect()
}

fn table_id(table: &Table) -> String {
    format!("{}:{}", table.namespace, table.name)
}

fn names(rows: &[Arc<Table>]) -> Columns {
    vec![
        text("table_id", rows.iter().map(|table| Some(table_id(table)))),
        text("namespace", rows.iter().map(|table| Some(table.namespace.as_str()))),
        text("table_name", rows.iter().map(|table| Some(table.name.as_str()))),
    ]
}

fn integer(name: &'static str, values: impl Iterator<Item = Option<i32>>) -> (&'static str, ArrayRef) {
    (name, Arc::new(values.collect::<Int32Array>()))
}

fn bigint(name: &'static str, values: impl Iterator<Item = Option<i64>>) -> (&'static str, ArrayRef) {
    (name, Arc::new(values.collect::<Int64Array>()))
}

fn timestamp(name: &'static str, values: impl Iterator<Item = Option<i64>>) -> (&'static str, ArrayRef) {
    (name, Arc::new(values.collect::<TimestampMicrosecondArray>()))
}

fn namespaces(view: ReadView<'_>) -> Columns {
    let catalog = view.catalog();
    let rows: Vec<_> = catalog.namespaces().collect();
    let n_tables = |name: &str| i64::try_from(catalog.tables_in(name).count()).ok();
    vec![
        text("namespace", rows.iter().map(|namespace| Some(namespace.name.as_str()))),
        bigint("table_count", rows.iter().map(|namespace| n_tables(&namespace.name))),
        text("options", rows.iter().map(|namespace| serde_json::to_string(&namespace.options).ok())),
        timestamp("created_at", rows.iter().map(|namespace| Some(namespace.created_at_us).filter(|us| *us > 0))),
    ]
}

fn tables(view: ReadView<'_>, principal: &Principal) -> Result<Columns> {
    let rows = visible_tables(view, principal);
    let policies = rows
        .iter()
        .map(|table| serde_json::to_string(&table.options.flush_policy))
        .collect::<std::result::Result<Vec<_>, _>>();
    let policies = policies.map_err(|error| Error::internal(error.to_string()))?;
    let number = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    let mut columns = names(&rows);
    columns.extend([
        text("table_type", rows.iter().map(|table| Some(table.kind.name()))),
        text("flush_policy", policies.into_iter().map(Some)),
        integer("schema_version", rows.iter().map(|table| i32::try_from(table.schema_version).ok())),
        integer(
            "deleted_retention_hours",
            rows.iter().map(|table| table.retention_hours().and_then(|hours| i32::try_from(hours).ok())),
        ),
        bigint("ttl_seconds", rows.iter().map(|table| number(table.options.ttl_seconds))),
        bigint("max_buffer", rows.iter().map(|table| number(table.options.max_buffer))),
        boolean("ephemeral", rows.iter().map(|table| Some(table.options.ephemeral))),
        text("scope", rows.iter().map(|table| Some(if table.is_per_user() { "user" } else { "shared" }))),
        text("access_level", rows.iter().map(|table| Some(table.options.access_level.name()))),
        text("storage_id", rows.iter().map(|table| Some(table.options.storage_id.as_deref().unwrap_or("local")))),
        text("storage_location", rows.iter().map(|table| table.options.location.as_deref())),
        timestamp("created_at", rows.iter().map(|table| Some(table.created_at_us))),
    ]);
    Ok(columns)
}

fn columns(view: ReadView<'_>, principal: &Principal) -> Columns {
    let tables = visible_tables(view, principal);
    let rows: Vec<(&Table, usize, &ColumnDef)> = tables
        .iter()
        .flat_map(|table| table.columns.iter().enumerate().map(move |(at, column)| (table.as_ref(), at, column)))
        .collect();
    vec![
        text("table_id", rows.iter().map(|(table, ..)| Some(table_id(table)))),
        text("namespace", rows.iter().map(|(table, ..)| Some(table.namespace.as_str()))),
        text("table_name", rows.iter().map(|(table, ..)| Some(table.name.as_str()))),
        text("column_name", rows.iter().map(|(.., column)| Some(column.name.as_str()))),
        integer("ordinal_position", rows.iter().map(|(_, at, _)| i32::try_from(at + 1).ok())),
        text("data_type", rows.iter().map(|(.., column)| Some(column.sql_type.to_string()))),
        boolean("is_nullable", rows.iter().map(|(.., column)| Some(column.nullable))),
        boolean("is_primary_key", rows.iter().map(|(table, at, _)| Some(table.primary_key.contains(at)))),
        text("column_default", rows.iter().map(|(.., column)| column.default.as_deref())),
        boolean("is_auto_increment", rows.iter().map(|(.., column)| Some(column.auto_increment))),
    ]
}

fn table_schemas(view: ReadView<'_>, principal: &Principal) -> Result<Columns> {
    let tables = visible_tables(view, principal);
    let mut rows: Vec<(&Table, u32, String)> = Vec::new();
    for table in &tables {
        let versions = table
            .earlier
            .iter()
            .map(|version| (version.version, &version.columns))
            .chain([(table.schema_version, &table.columns)]);
        for (version, columns) in versions {
            rows.push((
                table,
                version,
                serde_json::to_string(columns).map_err(|error| Error::internal(error.to_string()))?,
            ));
        }
    }
    Ok(vec![
        text("table_id", rows.iter().map(|(table, ..)| Some(table_id(table)))),
        text("namespace", rows.iter().map(|(table, ..)| Some(table.namespace.as_str()))),
        text("table_name", rows.iter().map(|(table, ..)| Some(table.name.as_str()))),
        integer("schema_version", rows.iter().map(|(_, version, _)| i32::try_from(*version).ok())),
        boolean("is_current", rows.iter().map(|(table, version, _)| Some(table.schema_version == *version))),
        text("columns", rows.iter().map(|(.., columns)| Some(columns.as_str()))),
    ])
}

/// A user sees itself; administrators see every user that has rows.
fn users(view: ReadView<'_>, principal: &Principal) -> Vec<String> {
    if principal.may(Action::Read, Target::OtherUser) {
        view.database.users()
    } else {
        principal.user_id().map(str::to_owned).into_iter().collect()
    }
}

fn live_queries() -> Columns {
    let none = || std::iter::empty::<Option<&str>>();
    vec![
        text("live_id", none()),
        text("user_id", none()),
        text("query", none()),
        bigint("changes", std::iter::empty()),
        timestamp("created_at", std::iter::empty()),
    ]
}

/// The last jobs of this tab; users see none.
fn jobs(view: ReadView<'_>, principal: &Principal) -> Columns {
    let catalog = view.catalog();
    let jobs = view.database.jobs().borrow();
    let rows: Vec<_> = jobs.iter().filter(|_| principal.may(Action::Read, Target::Jobs)).collect();
    vec![
        text("job_id", rows.iter().map(|job| Some(job.id.to_string()))),
        text("job_type", rows.iter().map(|job| Some(job.kind.name()))),
        text("table_id", rows.iter().map(|job| catalog.find_id(job.partition.table).map(|table| table_id(table)))),
        text("user_id", rows.iter().map(|job| job.partition.user.as_deref())),
        text("status", rows.iter().map(|job| Some(job.status.name()))),
        bigint("rows", rows.iter().map(|job| i64::try_from(job.n_rows).ok())),
        text("error", rows.iter().map(|job| job.error.as_deref())),
        timestamp("started_at", rows.iter().map(|job| Some(job.started_us))),
        timestamp("finished_at", rows.iter().map(|job| job.finished_us)),
    ]
}

/// How many rows a table holds, as far as the principal may know.
pub(crate) struct Stats {
    pub(crate) live_rows: i64,
    pub(crate) deleted_rows: i64,
    pub(crate) partitions: i64,
}

/// Counts the principal's own rows; administrators get the counts of all partitions.
pub(crate) fn stats(view: ReadView<'_>, principal: &Principal, table: &Arc<Table>) -> Result<Stats> {
    let own = table.partition(principal);
    let all = principal.may(Action::Read, Target::OtherUser);
    let partitions = if all { view.partitions_of(table.id) } else { vec![own] };
    let count = |mask: Option<datafusion::arrow::buffer::BooleanBuffer>, chunk: &Chunk| {
        mask.map_or(chunk.n_rows(), |mask| mask.count_set_bits())
    };
    let (mut live, mut with_deleted) = (0, 0);
    for partition in &partitions {
        let snapshot = view.snapshot(table, partition)?;
        live += snapshot.iter().map(|chunk| count(chunk.visible(false), chunk)).sum::<usize>();
        with_deleted += snapshot.iter().map(|chunk| count(chunk.visible(true), chunk)).sum::<usize>();
    }
    let number = |n: usize| i64::try_from(n).map_err(|_| Error::internal("too many rows"));
    Ok(Stats {
        live_rows: number(live)?,
        deleted_rows: number(with_deleted - live)?,
        partitions: number(partitions.len())?,
    })
}

fn stats_of_all(view: ReadView<'_>, principal: &Principal) -> Result<Columns> {
    let rows = visible_tables(view, principal);
    let stats = rows.iter().map(|table| stats(view, principal, table)).collect::<Result<Vec<_>>>()?;
    let mut columns = names(&rows);
    columns.extend([
        bigint("live_rows", stats.iter().map(|stats| Some(stats.live_rows))),
        bigint("deleted_rows", stats.iter().map(|stats| Some(stats.deleted_rows))),
        bigint("partitions", stats.iter().map(|stats| Some(stats.partitions))),
    ]);
    Ok(columns)
}

/// Users have no settings to see.
fn settings(view: ReadView<'_>, principal: &Principal) -> Columns {
    let durability = format!("{:?}", view.database.durability()).to_lowercase();
    let rows = [
        ("durability", durability),
        ("format_version", kalamdb_store::FORMAT_VERSION.to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let rows = rows.iter().filter(|_| principal.may(Action::Read, Target::Settings));
    vec![
        text("name", rows.clone().map(|(name, _)| Some(*name))),
        text("value", rows.map(|(_, value)| Some(value.as_str()))),
    ]
}

fn datatypes() -> Columns {
    let rows = SqlType::all_examples();
    vec![
        text("data_type", rows.iter().map(|sql_type| Some(sql_type.to_string()))),
        (
            "arrow_type",
            Arc::new(rows.iter().map(|sql_type| Some(sql_type.arrow().to_string())).collect::<StringArray>()),
        ),
    ]
}

fn views(view: ReadView<'_>) -> Columns {
    let catalog = view.catalog();
    let rows: Vec<_> = catalog.views().collect();
    vec![
        text("namespace", rows.iter().map(|view| Some(view.namespace.as_str()))),
        text("view_name", rows.iter().map(|view| Some(view.name.as_str()))),
        text("definition", rows.iter().map(|view| Some(view.query.as_str()))),
        timestamp("created_at", rows.iter().map(|view| Some(view.created_at_us))),
    ]
}

fn indexes(view: ReadView<'_>, principal: &Principal) -> Columns {
    struct Row {
        table: Arc<Table>,
        name: String,
        columns: Vec<usize>,
        is_unique: bool,
        is_primary: bool,
        is_constraint: bool,
    }
    let mut rows = Vec::new();
    for table in visible_tables(view, principal) {
        if table.has_primary_key() {
            let name = table.primary_key_name();
            let columns = table.primary_key.clone();
            rows.push(Row {
                table: Arc::clone(&table),
                name,
                columns,
                is_unique: true,
                is_primary: true,
                is_constraint: true,
            });
        }
        rows.extend(table.indexes.iter().map(|index| Row {
            table: Arc::clone(&table),
            name: index.name.clone(),
            columns: index.columns.clone(),
            is_unique: index.unique,
            is_primary: false,
            is_constraint: index.is_constraint,
        }));
    }
    vec![
        text("table_id", rows.iter().map(|row| Some(table_id(&row.table)))),
        text("namespace", rows.iter().map(|row| Some(row.table.namespace.as_str()))),
        text("table_name", rows.iter().map(|row| Some(row.table.name.as_str()))),
        text("index_name", rows.iter().map(|row| Some(row.name.as_str()))),
        text("columns", rows.iter().map(|row| Some(row.table.column_list(&row.columns)))),
        boolean("is_unique", rows.iter().map(|row| Some(row.is_unique))),
        boolean("is_primary_key", rows.iter().map(|row| Some(row.is_primary))),
        boolean("is_constraint", rows.iter().map(|row| Some(row.is_constraint))),
    ]
}
