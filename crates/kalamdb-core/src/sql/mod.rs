//! From a SQL text to an executed statement.
//!
//! The text is tokenised, bounded and parsed; queries are planned and run by DataFusion; INSERT, UPDATE, DELETE and DDL are taken
//! from the parsed statement and executed by the engine, which asks DataFusion only for rows.

mod analysis;
mod arithmetic;
mod calls;
mod casts;
mod catalog_view;
mod check_constraints;
mod checked;
mod checked_cast;
mod complexity;
mod conflict;
mod counter;
mod ddl;
mod defaults;
mod delete;
mod determined;
mod dialect;
mod duplicates;
mod engine_query;
mod execute;
mod grouping;
mod growth;
mod insert;
mod insert_each;
mod key_equality;
mod keys;
mod lambdas;
mod literals;
mod names;
mod optimizer;
mod parameters;
mod parse;
mod parse_ddl;
mod parse_table;
mod parsed;
mod point;
mod profile;
mod returning;
mod scope;
mod sequential;
mod show;
mod state;
mod subqueries;
mod sum;
mod syntax;
mod system_tables;
mod table_definition;
mod table_options;
mod target;
mod tokens;
mod types;
mod update;
mod using;
mod views;

pub(crate) use execute::Executor;
pub(crate) use insert::{Block, insert_columns};
pub(crate) use insert_each::PlainInsert;
pub(crate) use names::{namespace_name as namespace_of_use, parse_table_name};
pub(crate) use parameters::Parameters;
pub(crate) use parse::{Command, Statement, TransactionControl};
pub(crate) use parsed::ParsedTexts;
pub(crate) use state::new_session_state;
