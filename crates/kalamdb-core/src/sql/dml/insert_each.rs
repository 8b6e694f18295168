//! One INSERT with many sets of parameters, in one change.

use std::ops::Range;

use datafusion::sql::sqlparser::ast::{Expr, Insert, ObjectName, TableObject};

use super::insert::check_clauses;
use super::insert_columns::{Block, change_of_columns};
use super::insert_target::InsertInto;
use super::literals::Cell;
use super::{conflict, literals};
use crate::catalog::Table;
use crate::change::Change;
use crate::database::{ReadView, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;
use crate::sql::parse::{Command, Overriding, Parameters, Request, column_name, plain_values, table_name};
use crate::sql::plan::{StatementContext, write};

/// An INSERT of one row of literals and parameters: many of them come to the same as one of many rows, but that each
/// fails alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchedInsert<'a> {
    insert: &'a Insert,
    table: &'a ObjectName,
    overriding: Option<Overriding>,
    row: &'a [Expr],
}

impl<'a> BatchedInsert<'a> {
    /// The request as such an INSERT, if it is one.
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        let Request::Database(Command::Insert { statement: insert, overriding }) = request else { return None };
        let TableObject::TableName(table) = &insert.table else { return None };
        let is_plain = insert.returning.is_none()
            && matches!(conflict::Conflict::of(insert), Ok(None))
            && check_clauses(insert).is_ok();
        let values = insert.source.as_deref().filter(|_| is_plain).and_then(plain_values)?;
        let [row] = values.rows.as_slice() else { return None };
        let row = row.content.as_slice();
        let is_plain =
            (insert.columns.is_empty() || insert.columns.len() == row.len()) && row.iter().all(literals::is_literal);
        is_plain.then_some(Self { insert, table, overriding: *overriding, row })
    }

    /// Inserts a row for each set of parameters, as one INSERT after the other would; gives the outcome of each.
    ///
    /// # Errors
    /// What no set of parameters is to blame for, the store's for instance: nothing is inserted then.
    pub(crate) async fn run(
        self,
        context: &StatementContext<'_>,
        sets: &[Parameters],
    ) -> Result<Vec<Result<StatementResult>>> {
        let columns = self.insert.columns.iter().map(column_name).collect::<Result<Vec<_>>>()?;
        let table = &table_name(self.table, &context.namespace)?;
        let into = InsertInto { table, columns: &columns, overriding: self.overriding };
        let (committed, (accepted, errors)) = write(context, async |context| {
            let database = context.view.database;
            let (mut change, mut accepted, mut errors) = (Change::default(), Vec::new(), Vec::new());
            let mut earlier: Option<Transaction> = None;
            let mut untried = Vec::from_iter((!sets.is_empty()).then_some(0..sets.len()));
            // All of them at first. Where that fails, the first half, then the second on top of what is accepted of
            // that.
            while let Some(range) = untried.pop() {
                let view = earlier.as_ref().map_or(context.view, |earlier| ReadView::over(database, earlier));
                let tried = sets.get(range.clone()).unwrap_or_default();
                match self.change(&context.seeing(view), into, tried).await {
                    Ok(part) => {
                        if !untried.is_empty() {
                            earlier.get_or_insert_with(|| context.view.fork()).apply(database, part.clone())?;
                        }
                        change.append(part);
                        accepted.extend(range);
                    }
                    Err(error) if error.retry().is_some() || !error.kind().is_of_values() => return Err(error),
                    Err(_) if range.len() > 1 => untried.extend(halves(range)),
                    Err(error) => errors.push((range.start, error)),
                }
            }
            Ok((change, (accepted, errors)))
        })
        .await?;
        let n_rows = accepted.len() as u64;
        let seq = |at: u64| committed.seq.map(|last| last + 1 + at - n_rows);
        let mut results: Vec<(usize, Result<StatementResult>)> =
            errors.into_iter().map(|(row, error)| (row, Err(error))).collect();
        results.extend((0..).zip(accepted).map(|(at, row)| (row, Ok(StatementResult::affected("INSERT", 1, seq(at))))));
        results.sort_unstable_by_key(|(row, _)| *row);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// What inserting a row for each of these sets changes.
    async fn change(
        &self,
        context: &StatementContext<'_>,
        into: InsertInto<'_>,
        sets: &[Parameters],
    ) -> Result<Change> {
        let block = Block { n_rows: sets.len(), n_columns: self.row.len() };
        let mut convert = |table: &Table, position: usize, target: usize| {
            let definition = table.columns.get(target).filter(|_| self.row.len() <= table.columns.len());
            let (Some(definition), Some(expr)) = (definition, self.row.get(position)) else {
                return Err(Error::new(ErrorKind::SyntaxError, "INSERT gives more values than there are columns"));
            };
            let cells: Vec<Cell<'_>> = sets.iter().filter_map(|set| literals::cell(expr, set)).collect();
            literals::column(&cells.iter().collect::<Vec<_>>(), &definition.sql_type)
                .map_err(|error| error.in_column(&definition.name))
        };
        change_of_columns(context, into, block, &mut convert).await
    }
}

/// The second half below the first.
fn halves(range: Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start + range.len() / 2;
    [middle..range.end, range.start..middle]
}
