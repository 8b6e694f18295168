//! PostgreSQL's templates of dates and times, such as `YYYY-MM-DD HH24:MI`.

mod parse;
mod template;

pub(crate) use parse::parse_with;
pub(crate) use template::{Case, DAYS, Field, MONTHS, Part, parts};
