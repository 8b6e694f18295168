//! INSERT.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Insert, TableObject, Value};
use kalamdb_types::SqlType;

use super::conflict::{Conflict, Proposal};
use super::insert_columns::kept;
use super::insert_source::source;
use super::insert_target::{InsertInto, InsertTarget};
use super::returning::{Returning, result};
use super::target::ChangeTarget;
use super::write_set::{WriteSet, check};
use crate::catalog::Table;
use crate::error::{Error, Result, refuse_clauses};
use crate::functions::CAST_TO;
use crate::result::StatementResult;
use crate::sql::parse::{Overriding, Parameters, call, column_name, table_name};
use crate::sql::plan::{StatementContext, column, write};
use crate::write::check_not_null;

pub(crate) async fn run(
    context: &StatementContext<'_>,
    insert: &Insert,
    overriding: Option<Overriding>,
    parameters: &Parameters,
) -> Result<StatementResult> {
    check_clauses(insert)?;
    let TableObject::TableName(name) = &insert.table else {
        return Err(Error::unsupported("INSERT into anything but a table"));
    };
    let name = table_name(name, &context.namespace)?;
    let columns = insert.columns.iter().map(column_name).collect::<Result<Vec<_>>>()?;
    let alias = insert.table_alias.as_ref().map_or_else(|| column(&name.table), |alias| alias.alias.clone());
    let into = InsertInto { table: &name, columns: &columns, overriding };
    let on_conflict = Conflict::of(insert)?;
    let returning = Returning { items: insert.returning.as_deref(), alias: &alias, parameters };
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let target = InsertTarget::of(context, into)?;
        let InsertTarget { table, partition, .. } = &target;
        let mut counter = target.counter(context);
        let (given, n_rows) = source(context, &target, &mut counter, insert.source.as_deref(), parameters).await?;
        let proposed = target.complete(&mut counter, given, n_rows).await?;
        let (written, order) = match &on_conflict {
            None => (WriteSet { inserted: Some(proposed), ..WriteSet::default() }, None),
            Some(Conflict::Replace) => {
                let target = &ChangeTarget::of(context, &name, &alias, "REPLACE")?;
                check_not_null(table, &proposed)?;
                (Proposal { context, target, rows: &proposed }.displace()?, None)
            }
            Some(Conflict::Clause(clause)) => {
                let target = &ChangeTarget::of(context, &name, &alias, "ON CONFLICT")?;
                // A row that meets another must itself keep the constraints, whatever becomes of it.
                check_not_null(table, &proposed)?;
                let resolved = Proposal { context, target, rows: &proposed }.resolve(clause, parameters).await?;
                (resolved.written, Some(resolved.order))
            }
        };
        let checked = check(context, table, partition, written)?;
        let n_rows = checked.rows.as_ref().map_or(0, |rows| rows.n_rows);
        let returned = returning.rows(context, table, checked.rows.as_ref(), checked.first_seq, order).await?;
        Ok((kept(context, table, checked.change), (n_rows, returned)))
    })
    .await?;
    Ok(result("INSERT", n_rows, committed, returned))
}

pub(crate) fn check_clauses(insert: &Insert) -> Result<()> {
    refuse_clauses(&[
        (insert.overwrite, "INSERT OVERWRITE"),
        (insert.insert_alias.is_some(), "an alias of the rows in INSERT"),
        (insert.partitioned.is_some() || !insert.after_columns.is_empty(), "PARTITION in INSERT"),
        (!insert.assignments.is_empty(), "SET in INSERT"),
        (
            insert.priority.is_some()
                || insert.settings.is_some()
                || insert.format_clause.is_some()
                || insert.output.is_some(),
            "a clause of this INSERT",
        ),
        (
            insert.multi_table_insert_type.is_some() || !insert.multi_table_into_clauses.is_empty(),
            "INSERT into several tables",
        ),
    ])
}

/// Writes a value as one of its column's type. What is too long for the column is refused later, where a cast would cut
/// it off.
pub(super) fn convert(value: &mut Expr, table: &Table, target: usize) {
    let Some(definition) = table.columns.get(target) else { return };
    let sql_type = match definition.sql_type {
        SqlType::Varchar(_) => SqlType::Text,
        // All digits of a number count, which a call does not see.
        other
            if other.arrow().is_numeric()
                && !matches!(value, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_))) =>
        {
            return;
        }
        other => other,
    };
    let name = Expr::value(Value::SingleQuotedString(sql_type.to_string()));
    *value = call(Ident::new(CAST_TO), vec![std::mem::replace(value, Expr::value(Value::Null)), name]);
}

pub(crate) fn concatenated(
    parts: &[ArrayRef],
    data_type: impl FnOnce() -> datafusion::arrow::datatypes::DataType,
) -> Result<ArrayRef> {
    match parts {
        [] => Ok(datafusion::arrow::array::new_empty_array(&data_type())),
        [only] => Ok(Arc::clone(only)),
        parts => {
            let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
            Ok(concat(&parts)?)
        }
    }
}
