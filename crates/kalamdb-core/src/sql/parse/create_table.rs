//! CREATE TABLE as KalamDB writes it: the kind of table, the options of WITH, and the older forms behind the columns.

use datafusion::sql::sqlparser::ast::{ColumnDef, Expr, Ident, ObjectName, Query, SqlOption, TableConstraint, Value};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::names::fold;
use super::words::{next_words, skip, take_word};
use crate::catalog::TableKind;
use crate::error::{Error, Result};

/// A CREATE TABLE as written.
#[derive(Debug, Clone)]
pub(crate) struct CreateTable {
    pub(crate) name: ObjectName,
    /// The kind that a keyword names.
    pub(crate) kind: Option<TableKind>,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<ColumnDef>,
    /// Names without types, which only `AS query` can follow.
    pub(crate) column_names: Vec<Ident>,
    pub(crate) constraints: Vec<TableConstraint>,
    pub(crate) options: Vec<GivenOption>,
    pub(crate) query: Option<Box<Query>>,
}

/// An option as written: its name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenOption {
    pub(crate) name: String,
    pub(crate) value: OptionValue,
}

/// What an option is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OptionValue {
    /// A text, or a bare word.
    Text(String),
    /// A number as it is written.
    Number(String),
    Boolean(bool),
    /// Seconds of a FLUSH clause, and rows.
    Flush {
        rows: Option<u64>,
        interval_secs: Option<u64>,
    },
}

impl OptionValue {
    /// The value as text, without quotes.
    pub(crate) fn text(&self) -> String {
        match self {
            OptionValue::Text(text) | OptionValue::Number(text) => text.clone(),
            OptionValue::Boolean(value) => value.to_string(),
            OptionValue::Flush { .. } => String::new(),
        }
    }
}

impl GivenOption {
    fn new(name: &str, value: OptionValue) -> Self {
        Self { name: name.to_owned(), value }
    }

    /// Reads an option that the parser itself has read, as in `ALTER TABLE ... SET (option = value)`.
    pub(crate) fn of_sql(option: &SqlOption) -> Result<Self> {
        let refused = || Error::unsupported(format!("the option {option}"));
        let SqlOption::KeyValue { key, value } = option else { return Err(refused()) };
        let value = match value {
            Expr::Identifier(ident) => OptionValue::Text(ident.value.clone()),
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => OptionValue::Text(text.clone()),
                Value::Number(text, _) => OptionValue::Number(text.clone()),
                Value::Boolean(value) => OptionValue::Boolean(*value),
                _ => return Err(refused()),
            },
            _ => return Err(refused()),
        };
        Ok(Self { name: fold(key).to_lowercase(), value })
    }
}

/// Reads what follows `CREATE [kind] TABLE`.
pub(super) fn parse_create_table(parser: &mut Parser<'_>, kind: Option<TableKind>) -> Result<CreateTable> {
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = parser.parse_object_name(false)?;
    let [next] = next_words::<1>(parser);
    if matches!(next.as_str(), "like" | "clone" | "partition" | "on" | "of") {
        return Err(Error::unsupported(format!("CREATE TABLE ... {}", next.to_uppercase())));
    }
    let mut create = CreateTable {
        name,
        kind,
        if_not_exists,
        columns: Vec::new(),
        column_names: Vec::new(),
        constraints: Vec::new(),
        options: Vec::new(),
        query: None,
    };
    if parser.consume_token(&Token::LParen) {
        if parser.peek_keyword(Keyword::LIKE) {
            return Err(Error::unsupported("CREATE TABLE ... LIKE"));
        }
        if matches!(parser.peek_nth_token(1).token, Token::Comma | Token::RParen) {
            create.column_names = parser.parse_comma_separated(Parser::parse_identifier)?;
        } else if parser.peek_token_ref().token != Token::RParen {
            parse_columns(parser, &mut create)?;
        }
        parser.expect_token(&Token::RParen)?;
    }
    while parse_suffix(parser, &mut create.options)? {}
    if parser.parse_keyword(Keyword::AS) {
        create.query = Some(parser.parse_query()?);
    }
    Ok(create)
}

/// Columns and constraints. Only the words of a constraint begin one, so that columns may be called `key` or `index`.
fn parse_columns(parser: &mut Parser<'_>, create: &mut CreateTable) -> Result<()> {
    loop {
        let [next] = next_words::<1>(parser);
        if matches!(next.as_str(), "constraint" | "primary" | "unique" | "check" | "foreign" | "exclude") {
            match parser.parse_optional_table_constraint()? {
                Some(constraint) => create.constraints.push(constraint),
                None => return Err(Error::unsupported(format!("the table constraint {}", next.to_uppercase()))),
            }
        } else {
            create.columns.push(parser.parse_column_def()?);
        }
        if !parser.consume_token(&Token::Comma) {
            return Ok(());
        }
    }
}

