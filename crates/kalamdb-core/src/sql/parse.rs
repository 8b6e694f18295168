use datafusion::sql::sqlparser::ast::{
    CreateTable, Delete, DescribeAlias, Insert, ObjectName, ObjectType, SchemaName, Statement as SqlStatement, TransactionAccessMode,
    TransactionMode, Update, Use,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::complexity::{self, MAX_SQL_BYTES};
use super::dialect::SqlDialect;
use super::names::fold;
use super::parameters::number_placeholders;
use crate::error::{Error, ErrorKind, Location, Result};

/// How deep the parser itself may recurse.
const PARSER_RECURSION: usize = 100;

/// What a statement asks for.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// SELECT, VALUES, TABLE, WITH.
    Query(Box<SqlStatement>),
    /// EXPLAIN of a query.
    Explain(Box<SqlStatement>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    CreateTable(Box<CreateTable>),
    DropTables {
        names: Vec<ObjectName>,
        if_exists: bool,
    },
    CreateNamespace {
        name: ObjectName,
        if_not_exists: bool,
    },
    DropNamespace {
        name: ObjectName,
        if_exists: bool,
        cascade: bool,
    },
    Use(ObjectName),
    ShowNamespaces,
    ShowTables(Box<SqlStatement>),
    Describe(ObjectName),
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
            Command::Insert(_) => "INSERT",
            Command::Update(_) => "UPDATE",
            Command::Delete(_) => "DELETE",
            Command::CreateTable(_) => "CREATE TABLE",
            Command::DropTables { .. } => "DROP TABLE",
            Command::CreateNamespace { .. } => "CREATE NAMESPACE",
            Command::DropNamespace { .. } => "DROP NAMESPACE",
            Command::Use(_) => "USE",
            Command::ShowNamespaces | Command::ShowTables(_) => "SHOW",
            Command::Describe(_) => "DESCRIBE",
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

/// Parses a text of any number of statements; nothing is run before all of it parses.
///
/// # Errors
/// `syntax_error` with its place, `statement_too_complex`, `program_limit_exceeded`, `feature_not_supported`.
pub(crate) fn parse(sql: &str) -> Result<Vec<Statement>> {
    if sql.len() > MAX_SQL_BYTES {
        let message = format!("the SQL text has {} bytes; at most {MAX_SQL_BYTES} are taken", sql.len());
        return Err(Error::new(ErrorKind::ProgramLimitExceeded, message).with_hint("insert many rows with insert(), which has no such limit"));
    }
    let dialect = SqlDialect;
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
        let location = Location { line: error.location.line, column: error.location.column };
        Error::new(ErrorKind::SyntaxError, error.message).with_location(Some(location))
    })?;
    complexity::check(&tokens)?;
    let mut parser = Parser::new(&dialect).with_recursion_limit(PARSER_RECURSION).with_tokens_with_locations(tokens);
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Ok(statements);
        }
        let start = Location { line: next.span.start.line, column: next.span.start.column };
        let statement = parse_one(&mut parser).map_err(|error| match error.kind() {
            ErrorKind::FeatureNotSupported => error.with_location(Some(start)),
            _ => error,
        })?;
        if !matches!(parser.peek_token().token, Token::SemiColon | Token::EOF) {
            return Err(parser.expected::<()>("end of statement", parser.peek_token()).map_or_else(Error::from, |()| Error::internal("no error")));
        }
        statements.push(statement);
    }
}

fn parse_one(parser: &mut Parser<'_>) -> Result<Statement> {
    if let Some(command) = parse_own(parser)? {
        return Ok(Statement { command, n_params: 0 });
    }
    let mut statement = parser.parse_statement()?;
    let n_params = number_placeholders(&mut statement)?;
    Ok(Statement { command: classify(statement)?, n_params })
}

