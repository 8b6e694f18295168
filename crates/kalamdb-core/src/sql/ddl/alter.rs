//! ALTER TABLE.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    AlterTable, AlterTableOperation, ColumnDef as ColumnDefAst, DropBehavior, Ident, RenameTableNameKind, SqlOption,
};

use super::alter_column::{alter_column, missing_of};
use super::dependents::dependents;
use super::next_catalog::{NextCatalog, commit};
use super::stored_rows::Verification;
use super::{column_names, table_definition, table_options};
use crate::catalog::{ColumnDef, Index, SchemaVersion, Table, TableKind, check_column_name, check_table_name};
use crate::change::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::dml::defaults;
use crate::sql::parse::{GivenOption, fold, parse_query, table_name};
use crate::sql::plan::{StatementContext, check_condition};

/// Runs the actions on a copy of the table, looks at the rows that it holds, and commits the copy: all or nothing.
pub(super) async fn alter_table(context: &StatementContext<'_>, alter: &AlterTable) -> Result<()> {
    if alter.only || alter.location.is_some() || alter.on_cluster.is_some() || alter.table_type.is_some() {
        return Err(Error::unsupported("an option of ALTER TABLE"));
    }
    let name = table_name(&alter.name, &context.namespace)?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        if alter.if_exists && next.catalog.find(&name).is_none() && next.catalog.find_view(&name).is_none() {
            return Ok(Change::default());
        }
        let old = Arc::clone(next.catalog.require_table(&name)?);
        if old.kind == TableKind::Stream {
            return Err(Error::unsupported_on_streams("ALTER"));
        }
        let mut new = next_version(&old)?;
        for action in &alter.operations {
            run_action(context, &next, &old, &mut new, action).await?;
        }
        if new.columns == old.columns {
            new.earlier.clone_from(&old.earlier);
            new.schema_version = old.schema_version;
        }
        table_definition::finish(&mut new)?;
        verify(context, &old, &new)?;
        if old.name != new.name {
            next.catalog = next.catalog.without_tables(std::slice::from_ref(&old));
        }
        next.put_table(new)?;
        Ok(next.into_change())
    })
    .await
}

/// A copy of the table whose columns are a version of their own.
fn next_version(table: &Table) -> Result<Table> {
    let mut next = table.clone();
    next.earlier.push(SchemaVersion { version: table.schema_version, columns: table.columns.clone() });
    next.schema_version = table
        .schema_version
        .checked_add(1)
        .ok_or_else(|| Error::new(ErrorKind::ProgramLimitExceeded, "the table was altered too often"))?;
    Ok(next)
}

/// Checks what is new of a table against the rows that it holds.
fn verify(context: &StatementContext<'_>, old: &Arc<Table>, new: &Table) -> Result<()> {
    let changed = |column: &ColumnDef| {
        old.columns.iter().find(|old| old.id == column.id).is_none_or(|old| old.sql_type != column.sql_type)
    };
    let is_changed = |at: &usize| new.columns.get(*at).is_some_and(changed);
    let is_new = |index: &&Index| {
        old.indexes.iter().all(|other| other.name != index.name) || index.columns.iter().any(is_changed)
    };
    let mut checks = Vec::new();
    for check in &new.checks {
        // Each is planned again, as the columns may have other types now.
        let condition = check_condition::compile(context, new, check)?;
        let mut is_affected = old.checks.iter().all(|other| other.name != check.name);
        for column in new.columns.iter().filter(|column| changed(column)) {
            is_affected |= column_names::names_column(&check.condition, &column.name)?;
        }
        if is_affected {
            checks.push((check.name.as_str(), condition));
        }
    }
    let unique = new.indexes.iter().filter(|index| index.unique).filter(is_new).collect();
    Verification { old, new, unique, checks }.run(context)
}

async fn run_action(
    context: &StatementContext<'_>,
    next: &NextCatalog,
    old: &Table,
    table: &mut Table,
    action: &AlterTableOperation,
) -> Result<()> {
    use AlterTableOperation as Action;
    match action {
        Action::AddColumn { if_not_exists, column_def, column_position: None, .. } => {
            add_column(context, table, column_def, *if_not_exists).await
        }
        Action::DropColumn { column_names, if_exists, drop_behavior, .. } => {
            if *drop_behavior == Some(DropBehavior::Cascade) {
                return Err(Error::unsupported("DROP COLUMN ... CASCADE"));
            }
            column_names.iter().try_for_each(|name| {
                refuse_if_read(next, old, &fold(name))?;
                drop_column(table, name, *if_exists)
            })
        }
        Action::RenameColumn { old_column_name, new_column_name } => {
            refuse_if_read(next, old, &fold(old_column_name))?;
            rename_column(table, old_column_name, new_column_name)
        }
        Action::RenameTable { table_name: RenameTableNameKind::To(name) | RenameTableNameKind::As(name) } => {
            let name = table_name(name, &table.namespace)?;
            check_table_name(&name)?;
            if name.namespace != table.namespace {
                return Err(Error::unsupported("moving a table to another namespace"));
            }
            next.catalog.require_free(&name)?;
            if let Some(view) = dependents(&next.catalog, &[old.full_name()]).first() {
                let message = format!("view {} reads {}", view.full_name(), old.full_name());
                return Err(Error::new(ErrorKind::DependentObjectsStillExist, message)
                    .with_hint("drop the view first, and make it again"));
            }
            table.name = name.table;
            Ok(())
        }
        Action::AlterColumn { column_name, op } => {
            let at = table.require_column(&fold(column_name))?;
            alter_column(context, old, table, at, op).await
        }
        Action::AddConstraint { constraint, not_valid: false } => {
            use datafusion::sql::sqlparser::ast::TableConstraint;
            if matches!(constraint, TableConstraint::PrimaryKey(_)) {
                return Err(Error::unsupported("adding a primary key to a table"));
            }
            table_definition::add_constraint(table, constraint)
        }
        Action::DropConstraint { if_exists, name, drop_behavior: None } => {
            drop_constraint(table, &fold(name), *if_exists)
        }
        Action::SetOptionsParens { options } => set_options(table, options),
        other => Err(Error::unsupported(format!("ALTER TABLE ... {other}"))),
    }
}