/// Reads one option behind the columns, if there is another.
fn parse_suffix(parser: &mut Parser<'_>, options: &mut Vec<GivenOption>) -> Result<bool> {
    let words = next_words::<3>(parser);
    let words = [words[0].as_str(), words[1].as_str(), words[2].as_str()];
    let option = match words {
        ["with", ..] => {
            skip(parser, 1);
            options.extend(parse_option_list(parser)?);
            return Ok(true);
        }
        ["flush", "policy", "rows", ..] => {
            skip(parser, 3);
            let rows = Some(parser.parse_literal_uint()?);
            let interval_secs = if parser.parse_keyword(Keyword::OR) {
                parser.expect_keyword_is(Keyword::TIME)?;
                Some(parse_seconds(parser)?)
            } else {
                None
            };
            GivenOption::new("flush_policy", OptionValue::Flush { rows, interval_secs })
        }
        ["flush", "policy", "time"] => {
            skip(parser, 3);
            let interval_secs = Some(parse_seconds(parser)?);
            GivenOption::new("flush_policy", OptionValue::Flush { rows: None, interval_secs })
        }
        ["flush", "rows", _] => {
            skip(parser, 2);
            GivenOption::new(
                "flush_policy",
                OptionValue::Flush { rows: Some(parser.parse_literal_uint()?), interval_secs: None },
            )
        }
        ["flush", "seconds", _] => {
            skip(parser, 2);
            GivenOption::new(
                "flush_policy",
                OptionValue::Flush { rows: None, interval_secs: Some(parser.parse_literal_uint()?) },
            )
        }
        ["deleted_retention", ..] => {
            skip(parser, 1);
            GivenOption::new("deleted_retention", OptionValue::Text(parse_duration(parser)?))
        }
        ["ttl", ..] => {
            skip(parser, 1);
            let duration = parse_duration(parser)?;
            let duration = if take_word(parser, "seconds") { format!("{duration}s") } else { duration };
            GivenOption::new("ttl", OptionValue::Text(duration))
        }
        ["buffer_size", ..] => {
            skip(parser, 1);
            GivenOption::new("max_buffer", OptionValue::Number(parser.parse_literal_uint()?.to_string()))
        }
        ["location" | "storage_id" | "storage", ..] => {
            skip(parser, 1);
            let _: bool = parser.consume_token(&Token::Eq);
            let name = if words[0] == "location" { "location" } else { "storage_id" };
            GivenOption::new(name, parse_value(parser)?)
        }
        _ => return Ok(false),
    };
    options.push(option);
    Ok(true)
}

/// `(name = value, ...)`
pub(super) fn parse_option_list(parser: &mut Parser<'_>) -> Result<Vec<GivenOption>> {
    parser.expect_token(&Token::LParen)?;
    let mut options = Vec::new();
    loop {
        let name = parser.parse_identifier()?;
        parser.expect_token(&Token::Eq)?;
        options.push(GivenOption { name: fold(&name).to_lowercase(), value: parse_value(parser)? });
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RParen)?;
    Ok(options)
}

fn parse_value(parser: &mut Parser<'_>) -> Result<OptionValue> {
    let next = parser.next_token();
    Ok(match next.token {
        Token::SingleQuotedString(text) => OptionValue::Text(text),
        Token::Number(text, _) => OptionValue::Number(text),
        Token::Minus => match parser.next_token().token {
            Token::Number(text, _) => OptionValue::Number(format!("-{text}")),
            other => return Err(Error::unsupported(format!("the option value -{other}"))),
        },
        Token::Word(word) if word.keyword == Keyword::TRUE => OptionValue::Boolean(true),
        Token::Word(word) if word.keyword == Keyword::FALSE => OptionValue::Boolean(false),
        Token::Word(word) => OptionValue::Text(word.value),
        _ => return Ok(parser.expected("the value of an option", next)?),
    })
}

/// A number with a unit: `300s`, `14d`, `10`. The tokenizer takes the two apart.
fn parse_duration(parser: &mut Parser<'_>) -> Result<String> {
    if let Token::SingleQuotedString(_) = parser.peek_token_ref().token {
        return Ok(parser.parse_literal_string()?);
    }
    let number = parser.parse_literal_uint()?;
    let [unit] = next_words::<1>(parser);
    if matches!(unit.as_str(), "s" | "m" | "h" | "d") {
        parser.advance_token();
        return Ok(format!("{number}{unit}"));
    }
    Ok(number.to_string())
}

fn parse_seconds(parser: &mut Parser<'_>) -> Result<u64> {
    let duration = parse_duration(parser)?;
    super::durations::seconds(&duration)
}
