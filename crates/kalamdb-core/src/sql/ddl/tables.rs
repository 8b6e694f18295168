//! CREATE TABLE, DROP TABLE and TRUNCATE.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Query, Statement as SqlStatement, Truncate};
use kalamdb_store::RowState;
use kalamdb_types::{Source, SqlType, coerce, type_name};

use super::dependents::dependents_to_drop;
use super::next_catalog::{NextCatalog, commit};
use super::{table_definition, table_options};
use crate::catalog::{ColumnDef, Table, TableKind, TableName, TableOptions, check_column_name, check_table_name};
use crate::change::{Change, TableChange};
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;
use crate::rows::Rows;
use crate::sql::dml::{concatenated, defaults};
use crate::sql::parse::{CreateTable, Parameters, fold, table_name};
use crate::sql::plan::{QueryRows, StatementContext, check_condition, write};

pub(super) async fn create(
    context: &StatementContext<'_>,
    create: &CreateTable,
    parameters: &Parameters,
) -> Result<StatementResult> {
    let name = table_name(&create.name, &context.namespace)?;
    check_table_name(&name)?;
    let mut definition = read_definition(&name, create)?;
    for column in &definition.columns {
        defaults::check(context, column).await?;
    }
    if create.query.is_none() {
        table_definition::finish(&mut definition)?;
        for check in &definition.checks {
            check_condition::compile(context, &definition, check)?;
        }
    }
    let (committed, n_rows) = write(context, async |context| {
        let mut next = NextCatalog::begin(context);
        next.catalog.require_namespace(&name.namespace)?;
        if create.if_not_exists && next.catalog.find(&name).is_some() {
            return Ok((Change::default(), None));
        }
        next.catalog.require_free(&name)?;
        let mut table = Table { id: next.new_id(), created_at_us: context.view.now_us(), ..definition.clone() };
        let Some(query) = &create.query else {
            next.put_table(table)?;
            return Ok((next.into_change(), None));
        };
        let rows = context.query(query_statement(query), parameters, Vec::new()).await?;
        table.columns = columns_of(&rows, &create.column_names)?;
        table_definition::finish(&mut table)?;
        let rows = read_rows(&rows, &table)?;
        let n_rows = rows.n_rows;
        let table = next.put_table(table)?;
        let partition = table.partition(context.principal);
        let mut change = next.into_change();
        change.rows.push(TableChange { table, partition, state: RowState::Live, is_new: true, rows });
        Ok((change, Some(n_rows)))
    })
    .await?;
    Ok(match n_rows {
        Some(n_rows) => StatementResult::affected("CREATE TABLE", n_rows, committed.seq),
        None => StatementResult::done("CREATE TABLE"),
    })
}

fn query_statement(query: &Query) -> SqlStatement {
    SqlStatement::Query(Box::new(query.clone()))
}

/// The table without an id; its columns come with the rows where there is a query.
fn read_definition(name: &TableName, create: &CreateTable) -> Result<Table> {
    let kind = table_options::kind(create.kind, &create.options)?;
    let mut options = TableOptions::default();
    table_options::set(&mut options, kind, &create.options)?;
    let mut table = Table {
        id: 0,
        namespace: name.namespace.clone(),
        name: name.table.clone(),
        kind,
        options,
        created_at_us: 0,
        schema_version: 1,
        columns: Vec::new(),
        primary_key: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        earlier: Vec::new(),
        fields: Vec::new(),
    };
    if create.query.is_some() {
        if !create.columns.is_empty() || !create.constraints.is_empty() {
            return Err(Error::unsupported("column types and constraints in CREATE TABLE ... AS")
                .with_hint("create the table, then INSERT INTO it ... SELECT"));
        }
        return Ok(table);
    }
    if !create.column_names.is_empty() {
        return Err(Error::new(ErrorKind::SyntaxError, "the columns have no types"));
    }
    table_definition::add_columns(&mut table, &create.columns)?;
    for constraint in &create.constraints {
        table_definition::add_constraint(&mut table, constraint)?;
    }
    Ok(table)
}

