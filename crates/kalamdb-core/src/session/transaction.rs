//! The transaction that a session is in, if it is in one.

use std::cell::RefCell;
use std::rc::Rc;

use kalamdb_store::Durability;

use crate::database::{Database, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;
use crate::sql::parse::TransactionControl;
use crate::write::commit_transaction;

/// The transaction that a session is in, if it is in one.
#[derive(Debug, Default)]
pub(super) struct SessionTransaction(RefCell<Option<Rc<Transaction>>>);

impl SessionTransaction {
    /// The transaction that a statement is to run in.
    ///
    /// # Errors
    /// `in_failed_transaction` if an earlier statement of it has failed.
    pub(crate) fn current(&self) -> Result<Option<Rc<Transaction>>> {
        let current = self.0.borrow().clone();
        match current {
            Some(transaction) if transaction.is_failed() => Err(Error::new(
                ErrorKind::InFailedTransaction,
                "an earlier statement of the transaction has failed, and the transaction takes no more",
            )
            .with_hint("end it with ROLLBACK, or go back to a savepoint with ROLLBACK TO")),
            current => Ok(current),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Begins one that has failed already.
    pub(crate) fn mark_lost(&self, database: &Database) {
        let transaction = Transaction::begin(database);
        transaction.fail();
        *self.0.borrow_mut() = Some(Rc::new(transaction));
    }

    pub(crate) async fn run(&self, database: &Database, control: &TransactionControl) -> Result<StatementResult> {
        match control {
            TransactionControl::Begin => {
                database.check_open()?;
                if self.0.borrow().is_some() {
                    return Err(invalid("a transaction is open already")
                        .with_hint("end it with COMMIT or ROLLBACK, or use SAVEPOINT within it"));
                }
                database.refresh().await?;
                *self.0.borrow_mut() = Some(Rc::new(Transaction::begin(database)));
                Ok(StatementResult::done("BEGIN"))
            }
            TransactionControl::Commit => self.commit(database, database.durability()).await,
            TransactionControl::Rollback => {
                let transaction = self.open("ROLLBACK")?;
                let _statements = transaction.statements().await;
                self.0.borrow_mut().take();
                Ok(StatementResult::done("ROLLBACK"))
            }
            TransactionControl::Savepoint(name) => {
                let transaction = self.current()?.ok_or_else(|| outside("SAVEPOINT"))?;
                let _statements = transaction.statements().await;
                transaction.save(name.clone());
                Ok(StatementResult::done("SAVEPOINT"))
            }
            TransactionControl::RollbackTo(name) => {
                let transaction = self.open("ROLLBACK TO")?;
                let _statements = transaction.statements().await;
                transaction.roll_back_to(name)?;
                Ok(StatementResult::done("ROLLBACK"))
            }
            TransactionControl::Release(name) => {
                let transaction = self.current()?.ok_or_else(|| outside("RELEASE"))?;
                let _statements = transaction.statements().await;
                transaction.release(name)?;
                Ok(StatementResult::done("RELEASE"))
            }
        }
    }

    /// Commits; the transaction is over whether that succeeds or not. One that has failed is rolled back instead.
    pub(crate) async fn commit(&self, database: &Database, durability: Durability) -> Result<StatementResult> {
        let transaction = self.open("COMMIT")?;
        let _statements = transaction.statements().await;
        self.0.borrow_mut().take();
        if transaction.is_failed() {
            return Ok(StatementResult::done("ROLLBACK"));
        }
        let committed = commit_transaction(database, &transaction, durability).await?;
        Ok(StatementResult { seq: committed.seq, ..StatementResult::done("COMMIT") })
    }

    fn open(&self, what: &str) -> Result<Rc<Transaction>> {
        self.0.borrow().clone().ok_or_else(|| outside(what))
    }
}

fn outside(what: &str) -> Error {
    invalid(format!("{what} outside of a transaction")).with_hint("BEGIN starts one")
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidTransactionState, message)
}
