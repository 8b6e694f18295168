//! Subqueries in expressions: what DataFusion joins with the right meaning is left to it, everything else is evaluated
//! by [`Apply`].
//!
//! DataFusion makes joins of `EXISTS` and `IN` that are conditions of a WHERE of their own, and of correlated scalar
//! aggregates whose correlation is an equality (`shape.rs` says exactly which). A subquery anywhere else, or correlated
//! in any other way, becomes a column that an [`Apply`] below the expression adds to each row. Apply runs the
//! subquery's plan once for each distinct set of outer values: slow where a join would do, but right for every
//! subquery.

mod apply;
mod apply_exec;
mod hoist;
mod lateral;
mod outer;
mod outer_aggregates;
mod outer_value;
mod rewrite;
mod scalar;
mod shape;

pub(crate) use apply::{Apply, SubqueryKind};
pub(crate) use apply_exec::{ApplyArguments, ApplyExec};
pub(crate) use rewrite::rewrite;
