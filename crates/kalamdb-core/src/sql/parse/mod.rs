//! From a text to a statement: tokens, bounds, the parser, and our own statements.

mod between;
mod calls;
mod complexity;
mod create_table;
mod definition;
mod dialect;
mod durations;
pub(crate) mod long_numbers;
mod names;
mod numbers;
mod parameters;
mod parser;
mod plain_values;
mod query_parentheses;
mod refused;
mod show;
mod spellings;
mod statement;
mod statement_cache;
#[cfg(test)]
mod tests;
mod tokens;
mod types;
mod with;
mod words;

pub(crate) use calls::call;
pub(crate) use create_table::{CreateTable, GivenOption, OptionValue};
pub(crate) use definition::Definition;
pub(crate) use dialect::SqlDialect;
pub(crate) use durations::seconds;
pub(crate) use names::{column_name, fold, namespace_name, parse_table_name, referenced_table, table_name};
pub(crate) use parameters::Parameters;
pub(crate) use parser::{parse_expression, parse_query};
pub(crate) use plain_values::plain_values;
pub(crate) use refused::{Refused, refuse_in_expressions};
pub(crate) use show::Show;
pub(crate) use statement::{Command, Maintenance, Overriding, Request, SessionCommand, Statement, TransactionControl};
pub(crate) use statement_cache::StatementCache;
pub(crate) use types::column_type;
pub(crate) use words::kind_of;
