//! The rows that an UPDATE or DELETE is about: found by a query that DataFusion plans, whatever its WHERE holds.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{FieldRef, UInt64Type};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, SelectItem, TableFactor, TableWithJoins, Value};

use super::insert::concatenated;
use super::literals;
use crate::catalog::{PartitionId, Table, TableKind, TableName};
use crate::error::{Error, Result};
use crate::partition::{RowAddress, Snapshot};
use crate::sql::parse::{Parameters, table_name};
use crate::sql::plan::{KeyEquality, Relation, StatementContext, column, engine_table, select};
use crate::tables::ADDRESS_COLUMN;

/// The name of the target in [`crate::sql::plan::ENGINE_NAMESPACE`].
const TARGET: &str = "target";

/// The name of the table that a statement changes, and what the statement calls it.
#[derive(Debug)]
pub(super) struct TargetName {
    pub(super) table: TableName,
    pub(super) alias: Ident,
}

/// The table that a statement changes, and its rows.
#[derive(Debug, Clone)]
pub(super) struct ChangeTarget {
    pub(super) table: Arc<Table>,
    pub(super) partition: PartitionId,
    pub(super) rows: Snapshot,
    /// What the statement calls the table.
    pub(super) alias: Ident,
}

/// Which of the target's rows a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowFilter {
    Live,
    Deleted,
}

impl TargetName {
    pub(super) fn read(context: &StatementContext<'_>, from: &TableWithJoins) -> Result<Self> {
        if !from.joins.is_empty() {
            return Err(Error::unsupported("a join in the place of the table that is written to"));
        }
        let TableFactor::Table {
            name,
            alias,
            args: None,
            sample: None,
            version: None,
            partitions,
            index_hints,
            with_hints,
            ..
        } = &from.relation
        else {
            return Err(Error::unsupported("writing to anything but a table"));
        };
        if !partitions.is_empty() || !index_hints.is_empty() || !with_hints.is_empty() {
            return Err(Error::unsupported("a partition or hint on the table that is written to"));
        }
        let table = table_name(name, &context.namespace)?;
        let alias = match alias {
            Some(alias) if alias.columns.is_empty() => alias.name.clone(),
            Some(_) => return Err(Error::unsupported("column aliases on the table that is written to")),
            None => Ident::with_quote('"', &table.table),
        };
        Ok(Self { table, alias })
    }
}

impl ChangeTarget {
    /// # Errors
    /// Those of [`StatementContext::writable`]; `feature_not_supported` of a stream.
    pub(super) fn of(context: &StatementContext<'_>, name: &TableName, alias: &Ident, statement: &str) -> Result<Self> {
        let (table, partition) = context.writable(name)?;
        if table.kind == TableKind::Stream {
            return Err(Error::unsupported_on_streams(statement));
        }
        let rows = context.view.snapshot(&table, &partition)?;
        Ok(Self { table, partition, rows, alias: alias.clone() })
    }

    /// Finds the rows that `selection` chooses among the target joined with `others`, each once, with the value of each
    /// expression.
    pub(super) async fn find(&self, context: &StatementContext<'_>, search: Search<'_>) -> Result<Found> {
        match self.find_by_key(context, search)? {
            Some(found) => Ok(found),
            None => self.find_with(context, search, Vec::new()).await,
        }
    }

