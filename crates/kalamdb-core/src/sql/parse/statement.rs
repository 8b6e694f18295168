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
/// What a statement asks of the database.
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
    Maintain(Maintenance),
    /// SHOW and DESCRIBE.
    Show(Box<Show>),
    /// A statement to run as a user, by the user's id.
    ExecuteAs {
        user: String,
        command: Box<Command>,
    },
}

/// What a statement asks of its session.
#[derive(Debug, Clone)]
pub(crate) enum SessionCommand {
    /// USE: the namespace becomes the current one.
    Use(ObjectName),
    Transaction(TransactionControl),
}

/// FLUSH, or COMPACT, of one table or of all.
#[derive(Debug, Clone)]
pub(crate) struct Maintenance {
    /// `None`: all tables.
    pub(crate) table: Option<ObjectName>,
    pub(crate) compacts: bool,
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
            Command::Maintain(maintenance) => maintenance.tag(),
            Command::Show(show) => show.tag(),
            Command::ExecuteAs { command, .. } | Command::With { command, .. } => command.tag(),
        }
    }
}

impl Maintenance {
    /// The word that results carry, as in PostgreSQL's command tags.
    pub(crate) fn tag(&self) -> &'static str {
        match (self.table.is_some(), self.compacts) {
            (true, false) => "FLUSH TABLE",
            (false, false) => "STORAGE FLUSH ALL",
            (true, true) => "STORAGE COMPACT TABLE",
            (false, true) => "STORAGE COMPACT ALL",
        }
    }
}

impl SessionCommand {
    /// The word that results carry, as in PostgreSQL's command tags.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            SessionCommand::Use(_) => "USE",
            SessionCommand::Transaction(control) => control.tag(),
        }
    }
}

impl TransactionControl {
    /// The word that results carry, as in PostgreSQL's command tags.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            TransactionControl::Begin => "BEGIN",
            TransactionControl::Commit => "COMMIT",
            TransactionControl::Rollback | TransactionControl::RollbackTo(_) => "ROLLBACK",
            TransactionControl::Savepoint(_) => "SAVEPOINT",
            TransactionControl::Release(_) => "RELEASE",
        }
    }
}

/// What a statement asks, and whom.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Database(Command),
    Session(SessionCommand),
}

#[cfg(test)]
impl Request {
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Request::Database(command) => command.tag(),
            Request::Session(command) => command.tag(),
        }
    }
}

/// A parsed statement and how many parameters it names.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) request: Request,
    pub(crate) n_params: usize,
}
