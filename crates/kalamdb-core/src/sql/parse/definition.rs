//! Statements that are KalamDB's own, or say more than the parser's own form of them, read with the parser's own
//! pieces.

use datafusion::sql::sqlparser::ast::{
    AlterTable, CreateIndex, CreateView, ObjectName, ObjectType, Query, SchemaName, SetExpr, Statement as SqlStatement,
    Truncate,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;

use super::create_table::{CreateTable, GivenOption, parse_create_table, parse_option_list};
use super::show::Show;
use super::statement::{Command, Maintenance};
use super::words::{kind_of, next_words, skip};
use crate::catalog::TableKind;
use crate::error::{Error, ErrorKind, Result};

/// A statement that changes definitions.
#[derive(Debug, Clone)]
pub(crate) enum Definition {
    CreateTable(CreateTable),
    DropTables { names: Vec<ObjectName>, kind: Option<TableKind>, if_exists: bool, cascade: bool },
    Truncate(Truncate),
    AlterTable(AlterTable),
    CreateView(CreateView),
    DropViews { names: Vec<ObjectName>, if_exists: bool, cascade: bool },
    CreateIndex(Box<CreateIndex>),
    DropIndexes { names: Vec<ObjectName>, if_exists: bool },
    CreateNamespace { name: ObjectName, if_not_exists: bool },
    DropNamespace { name: ObjectName, if_exists: bool, cascade: bool },
    AlterNamespace { name: ObjectName, options: Vec<GivenOption> },
}

impl Definition {
    /// The word that results carry, as in PostgreSQL's command tags.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Definition::CreateTable(_) => "CREATE TABLE",
            Definition::DropTables { .. } => "DROP TABLE",
            Definition::Truncate(_) => "TRUNCATE TABLE",
            Definition::AlterTable(_) => "ALTER TABLE",
            Definition::CreateView(_) => "CREATE VIEW",
            Definition::DropViews { .. } => "DROP VIEW",
            Definition::CreateIndex(_) => "CREATE INDEX",
            Definition::DropIndexes { .. } => "DROP INDEX",
            Definition::CreateNamespace { .. } => "CREATE NAMESPACE",
            Definition::DropNamespace { .. } => "DROP NAMESPACE",
            Definition::AlterNamespace { .. } => "ALTER NAMESPACE",
        }
    }
}

/// Reads a statement that begins with KalamDB's own words; `None` if it begins with others.
pub(super) fn parse(parser: &mut Parser<'_>) -> Result<Option<Command>> {
    let words = next_words::<4>(parser);
    let words = [words[0].as_str(), words[1].as_str(), words[2].as_str(), words[3].as_str()];
    let definition = match words {
        ["create", "table", ..] => {
            skip(parser, 2);
            Definition::CreateTable(parse_create_table(parser, None)?)
        }
        ["create", kind, "table", _] if kind_of(kind).is_some() => {
            skip(parser, 3);
            Definition::CreateTable(parse_create_table(parser, kind_of(kind))?)
        }
        ["drop", kind, "table", _] if kind_of(kind).is_some() => {
            skip(parser, 3);
            let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
            let names = parser.parse_comma_separated(|parser| parser.parse_object_name(false))?;
            Definition::DropTables { names, kind: kind_of(kind), if_exists, cascade: parse_cascade(parser) }
        }
        ["create", "namespace", ..] => {
            skip(parser, 2);
            let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
            Definition::CreateNamespace { name: parser.parse_object_name(false)?, if_not_exists }
        }
        ["drop", "namespace", ..] => {
            skip(parser, 2);
            let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
            Definition::DropNamespace {
                name: parser.parse_object_name(false)?,
                if_exists,
                cascade: parse_cascade(parser),
            }
        }
        ["alter", "namespace", ..] => {
            skip(parser, 2);
            let name = parser.parse_object_name(false)?;
            parser.expect_keywords(&[Keyword::SET, Keyword::OPTIONS])?;
            Definition::AlterNamespace { name, options: parse_option_list(parser)? }
        }
        ["flush", "table", ..] | ["storage", "flush" | "compact", "table", _] => {
            let compacts = words[1] == "compact";
            skip(parser, if words[0] == "flush" { 2 } else { 3 });
            let table = Some(parser.parse_object_name(false)?);
            return Ok(Some(Command::Maintain(Maintenance { table, compacts })));
        }
        ["storage", "flush" | "compact", "all", _] => {
            skip(parser, 3);
            return Ok(Some(Command::Maintain(Maintenance { table: None, compacts: words[1] == "compact" })));
        }
        // Their bodies are of other dialects.
        ["create", "trigger", ..] | ["create", _, "trigger", _] | ["drop", "trigger", ..] => {
            return Err(Error::unsupported("a trigger"));
        }
        ["reindex", ..] => return Err(Error::unsupported("REINDEX").with_hint("an index is made when it is used")),
        ["kill", "live", "query", _] => {
            skip(parser, 3);
            parser.parse_literal_string()?;
            return Err(Error::new(
                ErrorKind::FeatureNotSupported,
                "KILL LIVE QUERY is not supported yet: there are no live queries",
            ));
        }
        _ => return Ok(Show::parse(parser, words)?.map(|show| Command::Show(Box::new(show)))),
    };
    Ok(Some(Command::Define(Box::new(definition))))
}

