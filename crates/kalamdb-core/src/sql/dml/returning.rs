//! RETURNING.

use std::sync::Arc;

use datafusion::arrow::array::UInt32Array;
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::sql::sqlparser::ast::{Ident, SelectItem};

use crate::catalog::Table;
use crate::change::Committed;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::snapshot_of;
use crate::result::StatementResult;
use crate::rows::Rows;
use crate::sql::parse::Parameters;
use crate::sql::plan::{QueryRows, Relation, StatementContext, engine_table, select};

/// The RETURNING clause of a statement, and what it calls the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Returning<'a> {
    pub(crate) items: Option<&'a [SelectItem]>,
    pub(crate) alias: &'a Ident,
    pub(crate) parameters: &'a Parameters,
}

impl Returning<'_> {
    /// Evaluates the clause over the rows written, which are numbered from `first_seq` on.
    ///
    /// `order` gives the rows' positions in the order in which they are returned; without it they keep theirs.
    pub(crate) async fn rows(
        &self,
        context: &StatementContext<'_>,
        table: &Arc<Table>,
        rows: Option<&Rows>,
        first_seq: u64,
        order: Option<UInt32Array>,
    ) -> Result<Option<QueryRows>> {
        let Some(items) = self.items else { return Ok(None) };
        let none = Rows {
            columns: table
                .fields
                .iter()
                .map(|field| datafusion::arrow::array::new_empty_array(field.data_type()))
                .collect(),
            row_ids: None,
            n_rows: 0,
        };
        let rows = rows.unwrap_or(&none);
        let relation = Relation {
            name: "returned",
            table: Arc::clone(table),
            rows: snapshot_of(rows, first_seq, context.view.now_us()),
            with_addresses: false,
        };
        let query = select(items.to_vec(), vec![engine_table(relation.name, self.alias)], None)?;
        let mut returned = context.query(query, self.parameters, vec![relation]).await?;
        if returned.n_rows() != rows.n_rows {
            return Err(Error::new(
                ErrorKind::GroupingError,
                "RETURNING gives one row for each row written: it cannot hold aggregates",
            ));
        }
        if let Some(order) = order {
            // An expression may be computed in another type than it was planned in.
            let schema = returned.batches.first().map_or_else(|| Arc::clone(&returned.schema), |batch| batch.schema());
            let batch = concat_batches(&schema, &returned.batches)?;
            returned.batches = vec![take_record_batch(&batch, &order)?];
        }
        Ok(Some(returned))
    }
}

/// The result of a statement that has written `n_rows` rows.
pub(super) fn result(
    command: &'static str,
    n_rows: usize,
    committed: Committed,
    returned: Option<QueryRows>,
) -> StatementResult {
    let affected = StatementResult::affected(command, n_rows, committed.seq);
    match returned {
        Some(rows) => StatementResult {
            affected_rows: affected.affected_rows,
            seq: affected.seq,
            ..StatementResult::rows(command, &rows.schema, rows.batches)
        },
        None => affected,
    }
}
