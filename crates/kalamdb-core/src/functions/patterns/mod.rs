//! Patterns: PostgreSQL's regular expressions (`~`, `regexp_replace` and their like), SIMILAR TO and the ESCAPE of
//! LIKE.

mod escapes;
mod expression;
mod functions;
mod pattern_functions;
mod replacement;

pub(crate) use pattern_functions::{LIKE_ESCAPE, REGEXP_LIKE, SIMILAR_TO_ESCAPE, SUBSTRING_PATTERN, all};