    /// The same with relations of the engine's own among `others`.
    pub(super) async fn find_with(
        &self,
        context: &StatementContext<'_>,
        search: Search<'_>,
        mut relations: Vec<Relation>,
    ) -> Result<Found> {
        let address = Expr::CompoundIdentifier(vec![self.alias.clone(), column(ADDRESS_COLUMN)]);
        let value = |(at, value): (usize, &Expr)| SelectItem::ExprWithAlias {
            expr: value.clone(),
            alias: column(&format!("\0value{at}")),
        };
        let items = std::iter::once(SelectItem::UnnamedExpr(address))
            .chain(search.values.iter().enumerate().map(value))
            .collect();
        let from = std::iter::once(engine_table(TARGET, &self.alias)).chain(search.others.iter().cloned()).collect();
        let mut selection = search.selection.cloned();
        if search.filter == RowFilter::Deleted {
            // Naming the column brings the tombstones in.
            let deleted = Expr::CompoundIdentifier(vec![self.alias.clone(), column("_deleted")]);
            let deleted = Expr::BinaryOp {
                left: Box::new(deleted),
                op: BinaryOperator::Eq,
                right: Box::new(Expr::value(Value::Boolean(true))),
            };
            selection = Some(match selection {
                Some(selection) => Expr::BinaryOp {
                    left: Box::new(deleted),
                    op: BinaryOperator::And,
                    right: Box::new(Expr::Nested(Box::new(selection))),
                },
                None => deleted,
            });
        }
        relations.push(Relation {
            name: TARGET,
            table: Arc::clone(&self.table),
            rows: Arc::clone(&self.rows),
            with_addresses: true,
        });
        let rows = context.query(select(items, from, selection)?, search.parameters, relations).await?;
        let is_wanted = |address: RowAddress| {
            let is_deleted = self.rows.get(address.chunk()).is_some_and(|chunk| chunk.is_deleted(address.row()));
            is_deleted == (search.filter == RowFilter::Deleted)
        };
        let (mut seen, mut addresses, mut batches) = (HashSet::new(), Vec::new(), Vec::new());
        for batch in &rows.batches {
            let found = batch
                .column(0)
                .as_primitive_opt::<UInt64Type>()
                .ok_or_else(|| Error::internal("row addresses are integers"))?;
            let found = found.values().iter().map(|address| RowAddress(*address));
            let kept: BooleanArray = found.map(|address| Some(is_wanted(address) && seen.insert(address))).collect();
            let batch = filter_record_batch(batch, &kept)?;
            let column = batch.column(0).as_primitive::<UInt64Type>();
            addresses.extend(column.values().iter().map(|address| RowAddress(*address)));
            batches.push(batch);
        }
        let values = rows
            .schema
            .fields()
            .iter()
            .enumerate()
            .skip(1)
            .map(|(at, field)| {
                let parts: Vec<ArrayRef> = batches.iter().map(|batch| Arc::clone(batch.column(at))).collect();
                Ok((concatenated(&parts, || field.data_type().clone())?, Arc::clone(field)))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Found { addresses, values })
    }

    /// Finds a row by its key alone, where the values are constant; `None` leaves it to the planner.
    fn find_by_key(&self, context: &StatementContext<'_>, search: Search<'_>) -> Result<Option<Found>> {
        let Search { filter, parameters, .. } = search;
        let Some(key) = search.selection.filter(|_| search.others.is_empty()).and_then(KeyEquality::of) else {
            return Ok(None);
        };
        let Some(values) =
            search.values.iter().map(|value| literals::constant(value, parameters)).collect::<Option<Vec<_>>>()
        else {
            return Ok(None);
        };
        let Some(keys) = key.keys(&self.table, parameters)? else { return Ok(None) };
        let found = context.view.find(&self.table, &self.partition, &keys)?.into_iter().next().flatten();
        if filter == RowFilter::Deleted && found.is_some_and(|found| !found.is_deleted) {
            // A deleted row may have had the key before.
            return Ok(None);
        }
        let found = found.filter(|found| found.is_deleted == (filter == RowFilter::Deleted));
        let addresses = Vec::from_iter(found.map(|found| found.address));
        let values = values.into_iter().map(|(value, field)| (value.slice(0, addresses.len()), field)).collect();
        Ok(Some(Found { addresses, values }))
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) filter: RowFilter,
    /// Computed for each row found.
    pub(super) values: &'a [Expr],
    /// The tables of FROM or USING.
    pub(super) others: &'a [TableWithJoins],
    pub(super) selection: Option<&'a Expr>,
    pub(super) parameters: &'a Parameters,
}

/// Rows found, and the values computed for them.
#[derive(Debug)]
pub(super) struct Found {
    pub(crate) addresses: Vec<RowAddress>,
    pub(crate) values: Vec<(ArrayRef, FieldRef)>,
}
