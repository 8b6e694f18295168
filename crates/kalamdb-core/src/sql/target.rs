//! The rows that an UPDATE or DELETE is about: found by a query that DataFusion plans, whatever its WHERE holds.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{FieldRef, UInt64Type};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, SelectItem, SetExpr, Statement as SqlStatement, TableAlias, TableFactor, TableWithJoins,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::Parameters;
use super::execute::Executor;
use super::insert::concatenated;
use super::names::table_name;
use super::scope::TARGET_NAMESPACE;
use crate::catalog::TableName;
use crate::error::{Error, Result};
use crate::partition::RowAddress;
use crate::tables::ADDRESS_COLUMN;

/// The table that a statement writes to, and what the statement calls it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: TableName,
    alias: Ident,
    table: ObjectName,
}

impl Target {
    pub(super) fn read(executor: &Executor<'_>, from: &TableWithJoins) -> Result<Self> {
        if !from.joins.is_empty() {
            return Err(Error::unsupported("a join in the place of the table that is written to"));
        }
        let TableFactor::Table { name, alias, args: None, sample: None, version: None, partitions, index_hints, with_hints, .. } = &from.relation
        else {
            return Err(Error::unsupported("writing to anything but a table"));
        };
        if !partitions.is_empty() || !index_hints.is_empty() || !with_hints.is_empty() {
            return Err(Error::unsupported("a partition or hint on the table that is written to"));
        }
        let target = table_name(name, &executor.namespace)?;
        let alias = match alias {
            Some(alias) if alias.columns.is_empty() => alias.name.clone(),
            Some(_) => return Err(Error::unsupported("column aliases on the table that is written to")),
            None => Ident::with_quote('"', &target.table),
        };
        Ok(Self { name: target, alias, table: name.clone() })
    }

    /// The query `SELECT address, values... FROM target WHERE selection`.
    fn query(&self, values: &[Expr], selection: Option<&Expr>) -> Result<SqlStatement> {
        // Parsed rather than built, so that every clause of a SELECT that is not set here has its default.
        let mut statement = Parser::parse_sql(&GenericDialect {}, "SELECT 1 FROM t AS t")?.pop().ok_or_else(|| Error::internal("no template"))?;
        let SqlStatement::Query(query) = &mut statement else { return Err(Error::internal("the template is a query")) };
        let SetExpr::Select(select) = &mut *query.body else { return Err(Error::internal("the template is a SELECT")) };
        let column = |ident: &str| Ident::with_quote('"', ident);
        let address = Expr::CompoundIdentifier(vec![self.alias.clone(), column(ADDRESS_COLUMN)]);
        select.projection = std::iter::once(SelectItem::UnnamedExpr(address))
            .chain(
                values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| SelectItem::ExprWithAlias { expr: value.clone(), alias: column(&format!("\0value{at}")) }),
            )
            .collect();
        select.selection = selection.cloned();
        if let Some(TableFactor::Table { name, alias: Some(TableAlias { name: alias, .. }), .. }) =
            select.from.first_mut().map(|from| &mut from.relation)
        {
            let table = self.table.0.last().cloned().unwrap_or_else(|| ObjectNamePart::Identifier(self.alias.clone()));
            *name = ObjectName(vec![ObjectNamePart::Identifier(column(TARGET_NAMESPACE)), table]);
            *alias = self.alias.clone();
        }
        Ok(statement)
    }

    /// Finds the rows that `selection` chooses, each once, with the value of each expression.
    pub(super) async fn find(&self, executor: &Executor<'_>, values: &[Expr], selection: Option<&Expr>, parameters: &Parameters) -> Result<Found> {
        let statement = self.query(values, selection)?;
        let rows = executor.query(statement, parameters, Some(self.name.clone())).await?;
        let mut addresses = Vec::new();
        for batch in &rows.batches {
            let column = batch.column(0).as_primitive_opt::<UInt64Type>().ok_or_else(|| Error::internal("row addresses are integers"))?;
            addresses.extend(column.values().iter().map(|address| RowAddress(*address)));
        }
        let values = rows
            .schema
            .fields()
            .iter()
            .enumerate()
            .skip(1)
            .map(|(at, field)| {
                let parts: Vec<ArrayRef> = rows.batches.iter().map(|batch| Arc::clone(batch.column(at))).collect();
                Ok((concatenated(&parts, || field.data_type().clone())?, Arc::clone(field)))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Found { addresses, values })
    }
}

/// Rows found, and the values computed for them.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) addresses: Vec<RowAddress>,
    pub(super) values: Vec<(ArrayRef, FieldRef)>,
}
