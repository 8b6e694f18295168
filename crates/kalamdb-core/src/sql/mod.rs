//! From a SQL text to an executed statement.
//!
//! The text is tokenised, bounded and parsed; queries are planned and run by DataFusion; INSERT, UPDATE, DELETE and DDL
//! are taken from the parsed statement and executed by the engine, which asks DataFusion only for rows.

pub(crate) mod analyzer;
pub(crate) mod ddl;
pub(crate) mod dml;
mod execute;
pub(crate) mod optimizer;
pub(crate) mod parse;
pub(crate) mod physical;
pub(crate) mod plan;
mod show;
pub(crate) mod subqueries;
pub(crate) mod system;
