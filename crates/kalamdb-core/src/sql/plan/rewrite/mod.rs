//! Statements in the forms that the planner reads with PostgreSQL's meaning.

pub(crate) mod array_parameters;
pub(crate) mod arrow_types;
pub(crate) mod casts;
pub(crate) mod datetime;
mod determined;
pub(crate) mod duplicates;
pub(crate) mod from_names;
pub(crate) mod function_values;
pub(crate) mod grouping;
pub(crate) mod lambdas;
pub(crate) mod named_casts;
pub(crate) mod operators;
pub(crate) mod ordinality;
pub(crate) mod queries;
mod row_comparisons;
mod row_functions;
pub(crate) mod row_subqueries;
pub(crate) mod sort_names;
mod stars;
pub(crate) mod syntax;
pub(crate) mod table_names;
#[cfg(test)]
mod tests;
pub(crate) mod using;
pub(crate) mod values;
pub(crate) mod whole_rows;
pub(crate) mod window_frames;
pub(crate) mod window_names;

pub(crate) use determined::{KeyedColumns, group_by_determined};
pub(crate) use from_names::ShortAliases;
pub(crate) use row_comparisons::row_members;
pub(crate) use row_subqueries::assign_each;
pub(crate) use stars::{Stars, VisibleSystemColumns};
pub(crate) use values::TypedValues;
