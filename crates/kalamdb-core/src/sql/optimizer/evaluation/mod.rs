//! What is evaluated for which rows: nothing that may fail is computed for rows that the query excludes.
//!
//! DataFusion moves conditions to where they leave the fewest rows, and evaluates a conjunction as a whole. So
//! conditions that may fail stay where they are (`hold.rs`), their neighbours go before them (`guard.rs`), and so does
//! FILTER before an aggregate's arguments (`filtered.rs`).

mod fails;
mod filtered;
mod guard;
mod hold;

pub(crate) use fails::may_fail;
pub(crate) use filtered::FilteredArguments;
pub(crate) use guard::guard;
pub(crate) use hold::Hold;
