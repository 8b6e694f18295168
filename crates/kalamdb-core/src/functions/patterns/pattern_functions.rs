//! Patterns: PostgreSQL's regular expressions (`~`, `regexp_replace` and their like), SIMILAR TO and the ESCAPE of
//! LIKE.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{escapes, functions};

/// `s ~ p` is `regexp_like(s, p)`.
pub(crate) const REGEXP_LIKE: &str = "regexp_like";
/// `s SIMILAR TO p` is `regexp_like(s, similar_to_escape(p))`.
pub(crate) const SIMILAR_TO_ESCAPE: &str = "similar_to_escape";
/// `s LIKE p ESCAPE e` is `s LIKE like_escape(p, e)`.
pub(crate) const LIKE_ESCAPE: &str = "like_escape";
/// `substring(s from p)` with a pattern.
pub(crate) const SUBSTRING_PATTERN: &str = "substring_pattern";

pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    [functions::all(), escapes::all()].concat()
}