/// Refuses to take a column away from under a view: one that reads the table, and names a column like that of any of
/// its tables.
fn refuse_if_read(next: &NextCatalog, table: &Table, column: &str) -> Result<()> {
    let name = table.full_name();
    for view in next.catalog.views().filter(|view| view.reads.contains(&name)) {
        if column_names::names_column_in(&parse_query(&view.query)?, column) {
            let message = format!("view {} reads {name} and names a column {column}", view.full_name());
            return Err(Error::new(ErrorKind::DependentObjectsStillExist, message)
                .with_hint("drop the view first, and make it again"));
        }
    }
    Ok(())
}

async fn add_column(
    context: &StatementContext<'_>,
    table: &mut Table,
    column: &ColumnDefAst,
    if_not_exists: bool,
) -> Result<()> {
    if if_not_exists && table.column_index(&fold(&column.name)).is_some() {
        return Ok(());
    }
    let mut read = table_definition::read_column(column, table_definition::next_column_id(table)?)?;
    if read.is_key {
        return Err(Error::unsupported("adding a primary key to a table"));
    }
    defaults::check(context, &read.definition).await?;
    read.definition.missing = missing_of(context, &read.definition).await?;
    table_definition::add_column(table, read)
}

fn drop_column(table: &mut Table, name: &Ident, if_exists: bool) -> Result<()> {
    let name = fold(name);
    if if_exists && table.column_index(&name).is_none() {
        return Ok(());
    }
    let at = table.require_column(&name)?;
    let in_use = |by: &str| {
        let message = format!("column {name} of table {} is a part of {by}", table.full_name());
        Err(Error::new(ErrorKind::DependentObjectsStillExist, message).with_hint("drop that first"))
    };
    if table.primary_key.contains(&at) {
        return in_use("its primary key");
    }
    if let Some(index) = table.indexes.iter().find(|index| index.columns.contains(&at)) {
        return in_use(&format!("the {} {}", if index.is_constraint { "constraint" } else { "index" }, index.name));
    }
    for check in &table.checks {
        if column_names::names_column(&check.condition, &name)? {
            return in_use(&format!("the constraint {}", check.name));
        }
    }
    if table.columns.len() == 1 {
        return Err(table_definition::invalid("a table needs at least one column"));
    }
    table.columns.remove(at);
    let indexes = table.indexes.iter_mut().flat_map(|index| &mut index.columns);
    indexes.chain(&mut table.primary_key).filter(|position| **position > at).for_each(|position| *position -= 1);
    Ok(())
}

fn rename_column(table: &mut Table, from: &Ident, to: &Ident) -> Result<()> {
    let (from, to) = (fold(from), fold(to));
    let at = table.require_column(&from)?;
    check_column_name(&to)?;
    if table.column_index(&to).is_some() {
        return Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("table {} has a column {to} already", table.full_name()),
        ));
    }
    for check in &mut table.checks {
        if column_names::names_column(&check.condition, &from)? {
            check.condition = column_names::rename_column(&check.condition, &from, &to)?;
        }
    }
    if let Some(column) = table.columns.get_mut(at) {
        column.name = to;
    }
    Ok(())
}

fn drop_constraint(table: &mut Table, name: &str, if_exists: bool) -> Result<()> {
    let before = table.checks.len() + table.indexes.len();
    table.checks.retain(|check| check.name != name);
    table.indexes.retain(|index| !(index.is_constraint && index.name == name));
    if if_exists || table.checks.len() + table.indexes.len() < before {
        return Ok(());
    }
    Err(Error::new(ErrorKind::UndefinedObject, format!("table {} has no constraint {name}", table.full_name())))
}

fn set_options(table: &mut Table, options: &[SqlOption]) -> Result<()> {
    let given = options.iter().map(GivenOption::of_sql).collect::<Result<Vec<_>>>()?;
    if given.iter().any(|option| option.name == "type") {
        return Err(Error::unsupported("changing the kind of a table"));
    }
    table_options::set(&mut table.options, table.kind, &given)
}
