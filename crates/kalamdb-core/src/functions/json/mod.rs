//! JSON: operators and functions with PostgreSQL's meaning, over JSON texts.

mod access;
mod aggregate;
mod build;
mod change;
mod inspect;
mod json_functions;
mod operators;
pub(crate) mod parts;
mod path;
mod set;

pub(crate) use json_functions::{aggregates, all};
pub(crate) use operators::Operators;
