//! `md5` and `sha224` to `sha512`, of text (its UTF-8) and of bytes.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use md5::Md5;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::scalar::{array, field, function, is_text, no_such_function};
use crate::error::Result;

/// The functions of this module.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["md5"], |name, args| returns(name, args, SqlType::Text), md5_text),
        function(&["sha224"], bytes, sha::<Sha224>),
        function(&["sha256"], bytes, sha::<Sha256>),
        function(&["sha384"], bytes, sha::<Sha384>),
        function(&["sha512"], bytes, sha::<Sha512>),
    ]
}

fn bytes(name: &str, args: &[FieldRef]) -> Result<Field> {
    returns(name, args, SqlType::Bytea)
}

/// A function of one text or of bytes returns this type.
pub(super) fn returns(name: &str, args: &[FieldRef], sql_type: SqlType) -> Result<Field> {
    match args {
        [arg]
            if is_text(arg.data_type()) || arg.data_type().is_binary() || *arg.data_type() == DataType::BinaryView =>
        {
            Ok(field(name, sql_type))
        }
        _ => Err(no_such_function(name, args)),
    }
}

/// In hexadecimal, as PostgreSQL has it.
fn md5_text(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let mut texts = StringViewBuilder::with_capacity(args.number_rows);
    let mut hex = String::new();
    each(args, |value| match value {
        Some(value) => {
            hex.clear();
            for byte in Md5::digest(value) {
                // Writing to a String does not fail.
                let _ = write!(hex, "{byte:02x}");
            }
            texts.append_value(&hex);
        }
        None => texts.append_null(),
    })?;
    Ok(Arc::new(texts.finish()))
}

fn sha<D: Digest>(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let mut digests = BinaryBuilder::with_capacity(args.number_rows, args.number_rows * 64);
    each(args, |value| digests.append_option(value.map(D::digest)))?;
    Ok(Arc::new(digests.finish()))
}

/// Gives the bytes of each row's argument to `value`.
pub(super) fn each(args: &ScalarFunctionArgs, mut value: impl FnMut(Option<&[u8]>)) -> Result<()> {
    let array = array(args, 0)?;
    if is_text(array.data_type()) {
        let texts = cast(&array, &DataType::Utf8View)?;
        texts.as_string_view().iter().for_each(|text| value(text.map(str::as_bytes)));
    } else {
        let bytes = cast(&array, &DataType::Binary)?;
        bytes.as_binary::<i32>().iter().for_each(value);
    }
    Ok(())
}
