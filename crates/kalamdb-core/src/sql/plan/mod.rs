//! From a statement to a plan and its rows: what names mean, the query, and short ways around the planner.

mod analysis;
pub(crate) mod check_condition;
pub(crate) mod count;
mod engine_query;
mod growth;
mod join_keys;
mod key_equality;
mod plain_select;
mod planned_query;
mod planner;
pub(crate) mod point;
mod query;
pub(crate) mod rewrite;
mod scope;
mod session_state;
mod views;
mod with;
mod write;

pub(crate) use engine_query::{column, engine_table, select};
pub(crate) use key_equality::KeyEquality;
pub(crate) use planned_query::{PlannedQuery, QueryRows};
pub(crate) use query::StatementContext;
pub(crate) use scope::Relation;
pub(crate) use session_state::LazySessionState;
pub(crate) use with::nothing;
pub(crate) use write::write;