fn parse_cascade(parser: &mut Parser<'_>) -> bool {
    // RESTRICT is what is done anyway.
    !parser.parse_keyword(Keyword::RESTRICT) && parser.parse_keyword(Keyword::CASCADE)
}

/// `SELECT ... INTO table`, which is CREATE TABLE ... AS; the statement itself if it is none.
fn select_into(mut query: Box<Query>) -> std::result::Result<CreateTable, Box<SqlStatement>> {
    let into = match query.body.as_mut() {
        SetExpr::Select(select) => select.into.take_if(|into| !into.temporary && !into.unlogged),
        _ => None,
    };
    match into {
        Some(into) => Ok(CreateTable {
            name: into.name,
            kind: None,
            if_not_exists: false,
            columns: Vec::new(),
            column_names: Vec::new(),
            constraints: Vec::new(),
            options: Vec::new(),
            query: Some(query),
        }),
        None => Err(Box::new(SqlStatement::Query(query))),
    }
}

/// The definitions that the parser has a form for. Gives the statement back if it is none.
pub(super) fn of_statement(statement: SqlStatement) -> std::result::Result<Definition, Box<SqlStatement>> {
    Ok(match statement {
        SqlStatement::Drop {
            object_type: ObjectType::Table,
            if_exists,
            names,
            cascade,
            purge: false,
            temporary: false,
            table: None,
            ..
        } => Definition::DropTables { names, kind: None, if_exists, cascade },
        SqlStatement::Drop {
            object_type: ObjectType::View,
            if_exists,
            names,
            cascade,
            purge: false,
            temporary: false,
            table: None,
            ..
        } => Definition::DropViews { names, if_exists, cascade },
        SqlStatement::Drop {
            object_type: ObjectType::Index,
            if_exists,
            names,
            purge: false,
            temporary: false,
            table: None,
            ..
        } => Definition::DropIndexes { names, if_exists },
        SqlStatement::Drop {
            object_type: ObjectType::Schema,
            if_exists,
            mut names,
            cascade,
            purge: false,
            temporary: false,
            table: None,
            ..
        } if names.len() == 1 => Definition::DropNamespace { name: names.remove(0), if_exists, cascade },
        SqlStatement::CreateSchema {
            schema_name: SchemaName::Simple(name),
            if_not_exists,
            with: None,
            options: None,
            default_collate_spec: None,
            clone: None,
        } => Definition::CreateNamespace { name, if_not_exists },
        SqlStatement::Query(query) => Definition::CreateTable(select_into(query)?),
        SqlStatement::Truncate(truncate) => Definition::Truncate(truncate),
        SqlStatement::AlterTable(alter) => Definition::AlterTable(alter),
        SqlStatement::CreateView(create) => Definition::CreateView(create),
        SqlStatement::CreateIndex(create) => Definition::CreateIndex(Box::new(create)),
        other => return Err(Box::new(other)),
    })
}
