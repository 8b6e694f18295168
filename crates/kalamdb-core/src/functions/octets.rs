//! `octet_length` and `bit_length`, of text (its UTF-8) and of bytes, which DataFusion's do not take.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Builder};
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::digests::{each, returns};
use super::scalar::function;
use crate::error::{Error, ErrorKind, Result};

/// The functions of this module.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![function(&["octet_length"], integer, |args| count(args, 1)), function(&["bit_length"], integer, |args| count(args, 8))]
}

fn integer(name: &str, args: &[FieldRef]) -> Result<Field> {
    returns(name, args, SqlType::Integer)
}

fn count(args: &ScalarFunctionArgs, factor: usize) -> Result<ArrayRef> {
    let mut counts = Int32Builder::with_capacity(args.number_rows);
    let mut is_too_long = false;
    each(args, |value| {
        let bits = value.map(|bytes| i32::try_from(bytes.len().saturating_mul(factor)));
        is_too_long |= matches!(bits, Some(Err(_)));
        counts.append_option(bits.and_then(std::result::Result::ok));
    })?;
    if is_too_long {
        return Err(Error::new(ErrorKind::NumericValueOutOfRange, "the length is out of the range of INTEGER"));
    }
    Ok(Arc::new(counts.finish()))
}
