//! Statements by kind.

use datafusion::sql::sqlparser::ast::{Delete, Insert, ObjectName, Statement as SqlStatement, Update, With};

use super::definition::Definition;
use super::show::Show;

/// What becomes of values for columns that are generated, where an INSERT says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overriding {
    /// The values given are taken.
    SystemValue,
    /// The values given are not.
    UserValue,
}
/// What a statement asks for.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// SELECT, VALUES, TABLE, WITH.
    Query(Box<SqlStatement>),
    /// EXPLAIN of a query.
    Explain(Box<SqlStatement>),
    Insert {
        statement: Box<Insert>,
        overriding: Option<Overriding>,
    },
    Update(Box<Update>),
    Delete(Box<Delete>),
    /// INSERT, UPDATE or DELETE behind a WITH.
    With {
        with: Box<With>,
        command: Box<Command>,
    },
    /// Brings deleted rows back; it has the clauses of a DELETE.
    Undelete(Box<Delete>),
    /// CREATE, ALTER, DROP, TRUNCATE.
    Define(Box<Definition>),
    Use(ObjectName),
    /// SHOW and DESCRIBE.
    Show(Box<Show>),
    /// A statement to run as a user, by the user's id.
    ExecuteAs {
        user: String,
        command: Box<Command>,
    },
    Transaction(TransactionControl),
}

/// Statements about the session's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TransactionControl {
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    RollbackTo(String),
    Release(String),
}

impl Command {
    /// The word that results carry, as in PostgreSQL's command tags.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Command::Query(_) => "SELECT",
            Command::Explain(_) => "EXPLAIN",
            Command::Insert { .. } => "INSERT",
            Command::Update(_) => "UPDATE",
            Command::Delete(_) => "DELETE",
            Command::Undelete(_) => "UNDELETE",
            Command::Define(definition) => definition.tag(),
            Command::Use(_) => "USE",
            Command::Show(show) => show.tag(),
            Command::ExecuteAs { command, .. } | Command::With { command, .. } => command.tag(),
            Command::Transaction(TransactionControl::Begin) => "BEGIN",
            Command::Transaction(TransactionControl::Commit) => "COMMIT",
            Command::Transaction(TransactionControl::Rollback | TransactionControl::RollbackTo(_)) => "ROLLBACK",
            Command::Transaction(TransactionControl::Savepoint(_)) => "SAVEPOINT",
            Command::Transaction(TransactionControl::Release(_)) => "RELEASE",
        }
    }
}

/// A parsed statement and how many parameters it names.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) command: Command,
    pub(crate) n_params: usize,
}
