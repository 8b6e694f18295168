//! A text as statements, each with its kind.

use datafusion::sql::sqlparser::ast::{Expr, Statement as SqlStatement, TransactionAccessMode, TransactionMode, Use};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::complexity::MAX_SQL_BYTES;
use super::definition::Definition;
use super::dialect::{SqlDialect, mark_question_operators};
use super::names::fold;
use super::numbers::read_numbers;
use super::parameters::number_placeholders;
use super::statement::{Command, Request, SessionCommand, Statement, TransactionControl};
use super::tokens::{Overrides, select_from_tables};
use super::words::{next_words, skip};
use super::{complexity, definition, spellings, with};
use crate::error::{Error, ErrorKind, Location, Result};

/// How deep the parser itself may recurse.
const PARSER_RECURSION: usize = 100;

/// How many joins a text may have of which some are within others.
const MAX_NESTED_JOINS: usize = 32;

/// Parses a text of any number of statements; nothing is run before all of it parses.
///
/// # Errors
/// `syntax_error` with its place, `statement_too_complex`, `program_limit_exceeded`, `feature_not_supported`.
pub(super) fn parse(sql: &str) -> Result<Vec<Statement>> {
    if sql.len() > MAX_SQL_BYTES {
        let message = format!("the SQL text has {} bytes; at most {MAX_SQL_BYTES} are taken", sql.len());
        return Err(Error::new(ErrorKind::ProgramLimitExceeded, message)
            .with_hint("insert many rows with insert(), which has no such limit"));
    }
    let tokens = tokenize(sql)?;
    complexity::check(&tokens)?;
    let may_nest = may_nest_joins(&tokens);
    match parse_tokens(tokens, &SqlDialect::PLAIN) {
        Err(error) if may_nest && error.kind() == ErrorKind::SyntaxError => {
            parse_tokens(tokenize(sql)?, &SqlDialect::WITH_NESTED_JOINS).map_err(|_| error)
        }
        outcome => outcome,
    }
}

/// Whether a text may have joins of the form that [`SqlDialect::WITH_NESTED_JOINS`] reads.
fn may_nest_joins(tokens: &[TokenWithSpan]) -> bool {
    let is = |token: &TokenWithSpan, keyword| matches!(&token.token, Token::Word(word) if word.keyword == keyword);
    // The parser recurses for each.
    (2..=MAX_NESTED_JOINS).contains(&tokens.iter().filter(|token| is(token, Keyword::JOIN)).count())
        && !tokens.iter().any(|token| is(token, Keyword::NATURAL))
}

fn parse_tokens(mut tokens: Vec<TokenWithSpan>, dialect: &SqlDialect) -> Result<Vec<Statement>> {
    let overrides = Overrides::take(&mut tokens);
    let mut parser = Parser::new(dialect).with_recursion_limit(PARSER_RECURSION).with_tokens_with_locations(tokens);
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Ok(statements);
        }
        let start = Location { line: next.span.start.line, column: next.span.start.column };
        let statement = parse_one(&mut parser, &overrides).map_err(|error| match error.kind() {
            ErrorKind::FeatureNotSupported => error.with_location(Some(start)),
            _ => error,
        })?;
        if !matches!(parser.peek_token().token, Token::SemiColon | Token::EOF) {
            return Err(parser
                .expected::<()>("end of statement", parser.peek_token())
                .map_or_else(Error::from, |()| Error::internal("no error")));
        }
        statements.push(statement);
    }
}

/// Parses a text that is one query.
pub(crate) fn parse_query(sql: &str) -> Result<SqlStatement> {
    let mut parser = Parser::new(&SqlDialect::PLAIN)
        .with_recursion_limit(PARSER_RECURSION)
        .with_tokens_with_locations(tokenize(sql)?);
    Ok(SqlStatement::Query(parser.parse_query()?))
}

/// Parses a text that is one expression: what the catalog keeps of a statement that was parsed before.
pub(crate) fn parse_expression(sql: &str) -> Result<Expr> {
    let mut parser = Parser::new(&SqlDialect::PLAIN).with_tokens_with_locations(tokenize(sql)?);
    Ok(parser.parse_expr()?)
}

fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = Tokenizer::new(&SqlDialect::PLAIN, sql).tokenize_with_location().map_err(|error| {
        let location = Location { line: error.location.line, column: error.location.column };
        Error::new(ErrorKind::SyntaxError, error.message).with_location(Some(location))
    })?;
    read_numbers(&mut tokens)?;
    select_from_tables(&mut tokens);
    mark_question_operators(&mut tokens);
    spellings::take_out(&mut tokens)?;
    Ok(tokens)
}

fn parse_one(parser: &mut Parser<'_>, overrides: &Overrides) -> Result<Statement> {
    if let Some(statement) = parse_own(parser, overrides)? {
        return Ok(statement);
    }
    let undeletes = is_word(parser, 0, "undelete") && is_word(parser, 1, "from");
    let overriding = overrides.of(parser.peek_token_ref());
    let mut statement = if undeletes {
        let word = parser.next_token();
        parser.parse_delete(word)?
    } else {
        parser.parse_statement()?
    };
    let n_params = number_placeholders(&mut statement)?;
    let mut request = match statement {
        SqlStatement::Delete(delete) if undeletes => Request::Database(Command::Undelete(Box::new(delete))),
        other => match of_session(other) {
            Ok(command) => Request::Session(command),
            Err(other) => Request::Database(classify(*other)?),
        },
    };
    match &mut request {
        Request::Database(Command::Insert { overriding: clause, .. }) => *clause = overriding,
        Request::Database(Command::With { command, .. }) => {
            if let Command::Insert { statement, overriding } = &mut **command {
                *overriding = overrides.of(&statement.insert_token.0);
            }
        }
        _ => {}
    }
    Ok(Statement { request, n_params })
}

