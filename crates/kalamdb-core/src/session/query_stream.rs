//! The rows of a query, batch by batch.

use std::fmt;
use std::rc::Rc;

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::database::Transaction;
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;

/// The rows of a query, as of one moment, batch by batch. It holds on to what it reads until it is dropped.
pub struct QueryStream {
    /// The columns; it has no rows.
    pub(super) head: StatementResult,
    pub(super) first: Option<RecordBatch>,
    /// The result of a statement that is no query.
    pub(super) whole: Option<StatementResult>,
    /// Ends with an error of the stream, as with one of a statement.
    pub(super) transaction: Option<Rc<Transaction>>,
    /// `None` after the last batch and after an error.
    pub(super) rest: Option<SendableRecordBatchStream>,
}

impl fmt::Debug for QueryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("fields", &self.head.fields).finish_non_exhaustive()
    }
}

impl QueryStream {
    /// The rows that come next, with the columns of the query; `None` after the last.
    ///
    /// # Errors
    /// What evaluation fails with; `serialization_failure` if the rows were stored anew meanwhile. The stream ends.
    pub async fn next(&mut self) -> Result<Option<StatementResult>> {
        if let Some(whole) = self.whole.take() {
            return Ok(Some(whole));
        }
        let batch = match self.first.take() {
            Some(batch) => Some(Ok(batch)),
            None => match &mut self.rest {
                Some(rest) => rest.next().await,
                None => None,
            },
        };
        match batch {
            Some(Ok(batch)) => Ok(Some(StatementResult { batches: vec![batch], ..self.head.clone() })),
            Some(Err(error)) => {
                self.rest = None;
                if let Some(transaction) = &self.transaction {
                    transaction.fail();
                }
                let error = Error::from(error);
                let is_behind = error.retry().is_some();
                let message = "the rows were stored anew while they were read";
                Err(if is_behind { Error::new(ErrorKind::SerializationFailure, message) } else { error })
            }
            None => {
                self.rest = None;
                Ok(None)
            }
        }
    }
}