/// The columns of a table that takes a query's rows: named as the query's, or as listed.
fn columns_of(rows: &QueryRows, names: &[Ident]) -> Result<Vec<ColumnDef>> {
    let fields = rows.schema.fields();
    if names.len() > fields.len() {
        let message = format!("{} column names are listed, the query has {} columns", names.len(), fields.len());
        return Err(Error::new(ErrorKind::SyntaxError, message));
    }
    let mut columns: Vec<ColumnDef> = Vec::with_capacity(fields.len());
    for ((at, field), id) in fields.iter().enumerate().zip(1_u32..) {
        let name = names.get(at).map_or_else(|| field.name().clone(), fold);
        check_column_name(&name)
            .map_err(|error| error.with_hint("give the column another name, as in SELECT a AS b"))?;
        if columns.iter().any(|other| other.name == name) {
            let message = format!("the query has two columns {name}");
            return Err(Error::new(ErrorKind::DuplicateColumn, message)
                .with_hint("give them different names, as in SELECT a AS b"));
        }
        let sql_type = SqlType::of_field(field).ok_or_else(|| {
            Error::unsupported(format!("a column of type {}", type_name(field))).in_column(&name).with_hint("cast it")
        })?;
        columns.push(ColumnDef {
            id,
            name,
            sql_type,
            nullable: true,
            default: None,
            auto_increment: false,
            generated_always: false,
            missing: None,
        });
    }
    Ok(columns)
}

fn read_rows(rows: &QueryRows, table: &Table) -> Result<Rows> {
    let mut columns = Vec::with_capacity(table.columns.len());
    for (at, (field, definition)) in rows.schema.fields().iter().zip(&table.columns).enumerate() {
        let convert = |array: &ArrayRef| coerce(array, field, &definition.sql_type, Source::Sql);
        let parts =
            rows.batches.iter().map(|batch| convert(batch.column(at))).collect::<std::result::Result<Vec<_>, _>>();
        let parts = parts.map_err(|error| Error::from(error).in_column(&definition.name))?;
        columns.push(concatenated(&parts, || definition.sql_type.arrow())?);
    }
    Ok(Rows { columns, row_ids: None, n_rows: rows.n_rows() })
}

pub(super) async fn drop(
    context: &StatementContext<'_>,
    names: &[ObjectName],
    kind: Option<TableKind>,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let names = names.iter().map(|name| table_name(name, &context.namespace)).collect::<Result<Vec<_>>>()?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        let mut dropped: Vec<Arc<Table>> = Vec::new();
        for name in &names {
            if if_exists && next.catalog.find(name).is_none() && next.catalog.find_view(name).is_none() {
                continue;
            }
            let table = next.catalog.require_table(name)?;
            if let Some(kind) = kind.filter(|kind| *kind != table.kind) {
                let message = format!("table {name} is a {} table, not a {} table", table.kind.name(), kind.name());
                return Err(Error::new(ErrorKind::WrongObjectType, message));
            }
            if dropped.iter().all(|other| other.id != table.id) {
                dropped.push(Arc::clone(table));
            }
        }
        if dropped.is_empty() {
            return Ok(Change::default());
        }
        let views = dependents_to_drop(&next.catalog, &names, cascade)?;
        next.drop_tables(&dropped);
        next.drop_views(&views);
        Ok(next.into_change())
    })
    .await
}

/// Gives each table a new id, under which it has no rows: other tabs see that by the catalog alone.
pub(super) async fn truncate(context: &StatementContext<'_>, truncate: &Truncate) -> Result<()> {
    use datafusion::sql::sqlparser::ast::TruncateIdentityOption;
    let plain = truncate.partitions.is_none() && truncate.on_cluster.is_none() && truncate.cascade.is_none();
    if !plain || truncate.identity == Some(TruncateIdentityOption::Continue) {
        return Err(Error::unsupported("an option of TRUNCATE"));
    }
    let names = truncate
        .table_names
        .iter()
        .map(|target| table_name(&target.name, &context.namespace))
        .collect::<Result<Vec<_>>>()?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        let mut emptied: Vec<Arc<Table>> = Vec::new();
        for name in &names {
            if truncate.if_exists && next.catalog.find(name).is_none() && next.catalog.find_view(name).is_none() {
                continue;
            }
            let table = next.catalog.require_table(name)?;
            if emptied.iter().all(|other| other.id != table.id) {
                emptied.push(Arc::clone(table));
            }
        }
        if emptied.is_empty() {
            return Ok(Change::default());
        }
        next.drop_tables(&emptied);
        for table in emptied {
            let id = next.new_id();
            next.put_table(Table { id, ..Table::clone(&table) })?;
        }
        Ok(next.into_change())
    })
    .await
}