fn is_word(parser: &Parser<'_>, at: usize, word: &str) -> bool {
    parser.peek_nth_token(at).token.to_string().eq_ignore_ascii_case(word)
}

/// Statements that are KalamDB's own, read with the parser's own pieces.
fn parse_own(parser: &mut Parser<'_>, overrides: &Overrides) -> Result<Option<Statement>> {
    let words = next_words::<3>(parser);
    match [words[0].as_str(), words[1].as_str(), words[2].as_str()] {
        ["execute", "as", "user"] => {
            skip(parser, 3);
            parse_execute_as(parser, overrides).map(Some)
        }
        ["use", "namespace", name] if !name.is_empty() => {
            skip(parser, 2);
            let command = SessionCommand::Use(parser.parse_object_name(false)?);
            Ok(Some(Statement { request: Request::Session(command), n_params: 0 }))
        }
        _ => {
            let Some(mut command) = definition::parse(parser)? else { return Ok(None) };
            let n_params = match &mut command {
                Command::Define(definition) => number_parameters(definition)?,
                _ => 0,
            };
            Ok(Some(Statement { request: Request::Database(command), n_params }))
        }
    }
}

/// The query of CREATE TABLE ... AS may have parameters.
fn number_parameters(definition: &mut Definition) -> Result<usize> {
    let Definition::CreateTable(create) = definition else { return Ok(0) };
    let Some(query) = create.query.take() else { return Ok(0) };
    let mut statement = SqlStatement::Query(query);
    let n_params = number_placeholders(&mut statement)?;
    if let SqlStatement::Query(query) = statement {
        create.query = Some(query);
    }
    Ok(n_params)
}

/// `'user' (statement)`
fn parse_execute_as(parser: &mut Parser<'_>, overrides: &Overrides) -> Result<Statement> {
    let user = parser.parse_literal_string()?;
    parser.expect_token(&Token::LParen)?;
    let Statement { request, n_params } = parse_one(parser, overrides)?;
    parser.expect_token(&Token::RParen)?;
    let within = |tag: &str| Error::unsupported(format!("{tag} within EXECUTE AS USER"));
    let command = match request {
        Request::Session(command) => return Err(within(command.tag())),
        Request::Database(command @ Command::ExecuteAs { .. }) => return Err(within(command.tag())),
        Request::Database(command) => Box::new(command),
    };
    Ok(Statement { request: Request::Database(Command::ExecuteAs { user, command }), n_params })
}

/// A statement about the session; the statement itself if it is none.
fn of_session(statement: SqlStatement) -> std::result::Result<SessionCommand, Box<SqlStatement>> {
    Ok(match statement {
        SqlStatement::Use(Use::Object(name) | Use::Schema(name)) => SessionCommand::Use(name),
        SqlStatement::StartTransaction {
            ref modes,
            modifier: None,
            ref statements,
            exception: None,
            has_end_keyword: false,
            ..
        } if statements.is_empty() && modes.iter().all(is_default_mode) => {
            SessionCommand::Transaction(TransactionControl::Begin)
        }
        SqlStatement::Commit { chain: false, modifier: None, .. } => {
            SessionCommand::Transaction(TransactionControl::Commit)
        }
        SqlStatement::Rollback { chain: false, savepoint: None } => {
            SessionCommand::Transaction(TransactionControl::Rollback)
        }
        SqlStatement::Rollback { chain: false, savepoint: Some(name) } => {
            SessionCommand::Transaction(TransactionControl::RollbackTo(fold(&name)))
        }
        SqlStatement::Savepoint { name } => SessionCommand::Transaction(TransactionControl::Savepoint(fold(&name))),
        SqlStatement::ReleaseSavepoint { name } => {
            SessionCommand::Transaction(TransactionControl::Release(fold(&name)))
        }
        other => return Err(Box::new(other)),
    })
}

fn classify(statement: SqlStatement) -> Result<Command> {
    if let SqlStatement::Query(query) = &statement
        && let Some((with, statement)) = with::split(query)
    {
        return Ok(Command::With { with: Box::new(with), command: Box::new(classify(statement)?) });
    }
    Ok(match statement {
        SqlStatement::Query(_) => match definition::of_statement(statement) {
            Ok(definition) => Command::Define(Box::new(definition)),
            Err(query) => Command::Query(query),
        },
        SqlStatement::Explain { options: Some(ref options), .. } if !options.is_empty() => {
            return Err(Error::unsupported("EXPLAIN with options in parentheses")
                .with_hint("write EXPLAIN ANALYZE or EXPLAIN VERBOSE"));
        }
        SqlStatement::Explain { statement: ref inner, .. } => match **inner {
            SqlStatement::Query(_) => Command::Explain(Box::new(statement)),
            _ => return Err(Error::unsupported("EXPLAIN of anything but a query")),
        },
        SqlStatement::Insert(insert) => Command::Insert { statement: Box::new(insert), overriding: None },
        SqlStatement::Update(update) => Command::Update(Box::new(update)),
        SqlStatement::Delete(delete) => Command::Delete(Box::new(delete)),
        other => match definition::of_statement(other) {
            Ok(definition) => Command::Define(Box::new(definition)),
            Err(other) => return Err(Error::unsupported(format!("the statement {}", start_of(&other)))),
        },
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
