//! What the rows that a table holds already must satisfy when it is altered, in every user's partition.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::Schema;
use datafusion::physical_expr::PhysicalExpr;
use kalamdb_types::{Source, coerce};

use crate::call::ProgressPhase;
use crate::catalog::{ColumnDef, Index, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Chunk;
use crate::rows::{Keys, missing_values};
use crate::sql::plan::StatementContext;

/// Conditions on the rows of a table, as it was and as it will be.
pub(super) struct Verification<'a> {
    pub(super) old: &'a Arc<Table>,
    pub(super) new: &'a Table,
    pub(super) unique: Vec<&'a Index>,
    /// Conditions with their names.
    pub(super) checks: Vec<(&'a str, Arc<dyn PhysicalExpr>)>,
}

impl Verification<'_> {
    /// Looks at the live rows of every partition.
    ///
    /// # Errors
    /// `not_null_violation`, `unique_violation`, `check_violation`, those of conversions. They quote no values of a
    /// table whose rows belong to users.
    pub(super) fn run(&self, context: &StatementContext<'_>) -> Result<()> {
        if !self.looks_at_rows() {
            return Ok(());
        }
        let partitions = context.view.partitions_of(self.old.id).into_iter();
        let snapshots =
            partitions.map(|partition| context.view.snapshot(self.old, &partition)).collect::<Result<Vec<_>>>()?;
        let n_rows = snapshots.iter().flat_map(|snapshot| snapshot.iter()).map(Chunk::n_rows).sum();
        let progress = &context.call.progress;
        progress.expect(ProgressPhase::Verifying, n_rows);
        for snapshot in snapshots {
            let mut seen: Vec<HashSet<Box<[u8]>>> = self.unique.iter().map(|_| HashSet::new()).collect();
            for chunk in snapshot.iter() {
                let (columns, n_rows) = self.live_rows(chunk)?;
                if n_rows > 0 {
                    for (index, seen) in self.unique.iter().zip(&mut seen) {
                        self.check_unique(index, &columns, seen)?;
                    }
                    self.check_conditions(&columns, n_rows)?;
                }
                progress.advance(chunk.n_rows());
            }
        }
        Ok(())
    }

    fn looks_at_rows(&self) -> bool {
        let changes = |column: &ColumnDef| match self.old.columns.iter().find(|old| old.id == column.id) {
            Some(old) => old.sql_type != column.sql_type || old.nullable && !column.nullable,
            None => !column.nullable,
        };
        !self.unique.is_empty() || !self.checks.is_empty() || self.new.columns.iter().any(changes)
    }

    /// The live rows of a chunk in the new columns, each value converted or refused.
    fn live_rows(&self, chunk: &Chunk) -> Result<(Vec<ArrayRef>, usize)> {
        let visible = chunk.visible(false).map(|visible| BooleanArray::new(visible, None));
        let n_rows = visible.as_ref().map_or(chunk.n_rows(), |visible| visible.true_count());
        if n_rows == 0 {
            return Ok((Vec::new(), 0));
        }
        let column = |column: &ColumnDef| {
            let values = match self.old.columns.iter().position(|old| old.id == column.id) {
                Some(at) => {
                    let values = chunk.column(at)?;
                    let values = match &visible {
                        Some(visible) => filter(&values, visible)?,
                        None => values,
                    };
                    self.converted(&values, at, column)?
                }
                None if column.auto_increment => {
                    let message =
                        format!("adding the AUTO_INCREMENT column {} to a table that holds rows", column.name);
                    return Err(Error::unsupported(message));
                }
                None => missing_values(column, n_rows)?,
            };
            if !column.nullable && values.null_count() > 0 {
                let message =
                    format!("column {} of table {} holds NULL in some rows", column.name, self.old.full_name());
                return Err(Error::new(ErrorKind::NotNullViolation, message)
                    .with_hint("give those rows a value first, or the column a DEFAULT"));
            }
            Ok(values)
        };
        Ok((self.new.columns.iter().map(column).collect::<Result<Vec<_>>>()?, n_rows))
    }

    fn converted(&self, values: &ArrayRef, at: usize, to: &ColumnDef) -> Result<ArrayRef> {
        let Some(old) = self.old.columns.get(at).filter(|old| old.sql_type != to.sql_type) else {
            return Ok(Arc::clone(values));
        };
        coerce(values, &old.sql_type.field(&old.name, true), &to.sql_type, Source::Sql).map_err(|error| {
            let error = Error::from(error);
            if self.old.is_per_user() {
                let message = format!("some value of type {} does not convert to {}", old.sql_type, to.sql_type);
                return Error::new(error.kind(), message).in_column(&to.name);
            }
            error.in_column(&to.name)
        })
    }

    fn check_unique(&self, index: &Index, columns: &[ArrayRef], seen: &mut HashSet<Box<[u8]>>) -> Result<()> {
        let columns: Vec<ArrayRef> = index.columns.iter().filter_map(|&at| columns.get(at)).cloned().collect();
        // NULLs differ from each other.
        if Keys::of_nullable(&columns)?.into_iter().flatten().all(|key| seen.insert(key)) {
            return Ok(());
        }
        let message = format!(
            "table {} holds rows that are equal in ({}): {} cannot be unique",
            self.old.full_name(),
            self.new.column_list(&index.columns),
            index.name
        );
        Err(Error::new(ErrorKind::UniqueViolation, message))
    }

    fn check_conditions(&self, columns: &[ArrayRef], n_rows: usize) -> Result<()> {
        if self.checks.is_empty() {
            return Ok(());
        }
        let schema = Arc::new(Schema::new(self.new.fields.clone()));
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        let batch = RecordBatch::try_new_with_options(schema, columns.to_vec(), &options)?;
        for (name, condition) in &self.checks {
            let passed = condition.evaluate(&batch)?.into_array(n_rows)?;
            let passed = passed.as_boolean_opt().ok_or_else(|| Error::internal("a condition is not boolean"))?;
            // NULL passes, as in PostgreSQL.
            if passed.iter().any(|passed| passed == Some(false)) {
                let message = format!("table {} holds rows that violate {name}", self.old.full_name());
                return Err(Error::new(ErrorKind::CheckViolation, message));
            }
        }
        Ok(())
    }
}