/// Statements that are KalamDB's own, read with the parser's own pieces.
fn parse_own(parser: &mut Parser<'_>) -> Result<Option<Command>> {
    let words: Vec<String> = (0..3).map(|at| parser.peek_nth_token(at).token.to_string().to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let skip = |parser: &mut Parser<'_>, n: usize| (0..n).for_each(|_| parser.advance_token());
    let command = match words.as_slice() {
        ["create", "namespace", _] => {
            skip(parser, 2);
            let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
            Command::CreateNamespace { name: parser.parse_object_name(false)?, if_not_exists }
        }
        ["drop", "namespace", _] => {
            skip(parser, 2);
            let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
            let name = parser.parse_object_name(false)?;
            let cascade = parser.parse_keyword(Keyword::CASCADE);
            Command::DropNamespace { name, if_exists, cascade: cascade && !parser.parse_keyword(Keyword::RESTRICT) }
        }
        ["create", "shared", "table"] => {
            skip(parser, 3);
            Command::CreateTable(Box::new(parser.parse_create_table(false, false, None, false)?))
        }
        ["create", kind @ ("user" | "stream"), "table"] | ["drop", kind @ ("user" | "stream"), "table"] => {
            return Err(Error::unsupported(format!("the table kind {}", kind.to_uppercase())));
        }
        ["drop", "shared", "table"] => {
            skip(parser, 3);
            let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
            Command::DropTables { names: parser.parse_comma_separated(|parser| parser.parse_object_name(false))?, if_exists }
        }
        ["use", "namespace", name] if !matches!(*name, ";" | "eof") => {
            skip(parser, 2);
            Command::Use(parser.parse_object_name(false)?)
        }
        ["show", "namespaces", _] => {
            skip(parser, 2);
            Command::ShowNamespaces
        }
        _ => return Ok(None),
    };
    Ok(Some(command))
}

fn classify(statement: SqlStatement) -> Result<Command> {
    Ok(match statement {
        SqlStatement::Query(_) => Command::Query(Box::new(statement)),
        SqlStatement::Explain { statement: ref inner, .. } => match **inner {
            SqlStatement::Query(_) => Command::Explain(Box::new(statement)),
            _ => return Err(Error::unsupported("EXPLAIN of anything but a query")),
        },
        SqlStatement::Insert(insert) => Command::Insert(Box::new(insert)),
        SqlStatement::Update(update) => Command::Update(Box::new(update)),
        SqlStatement::Delete(delete) => Command::Delete(Box::new(delete)),
        SqlStatement::CreateTable(create) => Command::CreateTable(Box::new(create)),
        SqlStatement::Drop {
            object_type: ObjectType::Table,
            if_exists,
            names,
            cascade: _,
            restrict: _,
            purge: false,
            temporary: false,
            table: None,
        } => Command::DropTables { names, if_exists },
        SqlStatement::CreateSchema {
            schema_name: SchemaName::Simple(name),
            if_not_exists,
            with: None,
            options: None,
            default_collate_spec: None,
            clone: None,
        } => Command::CreateNamespace { name, if_not_exists },
        SqlStatement::Drop {
            object_type: ObjectType::Schema, if_exists, mut names, cascade, purge: false, temporary: false, table: None, ..
        } if names.len() == 1 => Command::DropNamespace { name: names.remove(0), if_exists, cascade },
        SqlStatement::Use(Use::Object(name) | Use::Schema(name)) => Command::Use(name),
        SqlStatement::ShowTables { .. } | SqlStatement::ShowColumns { .. } => Command::ShowTables(Box::new(statement)),
        SqlStatement::ExplainTable { describe_alias: DescribeAlias::Describe | DescribeAlias::Desc, table_name, hive_format: None, .. } => {
            Command::Describe(table_name)
        }
        SqlStatement::StartTransaction { modes, modifier: None, statements, exception: None, has_end_keyword: false, .. }
            if statements.is_empty() && modes.iter().all(is_default_mode) =>
        {
            Command::Transaction(TransactionControl::Begin)
        }
        SqlStatement::Commit { chain: false, modifier: None, .. } => Command::Transaction(TransactionControl::Commit),
        SqlStatement::Rollback { chain: false, savepoint: None } => Command::Transaction(TransactionControl::Rollback),
        SqlStatement::Rollback { chain: false, savepoint: Some(name) } => Command::Transaction(TransactionControl::RollbackTo(fold(&name))),
        SqlStatement::Savepoint { name } => Command::Transaction(TransactionControl::Savepoint(fold(&name))),
        SqlStatement::ReleaseSavepoint { name } => Command::Transaction(TransactionControl::Release(fold(&name))),
        other => return Err(Error::unsupported(format!("the statement {}", start_of(&other)))),
    })
}

/// Every transaction is serialisable, so that asking for any isolation is granted.
fn is_default_mode(mode: &TransactionMode) -> bool {
    match mode {
        TransactionMode::IsolationLevel(_) => true,
        TransactionMode::AccessMode(access) => *access == TransactionAccessMode::ReadWrite,
    }
}

/// The first words of a statement, to name it by.
fn start_of(statement: &SqlStatement) -> String {
    let text = statement.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    words.join(" ")
}
