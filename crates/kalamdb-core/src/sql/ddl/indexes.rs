//! CREATE INDEX and DROP INDEX.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{CreateIndex, IndexType, ObjectName};

use super::next_catalog::{NextCatalog, commit};
use super::stored_rows::Verification;
use super::table_definition::read_index_columns;
use crate::catalog::{Catalog, Index, Table, TableKind, TableName, check_constraint_name};
use crate::change::Change;
use crate::error::{Error, ErrorKind, Result, refuse_clauses};
use crate::sql::parse::table_name;
use crate::sql::plan::StatementContext;

pub(super) async fn create(context: &StatementContext<'_>, create: &CreateIndex) -> Result<()> {
    check_clauses(create)?;
    let name = table_name(&create.table_name, &context.namespace)?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        let old = Arc::clone(next.catalog.require_table(&name)?);
        if old.kind == TableKind::Stream {
            return Err(Error::unsupported("an index on a stream table"));
        }
        let columns = read_index_columns(&create.columns, &old, "the index")?;
        let index_name = index_name(create, &old, &next.catalog, &columns)?;
        check_constraint_name(&index_name)?;
        if is_taken(&next.catalog, &old.namespace, &index_name) {
            if create.if_not_exists {
                return Ok(Change::default());
            }
            return Err(Error::new(
                ErrorKind::DuplicateObject,
                format!("index {index_name} already exists in namespace {}", old.namespace),
            ));
        }
        let mut new = Table::clone(&old);
        new.indexes.push(Index { name: index_name, columns, unique: create.unique, is_constraint: false });
        let unique = new.indexes.last().filter(|index| index.unique).into_iter().collect();
        Verification { old: &old, new: &new, unique, checks: vec![] }.run(context)?;
        next.put_table(new)?;
        Ok(next.into_change())
    })
    .await
}

fn check_clauses(create: &CreateIndex) -> Result<()> {
    let is_tree = create.using.as_ref().is_none_or(|using| *using == IndexType::BTree);
    refuse_clauses(&[
        (!is_tree, "an index type other than BTREE"),
        (create.concurrently, "CREATE INDEX CONCURRENTLY"),
        (!create.include.is_empty(), "INCLUDE in CREATE INDEX"),
        (create.nulls_distinct == Some(false), "NULLS NOT DISTINCT"),
        (create.predicate.is_some(), "an index with a WHERE clause"),
        (
            !create.with.is_empty() || !create.index_options.is_empty() || !create.alter_options.is_empty(),
            "an option of CREATE INDEX",
        ),
    ])
}

/// The name given, or one made of the table's and the columns'.
fn index_name(create: &CreateIndex, table: &Table, catalog: &Catalog, columns: &[usize]) -> Result<String> {
    if let Some(name) = &create.name {
        let name = table_name(name, &table.namespace)?;
        if name.namespace != table.namespace {
            let message = format!("index {name} cannot be in another namespace than its table {}", table.full_name());
            return Err(Error::new(ErrorKind::InvalidName, message));
        }
        return Ok(name.table);
    }
    let base = format!("{}_{}_idx", table.name, table.column_names(columns).join("_"));
    let base: String = base.chars().take(54).collect();
    let numbered = (1_u32..).map(|number| format!("{base}{number}"));
    let name = std::iter::once(base.clone()).chain(numbered).find(|name| !is_taken(catalog, &table.namespace, name));
    name.ok_or_else(|| Error::internal("every name is taken"))
}

/// Whether an index, a constraint or a primary key has that name.
fn is_taken(catalog: &Catalog, namespace: &str, name: &str) -> bool {
    let is_key = |table: &Arc<Table>| table.has_primary_key() && table.primary_key_name() == name;
    find(catalog, namespace, name).is_some() || catalog.tables_in(namespace).any(is_key)
}

/// The index of that name in a namespace, and its table; a constraint, whose name is unique in its table only, if there
/// is no other.
fn find<'a>(catalog: &'a Catalog, namespace: &'a str, name: &str) -> Option<(&'a Arc<Table>, &'a Index)> {
    let named = || {
        catalog
            .tables_in(namespace)
            .filter_map(|table| Some((table, table.indexes.iter().find(|index| index.name == name)?)))
    };
    named().find(|(_, index)| !index.is_constraint).or_else(|| named().next())
}

pub(super) async fn drop(context: &StatementContext<'_>, names: &[ObjectName], if_exists: bool) -> Result<()> {
    let names: Vec<TableName> =
        names.iter().map(|name| table_name(name, &context.namespace)).collect::<Result<Vec<_>>>()?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        let mut changed = false;
        for name in &names {
            let Some((table, index)) = find(&next.catalog, &name.namespace, &name.table) else {
                if if_exists {
                    continue;
                }
                return Err(Error::new(ErrorKind::UndefinedObject, format!("index {name} does not exist")));
            };
            if index.is_constraint {
                let message = format!("index {name} is a UNIQUE constraint of table {}", table.full_name());
                return Err(Error::new(ErrorKind::DependentObjectsStillExist, message)
                    .with_hint("use ALTER TABLE ... DROP CONSTRAINT"));
            }
            let mut table = Table::clone(table);
            table.indexes.retain(|index| index.name != name.table);
            next.put_table(table)?;
            changed = true;
        }
        Ok(if changed { next.into_change() } else { Change::default() })
    })
    .await
}
